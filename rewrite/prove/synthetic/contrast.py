"""Databases on which two plans part: the difference between them is solved for.

contrasts(before, after, inputs, facts, engine, clock) -> (Database, ...)

Both plans are brought to the cells of the same rows. A row that one of them has and the other has
not, or that has another value in one of them, is asked for: all that must be true above and below
the place where they differ, and there exactly one of the two. What is found is a guess, as anything
may happen to a row further up: whoever uses it runs both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain, islice, product, zip_longest
from typing import Final

from unwet.rewrite.algebra import Expr, Plan, Sort, Window, walk
from unwet.rewrite.prove.engines import Engine
from unwet.rewrite.prove.synthetic.blurred import blurs, solved, with_both
from unwet.rewrite.prove.synthetic.branches import conditions
from unwet.rewrite.prove.synthetic.crowds import Crowds, Nulls, alike, without_values
from unwet.rewrite.prove.synthetic.database import Database
from unwet.rewrite.prove.synthetic.databases import assembled
from unwet.rewrite.prove.synthetic.entities import Entity, Maker
from unwet.rewrite.prove.synthetic.filler import Facts, kind_of
from unwet.rewrite.prove.synthetic.goals import Goal
from unwet.rewrite.prove.synthetic.logic import Ask, Logic, together
from unwet.rewrite.prove.synthetic.merged import merged, merged_rows
from unwet.rewrite.prove.synthetic.oracle import Oracle
from unwet.rewrite.prove.synthetic.pools import pools as made_pools
from unwet.rewrite.prove.synthetic.rows import Way
from unwet.rewrite.prove.synthetic.solve import Solver
from unwet.rewrite.prove.synthetic.splits import Split, paired, queries, splits
from unwet.rewrite.prove.synthetic.straddles import Straddles, sizes
from unwet.rewrite.prove.synthetic.strangers import without_strangers
from unwet.rewrite.prove.synthetic.symbols import all_numbers, negated, number, numbers
from unwet.rewrite.prove.synthetic.twins import Twins, TwinSymbols
from unwet.rewrite.prove.synthetic.unlike_windows import (
    null_values,
    nulls_other,
    ranks_other,
    shares,
)

WAYS: Final = 24  # of each plan that are compared
SPLITS: Final = 24  # places where two ways differ that are looked at
EACH: Final = 10  # ways to have one condition as it should be
TRIED: Final = 40  # combinations that are tried for one place
FOUND: Final = 3  # entities for one place
BLURS: Final = 8  # keys that are computed otherwise
CHOSEN: Final = 8  # branches of the values of a row that are looked at
CROWDED: Final = 3  # ways, and conditions in other ways, that crowds are made of


def contrasts(
    before: Plan,
    after: Plan,
    inputs: Iterable[str],
    facts: Facts,
    engine: Engine,
    clock: datetime,
) -> Iterator[Database]:
    """The most promising first: each found row alone, beside a good one of its group, then all
    together."""
    study = _Contrast(before, after, facts, Oracle(engine, clock))
    yield from study.databases(tuple(dict.fromkeys(inputs)))


class _Contrast:
    def __init__(self, before: Plan, after: Plan, facts: Facts, oracle: Oracle) -> None:
        self._symbols, self._facts = TwinSymbols(), facts
        twins = Twins(self._symbols)
        self._logic = Logic(twins)
        first = twins.ways(before.rel)[:WAYS]
        self._firsts(first)
        bounds, ends = frozenset(twins.bounds), dict(twins.ends)
        partners, keys, counted = dict(twins.partners), dict(twins.keys), list(twins.counted)
        twins.bounds.clear()
        twins.ends.clear()
        twins.partners.clear()
        twins.keys.clear()
        twins.counted.clear()
        twins.other()
        second = twins.ways(after.rel)[:WAYS]
        self._firsts(second)
        both = (each for plan in (before, after) for each in walk(plan.rel))
        ties = [sum(isinstance(r, Sort) and r.ties for r in walk(p.rel)) for p in (before, after)]
        orders = [{way.orders for way in ways} for ways in (first, second)]
        self._is_tie_other = ties[0] != ties[1] or orders[0] != orders[1]
        self._has_windows = any(isinstance(each, Window) for each in both)
        self._bounds = bounds | twins.bounds
        self._is_limit_other = bounds != twins.bounds
        self._turned = [
            key for key in twins.ends if ends.get(key, twins.ends[key]) != twins.ends[key]
        ]
        self._ways = (*first, *second)
        self._sizes = sizes((before, after), self._ways, self._bounds, self._symbols)
        self._is_rank_other = ranks_other(before, after)
        self._is_null_other = nulls_other(before, after)
        self._shares = shares(first, second, self._symbols)
        self._partners = tuple(
            [way for at, ways in those.items() if at not in other for way in ways]
            for those, other in ((partners, _digests(after)), (twins.partners, _digests(before)))
        )
        levels = chain.from_iterable(chain(keys.values(), twins.keys.values()))
        self._levels = list(dict.fromkeys(levels))
        grouped = [
            [each for at, many in those.items() if at not in other for each in many]
            for those, other in ((keys, _digests(after)), (twins.keys, _digests(before)))
        ]
        self._grouped = [keys for side in grouped for keys in side]
        more = [each for each in counted if each not in twins.counted]
        less = [each for each in twins.counted if each not in counted]
        both_sides = ((grouped[0], grouped[1]), (more, less))
        found = (blurs(one, other, self._symbols) for one, other in both_sides)
        self._blurs = list(islice(chain.from_iterable(found), BLURS))
        self._splits = list(islice(self._all_splits(first, second), SPLITS))
        self._asks = [
            [*islice(self._combined(each), TRIED), *self._alone(each)] for each in self._splits
        ]
        some = list(dict.fromkeys(self._ways))[: 2 * CROWDED]
        self._bases = [(way, self._plainest(way)) for way in some]
        self._nulls = {way: [self._without(ask, way) for ask in asks] for way, asks in self._bases}
        self._counted = {way: self._chosen(way, asks[0]) for way, asks in self._bases}
        self._at = 0
        self._solve(oracle)
        self._bases.sort(key=lambda base: all(self._solver.solve(ask) is None for ask in base[1]))
        del self._bases[CROWDED:]

    def _firsts(self, ways: Sequence[Way]) -> None:
        """Takes the conditions apart, so that rows of subqueries are met in the same order."""
        for way in ways:
            for want in way.wants:
                self._logic.first(want, "true")

    # --- where they differ

    def _all_splits(self, first: Sequence[Way], second: Sequence[Way]) -> Iterator[Split]:
        found = list[Split]()
        for one, other in paired(first, second):
            found += splits(one, other)
            if one is not None and other is not None:
                found += self._inner_splits(one, other)
        for one, other in zip(*self._partners, strict=False):
            found += _of_conditions(one, other)
        yield from found
        for each in found:
            same = merged(_whole(each), self._symbols)
            if same is not None:
                yield Split(same, None, aim=each.aim)

    def _inner_splits(self, one: Way, other: Way) -> Iterator[Split]:
        """Where queries in conditions and values differ: a row more or less that they read, beside
        the row that is compared with what they come to."""
        left = [e for e in (*one.wants, *one.outputs) if e not in (*other.wants, *other.outputs)]
        right = [e for e in (*other.wants, *other.outputs) if e not in (*one.wants, *one.outputs)]
        for mine, theirs in zip(left, right, strict=False):
            for inner, changed in zip(queries(mine), queries(theirs), strict=False):
                if inner == changed:
                    continue
                twins = Twins(self._symbols)
                first = twins.ways(inner)[:WAYS]
                twins.other()
                second = twins.ways(changed)[:WAYS]
                for pair in paired(first, second):
                    for split in splits(*pair):
                        yield replace(split, way=split.way.beside(one))

    def _combined(self, split: Split) -> Iterator[Ask]:
        """The test as it should be, with all else in its plainest way; then one condition of the
        others in another way."""
        wants = split.way.wants
        firsts = [self._logic.first(want, "true") for want in wants]
        scans = Ask(scans=split.way.scans)
        tests = [Ask()] if split.test is None else self._logic.asks(split.test, split.truth)[:EACH]
        for test in tests:
            yield together([scans, test, *firsts])
        options = [self._logic.asks(want, "true")[1:EACH] for want in wants]
        for at, ways in enumerate(options):
            for other, test in product(ways, tests):
                yield together([scans, test, *firsts[:at], other, *firsts[at + 1 :]])

    def _plainest(self, way: Way) -> list[Ask]:
        """The plainest way to have a row, and those that ask the least of the keys of its group;
        the first also with rows that are read twice made one."""
        keys = {n for each in (*way.keys, *way.outputs) for n in numbers(each)}
        found = list(islice(self._combined(Split(way, None)), TRIED))
        bound = [len(keys & {n for test, _ in ask.hard for n in numbers(test)}) for ask in found]
        order = sorted(range(1, len(found)), key=bound.__getitem__)
        chosen = [found[0], *(found[at] for at in order[: CROWDED - 1])]
        chosen = [without_strangers(ask, way.wants, self._logic) for ask in chosen]
        once = merged_rows(chosen[0], self._symbols)
        return [*chosen[:1], *([once] if once is not None else []), *chosen[1:]]

    def _chosen(self, way: Way, ask: Ask) -> list[Ask]:
        """The plainest way to have a row, and those that lead to the branches of its values: one
        row more of a group may show in a branch only. Where rows may be taken for the same."""
        found = conditions(self._logic, way.outputs) if self._blurs else ()
        chosen = (each for aim, each in found if aim == "branch")
        return [ask, *(each.also(ask) for each in islice(chosen, CHOSEN))]

    def _without(self, ask: Ask, way: Way) -> Nulls:
        """Which keys of the order may be NULL; only those whose NULLs come elsewhere, if any do."""
        found = without_values(ask, way, self._logic)
        return [each for each in found if each[0] in self._turned] if self._turned else found

    def _alone(self, split: Split) -> Iterator[Ask]:
        """The test as it should be, with all else as far as that goes: what is wanted of a group
        other rows of it may bring."""
        if split.test is not None:
            firsts = together([self._logic.first(want, "true") for want in split.way.wants])
            for test in self._logic.asks(split.test, split.truth)[:EACH]:
                yield Ask(scans=split.way.scans).also(test).also(firsts.softened())

    # --- rows for it

    def _solve(self, oracle: Oracle) -> None:
        every = [*self._asks, *(asks for _, asks in self._bases)]
        every += [
            [ask for _, ask in nulls if ask is not None]
            for found in self._nulls.values()
            for nulls in found
        ]
        every += [*self._counted.values(), [blur.ask for blur in self._blurs]]
        atoms = [e for asks in every for ask in asks for e, _ in (*ask.hard, *ask.soft)]
        used = [e for way in self._ways for e in way.seen]
        used += [e for variable in self._symbols.variables for e in variable.of]
        kinds = [kind_of(v, self._symbols, self._facts) for v in self._symbols.variables]
        self._pools = made_pools(self._symbols, kinds, atoms, used, oracle)
        kinds = [kind_of(v, self._symbols, self._facts) for v in self._symbols.variables]
        seen = {n for e in (*used, *atoms) for n in numbers(e)}
        seen |= {n for way in self._ways for e in way.wants for n in numbers(e)}
        self._solver = Solver(self._pools, oracle)
        self._kinds = kinds
        self._maker = Maker(self._symbols, kinds, self._pools, self._solver, seen, few=True)

    def databases(self, relations: Sequence[str]) -> Iterator[Database]:
        """Where rows are counted, one of three is about how many there are."""
        straddles = self._straddling(relations)
        for at, database in enumerate(self._parting(relations), 1):
            yield database
            if at % 2 == 0:
                yield from islice(straddles, 1)
        yield from straddles

    def _straddling(self, relations: Sequence[str]) -> Iterator[Database]:
        ways = (*self._ways, *(way for side in self._partners for way in side))
        made = Straddles(self._symbols, self._pools, self._maker, self._solver, self._logic, ways)
        seen = list[object]()
        for chosen in self._counted_rows(made):
            rows = [each.rows for each in chosen]  # ways of both plans may have the same ones
            if rows and rows not in seen:
                seen.append(rows)
                yield self._database(chosen, relations, "rows that are counted")

    def _counted_rows(self, made: Straddles) -> Iterator[Sequence[Entity]]:
        for size, (way, _) in product(self._sizes if self._is_rank_other else (), self._bases):
            yield from made.tied(way, size)
        for size, (way, _) in product(self._shares, self._bases):
            yield made.alike(way, size)
        for size, (way, _) in product(self._sizes, self._bases):
            yield from made.of(way, size)

    def _parting(self, relations: Sequence[str]) -> Iterator[Database]:
        alone = list[Entity]()
        searches = [self._found(split, asks) for split, asks in zip(
            self._splits, self._asks, strict=True)]  # fmt: skip
        for turn in zip_longest(*searches[:SPLITS]):  # the first of each place, then the next ones
            for made, way in filter(None, turn):
                alone.append(made)
                yield self._database([made], relations, made.goal.aim)
                for keys in dict.fromkeys((way.keys, way.partitions)):
                    beside = self._beside(made, keys)
                    yield self._database([made, *beside], relations, made.goal.aim)
        if len(alone) > 1:
            yield self._database(alone, relations, "where the plans part")
        yield from self._blurred(relations)
        if self._is_tie_other:
            yield from self._ties(relations)
        yield from self._nulls_elsewhere(relations)
        yield from self._outsiders(relations)
        last = [self._groups(relations), self._crowds(relations)]
        if not self._splits and self._bounds:  # then a limit or its order differs, more likely
            last.reverse()
        for made_databases in (*last, self._uneven(relations), self._crossed(relations)):
            yield from made_databases
        if not self._is_tie_other:  # then they say no more than whether anything is decided by ties
            yield from self._ties(relations)

    def _nulls_elsewhere(self, relations: Sequence[str]) -> Iterator[Database]:
        """Rows that are compared by a key whose NULLs come first in one plan and last in the other,
        one of them with a NULL: of a partition, and more than a LIMIT lets through."""
        crowds = Crowds(self._symbols, self._kinds, self._pools, self._maker, self._bounds)
        for way, asks in self._bases if self._turned else ():
            for ask, nulls in zip(asks, self._nulls[way], strict=True):
                for order, how in nulls:
                    for chosen in crowds.with_null(way, ask, order, how):
                        yield self._database(chosen, relations, "NULLs beyond a limit")
                    for chosen in self._partitions(way, ask, order, how):
                        yield self._database(chosen, relations, "NULLs in a partition")
        for way, asks in self._bases if self._is_null_other else ():
            given = (self._symbols, self._pools, self._maker)
            for chosen in null_values(way, asks[0], self._at, *given):
                yield self._database(chosen, relations, "NULLs in a partition")

    def _partitions(
        self, way: Way, ask: Ask, order: Expr, how: Ask | None
    ) -> Iterator[Sequence[Entity]]:
        """Two rows of a partition that are equal in the keys before; what is asked of the one with
        the NULL may be asked of it later only."""
        made = self._maker.entity(Goal("good", "NULLs", ask), self._at, way)
        self._at += 4
        before = way.orders[: way.orders.index(order)]
        cells = {n for key in (*way.partitions, *before) for n in numbers(key)} - {*numbers(order)}
        if made is None:
            return
        for each in (how or ask, (how or ask).softened()):
            places, given = self._maker.held(made, cells)
            if (at := number(order)) is not None:
                given[at] = len(self._pools.of[at][1]) - 1
            goal = Goal("good", "NULLs", replace(each, scans=each.scans | way.scans))
            other = self._maker.entity(goal, made.number + 1, way, 1, places, given=given)
            if other is not None:
                yield [made, other]
                yield [other, made]

    def _blurred(self, relations: Sequence[str]) -> Iterator[Database]:
        """A good row, and one that is the same for one of the plans."""
        both_rows = [(blur, solved(blur, self._solver, self._pools)) for blur in self._blurs]
        counted = [[(way, ask) for ask in self._counted[way]] for way, _ in self._bases]
        for turn in zip_longest(*counted):  # the plainest of each way first
            for (way, ask), (blur, found) in product(filter(None, turn), both_rows):
                if found is None:
                    continue
                given = {n: found[n] for n in blur.cells}
                made = self._maker.entity(Goal("good", "a blur", ask), self._at, way, given=given)
                self._at += 4
                if made is not None:
                    database = self._database([made], relations, "a blur")
                    both = with_both(database, blur, found, self._pools, self._symbols)
                    if both is not None:
                        yield both

    def _ties(self, relations: Sequence[str]) -> Iterator[Database]:
        """More rows than a LIMIT lets through, with ties where one plan lets these through, too."""
        crowds = Crowds(self._symbols, self._kinds, self._pools, self._maker, self._bounds)
        for way, asks in self._bases:
            for chosen in crowds.tied(way, asks[0]):
                yield self._database(chosen, relations, "ties at a limit")
                yield self._database(chosen[::-1], relations, "ties at a limit")

    def _crowds(self, relations: Sequence[str]) -> Iterator[Database]:
        """More rows than a LIMIT lets through, in some ways if it is the limit that differs."""
        crowds = Crowds(self._symbols, self._kinds, self._pools, self._maker, self._bounds)
        is_other = self._is_limit_other
        for way, asks in self._bases if is_other else self._bases[:1]:
            for ask, nulls in list(zip(asks, self._nulls[way], strict=True))[
                : None if is_other else 1
            ]:
                for chosen in crowds.of(way, ask, () if is_other else nulls):
                    yield self._database(chosen, relations, "more than a limit")

    def _found(self, split: Split, asks: Sequence[Ask]) -> Iterator[tuple[Entity, Way]]:
        """Rows for one place, at most FOUND of them."""
        found = 0
        for ask in asks:
            made = self._maker.entity(Goal("good", split.aim, ask), self._at, split.way)
            if made is not None and found < FOUND:
                self._at, found = self._at + 4, found + 1
                yield made, split.way
            if found == FOUND:
                return

    def _outsiders(self, relations: Sequence[str]) -> Iterator[Database]:
        """A good row, and one of its group or partition that is dropped: whether what is said of
        all of them sees it shows."""
        windows = [way.partitions for way, _ in self._bases if self._has_windows]
        for keys, (way, asks) in product(dict.fromkeys((*windows, *self._levels)), self._bases):
            if not {v.scan for key in keys for v in self._symbols.of(key)} <= way.scans:
                continue
            made = self._maker.entity(Goal("good", "an outsider", asks[0]), self._at, way)
            self._at += 4
            if made is None:
                continue
            places, given = self._maker.held(made, (n for key in keys for n in numbers(key)))
            rest = asks[0].softened()
            for want in way.wants[:CROWDED]:
                for ask in self._logic.asks(want, "false")[:1]:
                    each = ask.also(rest)
                    goal = Goal("bad", "an outsider", replace(each, scans=each.scans | way.scans))
                    for seed in (0, 1):
                        at = made.number + 1 + seed
                        other = self._maker.entity(goal, at, way, seed, places, given=given)
                        if other is not None:
                            yield self._database([made, other], relations, "an outsider")

    def _groups(self, relations: Sequence[str]) -> Iterator[Database]:
        """Rows of one group that have nothing in common but its keys; those of one partition, too,
        with a NULL in what they are ordered by, and with ties in all of it but one key."""
        for way, asks in self._bases:
            made = self._maker.entity(Goal("good", "a group", asks[0]), self._at, way)
            self._at += 4
            if made is None:
                continue
            for keys, nulls in alike(way):
                chosen = [made, *self._beside(made, keys, nulls)]
                yield self._database(chosen, relations, "a group")
                if way.orders:  # what comes first in a table comes first in a tie
                    yield self._database(chosen[::-1], relations, "a group")

    def _uneven(self, relations: Sequence[str]) -> Iterator[Database]:
        """A group of one plan that is several in the other one, of different numbers of rows: an
        average of averages shows, and what else is not of itself."""
        for way, asks in self._bases if self._grouped else ():
            goal = Goal("good", "parts of a group", asks[0])
            made = self._maker.entity(goal, self._at, way)
            self._at += 4
            own = frozenset(n for key in way.keys for n in numbers(key))
            if made is None:
                continue
            for cells in dict.fromkeys(map(all_numbers, self._grouped)):
                found: list[Entity | None] = [made]
                for seed, shared in enumerate((own | cells, own | cells, own & cells)):
                    places, given = self._maker.held(made, shared)
                    at = made.number + 1 + seed
                    found.append(self._maker.entity(goal, at, way, seed, places, given=given))
                chosen = [each for each in found if each is not None]
                if own | cells != own & cells:
                    yield self._database(chosen, relations, "parts of a group")

    def _crossed(self, relations: Sequence[str]) -> Iterator[Database]:
        """Two rows of a partition of which the first one in its order has the greater values: the
        first is not the least then."""
        for way, asks in self._bases:
            orders = all_numbers(way.orders) & self._pools.free - all_numbers(way.partitions)
            goal = Goal("good", "first, not least", asks[0])
            made = self._maker.entity(goal, self._at, way)
            self._at += 4
            if made is None or not orders:
                continue
            shared, given = self._maker.held(made, all_numbers(way.partitions))
            chosen = list[Entity]()
            for at, other in (
                (made.number + 1, made.number + 2),
                (made.number + 2, made.number + 1),
            ):
                places = {**shared, **{self._pools.chief[n]: other for n in orders}}
                each = self._maker.entity(goal, at, way, 0, places, given=given)
                chosen += [each] if each is not None else []
            yield self._database(chosen, relations, "first, not least")

    def _beside(
        self, near: Entity, keys: Sequence[Expr], nulls: Sequence[int] = ()
    ) -> Iterator[Entity]:
        """Good rows of the same group: with the values of its keys, and others in all else.
        `nulls`: variables that are NULL in them."""
        places, given = self._maker.held(near, (n for key in keys for n in numbers(key)))
        given |= {n: len(self._pools.of[n][1]) - 1 for n in nulls}
        for way, asks in self._bases[:1]:
            goal = Goal("good", near.goal.aim, asks[0])
            for seed in (0, 1):
                at = near.number + 1 + seed
                made = self._maker.entity(goal, at, way, seed, places, given=given)
                if made is not None:
                    yield made

    def _database(self, entities: Sequence[Entity], relations: Sequence[str], aim: str) -> Database:
        return assembled(entities, relations, aim, self._facts)


def _of_conditions(one: Way, other: Way) -> Iterator[Split]:
    """Where two rows differ which may have other columns."""
    if len(one.outputs) == len(other.outputs):
        return splits(one, other)
    return splits(replace(one, outputs=()), replace(other, outputs=()))


def _digests(plan: Plan) -> frozenset[bytes]:
    return frozenset(each.digest for each in walk(plan.rel))


def _whole(split: Split) -> Way:
    if split.test is None:
        return split.way
    test = negated(split.test) if split.truth == "false" else split.test
    return replace(split.way, wants=(*split.way.wants, test))
