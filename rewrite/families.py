"""Families: the classes of query blocks that are the same, or the same but for literals.

Units with equal strict fingerprints are an exact family, units with equal recurring fingerprints
a parametric one, and its holes say where the members differ. Of families that stand inside each
other place by place only the largest is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from unwet.lineage.findings import Span
from unwet.lineage.garbage import rare_collection
from unwet.lineage.names import deep_stack
from unwet.lineage.pile import Inputs, Pile, load
from unwet.lineage.schema import Schema
from unwet.rewrite.blocks import Places
from unwet.rewrite.holes import Hole, holes
from unwet.rewrite.meaning import Meaning, meaning_of
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.units import BARE, SIMPLE, Unit, units

MIN_LINES: Final = 3
MANY_HOLES: Final = 9  # more parameters than anybody wants to read
LINES_PER_HOLE: Final = 8

FamilyKind = Literal["exact", "parametric"]


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """One copy. ``relation``: the statement's target, or the CTE or alias a block stands under.
    ``whole``: it is the query of an entire statement."""

    path: str
    line: int
    end_line: int
    relation: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Family:
    """All copies of one query, in the order of their places; each hole has a value per member.

    ``lines`` are the printed lines of the first member. ``saves`` are the printed lines that one
    definition for all would save, less a line for each hole; copies at the same place of copies
    of something larger count once, as they go with that.
    """

    id: str
    kind: FamilyKind
    lines: int
    saves: int
    holes: tuple[Hole, ...]
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        """How many copies there are."""
        return len(self.members)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The families of a pile, what saves most first.

    ``lines`` are those of the sources. ``duplicated_lines`` are those of them that stand in a
    copy, the first member of each family not counted."""

    families: tuple[Family, ...]
    lines: int
    duplicated_lines: int


def find_families(
    sources: Inputs,
    dialect: str | None = None,
    schema: Schema | None = None,
    default_schema: str | None = None,
    params: Mapping[str, str] | None = None,
    min_lines: int = MIN_LINES,
) -> tuple[Family, ...]:
    """The families of a pile, what saves most first.

    `sources`: a path, a Source, or an iterable of them. `schema`: `{"db.table": ["col"]}`,
    `{"db.table": {"col": "TYPE"}}`, or a file. Copies of fewer printed lines are left out.
    """
    return duplicates(load(sources, dialect, schema, params, default_schema), min_lines).families


@rare_collection()
def duplicates(pile: Pile | Meaning, min_lines: int = MIN_LINES) -> Duplicates:
    """The families of a pile that has been read, and how much of it they are."""
    meaning = meaning_of(pile)
    with deep_stack():
        groups = [g for g in _groups(units(meaning)) if _matters(g, min_lines)]
        found = [_family(group, distinct) for group, distinct in _maximal(groups)]
    found.sort(key=_rank)
    lines = sum(script.lines for script in meaning.pile.scripts)
    return Duplicates(tuple(found), lines, _copied_lines(found))


# --- classes ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Units of one class with their places, in the order of these."""

    units: tuple[Unit, ...]
    spans: tuple[Span, ...]
    lines: int


def _groups(found: Iterable[Unit]) -> Iterator[_Group]:
    classes: dict[str, list[Unit]] = defaultdict(list)
    for unit in found:
        if unit.triviality < BARE:
            classes[unit.recurring].append(unit)
    places = Places()
    for same in classes.values():
        if len(same) > 1:
            placed = sorted((_span(unit, places), at) for at, unit in enumerate(same))
            ordered = tuple(same[at] for _, at in placed)
            yield _Group(ordered, tuple(span for span, _ in placed), _lines(ordered[0]))


def _span(unit: Unit, places: Places) -> Span:
    statement = unit.resolved.statement
    return statement.span if unit.whole else places.span(statement, unit.query.node)


def _lines(unit: Unit) -> int:
    return tree_lines(unit.query.node, unit.resolved.statement.dialect)


def _matters(group: _Group, min_lines: int) -> bool:
    """Whether anybody would want this once: not a bare scan, and one comparison over one relation
    only where it is the whole of at least two statements."""
    if group.lines < min_lines:
        return False
    level = min(unit.triviality for unit in group.units)
    wholes = sum(unit.whole for unit in group.units)
    return level < SIMPLE or (level == SIMPLE and wholes > 1)


# --- families inside families -----------------------------------------------------------------


def _maximal(groups: Sequence[_Group]) -> Iterator[tuple[_Group, int]]:
    """The groups that are more than a part of another one, and how many copies each of them
    has when those at the same place of a larger family's members count once."""
    home = {id(unit): at for at, group in enumerate(groups) for unit in group.units}
    for at, group in enumerate(groups):
        places = set()
        met: dict[int, int] = defaultdict(int)
        for unit in group.units:
            around = next((a for a in unit.ancestors() if home.get(id(a), at) != at), None)
            if around is None:
                places.add((-1, id(unit)))
            else:
                met[id(around)] += 1
                places.add((home[id(around)], met[id(around)]))
        if len(places) > 1:
            yield group, len(places)


def _family(group: _Group, distinct: int) -> Family:
    first = group.units[0]
    exact = len({unit.strict for unit in group.units}) == 1
    found = () if exact else _holes(group)
    return Family(
        id=(first.strict if exact else first.recurring)[:12],
        kind="exact" if exact else "parametric",
        lines=group.lines,
        saves=(distinct - 1) * group.lines - len(found),
        holes=found,
        members=tuple(_member(u, s) for u, s in zip(group.units, group.spans, strict=True)),
    )


def _holes(group: _Group) -> tuple[Hole, ...]:
    found = holes([unit.rel for unit in group.units], group.units[0].names)
    texts = [unit.resolved.statement.masked.restore for unit in group.units]
    return tuple(
        replace(hole, values=tuple(f(v) for f, v in zip(texts, hole.values, strict=True)))
        for hole in found
    )


def _member(unit: Unit, span: Span) -> Member:
    return Member(span.path, span.line, span.end_line, unit.relation, unit.whole)


# --- order and size ---------------------------------------------------------------------------


def _rank(family: Family) -> tuple[bool, int, str, int, str]:
    """What saves most first; what would need too many parameters last."""
    first = family.members[0]
    return _is_unwieldy(family), -family.saves, first.path, first.line, family.id


def _is_unwieldy(family: Family) -> bool:
    """More parameters than anybody wants, for what is shared or for those who share it."""
    count = len(family.holes)
    return count > MANY_HOLES or count > max(family.size, family.lines // LINES_PER_HOLE)


def _copied_lines(found: Iterable[Family]) -> int:
    lines = {
        (member.path, line)
        for family in found
        for member in family.members[1:]
        for line in range(member.line, member.end_line + 1)
    }
    return len(lines)
