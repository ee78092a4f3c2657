"""Families: the classes of queries and of parts of queries that are the same, or nearly the same.

========== ===================================================================================
exact      the same rows
parametric the same but for a few holes: literals, columns, expressions, relations
core       the same relations, joined alike; other columns, filters or grain
near       most of the plan is the same, and most outputs
========== ===================================================================================

Of families that stand inside each other place by place only the largest is told. Near families are
told besides the others: each of these counts once there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final

from sqlglot import exp

from unwet.lineage.findings import Span
from unwet.lineage.garbage import rare_collection
from unwet.lineage.names import deep_stack
from unwet.lineage.pile import Inputs, Pile, load
from unwet.lineage.schema import Schema
from unwet.rewrite.classes import Classes
from unwet.rewrite.enclosed import Enclosed, maximal
from unwet.rewrite.fragments import Fragments
from unwet.rewrite.groups import FamilyKind, Group, Piece, What
from unwet.rewrite.holes import Hole
from unwet.rewrite.meaning import Meaning, meaning_of
from unwet.rewrite.near import clusters, united
from unwet.rewrite.own_functions import in_authors_words
from unwet.rewrite.savings import saved, saved_near
from unwet.rewrite.units import BARE, SIMPLE, Unit, units

MIN_LINES: Final = 3
LEAST_LOOP: Final = 4  # nobody writes a loop to save fewer lines


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
    """All copies of one piece of SQL, in the order of their places.

    ``what`` the members are: queries, branches of set operations, items of a SELECT, expressions.
    ``lines`` are the printed lines of the first member. ``saves`` are the printed lines that one
    definition for all would save (see ``savings``); copies at the same place of copies of
    something larger count once, as they go with that. Each hole has a value per member.
    """

    id: str
    kind: FamilyKind
    what: What
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

    ``lines`` are those of the sources. ``duplicated_lines`` are those of them that stand in an
    exact or parametric copy, each counted once, the first member of each family not counted."""

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
        every = units(meaning)
        blocks = [unit for unit in every if unit.triviality < BARE]
        classes = Classes()
        queries = classes.of(blocks, min_lines)
        groups: list[Group[Piece]] = [*queries]
        read = [each for each in meaning.pile.resolved if not each.statement.again]
        groups += Fragments(meaning.normalizer).groups(read, every)
        groups = [group for group in groups if _matters(group, min_lines)]
        worth = [paid for pair in maximal(groups) for paid in _paying(*pair)]
        found = [_family(group, saves) for group, saves in worth]
        found += _near(queries, classes, [group for group, _ in worth], min_lines)
    if meaning.functions:
        found = [_in_authors_words(family, meaning) for family in found]
    found.sort(key=_rank)
    lines = sum(script.lines for script in meaning.pile.scripts)
    return Duplicates(tuple(found), lines, _copied_lines(found))


# --- classes ----------------------------------------------------------------------------------


def _matters(group: Group[Piece], min_lines: int) -> bool:
    """Whether anybody would want this once: not a bare scan, and one comparison over one relation
    only where it is the whole of at least two statements."""
    if len(group.units) < 2 or (group.what != "item" and group.lines < min_lines):
        return False
    level = min(unit.triviality for unit in group.units)
    wholes = sum(unit.whole for unit in group.units)
    return level < SIMPLE or (level == SIMPLE and wholes > 1)


def _near(
    groups: Iterable[Group[Unit]], classes: Classes, told: Sequence[Group[Piece]], min_lines: int
) -> Iterator[Family]:
    """The classes that are near others, told besides what they are families of already."""
    inside = Enclosed(told)
    found = [each for each in clusters(groups, classes) if each.leader.lines >= min_lines]
    around = {id(unit) for each in found for group in each.groups for unit in group.units}
    for cluster in found:
        firsts = [group.units[0] for group in cluster.groups]
        if all(inside.is_inside(f) or any(id(a) in around for a in f.ancestors()) for f in firsts):
            continue
        saves = saved_near(cluster, inside)
        group = united(cluster, classes) if saves > 0 else None
        if group is not None:
            yield _family(group, saves)


def _in_authors_words(family: Family, meaning: Meaning) -> Family:
    """The family whose holes say functions as their scripts do."""
    holes = tuple(
        replace(hole, values=tuple(in_authors_words(v, meaning.functions) for v in hole.values))
        for hole in family.holes
    )
    return replace(family, holes=holes)


def _family(group: Group[Piece], saves: int) -> Family:
    first, values = group.units[0], group.values
    content = first.strict if group.kind == "exact" else first.recurring
    if group.kind in ("core", "near") or group.what != "query":  # another family may lead with it
        words = [group.kind, group.what, *sorted({unit.recurring for unit in group.units})]
        content = blake2b(" ".join(words).encode(), digest_size=6).hexdigest()
    return Family(
        id=content[:12],
        kind=group.kind,
        what=what_of(group),
        lines=group.lines,
        saves=saves,
        holes=tuple(Hole(h.name, h.kind, v) for h, v in zip(group.holes, values, strict=True)),
        members=tuple(_member(u, s) for u, s in zip(group.units, group.spans, strict=True)),
    )


def _paying(group: Group[Piece], counted: Sequence[int]) -> Iterator[tuple[Group[Piece], int]]:
    """What is worth telling of a class, and the lines that it saves: all of it, else each set of
    its equal pieces. (One query that is a little like five copies must not hide them.)"""
    if (saves := saved(group, counted)) >= _least(group):
        yield group, saves
        return
    if group.what == "item" or group.kind == "exact":
        return
    counts = frozenset(counted)
    for first in group.variants:
        own = [at for at, unit in enumerate(group.units) if unit.strict == first.strict]
        left = [at for at, old in enumerate(own) if old in counts]
        if len(left) > 1:
            units = tuple(group.units[at] for at in own)
            equal = Group(units, tuple(group.spans[at] for at in own), what=group.what)
            if (saves := saved(equal, left)) >= _least(equal):
                yield equal, saves


def _least(group: Group[Piece]) -> int:
    return LEAST_LOOP if group.what == "item" else 1


def what_of(group: Group[Piece]) -> What:
    """What the members of a class are."""
    nodes = [unit.node for unit in group.units]
    if group.what == "query" and all(isinstance(n.parent, exp.SetOperation) for n in nodes):
        return "branch"
    return group.what


def _member(unit: Piece, span: Span) -> Member:
    return Member(span.path, span.line, span.end_line, unit.relation, unit.whole)


# --- order and size ---------------------------------------------------------------------------


def _rank(family: Family) -> tuple[int, str, int, str]:
    """What saves most first."""
    first = family.members[0]
    return -family.saves, first.path, first.line, family.id


def _copied_lines(found: Iterable[Family]) -> int:
    lines = {
        (member.path, line)
        for family in found
        if family.kind in ("exact", "parametric")
        for member in family.members[1:]
        for line in range(member.line, member.end_line + 1)
    }
    return len(lines)
