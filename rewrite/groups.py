"""Pieces of SQL of one class, and what makes a class worth telling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Generic, Literal, Protocol, TypeVar

from sqlglot import exp

from unwet.lineage.findings import Span
from unwet.lineage.resolve import Resolved
from unwet.rewrite.antiunify import Variable
from unwet.rewrite.holes import Hole, HoleKind
from unwet.rewrite.sizes import tree_lines

FamilyKind = Literal["exact", "parametric", "core", "near"]
What = Literal["query", "branch", "item", "expression"]

MANY_HOLES: Final = 9  # more parameters than anybody wants to read
LINES_PER_HOLE: Final = 4
HEAVIEST: Final = 16
WEIGHT: Final[dict[HoleKind, int]] = {"literal": 1, "column": 1, "relation": 2, "expression": 4}
"""What a hole costs a reader: a name is looked up, an expression is read and thought about."""


class Piece(Protocol):
    """A piece of SQL that may have copies: a query block, an item of SELECT, an expression.

    Equal ``strict``: the same. ``triviality``: see ``units``."""

    @property
    def resolved(self) -> Resolved: ...
    @property
    def node(self) -> exp.Expr: ...
    @property
    def relation(self) -> str: ...
    @property
    def whole(self) -> bool: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def strict(self) -> str: ...
    @property
    def recurring(self) -> str: ...
    @property
    def triviality(self) -> int: ...

    def ancestors(self) -> Iterator[Piece]:
        """The pieces around this one, the nearest first."""
        ...


P_co = TypeVar("P_co", bound=Piece, covariant=True)


@dataclass(frozen=True, eq=False)
class Group(Generic[P_co]):
    """Pieces of one class in the order of their places. ``holes`` have a value for each of the
    `variants`, the distinct contents of the pieces."""

    units: tuple[P_co, ...]
    spans: tuple[Span, ...]
    holes: tuple[Hole, ...] = ()
    loose: Literal["", "core", "near"] = ""  # more differs than holes could be
    what: What = "query"

    @property
    def kind(self) -> FamilyKind:
        """How much alike the pieces are."""
        if self.loose:
            return self.loose
        return "exact" if len(self.variants) == 1 else "parametric"

    @cached_property
    def lines(self) -> int:
        """The printed lines of the first piece."""
        return tree_lines(self.units[0].node, self.units[0].resolved.statement.dialect)

    @cached_property
    def variants(self) -> tuple[P_co, ...]:
        """The first piece of each distinct content."""
        first: dict[str, P_co] = {}
        for unit in self.units:
            first.setdefault(unit.strict, unit)
        return tuple(first.values())

    @cached_property
    def values(self) -> tuple[tuple[str, ...], ...]:
        """The values of each hole piece by piece."""
        at = {unit.strict: number for number, unit in enumerate(self.variants)}
        return tuple(tuple(h.values[at[u.strict]] for u in self.units) for h in self.holes)


def is_handy(found: Sequence[Hole], size: int, lines: int) -> bool:
    """Whether somebody would want one definition with these parameters."""
    weight = sum(WEIGHT[hole.kind] for hole in found)
    few = min(size, 4) if all(hole.kind == "literal" for hole in found) else 0
    return len(found) <= MANY_HOLES and weight <= max(few, limit_of(lines))


def limit_of(lines: int) -> int:
    """How much the holes of a definition of so many lines may weigh."""
    return min(HEAVIEST, lines // LINES_PER_HOLE)


def tell_apart(told: Sequence[Hole], found: Sequence[Variable]) -> bool:
    """Whether different values are different to somebody who reads them."""
    return all(
        len(set(hole.values)) == len(set(variable.values))
        for hole, variable in zip(told, found, strict=True)
    )


def once(told: Sequence[Hole]) -> tuple[Hole, ...]:
    """Holes that are filled alike are one, whichever of a table's occurrences they are about."""
    first: dict[tuple[HoleKind, tuple[str, ...]], Hole] = {}
    for hole in told:
        first.setdefault((hole.kind, hole.values), hole)
    return tuple(first.values())
