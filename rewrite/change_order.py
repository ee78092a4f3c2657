"""Relations whose rows depend on which of several scripts changes them first, which nothing says.

Two changes may be exchanged where neither sets what the other reads or sets, and rows that are put
in or taken out are none that the other changes: TRUNCATE takes out all, an INSERT that overwrites
does both. UPDATE, DELETE and MERGE are looked at as texts of
columns; what is not sure counts as a dependence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import combinations_with_replacement

from sqlglot import exp

from unwet.lineage.findings import Finding
from unwet.lineage.resolve import Resolved
from unwet.rewrite.script_order import EDITING, Unit, makes_table


@dataclass(frozen=True, slots=True)
class _Effect:
    """What a statement reads of a relation and what it sets there; whether it puts rows in, which
    a change before does not reach, whether it looks at other rows than the one it changes, and
    whether it leaves none of those that were there."""

    reads: frozenset[str]
    sets: frozenset[str]
    adds: bool = False
    edits: bool = True
    looks: bool = False
    empties: bool = False


def unordered(units: Sequence[Unit]) -> Iterator[Finding]:
    """One finding for each relation, at the script that is named second."""
    writers: dict[str, list[Unit]] = {}
    for each in units:
        for name in sorted(each.fills | each.resets):
            writers.setdefault(name, []).append(each)
    for name, several in writers.items():
        others = [each for each in several if not makes_table(each, name)]
        if len(others) > 1:
            pair = next(_pairs(name, others), None)
            if pair is not None:
                yield _finding(name, others, pair)


def _pairs(name: str, units: Sequence[Unit]) -> Iterator[tuple[Unit, Unit]]:
    """Units of which it matters who is first; those that do the same are looked at once."""
    alike: dict[frozenset[_Effect], list[int]] = {}
    for at, each in enumerate(units):
        alike.setdefault(frozenset(map(_effect, _own(each, name))), []).append(at)
    for (one, some), (other, more) in combinations_with_replacement(alike.items(), 2):
        pair = some[:2] if some is more else sorted((some[0], more[0]))
        if len(pair) > 1 and _depend(one, other):
            yield units[pair[0]], units[pair[1]]


def _finding(name: str, others: Sequence[Unit], pair: tuple[Unit, Unit]) -> Finding:
    first, second = pair
    more = len(others) - 2
    rest = f" (and {more} more)" if more else ""
    message = (
        f"{name} is changed here and in {first.path}{rest}: nothing says which runs first, and "
        "its rows depend on it"
    )
    at, before = (next(iter(_own(each, name))).statement.span for each in (second, first))
    help = "change it in one script, where the order is plain"
    return Finding("CHANGE_ORDER", message, at, help, (before,))


def _own(unit: Unit, name: str) -> Iterator[Resolved]:
    kinds = EDITING | {"insert", "truncate"}
    return (w for r in unit.statements for w in r.all() if w.target == name and w.kind in kinds)


def _depend(one: AbstractSet[_Effect], other: AbstractSet[_Effect]) -> bool:
    return any(_meet(a, b) or _meet(b, a) for a in one for b in other)


def _meet(one: _Effect, other: _Effect) -> bool:
    """Whether what the first does changes what the second does."""
    if other.empties or (one.empties and not one.adds):
        return other.empties and one.adds
    seen = other.edits and (one.adds or other.looks)
    return seen or bool(one.sets & (other.reads | other.sets))


def _effect(resolved: Resolved) -> _Effect:
    tree = resolved.statement.tree
    if resolved.kind == "truncate":  # whatever was set before, no row of it is left
        return _Effect(frozenset(), frozenset(), empties=True)
    if isinstance(tree, exp.Insert):
        emptied = bool(tree.args.get("overwrite"))
        return _Effect(frozenset(), frozenset(), adds=True, edits=emptied, empties=emptied)
    reads = frozenset(column.name.lower() for column in tree.find_all(exp.Column))
    looks = len([*tree.find_all(exp.Table)]) > 1
    match tree:
        case exp.Update():
            told = [each.this for each in tree.expressions if isinstance(each, exp.EQ)]
            sets = frozenset(each.name.lower() for each in told if isinstance(each, exp.Column))
            return _Effect(reads, sets, looks=looks)
        case exp.Delete():
            return _Effect(reads, frozenset(), looks=looks)
        case _:  # a MERGE may do all of it
            return _Effect(reads, reads, adds=True, looks=True)
