"""The shape of a query: its tree with every name and constant taken out.

Two queries of one shape differ in leaves only, so they can be one template with holes. A shape is
syntax: whether the template really stands for its members is proved afterwards, on plans.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from sqlglot import exp

LeafKind = Literal["name", "string", "number"]


@dataclass(frozen=True, slots=True, order=True)
class Leaf:
    """A name or a constant; ``quoted`` is for names that need their quotes."""

    kind: LeafKind
    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """The digest of a tree without its leaves, and the leaves in a fixed order."""

    digest: bytes
    leaves: tuple[Leaf, ...]


def shape(tree: exp.Expression) -> Shape:
    """The shape of a tree. Comments do not count; the order of arguments is by their name."""
    state = blake2b(digest_size=16)
    leaves: list[Leaf] = []
    for node in _in_order(tree):
        leaf = as_leaf(node)
        if leaf is not None:
            leaves.append(leaf)
            state.update(f"<{leaf.kind}>".encode())
        else:
            state.update(_signature(node).encode())
    return Shape(state.digest(), tuple(leaves))


def leaf_nodes(tree: exp.Expression) -> list[exp.Expression]:
    """The nodes behind ``shape(tree).leaves``, in the same order."""
    return [node for node in _in_order(tree) if as_leaf(node) is not None]


def as_leaf(node: exp.Expression) -> Leaf | None:
    """The leaf that a node is, if it is one."""
    match node:
        case exp.Identifier():
            quoted = bool(node.args.get("quoted"))
            return Leaf("name", node.name if quoted else node.name.lower(), quoted)
        case exp.Literal():
            return Leaf("string" if node.is_string else "number", node.name)
        case _:
            return None


def local_names(tree: exp.Expression) -> frozenset[str]:
    """Names that mean something inside the tree only: table aliases and CTE names."""
    nodes = tree.find_all(exp.CTE, exp.Table, exp.Subquery)
    return frozenset(node.alias.lower() for node in nodes if node.alias)


def _in_order(tree: exp.Expression) -> Iterator[exp.Expression]:
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        children: list[exp.Expression] = []
        for name in sorted(node.args):
            value = node.args[name]
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, exp.Expression):
                    children.append(item)
        stack.extend(reversed(children))


def _signature(node: exp.Expression) -> str:
    words = [type(node).__name__]
    for name in sorted(node.args):
        value = node.args[name]
        if value is None or value is False or value == []:
            continue
        if isinstance(value, list):
            words.append(f"{name}*{len(value)}")
            words.extend(repr(v) for v in value if not isinstance(v, exp.Expression))
        elif isinstance(value, exp.Expression):
            words.append(name)
        else:
            words.append(f"{name}={value!r}")
    return "(" + " ".join(words) + ")"
