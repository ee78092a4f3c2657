"""Small adversarial databases for one report, from its plan.

databases(plan, inputs, inferred, engine, clock) -> (Database, ...)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Final, Protocol

from sqlglot import exp

from unwet.rewrite.algebra import Expr, Opaque, Plan, walk
from unwet.rewrite.prove.engines import Engine
from unwet.rewrite.prove.synthetic.database import Cell, Database, Table
from unwet.rewrite.prove.synthetic.entities import ROOM, Entity, Maker, composed
from unwet.rewrite.prove.synthetic.fresh import fresh
from unwet.rewrite.prove.synthetic.goals import (
    Crowd,
    Goal,
    crowds,
    distinct,
    facts_of,
    of_conditions,
    of_pairs,
    of_rows,
    of_values,
)
from unwet.rewrite.prove.synthetic.logic import Ask, Logic
from unwet.rewrite.prove.synthetic.merged import merged
from unwet.rewrite.prove.synthetic.oracle import Adapt, Oracle
from unwet.rewrite.prove.synthetic.pools import pools as made_pools
from unwet.rewrite.prove.synthetic.rows import Deriver, Way
from unwet.rewrite.prove.synthetic.solve import Solver
from unwet.rewrite.prove.synthetic.symbols import JSON, Symbols, Variable, number, numbers
from unwet.rewrite.prove.synthetic.syntax import way_of
from unwet.rewrite.prove.synthetic.types import TEXT, SqlType

TOGETHER: Final = 40  # entities of one database
MIXED: Final = 3  # entities of each kind in one database
FEW: Final = 6  # entities of a part of a database
PORTIONS: Final = 4  # databases of one kind
FIRST: Final = 400  # conditions of the plainest way to have a row
LATER: Final = 120  # those of any other
MERGED: Final = 12  # ways in which rows that are read twice are made one
EMPTIED: Final = 6  # tables that are left empty, one at a time


class Facts(Protocol):
    """What is known of the relations of a pile."""

    @property
    def tables(self) -> Mapping[str, Mapping[str, SqlType]]:
        """Relation -> column -> type."""
        ...


def databases(
    plan: Plan | None,
    inputs: Iterable[str],
    facts: Facts,
    engine: Engine,
    clock: datetime,
    adapt: Adapt = lambda tree: tree,
    trees: Iterable[exp.Expr] = (),
) -> tuple[Database, ...]:
    """Databases over the relations `inputs`, the plainest first; the same ones on every run.

    `engine` is asked what is true of which values. `trees`: the statements, which are read where
    there is no plan, or none of some part.
    """
    relations = tuple(dict.fromkeys(inputs))
    read = list(trees) if plan is None or _has_gaps(plan) else []
    study = Study(plan, facts, engine, clock, adapt, relations, read)
    some = () if plan is not None else (_by_types(relations, facts),)
    return (*study.databases(relations), *some, _empty(relations, facts))


def _has_gaps(plan: Plan) -> bool:
    return any(isinstance(each, Opaque) for each in walk(plan.rel))


class Study:
    """One plan: its goals, and the entities that reach them."""

    def __init__(
        self,
        plan: Plan | None,
        facts: Facts,
        engine: Engine,
        clock: datetime,
        adapt: Adapt = lambda tree: tree,
        relations: Sequence[str] = (),
        trees: Sequence[exp.Expr] = (),
    ) -> None:
        self.symbols = Symbols()
        self._facts = facts
        deriver = Deriver(self.symbols)
        logic = Logic(deriver)
        oracle = Oracle(engine, clock, adapt)
        self.ways = deriver.ways(plan.rel) if plan is not None else ()
        if trees:
            self.ways = (way_of(trees, relations, facts.tables, self.symbols), *self.ways)
        same = (merged(way, self.symbols) for way in self.ways[:MERGED])
        self.ways = (*self.ways, *(way for way in same if way is not None))
        self.bounds = sorted(deriver.bounds)
        room = [FIRST if at == 0 else LATER for at in range(len(self.ways))]
        first = [
            (way, list(islice(of_conditions(way, logic), most)))
            for way, most in zip(self.ways, room, strict=True)
        ]
        atoms = [e for _, goals in first for e, _ in facts_of(goals)]
        used = [e for way in self.ways for e in way.seen]
        used += [e for variable in self.symbols.variables for e in variable.of]
        self.kinds = [kind_of(v, self.symbols, facts) for v in self.symbols.variables]
        self.pools = made_pools(self.symbols, self.kinds, atoms, used, oracle)
        self.kinds = [kind_of(v, self.symbols, facts) for v in self.symbols.variables]
        self.solver = Solver(self.pools, oracle)
        seen = self._seen((*used, *atoms))
        self.maker = Maker(self.symbols, self.kinds, self.pools, self.solver, seen)
        self.goals: list[tuple[Way, Goal]] = []
        self.bases: list[tuple[Way, Ask]] = []
        self._collect(first)

    def _collect(self, first: Sequence[tuple[Way, list[Goal]]]) -> None:
        owner: dict[int, Way] = {}
        found: list[Goal] = []
        bases = self.bases
        for way, goals in first:
            base = self._base(goals)
            bases.append((way, base))
            more = [
                *goals,
                *of_values(way, base, goals, self.pools, self.symbols),
                *of_rows(way, base, self.symbols),
            ]
            for goal in more:
                owner[id(goal)] = way
            found += more
        for goal in of_pairs(bases):
            owner[id(goal)] = bases[0][0]
            found.append(goal)
        self.goals = [(owner[id(goal)], goal) for goal in distinct(found)]

    def _base(self, goals: Sequence[Goal]) -> Ask:
        """The first way to have the row that there is."""
        for goal in goals:
            plain = goal.kind == "good" and goal.aim.startswith(("a row", "another"))
            if plain and self.solver.solve(goal.ask) is not None:
                return goal.ask
        return goals[0].ask

    def _seen(self, exprs: Iterable[Expr]) -> set[int]:
        """The variables of expressions, and of what those count."""
        found = {n for each in exprs for n in numbers(each)}
        made = {n for at in found for each in self.symbols.variables[at].of for n in numbers(each)}
        return found | made | {n for way in self.ways for e in way.wants for n in numbers(e)}

    # --- entities

    def entities(self) -> Iterator[Entity]:
        """In the order of the goals; goals that cannot be reached have none."""
        at = 0
        for way, goal in self.goals:
            made = self.maker.entity(goal, at, way)
            if made is not None:
                at += 1
                yield made

    def databases(self, relations: Sequence[str]) -> Iterator[Database]:
        """Good rows, rows with a deviation, missing values, further rows: each kind apart."""
        found: dict[str, list[Entity]] = {}
        for each in self.entities():
            found.setdefault(each.goal.kind, []).append(each)
        bases = [e for e in found.get("good", ()) if e.goal.aim.startswith("a row")]
        for kind in ("good", "near", "bad"):
            yield from self._in_portions(found.get(kind, ()), relations, kind)
        yield from self._crowded(relations)
        for kind in ("null", "again"):
            yield from self._in_portions(found.get(kind, ()), relations, kind)
        yield self.database(bases[:TOGETHER], relations, "good rows")
        # a NULL beside rows that it is not IN shows only where those are there
        mixed = [each for many in found.values() for each in many[:MIXED]]
        yield self.database(mixed, relations, "all kinds")
        yield from self._without(bases[:TOGETHER], relations)

    def _in_portions(
        self, entities: Sequence[Entity], relations: Sequence[str], aim: str
    ) -> Iterator[Database]:
        size = max(TOGETHER, -(-len(entities) // PORTIONS))
        for start in range(0, len(entities), size):
            yield self.database(entities[start : start + size], relations, aim)

    def _crowded(self, relations: Sequence[str]) -> Iterator[Database]:
        """Crowds, each in numbers of its own."""
        at, some = 0, list[Entity]()
        for crowd in crowds(self.bases, self.pools, self.bounds, self.symbols):
            made = list(self._crowd(crowd, at))
            at += crowd.size
            if crowd.size > 10:
                yield self.database(made, relations, crowd.aim)
            else:
                some += made
        if some:
            yield self.database(some, relations, "crowds")

    def _crowd(self, crowd: Crowd, start: int) -> Iterator[Entity]:
        goal = Goal("good", crowd.aim, crowd.ask)
        for turn in range(crowd.size):
            places = dict.fromkeys(crowd.paired, start + turn - turn % 2)
            places |= dict.fromkeys(crowd.shared, start)
            counts = dict.fromkeys(crowd.counts, turn + 1)
            seed = turn // 2 if crowd.paired else turn
            made = self.maker.entity(goal, start + turn, crowd.way, seed, places, counts)
            if made is not None:
                yield made

    def _without(self, bases: Sequence[Entity], relations: Sequence[str]) -> Iterator[Database]:
        """The good rows with one table left empty."""
        used = list(dict.fromkeys(relation for each in bases for relation, _ in each.rows))
        for gone in used[:EMPTIED] if len(used) > 1 else ():
            rest = [
                replace(each, rows=tuple(row for row in each.rows if row[0] != gone))
                for each in bases
            ]
            yield self.database(rest, relations, f"{gone} is empty")

    def database(self, entities: Iterable[Entity], relations: Sequence[str], aim: str) -> Database:
        """All rows of the entities, and parts of them."""
        return assembled(tuple(entities), relations, aim, self._facts)


def assembled(
    chosen: Sequence[Entity], relations: Sequence[str], aim: str, facts: Facts
) -> Database:
    """All rows of the entities; those of a few of them are a part, and those of each alone."""
    filler = _Filler(facts)
    for entity in chosen:
        for at, (relation, values) in enumerate(entity.rows):
            same = entity.rows.index((relation, values)) if entity.goal.again >= 0 else at
            filler.add(relation, values, entity.number * ROOM + same)
    size = FEW if len(chosen) > FEW else 1
    starts = range(0, len(chosen), size) if len(chosen) > 1 else ()
    parts = (assembled(chosen[n : n + size], relations, aim, facts) for n in starts)
    return replace(filler.database(relations, aim), parts=tuple(parts))


class _Filler:
    """Rows of whole tables, from the columns that matter."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._rows: dict[str, list[Mapping[str, Cell]]] = {}

    def add(
        self, relation: str, values: Mapping[tuple[str, tuple[str, ...]], Cell], n: int
    ) -> None:
        """One row; columns that nobody asked anything of get the `n`-th value of their type."""
        known = self._facts.tables.get(relation, {})
        row: dict[str, Cell] = {}
        by_column: dict[str, dict[tuple[str, ...], Cell]] = {}
        for (column, path), value in values.items():
            by_column.setdefault(column, {})[path] = value
        for salt, (column, kind) in enumerate(known.items()):
            parts = by_column.get(column)
            if parts is None:
                row[column] = composed(kind, {(): fresh(kind, n, 50 + salt)})
            elif set(parts) == {()}:
                row[column] = composed(kind, parts) if kind.kind in _NESTED else parts[()]
            else:
                inner = {p: v for p, v in parts.items() if p}
                row[column] = composed(kind, inner)
        self._rows.setdefault(relation, []).append(row)

    def database(self, relations: Sequence[str], aim: str) -> Database:
        tables = {}
        for relation in dict.fromkeys((*relations, *self._rows)):
            known = self._facts.tables.get(relation, {})
            columns = tuple((name, kind.duckdb()) for name, kind in known.items())
            rows = tuple(tuple(row[name] for name in known) for row in self._rows.get(relation, ()))
            tables[relation] = Table(columns, rows)
        return Database(tables, aim)


