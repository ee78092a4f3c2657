"""Operators that two dialects understand differently for some kinds of values.

    d - d           days in PostgreSQL, an INTERVAL in BigQuery, no number of days in MySQL
    d + 7           seven days later, or a number, or an error
    CAST(b AS TEXT) 'true' or '1' where b is a truth
    a || b          a + b in T-SQL, if both are texts; ISNULL(n, 0) is COALESCE(n, 0) of numbers

Floats and moments become texts in as many ways as there are engines (1e10 is 10000000000 in one,
10000000000.0 in another): that a project of another dialect writes them alike is an assumption.
Of columns whose types nobody knows the proof takes for granted that the operators mean the same.

spoken(plan, source, target, declared) -> the plan, with such calls marked as apart (`known_apart`),
    and what that takes for granted
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

from unwet.rewrite.algebra import (
    Agg,
    Call,
    Col,
    Expr,
    Lit,
    Outer,
    Over,
    Param,
    Plan,
    Rel,
    Subquery,
    operands,
)
from unwet.rewrite.joined_texts import JOINING
from unwet.rewrite.known_apart import APART
from unwet.rewrite.plan_types import Declared, PlanTypes, cast_type, values_of, words
from unwet.rewrite.quotients import with_visited
from unwet.rewrite.rules.refs import rebuild

Sort = Literal["day", "moment", "span", "truth", "text", "number", "float"]

_DAY: Final = words("currentdate tsordstodate strtodate date lastday")
_MOMENT: Final = words(
    "currenttimestamp currenttimestampltz strtotime tsordstotimestamp timestamp timestampadd"
)
_TRUTH: Final = words(
    "and or not xor eq neq lt lte gt gte between in is like ilike similarto regexplike "
    "nullsafeeq nullsafeneq exists startswith endswith contains"
)
_TEXT: Final = words(
    "upper lower substring concat concatws dpipe trim replace left right repeat reverse initcap "
    "groupconcat"
)
_NUMBER: Final = words(
    "mul div intdiv mod neg abs round floor ceil sign sqrt ln exp length strposition extract year "
    "month day datediff count countif sum avg rownumber rank denserank ntile"
)
_OF_OPERANDS: Final = words(
    "coalesce nullif case if greatest least min max anyvalue first last firstvalue lastvalue lag "
    "lead nthvalue"
)
_TEXTS: Final = ("varchar", "text", "string", "nvarchar", "char varying", "character varying")
# day - day is the number of days between them
_DAYS_APART: Final = frozenset({"postgres", "redshift", "duckdb", "snowflake", "oracle"})
# moment - moment is an INTERVAL
_SPANS: Final = frozenset({"postgres", "redshift", "duckdb", "bigquery"})
# day + 1 is the next day
_DAYS_ON: Final = _DAYS_APART | {"bigquery", "spark", "databricks"}
_TSQL: Final = frozenset({"tsql", "fabric"})
_TRUTHS_IN_WORDS: Final = frozenset(
    {"postgres", "redshift", "duckdb", "snowflake", "bigquery", "spark", "databricks", "trino",
     "presto", "athena", "clickhouse"}
)  # fmt: skip
_MOMENTS_ALIKE: Final = frozenset({"postgres", "redshift", "duckdb", "spark", "databricks"})
_TOUCHED: Final = frozenset({"add", "sub", "cast", "trycast", "dpipe", "coalesce"})
_BINARY: Final = ("this", "expression")
_OF_ISNULL: Final = "is_null=True"


class _Sorts(PlanTypes[Sort]):
    """Of the columns of plans; None is any."""

    def of(self, expr: Expr, seen: Sequence[Sort | None]) -> Sort | None:
        """Of an expression over such columns."""
        match expr:
            case Col(index=index):
                return seen[index] if index < len(seen) else None
            case Lit(kind="number"):
                return "number"
            case Lit(kind="string"):
                return "text"
            case Over(call=call):
                return self.of(call, seen)
            case Subquery(kind=kind):
                return None if kind == "scalar" else "truth"
            case Lit() | Outer() | Param():
                return None
            case Call(op=op) | Agg(op=op):
                return self._called(op, expr, seen)

    def of_type(self, name: str) -> Sort | None:
        """Of a type's name; None for none."""
        said = name.strip().lower().split("(")[0].strip()
        if said in _TEXTS:
            return "text"
        if said == "date":
            return "day"
        if said.startswith(("timestamp", "datetime", "smalldatetime")):
            return "moment"
        if said.startswith("interval"):
            return "span"
        if said in ("bool", "boolean", "bit"):
            return "truth"
        if said.startswith(("float", "double", "real")):
            return "float"
        numbers = ("int", "bigint", "smallint", "tinyint", "dec", "num")
        return "number" if said.startswith(numbers) and not said.startswith("interval") else None

    def position(self) -> Sort:
        """Of a position in an array."""
        return "number"

    def _called(self, op: str, expr: Call | Agg, seen: Sequence[Sort | None]) -> Sort | None:
        if op in ("cast", "trycast"):
            return self.of_type(cast_type(expr))
        if op == "interval":
            return "span"
        for sort, ops in _BY_OP:
            if op in ops:
                return sort
        if op in ("dateadd", "datesub", "tsordsadd"):
            return self.of(expr.args[0], seen)
        if op in ("add", "sub"):
            return self._moved([self.of(each, seen) for each in operands(expr)])
        if op not in _OF_OPERANDS:
            return None
        below = {self.of(each, seen) for each in values_of(op, operands(expr))}
        return below.pop() if len(below) == 1 else None

    def _moved(self, of: Sequence[Sort | None]) -> Sort | None:
        """Of a sum or a difference; of texts joined with +."""
        if "moment" in of and "span" in of:
            return "moment"
        return of[0] if len({*of}) == 1 and of[0] in ("number", "span", "text") else None


