"""Unknown types that are found out by what they meet: votes, and cells that are one and the same.

A cell is the type of some values. `unify` makes two cells one (union-find); whoever knows
something of the values votes for a kind. A vote may be vague: `number` is any of integer, decimal
and double, `temporal` is date or timestamp.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, Literal

from unwet.rewrite.prove.synthetic.hints import named_kind
from unwet.rewrite.prove.synthetic.types import Kind, SqlType

Vote = Kind | Literal["number", "temporal"]

DECLARED: Final = 6  # the weight of a declaration for what is unified with it
KINDS: Final[tuple[Kind, ...]] = (
    "text",
    "integer",
    "double",
    "decimal",
    "date",
    "timestamp",
    "boolean",
    "time",
    "json",
    "bytes",
    "interval",
)  # fmt: skip  (of as many votes the first)
_NUMBERS: Final[tuple[Kind, ...]] = ("double", "decimal", "integer")
_DEEP: Final = 12  # arrays in structs in arrays; a type that holds itself ends here


class Cell:
    """One unknown type. Ask and tell only its `root`."""

    __slots__ = ("_above", "declared", "element", "fields", "places", "votes")

    def __init__(self) -> None:
        self._above: Cell | None = None
        self.votes: Counter[Vote] = Counter()
        self.element: Cell | None = None
        self.fields: dict[str, Cell] = {}
        self.places: list[Cell] = []  # values of a tuple, which have no names
        self.declared: set[str] = set()  # families of types that somebody declared

    @property
    def root(self) -> Cell:
        cell = self
        while cell._above is not None:
            if cell._above._above is not None:
                cell._above = cell._above._above
            cell = cell._above
        return cell

    def vote(self, kind: Vote, weight: int = 2) -> None:
        """Somebody uses the values as if they were of that kind."""
        self.root.votes[kind] += weight

    def item(self) -> Cell:
        """The cell of the elements, if these are arrays."""
        root = self.root
        if root.element is None:
            root.element = Cell()
        return root.element

    def member(self, name: str) -> Cell:
        """The cell of a field, if these are structs."""
        return self.root.fields.setdefault(name.lower(), Cell())

    def tell(self, kind: SqlType, weight: int = 2) -> None:
        """All that a known type says."""
        if kind.kind == "array":
            if kind.element is not None:
                self.item().tell(kind.element, weight)
        elif kind.kind == "struct":
            for name, inner in kind.fields:
                self.member(name).tell(inner, weight)
        else:
            self.vote(kind.kind, weight)
            if weight >= DECLARED:
                self.root.declared.add(_FAMILIES.get(kind.kind, kind.kind))


_FAMILIES: Final[dict[Kind, str]] = {
    **dict.fromkeys(("integer", "decimal", "double"), "number"),
    **dict.fromkeys(("date", "timestamp"), "temporal"),
}


def unify(one: Cell, other: Cell, depth: int = 0) -> None:
    """The values of both are of one type. What is declared to be of others stays apart: an engine
    converts where they meet, and one such place may not make all columns of a pile alike."""
    one, other = one.root, other.root
    if one is other or depth > _DEEP:
        return
    if one.declared and other.declared and not one.declared & other.declared:
        return
    other._above = one
    one.declared |= other.declared
    one.votes.update(other.votes)
    if other.element is not None:
        if one.element is None:
            one.element = other.element
        else:
            unify(one.element, other.element, depth + 1)
    for mine, its in zip(one.places, other.places, strict=False):
        unify(mine, its, depth + 1)
    one.places += other.places[len(one.places) :]
    for name, cell in other.fields.items():
        if name in one.fields:
            unify(one.fields[name], cell, depth + 1)
        else:
            one.fields[name] = cell


def decide(cell: Cell, named: Kind | None = None, depth: int = 0) -> SqlType:
    """The type that the votes make; `named`: what the name says, for when nobody voted."""
    root = cell.root
    if root.element is not None and depth <= _DEEP:
        for name, field in tuple(root.fields.items()):  # `items.sku` over an array: of its elements
            unify(root.element.member(name), field)
        return SqlType("array", decide(root.element, None, depth + 1), (), "used")
    if root.fields and depth <= _DEEP:
        return SqlType("struct", None, _decided_fields(root, depth), "used")
    kind = winner(root.votes, named)
    if kind is not None:
        return SqlType(kind, None, (), "used")
    return SqlType(named, None, (), "named") if named else SqlType("text")


def _decided_fields(root: Cell, depth: int) -> tuple[tuple[str, SqlType], ...]:
    """By name. Of structs that meet a tuple, such as [('', 0)], nobody may name some fields: those
    come first, as a key does before what it stands for."""
    names, places = sorted(root.fields), root.places
    if len(names) == 1 and places:  # of several nobody knows which is which
        unify(root.fields[names[0]], places[-1])
    unnamed = places[: -len(names)]
    first = tuple((f"_{at}", decide(c, None, depth + 1)) for at, c in enumerate(unnamed))
    known = tuple((n, decide(root.fields[n], named_kind(n), depth + 1)) for n in names)
    return (*first, *known)


def winner(votes: Counter[Vote], named: Kind | None = None) -> Kind | None:
    """The kind with most votes, vague ones counted for the kind they help; None without any."""
    found = Counter({kind: n for kind, n in votes.items() if n > 0})
    _settle_temporal(found, named)
    _settle_number(found, named)
    best = max(KINDS, key=lambda kind: found[kind])
    return best if found[best] else None


def _settle_temporal(found: Counter[Vote], named: Kind | None) -> None:
    vague, days = found.pop("temporal", 0), found["date"]
    if found["timestamp"] and days:
        found["timestamp"] += found.pop("date")  # a moment compared with days is still a moment
    if vague:
        exact: Kind = "date" if found["date"] or not _moment(found, named) else "timestamp"
        found[exact] += vague


def _moment(found: Counter[Vote], named: Kind | None) -> bool:
    return bool(found["timestamp"]) or named == "timestamp"


def _settle_number(found: Counter[Vote], named: Kind | None) -> None:
    vague = found.pop("number", 0)
    exact: Kind = "integer"
    if found["decimal"] or found["double"]:
        exact = "double" if found["double"] else "decimal"
    elif vague and not found["integer"] and named in (None, "double"):
        exact = "double"  # something is summed up: fractions show more than whole numbers
    found[exact] = vague + sum(found.pop(kind, 0) for kind in _NUMBERS)
