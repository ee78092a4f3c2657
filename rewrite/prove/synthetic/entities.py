"""From goals to rows: one small group of rows that belong together for each goal.

Maker(...).entity(goal, number) -> Entity, or None when there are no such rows
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from unwet.rewrite.algebra import Expr
from unwet.rewrite.prove.synthetic.classes import equal_pair
from unwet.rewrite.prove.synthetic.database import Cell
from unwet.rewrite.prove.synthetic.fresh import fresh
from unwet.rewrite.prove.synthetic.goals import Goal
from unwet.rewrite.prove.synthetic.logic import Ask, Fact
from unwet.rewrite.prove.synthetic.pools import Pools
from unwet.rewrite.prove.synthetic.rows import Way
from unwet.rewrite.prove.synthetic.solve import Found, Solver
from unwet.rewrite.prove.synthetic.symbols import JSON, Symbols, Variable, number, numbers
from unwet.rewrite.prove.synthetic.types import SqlType

ROOM: Final = 16  # fresh values of one class that an entity has for itself
_MOST_COPIES: Final = 40
_MOST_RANKS: Final = 3  # the place of a row in its partition, where nothing is asked of it

RowValues = Mapping[tuple[str, tuple[str, ...]], Cell]
"""(column, path into it) -> value."""


@dataclass(frozen=True, slots=True)
class Entity:
    """`rows`: relation and values of each. `number` keeps its keys apart from other entities'."""

    goal: Goal
    number: int
    rows: tuple[tuple[str, RowValues], ...]


