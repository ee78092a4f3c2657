"""Small adversarial databases for one report, from its plan.

databases(plan, inputs, inferred, engine, clock) -> (Database, ...)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import accumulate, islice, zip_longest
from typing import Final

from sqlglot import exp

from unwet.rewrite.algebra import Expr, Opaque, Plan, Subquery, expressions, parts, walk
from unwet.rewrite.prove.effort import Effort
from unwet.rewrite.prove.engines import Engine
from unwet.rewrite.prove.synthetic.database import Cell, Database
from unwet.rewrite.prove.synthetic.entities import ROOM, Entity, Maker
from unwet.rewrite.prove.synthetic.filler import Facts, Filler, by_types, empty, kind_of
from unwet.rewrite.prove.synthetic.goals import (
    BEYOND,
    Crowd,
    Goal,
    Kind,
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
from unwet.rewrite.prove.synthetic.symbols import Symbols, numbers
from unwet.rewrite.prove.synthetic.syntax import way_of

TOGETHER: Final = 40  # entities of one database
MIXED: Final = 3  # entities of each kind in one database
ROWS: Final = 1500  # of one database, if they do not all belong together
EFFORT: Final = 400_000  # for the rows of one report (see effort.py)
_ROW: Final = 4  # effort that a row takes
FEW: Final = 6  # entities of a part of a database
PORTIONS: Final = 4  # databases of one kind
FIRST: Final = 400  # conditions of the plainest way to have a row
LATER: Final = 120  # those of any other
MERGED: Final = 12  # ways in which rows that are read twice are made one
EMPTIED: Final = 6  # tables that are left empty, one at a time

Rows = dict[int, tuple[Entity, list[tuple[str, tuple[Cell, ...]]]]]
"""Entities by their ids, and their rows with all columns."""


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
    some = () if plan is not None else (by_types(relations, facts),)
    return (*study.databases(relations), *some, empty(relations, facts))


def _has_gaps(plan: Plan) -> bool:
    return any(isinstance(each, Opaque) for each in walk(plan.rel))


def _has_scalar(plan: Plan) -> bool:
    """Whether some subquery may find one row at most."""
    exprs = (expr for rel in walk(plan.rel) for expr in expressions(rel))
    found = (part for expr in exprs for part in parts(expr) if isinstance(part, Subquery))
    return any(each.kind == "scalar" for each in found)


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
        self._is_single = plan is not None and _has_scalar(plan)
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
        self._effort = Effort(EFFORT)
        self.solver = Solver(self.pools, oracle, self._effort)
        seen = self._seen((*used, *atoms))
        self.maker = Maker(self.symbols, self.kinds, self.pools, self.solver, seen)
        self._rows: Rows = {}
        self.goals: list[tuple[Way, Goal]] = []
        self.bases: list[tuple[Way, Ask]] = []
        self._collect(first)

    def _collect(self, first: Sequence[tuple[Way, list[Goal]]]) -> None:
        owner: dict[int, Way] = {}
        found: list[Goal] = []
        bases, last = self.bases, list[tuple[Way, Ask]]()
        for way, goals in first:
            base, is_found = self._base(goals)
            (bases if is_found else last).append((way, base))
            more = [
                *goals,
                *of_values(way, base, goals, self.pools, self.symbols),
                *of_rows(way, base, self.symbols),
            ]
            for goal in more:
                owner[id(goal)] = way
            found += more
        bases += last  # of what has no rows nothing more can be made
        for goal in of_pairs(bases):
            owner[id(goal)] = bases[0][0]
            found.append(goal)
        self.goals = [(owner[id(goal)], goal) for goal in distinct(found)]

    def _base(self, goals: Sequence[Goal]) -> tuple[Ask, bool]:
        """The first way to have the row that there is, if there is one."""
        for goal in goals:
            plain = goal.kind == "good" and goal.aim.startswith(("a row", "another"))
            if plain and self.solver.solve(goal.ask) is not None:
                return goal.ask, True
        return goals[0].ask, False

    def _seen(self, exprs: Iterable[Expr]) -> set[int]:
        """The variables of expressions, and of what those count."""
        found = {n for each in exprs for n in numbers(each)}
        made = {n for at in found for each in self.symbols.variables[at].of for n in numbers(each)}
        return found | made | {n for way in self.ways for e in way.wants for n in numbers(e)}

    # --- entities

    def entities(self) -> dict[str, list[Entity]]:
        """By kind, in the order of the goals; goals that cannot be reached have none. Where there
        would be too many rows of one kind, or all would take too long, goals at equal distances
        have one."""
        kinds: dict[Kind, list[tuple[Way, Goal]]] = {}
        for way, goal in self.goals:
            kinds.setdefault(goal.kind, []).append((way, goal))
        found: dict[str, dict[int, Entity]] = {kind: {} for kind in kinds}
        room = dict.fromkeys(kinds, PORTIONS * ROWS)
        number = 0
        for kind, place in _dealt({kind: len(many) for kind, many in kinds.items()}):
            if room[kind] <= 0 or not self._effort.is_left():
                continue
            way, goal = kinds[kind][place]
            made = self.maker.entity(goal, number, way)
            if made is not None:
                number += 1
                room[kind] -= len(made.rows)
                self._effort.spend(_ROW * len(made.rows))
                found[kind][place] = made
        return {kind: [many[place] for place in sorted(many)] for kind, many in found.items()}

    def databases(self, relations: Sequence[str]) -> Iterator[Database]:
        """Good rows, rows with a deviation, missing values, further rows: each kind apart."""
        found = self.entities()
        bases = [e for e in found.get("good", []) if e.goal.aim.startswith("a row")]
        if self._is_single:  # the rows of one entity are more than one for all the others
            for each in found.get("good", [])[:FEW]:
                yield self.database([each], relations, "one row")
        for kind in ("good", "near", "bad"):
            yield from self._in_portions(found.get(kind, []), relations, kind)
        yield from self._crowded(relations)
        for kind in ("null", "again"):
            yield from self._in_portions(found.get(kind, []), relations, kind)
        bases = _fitting(bases[:TOGETHER])
        good = self.database(bases, relations, "good rows")
        yield good
        yield good.doubled("good rows, each twice")
        # a NULL beside rows that it is not IN shows only where those are there
        mixed = [each for many in found.values() for each in many[:MIXED]]
        all_kinds = self.database(_fitting(mixed), relations, "all kinds")
        yield all_kinds
        if all_kinds.has_arrays:
            yield all_kinds.with_arrays("arrays of several elements", many=True)
            yield all_kinds.with_arrays("arrays without elements", many=False)
        yield from self._without(bases, relations)

    def _in_portions(
        self, entities: Sequence[Entity], relations: Sequence[str], aim: str
    ) -> Iterator[Database]:
        size = max(TOGETHER, -(-len(entities) // PORTIONS))
        portion: list[Entity] = []
        rows = 0
        for each in entities:
            if portion and (len(portion) >= size or rows + len(each.rows) > ROWS):
                yield self.database(portion, relations, aim)
                portion, rows = [], 0
            portion.append(each)
            rows += len(each.rows)
        if portion:
            yield self.database(portion, relations, aim)

    def _crowded(self, relations: Sequence[str]) -> Iterator[Database]:
        """Crowds, each in numbers of its own; those that are small and few together."""
        at, some = 0, list[Entity]()
        for crowd in crowds(self.bases, self.pools, self.bounds, self.symbols):
            made = list(self._crowd(crowd, at))
            at += crowd.size
            if crowd.size > 10 or crowd.aim == BEYOND:
                many = self.database(made, relations, crowd.aim)
                yield many
                if crowd.aim == BEYOND:  # the last row that a limit lets through has an equal one
                    yield many.doubled("ties at a limit")
                    yield many.doubled("ties at a limit", ends=False)
                continue
            if some and sum(len(each.rows) for each in (*some, *made)) > ROWS:
                yield self.database(some, relations, "crowds")
                some = []
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
        return assembled(tuple(entities), relations, aim, self._facts, self._rows)


def assembled(
    chosen: Sequence[Entity],
    relations: Sequence[str],
    aim: str,
    facts: Facts,
    known: Rows | None = None,
) -> Database:
    """All rows of the entities; those of a few of them are a part, and those of each alone.
    `known`: whole rows of entities, which are remembered there."""
    filler = Filler(facts)
    known = {} if known is None else known
    for entity in chosen:
        if id(entity) not in known:
            known[id(entity)] = entity, _whole(entity, filler)
        for relation, row in known[id(entity)][1]:
            filler.put(relation, row)
    size = FEW if len(chosen) > FEW else 1
    starts = range(0, len(chosen), size) if len(chosen) > 1 else ()
    parts = (assembled(chosen[n : n + size], relations, aim, facts, known) for n in starts)
    return replace(filler.database(relations, aim), parts=tuple(parts))


def _whole(entity: Entity, filler: Filler) -> list[tuple[str, tuple[Cell, ...]]]:
    """Its rows with all their columns."""
    rows = []
    for at, (relation, values) in enumerate(entity.rows):
        same = entity.rows.index((relation, values)) if entity.goal.again >= 0 else at
        rows.append((relation, filler.row(relation, values, entity.number * ROOM + same)))
    return rows


def _dealt(kinds: Mapping[Kind, int]) -> Iterator[tuple[Kind, int]]:
    """Of each kind all places up to its number, one of each kind after the other, in an order of
    which every beginning is spread over the whole."""
    orders = [[(kind, place) for place in _spread(many)] for kind, many in kinds.items()]
    for turn in zip_longest(*orders):
        yield from (each for each in turn if each is not None)


def _spread(many: int) -> list[int]:
    """0, a half, a quarter, three quarters ...: by the bits read backwards."""
    digits = max(1, (many - 1).bit_length())
    return sorted(range(many), key=lambda at: f"{at:0{digits}b}"[::-1])


def _fitting(entities: Sequence[Entity]) -> list[Entity]:
    """As many of the first as one database takes; one at the least."""
    rows = list(accumulate(len(each.rows) for each in entities))
    return [e for e, sum_ in zip(entities, rows, strict=True) if e is entities[0] or sum_ <= ROWS]
