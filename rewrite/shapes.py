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


class Survey:
    """The shapes of all subtrees of one tree, from a single pass.

    A digest is Merkle-style, over the node's own signature and its children's digests. Leaves are
    in pre-order with arguments by name, so those of a subtree are a stretch of the whole's.
    """

    def __init__(self, tree: exp.Expression) -> None:
        self._leaves: list[Leaf] = []
        self._digest: dict[int, bytes] = {}
        self._range: dict[int, tuple[int, int]] = {}
        self._visit(tree)

    def shape(self, node: exp.Expression) -> Shape:
        """The shape of a node of the tree."""
        start, end = self._range[id(node)]
        return Shape(self._digest[id(node)], tuple(self._leaves[start:end]))

    def tail(self, node: exp.Expression, skip: int) -> Shape:
        """The shape of a query without its first ``skip`` CTEs."""
        block = node.args["with_"]
        state = blake2b(b"tail" + _signature(node).encode(), digest_size=16)
        leaves: list[Leaf] = []
        rest = block.expressions[skip:]
        for child in (*(c for c in children(node) if c is not block), *rest):
            state.update(self._digest[id(child)])
            leaves.extend(self.shape(child).leaves)
        return Shape(state.digest(), tuple(leaves))

    def _visit(self, tree: exp.Expression) -> None:
        stack: list[tuple[exp.Expression, int]] = [(tree, -1)]
        while stack:
            node, start = stack.pop()
            if start >= 0:
                self._finish(node, start)
                continue
            leaf = as_leaf(node)
            if leaf is not None:
                self._range[id(node)] = (len(self._leaves), len(self._leaves) + 1)
                self._digest[id(node)] = leaf.kind.encode()
                self._leaves.append(leaf)
                continue
            stack.append((node, len(self._leaves)))
            stack.extend((child, -1) for child in reversed(children(node)))

    def _finish(self, node: exp.Expression, start: int) -> None:
        state = blake2b(_signature(node).encode(), digest_size=16)
        for child in children(node):
            state.update(self._digest[id(child)])
        self._digest[id(node)] = state.digest()
        self._range[id(node)] = (start, len(self._leaves))


def leaf_nodes(tree: exp.Expression, skip: int = 0) -> list[exp.Expression]:
    """The nodes behind a shape's leaves, in the same order; without the first ``skip`` CTEs."""
    return [node for node in _in_order(tree, skip) if as_leaf(node) is not None]


def as_leaf(node: exp.Expression) -> Leaf | None:
    """The leaf that a node is, if it is one."""
    match node:
        case exp.Identifier():
            quoted = bool(node.args.get("quoted"))
            return Leaf("name", node.name if quoted else node.name.lower(), quoted)
        case exp.Literal():
            return Leaf("string" if node.is_string else "number", node.name)
        case exp.Var() if node.name.startswith("h__"):
            return Leaf("number", node.name)  # a macro's parameter where a number stood
        case _:
            return None


def local_names(tree: exp.Expression, skip: int = 0) -> frozenset[str]:
    """Names that mean something inside the tree only: table aliases and CTE names. The first
    ``skip`` CTEs are outside."""
    nodes = (n for n in _in_order(tree, skip) if isinstance(n, (exp.CTE, exp.Table, exp.Subquery)))
    return frozenset(node.alias.lower() for node in nodes if node.alias)


def children(node: exp.Expression) -> list[exp.Expression]:
    """The direct sub-nodes, by argument name."""
    found: list[exp.Expression] = []
    for name in sorted(node.args):
        value = node.args[name]
        if isinstance(value, list):
            found.extend(item for item in value if isinstance(item, exp.Expression))
        elif isinstance(value, exp.Expression):
            found.append(value)
    return found


def _in_order(tree: exp.Expression, skip: int) -> Iterator[exp.Expression]:
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        below = children(node)
        if node is tree and skip:
            block = node.args["with_"]
            below = [c for c in below if c is not block] + block.expressions[skip:]
        stack.extend(reversed(below))


def _signature(node: exp.Expression) -> str:
    """What a node says apart from its children's contents."""
    words = [type(node).__name__]
    for name in sorted(node.args):
        value = node.args[name]
        if value is None or value is False or value == [] or name == "with_":
            continue  # what a WITH says is said by its own node
        if isinstance(value, list):
            words.append(f"{name}*{len(value)}")
            words.extend(repr(v) for v in value if not isinstance(v, exp.Expression))
        elif isinstance(value, exp.Expression):
            words.append(name)
        else:
            words.append(f"{name}={value!r}")
    return "(" + " ".join(words) + ")"
