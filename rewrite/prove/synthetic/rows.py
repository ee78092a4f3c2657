"""How a plan comes to a row: which rows of its tables it takes, and what must be true of them.

    Deriver(symbols).ways(rel) -> (Way, ...)

A relation has a row in several ways: by each branch of a union, with and without a partner of an
outer join. Each way has everything inlined down to the cells of the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, assert_never

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Opaque,
    Over,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    SortKey,
    Subquery,
    Unnest,
    Values,
    Window,
    operands,
    width,
)
from unwet.rewrite.prove.synthetic.row_parts import argument, columns, is_pivot, members
from unwet.rewrite.prove.synthetic.ruled_out import is_missing, is_never, is_torn
from unwet.rewrite.prove.synthetic.symbols import (
    NULL,
    Symbols,
    binary,
    chosen,
    is_null,
    negated,
    numbers,
)
from unwet.rewrite.rules.refs import map_refs, rebuild, substitute, tree_size

MOST_SCANS: Final = 90  # a relation that is read again after so many is the same row
MOST_WAYS: Final = 80
LARGE: Final = 600  # parts; what is computed by more is not looked into
LONG: Final = 4000  # but for what is computed of one value alone
RANKS: Final = frozenset({"rownumber", "rank", "denserank", "ntile"})
_SUMMARIES: Final = frozenset({"sum", "avg", "min", "max", "stddev", "median"})
_NEIGHBOURS: Final = frozenset({"lag", "lead"})
_FRACTIONS: Final = frozenset({"percentrank", "cumedist"})


@dataclass(frozen=True, slots=True)
class Way:
    """`wants`: what has to be true for the row to be there. `outputs`: its columns. `keys`: what
    groups are made by; `partitions` and `orders`: those of windows; `looks`: what else matters;
    `hopes`: what should be true if possible."""

    scans: frozenset[int] = frozenset()
    wants: tuple[Expr, ...] = ()
    outputs: tuple[Expr, ...] = ()
    keys: tuple[Expr, ...] = ()
    partitions: tuple[Expr, ...] = ()
    orders: tuple[Expr, ...] = ()
    looks: tuple[Expr, ...] = ()
    hopes: tuple[Expr, ...] = ()
    why: str = ""

    @property
    def seen(self) -> tuple[Expr, ...]:
        """Everything that is computed from the row, but its conditions."""
        return (
            *self.outputs,
            *self.keys,
            *self.partitions,
            *self.orders,
            *self.looks,
            *self.hopes,
        )

    def beside(self, other: Way) -> Way:
        """Both rows side by side."""
        return Way(
            self.scans | other.scans,
            self.wants + other.wants,
            self.outputs + other.outputs,
            self.keys + other.keys,
            self.partitions + other.partitions,
            self.orders + other.orders,
            self.looks + other.looks,
            self.hopes + other.hopes,
            self.why or other.why,
        )


class Deriver:
    """Derives ways; every read of a table is a row of its own."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self._known: dict[bytes, tuple[Way, ...]] = {}
        self.bounds: set[int] = set()  # numbers of LIMIT and OFFSET
        # by what makes rows distinct, or groups of them: the keys of each way
        self.keys: dict[bytes, list[tuple[Expr, ...]]] = {}
        self.counted: list[tuple[Expr, ...]] = []  # what is counted once, however often it is there
        # by filter: rows that would be there if they had no partner
        self.partners: dict[bytes, tuple[Way, ...]] = {}
        self.ends: dict[Expr, set[bool | None]] = {}  # keys of orders: whether NULLs come first

    def ways(self, rel: Rel) -> tuple[Way, ...]:
        """In the order of the text; the first is the plainest. Never none for what has rows."""
        if len(self.symbols.scans) > MOST_SCANS and rel.digest in self._known:
            return self._known[rel.digest]
        found = self._known[rel.digest] = self._ways(rel)[:MOST_WAYS]
        return found

    def _ways(self, rel: Rel) -> tuple[Way, ...]:
        match rel:
            case Scan(table=table, columns=columns):
                at = self._scanned(table)
                cells = tuple(self.symbols.cell(at, column) for column in columns)
                return (Way(frozenset({at}), (), cells),)
            case Values(rows=rows):
                return tuple(Way(outputs=row) for row in rows)
            case Filter(input=inner, conjuncts=conjuncts):
                ways = self._inner(inner, conjuncts)
                found = tuple(self._filtered(way, conjuncts) for way in ways)
                self.partners[rel.digest] = tuple(_with_partners(found))
                return tuple(way for way in found if not is_torn(way.wants)) or found
            case Project(input=inner, exprs=exprs):
                return tuple(
                    replace(way, outputs=self._placed(exprs, way.outputs))
                    for way in self.ways(inner)
                )
            case Join():
                return self._join(rel)
            case Aggregate():
                ways = self.ways(rel.input)
                pairs = self._pairs(rel, ways) if is_pivot(rel) else ()
                self.keys[rel.digest] = [self._placed(rel.keys, way.outputs) for way in ways]
                self.counted += [
                    tuple(members(self._placed(agg.args, way.outputs)))
                    for way in ways[:1]
                    for agg in rel.aggs
                    if agg.distinct
                ]
                return (*(self._grouped(rel, way) for way in ways), *pairs)
            case Window():
                ways = self.ways(rel.input)
                return (*(self._windowed(rel, way) for way in ways), *self._next(rel, ways))
            case SetOp():
                return self._set_operation(rel)
            case Distinct(input=inner):
                ways = self.ways(inner)
                self.keys[rel.digest] = [way.outputs for way in ways]
                return ways
            case Sort():
                return self._sorted(rel)
            case Unnest():
                return tuple(self._unnested(rel, way) for way in self.ways(rel.input))
            case Opaque(inputs=inputs):
                whole = self._product(inputs)
                made = tuple(self.symbols.made("unknown") for _ in range(rel.width))
                return tuple(
                    replace(way, outputs=made, looks=way.looks + way.outputs[:40]) for way in whole
                )
            case _:
                assert_never(rel)

    def _scanned(self, table: str) -> int:
        """The row that a read of a table is: one of its own."""
        return self.symbols.scan(table)

    # --- rows side by side

    def _inner(self, rel: Rel, conjuncts: Sequence[Expr]) -> tuple[Way, ...]:
        """The ways of what a condition is put on, without those that it rules out by constants."""
        if isinstance(rel, Join) and rel.kind == "inner":
            ways = self._product(rel.inputs, (*rel.on, *conjuncts))
            return tuple(self._filtered(way, rel.on) for way in ways)
        return self._possible(self.ways(rel), conjuncts, 0)

    def _possible(
        self, ways: tuple[Way, ...], conjuncts: Sequence[Expr], start: int
    ) -> tuple[Way, ...]:
        """Those under which no condition on their columns alone, which begin at `start`, compares
        constants that differ: rows of the other branches of a union. All, where none is left."""
        kept = []
        for way in ways:
            end = start + len(way.outputs)
            shifted = (*((NULL,) * start), *way.outputs)
            own = [c for c in conjuncts if all(start <= n < end for n in columns(c))]
            if not any(is_never(self.placed(each, shifted)) for each in own):
                kept.append(way)
        return tuple(kept) or ways

    def _product(self, inputs: Sequence[Rel], conjuncts: Sequence[Expr] = ()) -> tuple[Way, ...]:
        """Each way of one input beside the first of the others: one deviation at a time.
        `conjuncts`: conditions on the whole row."""
        starts = [sum(map(width, inputs[:at])) for at in range(len(inputs))]
        found = [
            self._possible(self.ways(each), conjuncts, start) if conjuncts else self.ways(each)
            for each, start in zip(inputs, starts, strict=True)
        ]
        if not all(found):
            return ()
        first = Way()
        for ways in found:
            first = first.beside(ways[0])
        made = [first]
        for at, ways in enumerate(found):
            for other in ways[1:]:
                whole = Way()
                for i, each in enumerate(found):
                    whole = whole.beside(other if i == at else each[0])
                made.append(replace(whole, why=other.why))
        return tuple(made)

    def _join(self, rel: Join) -> tuple[Way, ...]:
        if rel.kind in ("semi", "anti"):
            return self._partnered(rel)
        met = tuple(self._filtered(way, rel.on) for way in self._product(rel.inputs, rel.on))
        if rel.kind == "inner":
            return met
        left, right = rel.inputs
        alone = self._alone(self.ways(left)[0], width(right), left_first=True, met=met)
        if rel.kind == "left":
            return (*met, alone)
        other = self._alone(self.ways(right)[0], width(left), left_first=False, met=met)
        return (*met, alone, other)

    def _alone(self, way: Way, missing: int, left_first: bool, met: tuple[Way, ...]) -> Way:
        """The same row without a partner, in the scans of the joined row where it has some."""
        if met:
            size = len(way.outputs)
            same = met[0].outputs[:size] if left_first else met[0].outputs[missing:]
            scans = frozenset(v.scan for e in same for v in self.symbols.of(e) if v.scan >= 0)
            if scans <= met[0].scans and len(same) == size and scans:
                way = self._reduced(met[0], scans, same)
        nulls = (NULL,) * missing
        outputs = way.outputs + nulls if left_first else nulls + way.outputs
        return replace(way, outputs=outputs, why="no partner")

    def _reduced(self, way: Way, scans: frozenset[int], outputs: tuple[Expr, ...]) -> Way:
        """What a way says of some of its scans."""

        def within(exprs: tuple[Expr, ...]) -> tuple[Expr, ...]:
            return tuple(each for each in exprs if self._within(each, scans))

        return Way(
            scans,
            within(way.wants),
            outputs,
            within(way.keys),
            within(way.partitions),
            within(way.orders),
            within(way.looks),
        )

    def _within(self, expr: Expr, scans: frozenset[int]) -> bool:
        return all(v.scan in scans for v in self.symbols.of(expr))

    def _partnered(self, rel: Join) -> tuple[Way, ...]:
        """A semi or anti join is a condition on the first input's row."""
        left, right = rel.inputs
        size = width(left)
        made = []
        for way in self.ways(left):

            def seen(level: int, index: int, way: Way = way) -> Expr:
                return way.outputs[index] if level == 0 and index < size else Col(index - size)

            on = tuple(map_refs(each, seen) for each in rel.on)
            test: Expr = Subquery("exists", Filter(right, on))
            made.append(
                replace(way, wants=(*way.wants, negated(test) if rel.kind == "anti" else test))
            )
        return tuple(made)

    def _filtered(self, way: Way, conjuncts: Sequence[Expr]) -> Way:
        return replace(way, wants=way.wants + self._placed(conjuncts, way.outputs))

    def _placed(self, exprs: Sequence[Expr], outputs: tuple[Expr, ...]) -> tuple[Expr, ...]:
        return tuple(self.placed(each, outputs) for each in exprs)

    def placed(self, expr: Expr, outputs: tuple[Expr, ...]) -> Expr:
        """An expression over a row, written over the cells below."""
        if isinstance(expr, Col):
            return outputs[expr.index]
        made = rebuild(substitute(expr, outputs), self.symbols.with_fields)
        if tree_size(made) <= LARGE or _is_long_list(made):
            return made
        return self.symbols.made("unknown", (made,))

    # --- groups

    def _grouped(self, rel: Aggregate, way: Way) -> Way:
        keys = self._placed(rel.keys, way.outputs)
        lowest = {agg.args for agg in rel.aggs if agg.op == "min"}
        summed = [agg.args for agg in rel.aggs if agg.op == "sum" and not agg.distinct]
        args = self._placed(list(chain.from_iterable(summed)), way.outputs)
        many = self.symbols.made("count", args, below=way.scans) if len(summed) > 1 else None
        aggs = tuple(
            self.symbols.made("unknown", self._placed(agg.args, way.outputs))
            if agg.op == "max" and agg.args in lowest  # else they would never differ
            else self._aggregated(agg, way, many)
            for agg in rel.aggs
        )
        return replace(way, outputs=keys + aggs, keys=way.keys + keys)

    def _pairs(self, rel: Aggregate, ways: Sequence[Way]) -> tuple[Way, ...]:
        """Groups of two rows that are alike in the keys only."""
        if not ways or len(self.symbols.scans) > MOST_SCANS // 2:
            return ()
        one, other = ways[0], self.ways(rel.input)[0]
        mine, theirs = (self._placed(rel.keys, way.outputs) for way in (one, other))
        equal = [binary("eq", a, b) for a, b in zip(mine, theirs, strict=True) if a != b]
        both = one.beside(other)
        aggs = tuple(self._of_two(agg, one, other) for agg in rel.aggs)
        return (
            replace(
                both,
                wants=(*both.wants, *equal),
                outputs=mine + aggs,
                keys=both.keys + mine,
                why="two rows of a group",
            ),
        )

    def _of_two(self, agg: Agg, one: Way, other: Way) -> Expr:
        """What the aggregate is for two rows; NULL where one of them has none."""
        values = [self._summed(agg, way) for way in (one, other)]
        match agg.op:
            case "sum" | "count" | "countif":
                return binary("add", *values)
            case "min":
                return Call("least", tuple(values), ("this", "expressions*1"))
            case "max":
                return Call("greatest", tuple(values), ("this", "expressions*1"))
            case _:
                return self.symbols.made("unknown", tuple(values))

    def _summed(self, agg: Agg, way: Way) -> Expr:
        """What one row gives to an aggregate."""
        zero, one = Lit("number", "0"), Lit("number", "1")
        args = self._placed(agg.args, way.outputs)
        value: Expr = args[0] if args else one
        if agg.op == "count":
            value = chosen(negated(is_null(args[0])), one, zero) if args else one
        elif agg.op == "countif":
            value = chosen(value, one, zero)
        if agg.where is not None:
            value = chosen(self.placed(agg.where, way.outputs), value, zero)
        return value

    def _windowed(self, rel: Window, way: Way) -> Way:
        made: list[Expr] = []
        partitions, orders = list(way.partitions), list(way.orders)
        for over in rel.functions:
            partitions += self._placed(over.partition, way.outputs)
            orders += self._ordered(over.order, way.outputs)
            made.append(self._over(over, way))
        outputs = (*way.outputs, *made)
        return replace(way, outputs=outputs, partitions=tuple(partitions), orders=tuple(orders))

    def _next(self, rel: Window, ways: Sequence[Way]) -> tuple[Way, ...]:
        """A row beside the one that LAG or LEAD finds in its partition, before or behind it."""
        over = next((each for each in rel.functions if each.call.op in _NEIGHBOURS), None)
        if over is None or not over.order or len(self.symbols.scans) > MOST_SCANS // 2:
            return ()
        one, other = ways[0], self.ways(rel.input)[0]
        keys = [self._placed(over.partition, way.outputs) for way in (one, other)]
        equal = [binary("eq", a, b) for a, b in zip(*keys, strict=True) if a != b]
        mine, its = (self.placed(over.order[0].expr, way.outputs) for way in (one, other))
        is_less = (over.call.op == "lag") != over.order[0].descending
        apart = binary("lt" if is_less else "gt", its, mine)
        whole = self._windowed(rel, one)
        found = [
            self._over(each, other)
            if (each.call.op, each.partition) == (over.call.op, over.partition)
            else whole.outputs[len(one.outputs) + at]
            for at, each in enumerate(rel.functions)
        ]
        outputs = (*one.outputs, *found)
        both = replace(whole.beside(other), outputs=outputs, why="the row before")
        return (replace(both, wants=(*both.wants, *equal, apart)),)

    def _over(self, over: Over, way: Way) -> Expr:
        call = over.call
        if call.op in RANKS:
            around = self._placed((*over.partition, *(k.expr for k in over.order)), way.outputs)
            return self.symbols.made("rank", around, below=way.scans)
        if call.op in _FRACTIONS:
            return self.symbols.made("unknown")
        if isinstance(call, Agg) and call.op in _SUMMARIES:
            return self.symbols.made("unknown", self._placed(call.args, way.outputs))
        if isinstance(call, Agg):
            return self._aggregated(call, way, within=self._placed(over.partition, way.outputs))
        inside = self._placed(operands(call)[:1], way.outputs)
        return inside[0] if inside else self.symbols.made("unknown")

    def _aggregated(
        self, agg: Agg, way: Way, many: Expr | None = None, within: tuple[Expr, ...] = ()
    ) -> Expr:
        """What the aggregate is for a group of equal rows. `many`: how many rows are summed up,
        where several sums are of the same rows. `within`: the keys of a partition."""
        args = self._placed(agg.args, way.outputs)
        value: Expr
        if agg.op in ("count", "countif", "approxdistinct", "hll"):
            apart = agg.distinct or agg.op != "count"
            several = self.symbols.made("count", args, apart, way.scans, within)
            value = several
            if agg.op == "countif" and args:
                value = chosen(args[0], several, Lit("number", "0"))
            elif len(args) == 1:
                value = chosen(negated(is_null(args[0])), several, Lit("number", "0"))
        elif agg.op == "sum" and args:
            plain = many if not agg.distinct else None
            times = plain or self.symbols.made("count", args, False, way.scans, within)
            value = binary("mul", args[0], times)
        elif args:
            value = argument(args[0])
        else:
            return self.symbols.made("unknown")
        if agg.where is not None:
            value = chosen(self.placed(agg.where, way.outputs), value, NULL)
        return value

    # --- the rest

    def _set_operation(self, rel: SetOp) -> tuple[Way, ...]:
        if rel.kind == "union_all":
            found = [self.ways(each) for each in rel.inputs]
            firsts = [ways[0] for ways in found if ways]
            return (*firsts, *(way for ways in found for way in ways[1:]))
        made: list[Way] = []
        left, *rest = rel.inputs
        for way in self.ways(left):
            equal = tuple(binary("nullsafeeq", Col(i), e) for i, e in enumerate(way.outputs))
            tests: list[Expr] = [Subquery("exists", Filter(each, equal)) for each in rest]
            if rel.kind.startswith("except"):
                tests = [negated(test) for test in tests]
            made.append(replace(way, wants=(*way.wants, *tests)))
        return tuple(made)

    def _sorted(self, rel: Sort) -> tuple[Way, ...]:
        for bound in (rel.limit, rel.offset):
            if isinstance(bound, Lit) and bound.text.isdigit():
                self.bounds.add(int(bound.text))
        return tuple(
            replace(way, orders=way.orders + self._ordered(rel.keys, way.outputs))
            for way in self.ways(rel.input)
        )

    def _ordered(self, keys: Sequence[SortKey], outputs: tuple[Expr, ...]) -> tuple[Expr, ...]:
        placed = self._placed([key.expr for key in keys], outputs)
        for key, expr in zip(keys, placed, strict=True):
            self.ends.setdefault(expr, set()).add(key.nulls_first)
        return placed

    def _unnested(self, rel: Unnest, way: Way) -> Way:
        array = self.placed(rel.array, way.outputs)
        element = self.symbols.element(array)
        added: tuple[Expr, ...] = (element, *([Lit("number", "1")] if rel.ordinal else []))
        return replace(way, outputs=way.outputs + added, looks=(*way.looks, array))


def _is_long_list(expr: Expr) -> bool:
    """Many tests of one value, as in a CASE with an arm for each of many words."""
    return tree_size(expr) <= LONG and len(numbers(expr)) == 1


def _with_partners(ways: Sequence[Way]) -> Iterator[Way]:
    """Where rows without a partner of an outer join are looked for: those that have one."""
    missing = [[want for want in way.wants if is_missing(want)] for way in ways]
    if not all(missing):
        for way, nulls in zip(ways, missing, strict=True):
            if nulls:
                yield replace(way, wants=tuple(each for each in way.wants if each not in nulls))
