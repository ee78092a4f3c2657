"""The shape of a query: its tree with every name and constant taken out.

Two queries of one shape differ in leaves only, so they can be one template with holes. A shape is
syntax: whether the template really stands for its members is proved afterwards, on plans.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

from sqlglot import exp

from unwet.lineage.printing import as_said
from unwet.rewrite.naming import snake

LeafKind = Literal["name", "string", "number", "condition", "list", "names"]
CONDITION = "condition"  # note on a condition that may be another one in the next copy: its text
LIST = "list"  # note on a word for a list of constants: its text
HOLE = "hole"  # note beside both: what a parameter for it is called
WAS = "was"  # note on a word: what it stands in for
ITEM = "item__column__item"  # the name in an item of a SELECT that is said of all names of a list


@dataclass(frozen=True, slots=True, order=True)
class Leaf:
    """A name or a constant; ``quoted`` is for names that need their quotes. ``names``: a list of
    names in brackets, which is never SQL."""

    kind: LeafKind
    text: str
    quoted: bool = False


_leaf = lru_cache(maxsize=1 << 16)(Leaf)  # a pile says the same few words again and again


@dataclass(frozen=True, slots=True)
class Shape:
    """The digest of a tree without its leaves, and the leaves in a fixed order."""

    digest: bytes
    leaves: tuple[Leaf, ...]


Leaves = Callable[[exp.Expr], Leaf | None]  # which nodes are leaves


class Survey:
    """The shapes of all subtrees of one tree, from a single pass.

    A digest is Merkle-style, over the node's own signature and its children's digests. Leaves are
    in pre-order with arguments by name, so those of a subtree are a stretch of the whole's.
    """

    def __init__(self, tree: exp.Expr, leaf: Leaves | None = None) -> None:
        self._as_leaf = leaf or as_leaf
        self._leaves: list[Leaf] = []
        self._digest: dict[int, bytes] = {}
        self._range: dict[int, tuple[int, int]] = {}
        self._visit(tree)

    def has(self, node: exp.Expr) -> bool:
        """Whether it is a node of the tree that is in no leaf."""
        return id(node) in self._range

    def digest(self, node: exp.Expr) -> bytes:
        """The digest of a node of the tree."""
        return self._digest[id(node)]

    def shape(self, node: exp.Expr) -> Shape:
        """The shape of a node of the tree."""
        start, end = self._range[id(node)]
        return Shape(self._digest[id(node)], tuple(self._leaves[start:end]))

    def tail(self, node: exp.Expr, skip: int) -> Shape:
        """The shape of a query without its first ``skip`` CTEs."""
        block = node.args["with_"]
        state = blake2b(b"tail" + signature(node).encode(), digest_size=16)
        leaves: list[Leaf] = []
        rest = block.expressions[skip:]
        for child in (*(c for c in children(node) if c is not block), *rest):
            state.update(self._digest[id(child)])
            leaves.extend(self.shape(child).leaves)
        return Shape(state.digest(), tuple(leaves))

    def around(self, node: exp.Expr, root: exp.Expr) -> bytes:
        """The digest of a query of the tree without its CTEs and what is in a node of it."""
        digest, below = b"gap", node
        while below is not root:
            above = below.parent
            assert above is not None
            state = blake2b(signature(above).encode(), digest_size=16)
            block = above.args.get("with_")
            for child in children(above):
                if child is not block:
                    state.update(digest if child is below else self._digest[id(child)])
            digest, below = state.digest(), above
        return digest

    def _visit(self, tree: exp.Expr) -> None:
        as_leaf, leaves = self._as_leaf, self._leaves
        stack: list[tuple[exp.Expr, int, str, Sequence[exp.Expr]]] = [(tree, -1, "", ())]
        while stack:
            node, start, said, below = stack.pop()
            if start >= 0:
                self._finish(node, start, said, below)
                continue
            leaf = as_leaf(node)
            if leaf is not None:
                self._range[id(node)] = (len(leaves), len(leaves) + 1)
                self._digest[id(node)] = leaf.kind.encode()
                leaves.append(leaf)
                continue
            said, below = _said_and_below(node)
            stack.append((node, len(leaves), said, below))
            stack.extend([(child, -1, "", ()) for child in reversed(below)])

    def _finish(self, node: exp.Expr, start: int, said: str, below: Sequence[exp.Expr]) -> None:
        state = blake2b(said.encode(), digest_size=16)
        for child in below:
            state.update(self._digest[id(child)])
        self._digest[id(node)] = state.digest()
        self._range[id(node)] = (start, len(self._leaves))


def say_conditions(tree: exp.Expr, dialect: str) -> None:
    """In place: conditions that may be other ones in the next copy are noted as they read now."""
    for node in tree.walk():
        if node._meta and CONDITION in node._meta:
            node.meta[CONDITION] = as_said(node, dialect)


def leaf_nodes(tree: exp.Expr, skip: int = 0, leaf: Leaves | None = None) -> list[exp.Expr]:
    """The nodes behind a shape's leaves, in the same order; without the first ``skip`` CTEs."""
    found = leaf or as_leaf
    return [node for node in in_order(tree, skip, found) if found(node) is not None]


