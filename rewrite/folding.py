"""Something known of every part of a plan, from the leaves up: digests, sizes, what it holds.

Plans share parts and may be as deep as they like, so nothing here recurs, and what is known is kept
by the content's digest: content to content, so it can never be stale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Final, TypeVar

from unwet.rewrite.algebra import Node, content_fields

N = TypeVar("N", bound=Node)
T = TypeVar("T")

LARGEST: Final = 1 << 17  # entries of what is known; then it is begun anew


def fold(
    node: N, below: Callable[[N], Iterable[N]], known: dict[bytes, T], make: Callable[[N], T]
) -> T:
    """What ``make`` says of a node. It may look up in ``known`` what it said of those ``below``."""
    found = known.get(node.digest)
    if found is not None:
        return found
    if len(known) > LARGEST:
        known.clear()
    for item in unknown(node, below, known):
        known[item.digest] = make(item)
    return known[node.digest]


def unknown(
    node: N, below: Callable[[N], Iterable[N]], known: Mapping[bytes, object]
) -> Iterator[N]:
    """The parts of a node of which nothing is known, from the leaves up; each has to be known when
    the next one is asked for."""
    stack = [node]
    while stack:
        item = stack[-1]
        todo = [each for each in below(item) if each.digest not in known]
        if todo:
            stack.extend(todo)
            continue
        stack.pop()
        if item.digest not in known:
            yield item


def nodes_of(node: Node) -> Iterator[Node]:
    """The nodes that a node holds directly, from left to right."""
    stack: list[object] = [getattr(node, name) for name in reversed(content_fields(type(node)))]
    while stack:
        value = stack.pop()
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            stack.extend(reversed(value))


def feed(state: blake2b, value: object, known: dict[bytes, bytes]) -> None:
    """Add a field to a digest, nodes by what is ``known`` of them."""
    if isinstance(value, Node):
        state.update(b"n" + known[value.digest])
    elif isinstance(value, tuple):
        state.update(b"(%d:" % len(value))
        for item in value:
            feed(state, item, known)
    else:
        raw = repr(value).encode("utf-8", "surrogatepass")
        state.update(b"%d:" % len(raw) + raw)
