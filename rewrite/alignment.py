"""The parts of a plan in open form, and which parts of two plans are each other's.

Where order means something the n-th part is the n-th part. Where it means nothing (AND, +, joins,
outputs, conjuncts, keys) parts are paired by how alike they are: equal ones first, then outputs
of one name, then those equal but for literals, those of one skeleton, those with one operator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Col,
    Filter,
    Join,
    Lit,
    Node,
    Opaque,
    Outer,
    Param,
    Project,
    Scan,
    SetOp,
    SortKey,
    content_fields,
    parts,
)
from unwet.rewrite.folding import nodes_of
from unwet.rewrite.open_form import Opened, Output
from unwet.rewrite.rules.order import masked_digest
from unwet.rewrite.skeletons import skeleton

Parts = tuple[Node, ...]  # one node, or any number of items of a list


def without_name(node: Node) -> Node:
    """What an output is computed from; any other node as it is."""
    return node.expr if isinstance(node, Output) else node


# --- the parts of a node ----------------------------------------------------------------------

Order = Literal["ordered", "paired", "inputs", "conjuncts", "outputs", "keys", "values"]


@dataclass(frozen=True, slots=True)
class PartList:
    """Parts of a node. ``ordered``: each has its place; ``paired``: none has, but both sides have
    as many; else one side may have more."""

    order: Order
    items: tuple[Node, ...]


def _head(node: Node) -> tuple[object, ...]:
    """What a node says itself; a leaf says all it is."""
    if isinstance(node, Lit | Col | Outer | Param | Scan):
        return (node.digest,)
    if isinstance(node, Opaque):
        return node.text, node.names
    own = [type(node).__name__]
    own += (repr(v) for n in content_fields(type(node)) if not _holds_nodes(v := getattr(node, n)))
    return tuple(own)


def _holds_nodes(value: object) -> bool:
    return isinstance(value, Node) or (
        isinstance(value, tuple) and (not value or not isinstance(value[0], str | int))
    )


def lists_of(node: Node) -> list[PartList]:
    """The parts of a node, list by list."""
    match node:
        case Filter(input=inner, conjuncts=asked):
            return [_one(inner), PartList("conjuncts", asked)]
        case Opened(input=inner, keys=keys, having=asked, outputs=made):
            outputs = PartList("outputs", made)
            return [_one(inner), PartList("keys", keys), PartList("conjuncts", asked), outputs]
        case Project(input=inner, exprs=exprs):
            return [_one(inner), PartList("outputs", exprs)]
        case Output(expr=expr):
            return [_one(expr)]
        case Join(kind="inner", inputs=inputs):
            return [PartList("inputs", inputs)]
        case Join(inputs=inputs, on=on):
            return [PartList("ordered", inputs), PartList("conjuncts", on)]
        case Aggregate(input=inner, keys=keys):
            return [_one(inner), PartList("keys", keys)]
        case SetOp(kind="union_all" | "intersect" | "intersect_all", inputs=inputs):
            return [PartList("paired", inputs)]
        case Call(op="and" | "or", args=args):
            return [PartList("conjuncts", args)]
        case Call(op="add" | "mul" | "eq" | "neq", args=args):
            return [PartList("paired", args)]
        case Call(op="in", args=(first, *rest)):
            return [_one(first), PartList("values", tuple(rest))]
        case SortKey(expr=expr):
            return [_one(expr)]
        case _:
            return [PartList("ordered", tuple(nodes_of(node)))]


def items(node: Node, number: int) -> tuple[Node, ...]:
    """The parts of a node that a step of a place counts."""
    return lists_of(node)[number].items


def _differ_in_path(mine: Call, theirs: Call) -> bool:
    paths = (a for a in mine.args if isinstance(a, Call) and a.op == "jsonpath")
    return any(path not in theirs.args for path in paths)


def _one(node: Node) -> PartList:
    return PartList("ordered", (node,))


def in_step(mine: Node, theirs: Node) -> bool:
    """Whether the parts can be walked in step: as many, but for lists of any length."""
    if _head(mine) != _head(theirs):
        return False
    if isinstance(mine, Call) and isinstance(theirs, Call) and _differ_in_path(mine, theirs):
        return False  # a piece of a path means nothing alone
    lists, others = lists_of(mine), lists_of(theirs)
    return all(
        one.order == two.order
        and (one.order not in ("ordered", "paired") or len(one.items) == len(two.items))
        for one, two in zip(lists, others, strict=True)
    )


# --- pairing ----------------------------------------------------------------------------------

Pairs = dict[int, tuple[Node, Node]]


def paired(one: PartList, two: PartList) -> tuple[Pairs, tuple[int, ...], Parts]:
    """The items of two lists in pairs, and those of each that have no partner."""
    mine, theirs, order = one.items, two.items, one.order
    if order == "inputs" and len(mine) == len(theirs):
        order = "paired"
    if order == "ordered":
        return dict(enumerate(zip(mine, theirs, strict=True))), (), ()
    pairs: dict[int, Node] = {}
    left, right = list(range(len(mine))), list(range(len(theirs)))
    for key in _LIKENESS[order]:
        if left and right:
            left, right = _match(mine, theirs, left, right, pairs, key)
    if order == "paired" or (order != "conjuncts" and len(left) == len(right) == 1):
        # as many on both sides: what is left stands for each other
        pairs.update(zip(left, (theirs[at] for at in right), strict=True))
        left, right = [], []
    found = {at: (mine[at], pairs[at]) for at in sorted(pairs)}
    return found, tuple(left), tuple(theirs[at] for at in right)


def _match(
    mine: Sequence[Node],
    theirs: Sequence[Node],
    left: list[int],
    right: list[int],
    pairs: dict[int, Node],
    key: Callable[[Node], object],
) -> tuple[list[int], list[int]]:
    """Pairs what is alike, several that are in the order of their contents; gives back the rest."""
    waiting: dict[object, list[int]] = {}
    for at in right:
        waiting.setdefault(key(theirs[at]), []).append(at)
    wanted: dict[object, list[int]] = {}
    for at in left:
        wanted.setdefault(key(mine[at]), []).append(at)
    taken: set[int] = set()
    for likeness, ours in wanted.items():
        partners = waiting.get(likeness, [])
        several = partners and (len(ours) > 1 or len(partners) > 1) and key is not _digest
        if several:
            ours.sort(key=lambda at: _texts(mine[at]))
            partners.sort(key=lambda at: _texts(theirs[at]))
        if several and len(ours) * len(partners) <= _FEW:
            ours, partners = _closest(mine, theirs, ours, partners)
        for at, partner in zip(ours, partners, strict=False):
            pairs[at] = theirs[partner]
            taken.add(partner)
    return [at for at in left if at not in pairs], [at for at in right if at not in taken]


_FEW: Final = 64


def _closest(
    mine: Sequence[Node], theirs: Sequence[Node], ours: list[int], partners: list[int]
) -> tuple[list[int], list[int]]:
    """Several that are alike in pairs: those first that have most operands in common."""
    pairs = [(_common(mine[a], theirs[b]), a, b) for a in ours for b in partners]
    pairs.sort(key=lambda pair: -pair[0])
    left: list[int] = []
    right: list[int] = []
    for _, a, b in pairs:
        if a not in left and b not in right:
            left.append(a)
            right.append(b)
    return left, right


def _common(one: Node, other: Node) -> int:
    return sum(a.digest == b.digest for a, b in zip(nodes_of(one), nodes_of(other), strict=False))


def _computed(key: Callable[[Node], object]) -> Callable[[Node], object]:
    """The same for what is computed; a column alone is like no other."""

    def of(node: Node) -> object:
        inner = without_name(node)
        return node.digest if isinstance(inner, Col) else key(inner)

    return of


def _derived(key: Callable[[Node], object]) -> Callable[[Node], object]:
    """The same for what is a query; a table is like no other."""
    return lambda node: node.digest if isinstance(node, Scan) else key(node)


def _name(node: Node) -> object:
    return node.name.lower() if isinstance(node, Output) and node.name else node.digest


def _about(node: Node) -> object:
    """The columns that a condition is about, whatever it asks of them."""
    columns = {part.index for part in parts(node) if isinstance(part, Col)}  # type: ignore[arg-type]
    return frozenset(columns) or node.digest


def _operator(node: Node) -> object:
    """What a node is at all: its operator, or its class."""
    if isinstance(node, Opaque):
        return node.digest
    return type(node).__name__, getattr(node, "op", "")


def _digest(node: Node) -> object:
    return node.digest


_LIKENESS: Final[dict[Order, tuple[Callable[[Node], object], ...]]] = {
    "ordered": (),
    "paired": (_digest, masked_digest, skeleton, _operator),
    "inputs": (_digest, *map(_derived, (masked_digest, skeleton))),
    "conjuncts": (_digest, masked_digest, _about, skeleton),
    "outputs": (_digest, _name, *map(_computed, (masked_digest, skeleton, _operator))),
    "keys": (_digest, *map(_computed, (masked_digest, skeleton, _operator))),
    "values": (_digest,),
}


@lru_cache(maxsize=1 << 14)
def _texts(node: Node) -> tuple[tuple[int, str], ...]:
    """The literals and columns below, for an order; shorter ones first, as numbers are."""
    texts: list[tuple[int, str]] = []
    stack: list[Node] = [node]
    seen = 0
    while stack and seen < 200:  # an order is wanted, not the whole content
        item = stack.pop()
        seen += 1
        if isinstance(item, Lit):
            texts.append((len(item.text), item.text))
        elif isinstance(item, Col):
            texts.append((0, f"{item.index:09}"))
        elif isinstance(item, Scan):
            texts.append((0, item.table))
        stack.extend(reversed(list(nodes_of(item))))
    return tuple(texts)
