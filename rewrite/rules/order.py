"""The order of what has no order: operands of AND, inputs of inner joins, branches of unions.

Sorted first by the *masked* digest, which reads every number and string literal as a hole, then
by the digest. So copies of a query that differ in literals only put everything into the same
places, and masking the literals of two normal forms is enough to compare them.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from unwet.rewrite.algebra import Expr, Lit, Node, content_fields
from unwet.rewrite.folding import feed, fold, nodes_of

HOLES = frozenset({"number", "string"})
"""The kinds of literals that count as holes; NULL, TRUE and FALSE are logic, not values."""


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
    return fold(node, nodes_of, _masked, _digest_of)


_masked: dict[bytes, bytes] = {}


def _digest_of(node: Node) -> bytes:
    state = blake2b(type(node).__name__.encode(), digest_size=16)
    if isinstance(node, Lit) and node.kind in HOLES:
        state.update(b"?" + node.kind.encode())
        return state.digest()
    for name in content_fields(type(node)):
        feed(state, getattr(node, name), _masked)
    return state.digest()