_NESTED: Final = frozenset({"array", "struct"})


def kind_of(variable: Variable, symbols: Symbols, facts: Facts) -> SqlType:
    """The type of a variable."""
    match variable.role:
        case "cell":
            known = facts.tables.get(symbols.scans[variable.scan], {})
            return _below(known.get(variable.column, TEXT), variable.path)
        case "element":
            at = number(variable.of[0])
            array = kind_of(symbols.variables[at], symbols, facts) if at is not None else TEXT
            return _below(array.element or TEXT, variable.path)
        case "count" | "rank":
            return SqlType("integer")
        case _:
            inside = [n for each in variable.of for n in numbers(each)]
            kinds = [kind_of(symbols.variables[n], symbols, facts) for n in inside[:1]]
            return kinds[0] if kinds else TEXT


def _below(kind: SqlType, path: tuple[str, ...]) -> SqlType:
    for name in path:
        if name == JSON:
            return TEXT
        kind = dict(kind.fields).get(name, TEXT)
    return kind


def _empty(relations: Sequence[str], facts: Facts) -> Database:
    return _Filler(facts).database(relations, "empty tables")


def _by_types(relations: Sequence[str], facts: Facts) -> Database:
    filler = _Filler(facts)
    for relation in relations:
        for n in range(8):
            filler.add(relation, {}, n % 6)
    return filler.database(relations, "values of each type")
