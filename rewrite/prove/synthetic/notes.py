"""What is noted of base columns while all queries of a pile are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from unwet.rewrite.algebra import Lit
from unwet.rewrite.prove.synthetic.cells import DECLARED, Cell
from unwet.rewrite.prove.synthetic.types import SqlType

Place = tuple[str, tuple[str, ...]]  # a relation, and a column of it; then fields of its structs

How = Literal["eq", "order", "like", "ilike", "regexp", "prefix", "inside", "cast", "format"]


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant that a column is compared with.

    `kind`: number, string, boolean, or a type (date, timestamp ...) for a typed literal, its
    `text` as written. `how`: eq (also IN and simple CASE), order (less, greater, BETWEEN), like,
    ilike, regexp, prefix, inside; cast: the column is cast to the type that `text` names; format:
    its texts are parsed as `text` says.
    """

    kind: str
    text: str
    how: How


class Notes:
    """The cells of all base columns, and what was seen of each."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str], Cell] = {}
        self._read: dict[tuple[str, str], None] = {}
        self._constants: dict[Place, dict[Constant, None]] = {}
        self._links: dict[Place, Place] = {}
        self.declared: dict[tuple[str, str], SqlType] = {}

    # --- told

    def cell(self, relation: str, column: str) -> Cell:
        """The type of a base column, the same for all queries."""
        return self._cells.setdefault((relation, column), Cell())

    def declare(self, relation: str, column: str, kind: SqlType) -> None:
        """DDL or a schema says the type: it is that, whatever the column meets; and what it meets
        is likely to be of that type, too."""
        self.declared[relation, column] = kind
        self.cell(relation, column).tell(kind, DECLARED)

    def read(self, places: Iterable[Place]) -> None:
        """Somebody reads the values of these columns, or hands them out."""
        for relation, path in places:
            self._read[relation, path[0]] = None

    def constant(self, places: Iterable[Place], lit: Lit, how: How) -> None:
        """The columns are compared with a constant."""
        found = Constant(lit.kind, lit.text, how)
        for place in places:
            self._constants.setdefault(place, {})[found] = None

    def link(self, places: Sequence[Place]) -> None:
        """These columns are compared for equality: they hold values of one kind."""
        for other in places[1:]:
            one, two = self.chief(places[0]), self.chief(other)
            if one != two:
                # the smaller name, so that the order of reading does not matter
                self._links[max(one, two)] = min(one, two)

    # --- asked

    def chief(self, place: Place) -> Place:
        """The one that stands for all columns a column is compared with."""
        while (above := self._links.get(place)) is not None:
            place = above
        return place

    def chiefs(self) -> dict[Place, Place]:
        """The chief of each column that is compared with another."""
        linked = {*self._links, *self._links.values()}
        return {place: self.chief(place) for place in sorted(linked)}

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Relation and name of each column that anybody reads, in the order they were met."""
        return tuple(self._read)

    def constants(self) -> dict[Place, tuple[Constant, ...]]:
        """The constants by chief."""
        found: dict[Place, dict[Constant, None]] = {}
        for place, several in self._constants.items():
            found.setdefault(self.chief(place), {}).update(several)
        return {place: tuple(several) for place, several in found.items()}
