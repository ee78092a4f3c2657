"""Roll-up: an aggregate over a finer one is the aggregate over the rows, with types that count.

For keys K within the finer keys K + M, over the same rows r:

    SUM(s)  over (SUM(x) AS s   by K, M) = SUM(x)   by K
    SUM(n)  over (COUNT(x) AS n by K, M) = COUNT(x) by K
    AVG(x)  by K = SUM(x) / COUNT(x) by K

MIN, MAX and the like are of themselves (`rules/rollup.py`), and so are sums whose type nobody
notices. Here the type of the sum is known to be the same: x is an integer or a decimal, by
declarations, casts and literals, and SUM of SUM(x) is of the type of SUM(x) in the one dialect of
both queries. Floats are out: their sum depends on the parts. COUNT(DISTINCT), FILTER, an ORDER BY
inside and other aggregates are out (`_Merging`), and so is SUM of COUNT over no rows: it is NULL.
AVG is only where an engine says it is the quotient, and of which type, of integers: PostgreSQL, and
SQL Server, where it is one of integers, too. Trino and Spark add floats; the manuals of the others
do not say how exactly they divide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Expr,
    Filter,
    Join,
    Lit,
    Project,
    Rel,
    Scan,
    expressions,
    inputs,
    width,
)
from unwet.rewrite.exact_numbers import TYPED, Exact, ExactNumbers
from unwet.rewrite.references import columns_of
from unwet.rewrite.rules.contents import Contents, contents
from unwet.rewrite.rules.promises import Grounds, Promises, Rested
from unwet.rewrite.rules.refs import is_volatile, rebuild, with_expressions
from unwet.rewrite.rules.rollup import inner_aggregates, merged_where
from unwet.rewrite.rules.shapes import BINARY

_INTEGERS: Final = frozenset({"small", "big"})
_DECIMAL: Final = ("this", "to:decimal")
AVERAGED: Final = frozenset({"postgres", "tsql"})
"""Where AVG of integers is a quotient."""


def merge_exact_sums(promises: Promises, rel: Rel) -> Rested | None:
    """SUM of SUM and SUM of COUNT, of a whole query. What it rests on: the types of the columns."""
    numbers = _numbers(promises)
    if numbers is None or Contents.STACKED not in contents(rel):
        return None
    summed: set[str] = set()

    def exact(node: Aggregate, loose: frozenset[int]) -> frozenset[int]:
        """The outputs that are of the same type as those of one aggregate over the rows, or whose
        type nobody notices."""
        found = set[int]()
        for at, outer in enumerate(node.aggs):
            inner = [*inner_aggregates(node, index)] if (index := _summed(outer)) >= 0 else []
            kind = _of_all(numbers, inner)
            place = len(node.keys) + at
            if kind is not None and (place in loose or numbers.sum_of(kind) == kind):
                found.add(place)
                for agg, below in inner:
                    summed.update(_types(promises, below, columns_of(agg)))
        return frozenset(found)

    made = merged_where(rel, exact)
    return Rested(frozenset(summed), made) if made is not None else None


def _of_all(numbers: ExactNumbers, inner: Sequence[tuple[Agg, Rel]]) -> Exact | None:
    """The type of aggregates that stand in one column. Of several branches those of integers only:
    sums of two scales have one after UNION ALL, in SQL Server not always the larger one."""
    kinds = {numbers.of(agg, numbers.outputs(below)) for agg, below in inner}
    if len(kinds) != 1:
        return None
    (kind,) = kinds
    summed = {numbers.of(of, numbers.outputs(below))
              for agg, below in inner if agg.op == "sum" for of in agg.args}  # fmt: skip
    return kind if len(inner) == 1 or summed <= _INTEGERS else None


def _summed(agg: Agg) -> int:
    """The column that it is the sum of; -1 for none."""
    match agg:
        case Agg(op="sum", args=(Col(index=index),)):
            return index
        case _:
            return -1


def average_to_quotient(promises: Promises, rel: Rel) -> Rested | None:
    """AVG(x) -> SUM(x) / COUNT(x), both NUMERIC: so PostgreSQL computes it of integers
    (utils/adt/numeric.c, int8_avg and numeric_poly_avg). AVG(x) -> SUM(x) / NULLIF(COUNT(x), 0), of
    integers: SQL Server, "AVG", which is of the type of its sum, and fails where that does."""
    numbers = _numbers(promises)
    if numbers is None or not isinstance(rel, Aggregate) or not promises.dialects <= AVERAGED:
        return None
    seen = numbers.outputs(rel.input)
    averages = [at for at, agg in enumerate(rel.aggs) if _is_average(agg, numbers, seen)]
    if not averages:
        return None
    aggs: list[Agg] = []
    outputs: list[Expr] = [*map(Col, range(len(rel.keys)))]
    for at, agg in enumerate(rel.aggs):
        place = len(rel.keys) + len(aggs)
        if at in averages:
            aggs += [Agg(op, agg.args, agg.shape, where=agg.where) for op in ("sum", "count")]
            outputs.append(_quotient(Col(place), Col(place + 1), promises.dialects))
        else:
            aggs.append(agg)
            outputs.append(Col(place))
    made = Project(Aggregate(rel.input, rel.keys, tuple(aggs)), tuple(outputs))
    read = frozenset[int]().union(*(columns_of(rel.aggs[at]) for at in averages))
    return Rested(_types(promises, rel.input, read), made)


def _quotient(total: Expr, times: Expr, dialects: AbstractSet[str]) -> Expr:
    if dialects == {"postgres"}:
        total, times = (Call("cast", (each,), _DECIMAL) for each in (total, times))
    else:
        times = Call("nullif", (times, Lit("number", "0")), BINARY)
    return Call("div", (total, times), (*BINARY, "typed=True"))


def _is_average(agg: Agg, numbers: ExactNumbers, seen: Sequence[Exact | None]) -> bool:
    plain = agg.op == "avg" and agg.shape == ("this",) and not agg.distinct and not agg.order
    once = not is_volatile(agg)  # the sum and the count would each draw their own values
    return plain and once and numbers.of(agg.args[0], seen) in _INTEGERS


def drop_cast_to_own_type(promises: Promises, rel: Rel) -> Rested | None:
    """CAST(COUNT(x) AS BIGINT) -> COUNT(x), and the same of what else is a BIGINT."""
    numbers = _numbers(promises)
    if numbers is None or not isinstance(rel, Project | Filter):
        return None
    seen, dropped = numbers.outputs(rel.input), set[int]()

    def visit(expr: Expr) -> Expr:
        match expr:
            case Call(op="cast", args=(of,), shape=("this", "to:bigint")):
                if numbers.of(of, seen) == "big":
                    dropped.update(columns_of(of))
                    return of
        return expr

    new = tuple(rebuild(each, visit) for each in expressions(rel))
    made = with_expressions(rel, new)
    return Rested(_types(promises, rel.input, dropped), made) if made != rel else None


def _numbers(promises: Promises) -> ExactNumbers | None:
    """Where both queries speak one dialect: in another one sums have other types."""
    if len(promises.dialects) != 1 or not promises.dialects <= TYPED:
        return None
    (dialect,) = promises.dialects
    return ExactNumbers(promises.type_of, dialect)


def _types(promises: Promises, rel: Rel, columns: AbstractSet[int]) -> Grounds:
    """What is declared of the base columns that some columns of a relation are made of."""
    waiting, found = [(rel, frozenset(columns))], set[str]()
    while waiting:
        node, wanted = waiting.pop()
        if isinstance(node, Scan):
            for name in (node.columns[i] for i in wanted):
                kind = promises.type_of(node.table, name)
                found |= {f"{node.table}.{name} is {kind}"} if kind else set()
        else:
            waiting += _behind(node, wanted)
    return frozenset(found)


def _behind(rel: Rel, wanted: frozenset[int]) -> Iterator[tuple[Rel, frozenset[int]]]:
    """The columns of its inputs that columns of a relation are made of."""
    match rel:
        case Project(input=inner, exprs=exprs):
            yield inner, _read(exprs, wanted)
        case Aggregate(input=inner, keys=keys, aggs=aggs):
            yield inner, _read((*keys, *aggs), wanted)
        case Join(inputs=many):
            start = 0
            for each in many:
                mine = range(start, start + width(each))
                yield each, frozenset(i - start for i in wanted if i in mine)
                start += width(each)
        case _:  # the functions of a window are no exact numbers
            for each in inputs(rel):
                yield each, frozenset(i for i in wanted if i < width(each))


def _read(exprs: Sequence[Expr], wanted: frozenset[int]) -> frozenset[int]:
    return frozenset[int]().union(*(columns_of(exprs[i]) for i in wanted))
