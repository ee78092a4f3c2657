"""Where two plans part: the smallest pair of sub-plans that differ."""

from __future__ import annotations

from dataclasses import fields

from unwet.rewrite.algebra import Node


def first_difference(left: Node, right: Node) -> tuple[Node, Node]:
    """The deepest pair of corresponding nodes that alone make the two plans differ."""
    while True:
        pairs = [(a, b) for a, b in zip(_children(left), _children(right), strict=False) if a != b]
        same_size = len(_children(left)) == len(_children(right))
        alike = type(left) is type(right) and same_size and _own(left) == _own(right)
        if not alike or len(pairs) != 1:
            return left, right
        left, right = pairs[0]


def _children(node: Node) -> list[Node]:
    found: list[Node] = []
    for slot in fields(node):  # type: ignore[arg-type]
        _collect(getattr(node, slot.name), found)
    return found


def _collect(value: object, into: list[Node]) -> None:
    if isinstance(value, Node):
        into.append(value)
    elif isinstance(value, tuple):
        for item in value:
            _collect(item, into)


def _own(node: Node) -> list[object]:
    """What a node says itself, without its children."""
    return [_bare(getattr(node, slot.name)) for slot in fields(node)]  # type: ignore[arg-type]


def _bare(value: object) -> object:
    if isinstance(value, Node):
        return "node"
    if isinstance(value, tuple):
        return tuple(_bare(item) for item in value)
    return value
