"""A plan with its nodes replaced one by one, from the leaves up; what is shared stays shared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TypeVar

from unwet.rewrite.algebra import Node

N = TypeVar("N", bound=Node)


def mapped(node: N, retype: Callable[[Node], Node], done: dict[bytes, Node]) -> N:
    """The node with all parts, and then itself, as ``retype`` has them; ``done``: by digest, what
    came of parts so far."""
    known = done.get(node.digest)
    if known is None:
        parts = [_value(getattr(node, slot.name), retype, done) for slot in fields(node)]  # type: ignore[arg-type]
        known = type(node)(*parts)
        known = retype(known)
        done[node.digest] = known
    return known  # type: ignore[return-value]


def _value(value: object, retype: Callable[[Node], Node], done: dict[bytes, Node]) -> object:
    if isinstance(value, Node):
        return mapped(value, retype, done)
    if isinstance(value, tuple):
        return tuple(_value(item, retype, done) for item in value)
    return value
