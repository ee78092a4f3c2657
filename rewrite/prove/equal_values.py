"""What equal normal forms take for granted of values: of NaN, and of values that are equal though
not the same.

A group shows one of the values that it finds equal, so what tells them apart says one thing above
the group and another below (`rules.discerning`). Whether a column has such values its type decides,
which plans do not know; so it is told where an expression stands above a group that may have been
below, or the other way round:

    SELECT i, COUNT(*) FROM t GROUP BY i HAVING EXTRACT(DAY FROM i) = 30    -- INTERVAL '1 month' is
    SELECT i, COUNT(*) FROM t WHERE EXTRACT(DAY FROM i) = 30 GROUP BY i     -- equal to '30 days'
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from typing import Final

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Lit,
    Outer,
    Over,
    Param,
    Plan,
    Rel,
    SetOp,
    Subquery,
    Window,
    below,
    expressions,
    operands,
    parts,
    walk,
)
from unwet.rewrite.lower import trim
from unwet.rewrite.number_types import WHOLE, Numbers
from unwet.rewrite.plan_types import Declared, PlanTypes, cast_type, values_of, words
from unwet.rewrite.prove.kinds import Kinds

_UNORDERED: Final = words("bigquery trino presto athena clickhouse")
"""NaN < 1 and NaN >= 1 are both false; elsewhere NaN is the largest number, or none at all."""

_ZONED: Final = words("trino presto athena snowflake tsql oracle")
"""One moment may be written in two time zones, which then has two hours."""

_SPANNED: Final = words("postgres redshift materialize risingwave duckdb bigquery") | {""}
"""Columns of intervals, of which 1 month and 30 days are equal (PostgreSQL, 8.5.4 and 9.9; DuckDB,
"Interval type"; BigQuery, "Interval type", "Comparison"). Trino and Spark have two types."""

_SCALED: Final = words("postgres materialize risingwave")
"""NUMERIC has as many decimals as were written, and a quotient at least as many (PostgreSQL,
`select_div_scale` of numeric.c): 16 or more, whatever is divided."""

_OF_DAYS: Final = words(
    "year quarter month week day hour minute extract date time datetrunc timestamptrunc datediff "
    "dayofweek dayofmonth dayofyear weekofyear lastday timetostr"
)
_SHIFTS: Final = words(
    "add sub dateadd datesub timestampadd timestampsub datetimeadd datetimesub tsordsadd"
)
_ORDER: Final = words("lt lte gt gte between")
_NO_SPANS: Final = words("count countif sum avg rownumber rank denserank ntile") | _OF_DAYS
_SAME_VALUE: Final = words("coalesce nullif case if greatest least min max anyvalue first last")

ZONES: Final = "no two moments are equal that are written in two time zones"
SPANS: Final = "no two intervals are equal that are written in other units, as 1 month and 30 days"
SCALES: Final = "no NUMERIC of more than 16 decimals is equal to one of another number of decimals"


def values_assumed(
    legacy: Plan, project: Plan, dialects: Set[str], declared: Declared
) -> frozenset[str]:
    """In words, for people; nothing where the two plans are equal as they stand. ``dialects``: that
    of the report and that of the project; ``declared``: the types of columns."""
    if legacy.rel == trim(project):
        return frozenset()
    plans, found = (legacy, project), set[str]()
    if dialects & _UNORDERED and _negates_order(*plans):
        found.add("no NaN is compared: NOT (x < y) is taken for x >= y")
    if "sqlite" in dialects and _defaults(*plans):
        found.add(
            "no text is compared with a number: COALESCE(x, 0) = 0 is taken for x = 0 or NULL"
        )
    if dialects & _ZONED and any(_asks(plan, _takes_days) for plan in plans):
        found.add(ZONES)
    if dialects & _SPANNED and any(_asks(plan, _Spans(declared).told_apart) for plan in plans):
        found.add(SPANS)
    if dialects & _SCALED and any(_asks(plan, _Quotients(declared).told_apart) for plan in plans):
        found.add(SCALES)
    return frozenset(found)


_Question = Callable[[Expr, Rel], bool]
"""Of an expression and the node that has it: may it tell equal values apart?"""


def _asks(plan: Plan, question: _Question) -> bool:
    """Whether it is so of an expression that says something of the rows of a group."""
    above, groups = set[bytes](), False
    for node in walk(plan.rel):  # inputs first
        if any(each.digest in above for each in below(node)):
            above.add(node.digest)
            if any(question(part, node) for part in _parts(node)):
                return True
        if _is_group(node):
            above.add(node.digest)
            groups = True
    return groups and any(
        question(part, node)
        for node in walk(plan.rel)
        for part in _parts(node)
        if any(isinstance(each, Outer) for each in parts(part))  # of a row that may be a group's
    )


def _is_group(node: Rel) -> bool:
    """Whether rows that are equal become one there, or are counted together."""
    match node:
        case Aggregate() | Distinct() | Window():
            return True
        case SetOp(kind=kind):
            return kind != "union_all"
        case _:
            return False


def _parts(node: Rel) -> Iterator[Expr]:
    return (part for expr in expressions(node) for part in parts(expr))


def _takes_days(part: Expr, _node: Rel) -> bool:
    """Whether a part of a moment is asked for, or its day."""
    match part:
        case Call(op="cast" | "trycast"):
            return cast_type(part).startswith(("date", "time"))
        case Call(op=op):
            return op in _OF_DAYS
        case _:
            return False


class _Spans(PlanTypes[bool]):
    """Which columns of plans are intervals; None may be one."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self._kinds = Kinds(declared)

    def told_apart(self, part: Expr, node: Rel) -> bool:
        """Whether it may be something else for 30 days than for 1 month."""
        if not isinstance(part, Call):
            return False
        seen = self.seen(node)
        spans = [self.of(each, seen) is not False for each in part.args]
        if part.op in _OF_DAYS:
            return any(spans)
        if part.op not in _SHIFTS or not any(spans):
            return False
        kinds = self._kinds.seen(node)
        others = (each for each, span in zip(part.args, spans, strict=True) if not span)
        return all(self._kinds.of(each, kinds) != "number" for each in others)

    def of(self, expr: Expr, seen: Sequence[bool | None]) -> bool | None:
        """Of an expression over such columns."""
        match expr:
            case Col(index=index):
                return seen[index] if index < len(seen) else None
            case Lit():
                return False  # the same wherever it is asked
            case Over(call=call):
                return self.of(call, seen)
            case Call(op="cast" | "trycast"):
                return self.of_type(cast_type(expr))
            case Call(op="interval", args=args) if all(isinstance(each, Lit) for each in args):
                return False
            case Call(op=op) | Agg(op=op) if op in _SAME_VALUE:
                found = {self.of(each, seen) for each in values_of(op, operands(expr))}
                return False if found <= {False} else None
            case Call(op=op) | Agg(op=op) if op in _NO_SPANS:
                return False
            case Call() | Agg() | Outer() | Param() | Subquery():
                return None

    def of_type(self, name: str) -> bool | None:
        """Of a type's name."""
        said = name.strip().lower()
        return said.startswith("interval") if said else None

    def position(self) -> bool:
        """Of a position in an array."""
        return False


class _Quotients(Numbers):
    """Which quotients have as many decimals as what is divided."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared, "postgres")

    def told_apart(self, part: Expr, node: Rel) -> bool:
        """Whether it may have other decimals for 1.0 than for 1.00."""
        if not isinstance(part, Call) or part.op != "div":
            return False
        seen = self.seen(node)
        numbers = [self.of(each, seen) for each in part.args if not isinstance(each, Lit)]
        return bool(numbers) and not any(each in (*WHOLE, "float") for each in numbers)


def _calls(plan: Plan) -> Iterator[Call]:
    every = (part for node in walk(plan.rel) for part in _parts(node))
    return (part for part in every if isinstance(part, Call))


def _defaults(*plans: Plan) -> bool:
    """Whether COALESCE is called: its value has no affinity (SQLite, "Datatypes", 3.2), which that
    of a column has."""
    return any(call.op == "coalesce" for plan in plans for call in _calls(plan))


def _negates_order(*plans: Plan) -> bool:
    """Whether a plan says NOT of something that compares by order."""
    negated = (call for plan in plans for call in _calls(plan) if call.op == "not")
    return any(isinstance(p, Call) and p.op in _ORDER for n in negated for p in parts(n))