def as_leaf(node: exp.Expr) -> Leaf | None:
    """The leaf that a node is, if it is one; where a loop says its word there is none."""
    kind = type(node)  # every node of every tree is asked: no pattern is tried one by one
    if (kind is exp.Identifier or kind is exp.Literal) and ITEM in node.name:
        return None
    if kind is exp.Identifier:
        quoted = bool(node.args.get("quoted"))
        return _leaf("name", node.name if quoted else node.name.lower(), quoted)
    if kind is exp.Literal:
        return _leaf("string" if node.is_string else "number", node.name)
    if node._meta is not None:
        for word in (CONDITION, LIST):
            if word in node._meta:
                return _leaf(word, node._meta[word])
    if kind is exp.Var and node.name.startswith("h__"):
        return _leaf("number", node.name)  # a macro's parameter where a number stood
    return None


def whole_columns(node: exp.Expr) -> Leaf | None:
    """The leaf that a node is where a column is one leaf, whatever qualifies it."""
    if not isinstance(node, exp.Column) or node.is_star:
        return as_leaf(node)
    parts = [part for part in node.parts if isinstance(part, exp.Identifier)]
    leaves = [leaf for part in parts if (leaf := as_leaf(part)) is not None]
    if len(leaves) != len(node.parts) or any(leaf.quoted for leaf in leaves):
        return None
    return Leaf("condition", ".".join(leaf.text for leaf in leaves))


def local_names(tree: exp.Expr, skip: int = 0) -> frozenset[str]:
    """Names that mean something inside the tree only: table aliases and CTE names. The first
    ``skip`` CTEs are outside."""
    nodes = (
        n
        for n in in_order(tree, skip, as_leaf)
        if isinstance(n, (exp.CTE, exp.Table, exp.Subquery))
    )
    return frozenset(node.alias.lower() for node in nodes if node.alias)


def children(node: exp.Expr) -> list[exp.Expr]:
    """The direct sub-nodes, by argument name."""
    found: list[exp.Expr] = []
    for name in sorted(node.args):
        value = node.args[name]
        if isinstance(value, list):
            found.extend(item for item in value if isinstance(item, exp.Expr))
        elif isinstance(value, exp.Expr):
            found.append(value)
    return found


def in_order(tree: exp.Expr, skip: int = 0, leaf: Leaves | None = None) -> Iterator[exp.Expr]:
    """All nodes that are in no leaf, each before those below it."""
    is_leaf = leaf or as_leaf
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        below = children(node) if is_leaf(node) is None else []
        if node is tree and skip:
            block = node.args["with_"]
            below = [c for c in below if c is not block] + block.expressions[skip:]
        stack.extend(reversed(below))


def signature(node: exp.Expr, without: Container[str] = ()) -> str:
    """What a node says apart from its children's contents; ``without`` some of its arguments."""
    return _said_and_below(node, without)[0]


def _said_and_below(node: exp.Expr, without: Container[str] = ()) -> tuple[str, list[exp.Expr]]:
    """The signature of a node and its direct sub-nodes, by argument name."""
    words, below = [type(node).__name__], list[exp.Expr]()
    for name in sorted(node.args):
        value = node.args[name]
        many = type(value) is list
        if many:
            below += [item for item in value if isinstance(item, exp.Expr)]
        elif isinstance(value, exp.Expr):
            below.append(value)
        if value is None or value is False or value == [] or name == "with_" or name in without:
            continue  # what a WITH says is said by its own node
        if many:
            words.append(f"{name}*{len(value)}")
            words.extend([repr(v) for v in value if not isinstance(v, exp.Expr)])
        elif isinstance(value, exp.Expr):
            words.append(name)
        else:
            words.append(f"{name}={value!r}")
    return "(" + " ".join(words) + ")", below


def after_tables(node: exp.Expr) -> str:
    """A name for a query whose author gave it none: after the relations it reads."""
    tokens = (table.name for table in node.find_all(exp.Table))
    relations = [_word(t[5:-5]) for t in tokens if t.startswith(("src__", "ref__"))]
    names = [re.sub(r"(?:_\d+)+$", "", name.removeprefix("int_")) for name in relations]
    first, *others = [*dict.fromkeys(names)][:2] or [""]
    if others and others[0].startswith(f"{first}_"):
        first = ""  # concept and concept_ancestor: the second says both
    words = snake("_".join(filter(None, (first, *others)))).removesuffix("_rows")
    return f"{words}_rows" if words else "shared_rows"


def _word(relation: str) -> str:
    """The last word for a relation that begins like a name: tables may be called by a date."""
    words = relation.split("__")
    return next((word for word in reversed(words) if word[:1].isalpha()), words[-1])