class Maker:
    """Makes entities of one plan. `used`: the variables that anything is asked of. `few`: a row is
    the first of its partition where nothing else is asked, so that there are no more rows."""

    def __init__(
        self,
        symbols: Symbols,
        kinds: Sequence[SqlType],
        pools: Pools,
        solver: Solver,
        used: Set[int],
        few: bool = False,
    ) -> None:
        self._symbols, self._kinds = symbols, kinds
        self._alone = ("count", "rank") if few else ("count",)
        self._pools, self._solver = pools, solver
        chiefs = sorted({pools.chief[n] for n in pools.free})
        self._salt = {chief: at for at, chief in enumerate(chiefs)}
        self._elements = [v for v in symbols.variables if v.role == "element"]
        self._groups = [v for v in symbols.variables if v.role in ("count", "rank")]
        self._extremes = [v for v in symbols.variables if v.role == "unknown" and len(v.of) == 1]
        self._rest = [v for v in symbols.variables if v.role != "cell"]
        self._fixed: dict[int, tuple[Ask, set[int]]] = {}  # what joins hold fast, by the ask's id
        self._asked: dict[int, tuple[Ask, dict[int, list[Fact]]]] = {}  # by variable
        self._places: Mapping[int, int] = {}
        self._counts: Mapping[int, int] = {}
        self._cells: dict[int, list[Variable]] = {}
        for variable in symbols.variables:
            if variable.role == "cell" and variable.number in used:
                self._cells.setdefault(variable.scan, []).append(variable)

    def entity(
        self,
        goal: Goal,
        at: int,
        way: Way,
        seed: int = 0,
        places: Mapping[int, int] | None = None,
        counts: Mapping[int, int] | None = None,
        given: Mapping[int, int] | None = None,
    ) -> Entity | None:
        """`at`: the entity's number. `way`: the row that the goal is about. `places`: classes that
        have the values of the entity of another number. `counts`: how many rows groups have.
        `given`: positions that variables have to have."""
        self._places, self._counts = places or {}, counts or {}
        pins = {**dict([goal.pin] if goal.pin else []), **(given or {})}
        found = self._solver.solve(goal.ask, pins, seed)
        if found is None:
            return None
        scans = self._scans(goal)
        asked = [v for v in self._extremes if v.number in found]
        found = self._filled(found, scans, at + seed)
        rows = [(scan, self._row(scan, found, at)) for scan in sorted(scans)]
        rows += self._counted(found, goal, way, at)
        rows += self._extreme(asked, found, scans, at)
        if goal.again >= 0:
            rows.append((goal.again, self._row(goal.again, found, at)))
        if goal.aim.startswith("branch"):
            rows += self._beside(goal, way, found, at)
        if goal.near >= 0:
            rows += self._near(goal, way, found, at)
        named = tuple((self._symbols.scans[scan], row) for scan, row in rows)
        return Entity(goal, at, named)

    def held(self, entity: Entity, cells: Iterable[int]) -> tuple[dict[int, int], dict[int, int]]:
        """`places` and `given` for another entity that has the values of this one in some cells."""
        places, given = dict[int, int](), dict[int, int]()
        for n in dict.fromkeys(cells):
            if n in self._pools.free:
                places[self._pools.chief[n]] = entity.number
            elif (at := self._position(entity, n)) is not None:
                given[n] = at
        return places, given

    def _position(self, entity: Entity, n: int) -> int | None:
        """Which value of its pool a variable has in an entity; None where any value does."""
        variable = self._symbols.variables[n]
        if variable.role != "cell":
            return None
        values = self._pools.of[n][1]
        for relation, row in entity.rows:
            value = row.get((variable.column, variable.path), "")
            if relation == self._symbols.scans[variable.scan] and value in values:
                return values.index(value)
        return None

    def _scans(self, goal: Goal) -> set[int]:
        facts = (*goal.ask.hard, *goal.ask.soft)
        used = {v.scan for expr, _ in facts for v in self._symbols.of(expr) if v.scan >= 0}
        known = goal.ask.scans
        # atoms that should hold if possible do not bring rows of their own
        hard = {v.scan for expr, _ in goal.ask.hard for v in self._symbols.of(expr) if v.scan >= 0}
        return set(known) | (used & hard)

    def _filled(self, found: Found, scans: set[int], at: int) -> Found:
        """Positions for the variables that nothing was asked of."""
        made = dict(found)
        for variable in self._needed(scans):
            n = variable.number
            if n in made:
                continue
            size = len(self._pools.of[n][1])
            if variable.role in self._alone:
                made[n] = self._one(n)
            elif variable.role == "rank":
                made[n] = crc32(b"%d %d" % (at, n)) % min(size, _MOST_RANKS)
            elif n in self._pools.free:
                made[n] = variable.scan % 4 if variable.scan >= 0 else 0
            else:
                made[n] = crc32(b"%d %d" % (at, n)) % (size - 1) if size > 1 else 0
        return made

    def _needed(self, scans: set[int]) -> Iterator[Variable]:
        for scan in sorted(scans):
            yield from self._cells.get(scan, ())
        yield from self._rest

    def _one(self, n: int) -> int:
        values = self._pools.of[n][1]
        wanted = str(self._counts.get(n, 1))
        return values.index(wanted) if wanted in values else 0

    # --- rows

    def _row(self, scan: int, found: Mapping[int, int], at: int, **other: int) -> RowValues:
        row: dict[tuple[str, tuple[str, ...]], Cell] = {}
        for variable in self._cells.get(scan, ()):
            row[variable.column, variable.path] = self._value(variable.number, found, at)
        for variable in self._elements:
            if variable.number in found:
                place = self._array_place(variable, scan)
                if place is not None:
                    column, path = place
                    element = (*path, "[]", *variable.path)
                    row[column, element] = self._value(variable.number, found, at)
        return row

    def _array_place(self, element: Variable, scan: int) -> tuple[str, tuple[str, ...]] | None:
        """The column (and path) that holds the array, if it is of that scan."""
        inner: tuple[str, ...] = ()
        while True:
            at = number(element.of[0])
            if at is None:
                return None
            array = self._symbols.variables[at]
            if array.role == "cell":
                return (array.column, (*array.path, *inner)) if array.scan == scan else None
            if array.role != "element":
                return None
            inner = ("[]", *array.path, *inner)
            element = array

    def _value(self, n: int, found: Mapping[int, int], at: int) -> Cell:
        position = found[n]
        values = self._pools.of[n][1]
        if n in self._pools.free:
            if position == len(values) - 1:
                return None
            return self._fresh(n, at, position)
        return values[position] if position < len(values) else None

    def _fresh(self, n: int, at: int, position: int) -> Cell:
        """A value of a free class; a position from -1 down is on the other side of zero."""
        chief = self._pools.chief[n]
        kind = self._kinds[chief]
        place = self._places.get(chief, at)
        value = fresh(kind, place * ROOM + abs(position), self._salt[chief])
        if position < 0 and kind.kind in ("integer", "decimal", "double"):
            return f"-{value}"
        return value

    # --- further rows

    def _counted(
        self, found: Found, goal: Goal, way: Way, at: int
    ) -> Iterator[tuple[int, RowValues]]:
        """As many rows as the counts and ranks want."""
        for variable in self._groups:
            if not variable.below or not variable.below <= goal.ask.scans:
                continue
            value = self._pools.of[variable.number][1][found[variable.number]]
            many = min(int(value or 1), _MOST_COPIES)
            inside = {v.scan for e in variable.of for v in self._symbols.of(e) if v.scan >= 0}
            within = (inside & variable.below) or variable.below
            scan = max(within, key=lambda scan: (-self._conditions(scan, goal), scan))
            if many < 2 or scan not in goal.ask.scans:
                continue
            for copy in range(1, many):
                kept = way.partitions if variable.role == "rank" else variable.within
                yield scan, self._other(scan, found, goal, way, at, copy, kept)
                if variable.role == "rank":
                    yield scan, self._other(scan, found, goal, way, at, -copy, way.partitions)

    def _extreme(
        self, asked: Sequence[Variable], found: Found, scans: Set[int], at: int
    ) -> Iterator[tuple[int, RowValues]]:
        """What a highest value or a sum should be, as the value of one more row of the group."""
        for variable in asked:
            inner = number(variable.of[0])
            cell = self._symbols.variables[inner] if inner is not None else variable
            if cell.role == "cell" and cell.scan in scans:
                value = self._value(variable.number, found, at)
                yield (
                    cell.scan,
                    {**self._row(cell.scan, found, at), (cell.column, cell.path): value},
                )

    def _other(
        self,
        scan: int,
        found: Found,
        goal: Goal,
        way: Way,
        at: int,
        copy: int,
        kept: Sequence[Expr] = (),
    ) -> RowValues:
        """Another row of the same group: its keys and joins stay (and `kept`), all else changes."""
        fixed = {n for each in (*way.keys, *kept) for n in numbers(each)}
        fixed |= self._joined(goal)
        changed = dict(found)
        for variable in self._cells.get(scan, ()):
            n = variable.number
            if n in fixed:
                continue
            if n in self._pools.free:
                changed[n] = 6 + copy if copy > 0 else copy - 6
            else:
                self._move(n, changed, goal, abs(copy))
        return self._row(scan, changed, at)

    def _conditions(self, scan: int, goal: Goal) -> int:
        """How much is asked of a row but to be equal to others: least of that which is there many
        times for one of the others."""
        asked = (expr for expr, _ in goal.ask.hard if equal_pair(expr) is None)
        return sum(1 for e in asked if any(v.scan == scan for v in self._symbols.of(e)))

    def _joined(self, goal: Goal) -> set[int]:
        """Variables that have to be equal to one of another row."""
        known = self._fixed.get(id(goal.ask))
        if known is None or known[0] is not goal.ask:
            facts = (*goal.ask.hard, *goal.ask.soft)
            joined = {n for expr, _ in facts if equal_pair(expr) for n in numbers(expr)}
            known = self._fixed[id(goal.ask)] = goal.ask, joined
        return known[1]

    def _apart(self, scan: int, found: Found, goal: Goal, way: Way, place: int, keep: int) -> Found:
        """The same row in another partition of windows; where joins do not allow that, at another
        place in the same: two rows at one place would be in any order."""
        joined = self._joined(goal) | {keep}
        changed = dict(found)
        for exprs in (way.partitions, way.orders):
            seen = {n for each in exprs for n in numbers(each)}
            moved = [
                n for n in seen - joined
                if self._symbols.variables[n].scan == scan and n in self._pools.free
            ]  # fmt: skip
            changed |= dict.fromkeys(moved, place)
            if moved or keep in seen:
                break
        return changed

    def _move(self, n: int, changed: Found, goal: Goal, by: int) -> None:
        """Another value of a constrained variable under which everything still holds."""
        facts = self._about(n, goal)
        size = len(self._pools.of[n][1]) - 1
        for step in range(size):
            position = (changed[n] + by + step) % max(size, 1)
            trial = {**changed, n: position}
            if position != changed[n] and self._solver.allows(facts, trial):
                changed[n] = position
                return

    def _about(self, n: int, goal: Goal) -> Sequence[Fact]:
        """What is asked of one variable, if need be together with others."""
        known = self._asked.get(id(goal.ask))
        if known is None or known[0] is not goal.ask:
            facts: dict[int, list[Fact]] = {}
            for fact in (*goal.ask.hard, *goal.ask.soft):
                for at in numbers(fact[0]):
                    facts.setdefault(at, []).append(fact)
            known = self._asked[id(goal.ask)] = goal.ask, facts
        return known[1].get(n, ())

    def _beside(
        self, goal: Goal, way: Way, found: Found, at: int
    ) -> Iterator[tuple[int, RowValues]]:
        """Two more rows of the group that come to the same branch, with other values."""
        scans = {v.scan for e, _ in goal.ask.hard for v in self._symbols.of(e) if v.scan >= 0}
        for scan in sorted(scans & goal.ask.scans)[:1]:
            for copy in (2, -2):
                yield scan, self._other(scan, found, goal, way, at, copy)

    def _near(self, goal: Goal, way: Way, found: Found, at: int) -> Iterator[tuple[int, RowValues]]:
        """Rows that differ in one value: another one, the same again, less than nothing, NULL; and
        one that differs in everything that is no key."""
        n = goal.near
        scan = self._symbols.variables[n].scan
        for turn, position in enumerate(self._others(n, goal, found)):
            changed = self._apart(scan, found, goal, way, 10 + turn, n)
            yield scan, self._row(scan, {**changed, n: position}, at)
        for copy in (3, -4):
            yield scan, self._other(scan, found, goal, way, at, copy)
        for copy in (4, -5) if way.partitions else ():
            yield scan, self._other(scan, found, goal, way, at, copy, way.partitions)

    def _others(self, n: int, goal: Goal, found: Found) -> list[int]:
        """Positions of other values for one variable, one of them twice."""
        size = len(self._pools.of[n][1])
        if n in self._pools.free:
            return [7, 7, -8, size - 1]
        good = [
            p for p in range(size)
            if p != found[n] and self._solver.allows(goal.ask.hard, {**found, n: p})
        ]  # fmt: skip
        return good[:3] + good[:1] + good[-1:]