_BY_OP: Final[tuple[tuple[Sort, frozenset[str]], ...]] = (
    ("day", _DAY), ("moment", _MOMENT), ("truth", _TRUTH), ("text", _TEXT), ("number", _NUMBER),
)  # fmt: skip


def spoken(plan: Plan, source: str, target: str, declared: Declared) -> tuple[Plan, frozenset[str]]:
    """A legacy plan, with what its types tell of the two dialects, and what that takes for
    granted."""
    sorts, needed = _Sorts(declared), set[str]()

    def visit(expr: Expr, rel: Rel) -> Expr:
        seen = sorts.seen(rel)

        def one(part: Expr) -> Expr:
            if not isinstance(part, Call) or part.op not in _TOUCHED or APART in part.shape:
                return part
            of = [sorts.of(each, seen) for each in part.args]
            if _differs(part, of, source, target):
                return replace(part, shape=(*part.shape, APART))
            if _is_written(part, of, source, target):
                needed.add(
                    f"{source} and {target} write floats and timestamps as the same texts "
                    "(CAST(.. AS VARCHAR))"
                )
            return _coalesced(part, of, source) or _joined(part, of, source, target)

        return rebuild(expr, one)

    return with_visited(plan, visit, _TOUCHED), frozenset(needed)


def _is_written(call: Call, of: Sequence[Sort | None], source: str, target: str) -> bool:
    """A float or a moment that becomes a text: with as many digits as the engine has for it."""
    if call.op not in ("cast", "trycast") or cast_type(call).split("(")[0] not in _TEXTS:
        return False
    return of == ["float"] or (of == ["moment"] and not {source, target} <= _MOMENTS_ALIKE)


def _differs(call: Call, of: Sequence[Sort | None], source: str, target: str) -> bool:
    def both(some: frozenset[str]) -> bool:
        return {source, target} <= some

    match call.op, of:
        case "sub", ["day", "day"]:  # T-SQL takes none: DATEDIFF was it
            return target not in _DAYS_APART if source in _TSQL else not both(_DAYS_APART)
        case "sub", ["day" | "moment", "day" | "moment"]:
            return not both(_SPANS)
        case "add" | "sub", ["day", "number"] | ["number", "day"]:
            return not both(_DAYS_ON)
        case "add" | "sub", ["moment", "number"] | ["number", "moment"]:
            return True
        case "cast" | "trycast", ["truth"] if cast_type(call).split("(")[0] in _TEXTS:
            return (source in _TRUTHS_IN_WORDS) != (target in _TRUTHS_IN_WORDS)
        case _:
            return False


def _joined(call: Call, of: Sequence[Sort | None], source: str, target: str) -> Call:
    """|| of texts is + in T-SQL: NULL where one is NULL in both ("+ (String Concatenation)")."""
    if {*of} != {"text"}:
        return call
    if call.op == "dpipe" and target in _TSQL and source not in _TSQL:
        return Call("add", call.args, _BINARY)
    if call.op == "add" and source in _TSQL and target in JOINING:
        return Call("dpipe", call.args, (*_BINARY, "safe=True") if target != "trino" else _BINARY)
    return call


def _coalesced(call: Call, of: Sequence[Sort | None], source: str) -> Call | None:
    """ISNULL that needs no conversion is COALESCE."""
    if call.op != "coalesce" or _OF_ISNULL not in call.shape or source not in _TSQL:
        return None
    match of, call.args[-1]:
        case ["number", "number"], Lit(text=text) if text.isdigit():
            pass
        case ["text", "text"], Lit(text=""):
            pass
        case _:
            return None
    return replace(call, shape=tuple(s for s in call.shape if s != _OF_ISNULL))
