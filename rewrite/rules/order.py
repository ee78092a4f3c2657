"""The order of what has no order: operands of AND, inputs of inner joins, branches of unions.

Sorted first by the *masked* digest, which reads every number and string literal as a hole, then
by the digest. So copies of a query that differ in literals only put everything into the same
places, and masking the literals of two normal forms is enough to compare them.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from unwet.rewrite.algebra import Expr, Lit, Node, content_fields

HOLES = frozenset({"number", "string"})
"""The kinds of literals that count as holes; NULL, TRUE and FALSE are logic, not values."""

_CACHE = 1 << 17


def order_key(node: Node) -> tuple[bytes, bytes]:
    """What unordered things are sorted by."""
    return masked_digest(node), node.digest


def in_order(exprs: Iterable[Expr]) -> tuple[Expr, ...]:
    """Expressions in canonical order, duplicates kept."""
    return tuple(sorted(exprs, key=order_key))


def unique_in_order(exprs: Iterable[Expr]) -> tuple[Expr, ...]:
    """Expressions in canonical order, each once."""
    return tuple(sorted(dict.fromkeys(exprs), key=order_key))


def masked_digest(node: Node) -> bytes:
    """The digest of a plan or expression whose literals are holes."""
    known = _masked.get(node.digest)
    return known if known is not None else _fill_from(node)


# Content to content, so it can never be stale; emptied when it grows, not when a run ends.
_masked: dict[bytes, bytes] = {}


def _fill_from(node: Node) -> bytes:
    if len(_masked) > _CACHE:
        _masked.clear()
    stack: list[Node] = [node]
    while stack:
        item = stack[-1]
        todo = [n for n in _nodes_in(item) if n.digest not in _masked]
        if todo:
            stack.extend(todo)
            continue
        stack.pop()
        _masked[item.digest] = _digest_of(item)
    return _masked[node.digest]


def _nodes_in(node: Node) -> list[Node]:
    found: list[Node] = []
    stack: list[object] = [getattr(node, name) for name in content_fields(type(node))]
    while stack:
        value = stack.pop()
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            stack.extend(value)
    return found


def _digest_of(node: Node) -> bytes:
    state = blake2b(type(node).__name__.encode(), digest_size=16)
    if isinstance(node, Lit) and node.kind in HOLES:
        state.update(b"?" + node.kind.encode())
        return state.digest()
    for name in content_fields(type(node)):
        _feed(state, getattr(node, name))
    return state.digest()


def _feed(state: blake2b, value: object) -> None:
    if isinstance(value, Node):
        state.update(b"n" + _masked[value.digest])
    elif isinstance(value, tuple):
        state.update(b"(%d:" % len(value))
        for item in value:
            _feed(state, item)
    else:
        raw = repr(value).encode("utf-8", "surrogatepass")
        state.update(b"%d:" % len(raw) + raw)