# --- composite values -------------------------------------------------------------------------


def composed(kind: SqlType, parts: Mapping[tuple[str, ...], Cell]) -> Cell:
    """The text of a struct, array or JSON value from the values at its paths."""
    value = _nested(kind, parts)
    return None if value is None else value if isinstance(value, str) else _text(value)


def _nested(kind: SqlType, parts: Mapping[tuple[str, ...], Cell]) -> object:
    """Text, None, a list, or a dict."""
    if any(path[:1] == (JSON,) for path in parts):
        return json.dumps(_object({p[1:]: v for p, v in parts.items() if p[:1] == (JSON,)}))
    if kind.kind == "array" and kind.element is not None:
        inner = {p[1:]: v for p, v in parts.items() if p[:1] == ("[]",)}
        if not inner:
            whole = parts.get((), "")
            if whole is None or whole.startswith("["):
                return None if whole is None else _Written(whole)
            return [_plain(kind.element)]
        return [_nested(kind.element, inner)]
    if kind.kind == "struct":
        below: dict[str, dict[tuple[str, ...], Cell]] = {}
        for path, value in parts.items():
            if path:
                below.setdefault(path[0], {})[path[1:]] = value
        return {
            name: _nested(field, below[name]) if name in below else _plain(field)
            for name, field in kind.fields
        }
    return parts.get((), None)


class _Written(str):
    """The text of a whole array."""


def _plain(kind: SqlType) -> object:
    if kind.kind == "array" and kind.element is not None:
        return [_plain(kind.element)]
    if kind.kind == "struct":
        return {name: _plain(field) for name, field in kind.fields}
    return fresh(kind, 1)


def _object(parts: Mapping[tuple[str, ...], Cell]) -> dict[str, object]:
    made: dict[str, object] = {}
    for path, value in sorted(parts.items()):
        inner = made
        for key in path[:-1]:
            below = inner.setdefault(key, {})
            inner = below if isinstance(below, dict) else {}
        if path:
            inner[path[-1]] = value
    return made


def _text(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case dict():
            return "{" + ", ".join(f"'{k}': {_text(v)}" for k, v in value.items()) + "}"
        case _Written():
            return value
        case list():
            return "[" + ", ".join(map(_text, value)) + "]"
        case _:
            quoted = str(value).replace("\\", "\\\\").replace("'", "\\'")
            return f"'{quoted}'"
