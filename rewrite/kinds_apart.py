"""Operators that two dialects understand differently for some kinds of values.

    d - d           days in PostgreSQL, an INTERVAL in BigQuery, no number of days in MySQL
    d + 7           seven days later, or a number, or an error
    a - a           days and hours, or hours alone, in BigQuery: EXTRACT(DAY FROM a - a)
    a || b          a + b in T-SQL, if both are texts; ISNULL(n, 0) is COALESCE(n, 0) of numbers
    s + s           a sum of numbers in MySQL and Snowflake; joined in T-SQL
    DATEADD(DAY, 7, 0)      a day of 1900 in T-SQL
    d > '20200101'          a day in T-SQL, seconds in Snowflake (`written_days`)
    DATEADD(HOUR, 2, d)     an error in T-SQL where d is a day
    CAST(f AS DECIMAL)      a whole number in T-SQL, all digits in PostgreSQL

What becomes a text, and how, `texts_apart` says; which numbers differ, `numbers_apart`. Of columns
whose types nobody knows the proof takes for granted that the operators mean the same.

spoken(plan, source, target, declared) -> the plan, with such calls marked as apart (`known_apart`),
    and what that takes for granted
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from unwet.lineage.dialects import TSQL
from unwet.rewrite import numbers_apart
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
from unwet.rewrite.number_types import FRACTIONS, WHOLE, Number, Numbers
from unwet.rewrite.plan_types import Declared, PlanTypes, cast_type, values_of, words
from unwet.rewrite.quotients import with_visited
from unwet.rewrite.rules.refs import rebuild
from unwet.rewrite.texts_apart import JOINED, TEXTS, Sort, is_text_of, judged
from unwet.rewrite.unsized import OF_THIRTY, OWN_DIGITS
from unwet.rewrite.written_days import is_odd_day, seems_odd_day

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
# day - day is the number of days between them
_DAYS_APART: Final = frozenset({"postgres", "redshift", "duckdb", "snowflake", "oracle"})
# moment - moment is an INTERVAL
_SPANS: Final = frozenset({"postgres", "redshift", "duckdb", "bigquery"})
# day + 1 is the next day
_DAYS_ON: Final = _DAYS_APART | {"bigquery", "spark", "databricks"}
_TIMES: Final = tuple(
    f"unit:var {unit}" for unit in ("HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND")
)
_TOUCHED: Final = JOINED | words(
    "add sub cast trycast coalesce extract dateadd eq neq lt lte gt gte between in nullif greatest "
    "least nullsafeeq nullsafeneq tsordstodate"
)
_IN_SQLITE: Final = _TOUCHED | numbers_apart.TOUCHED
_DAYS: Final = frozenset({"day", "moment", "moved", "zoned"})
_MARKS: Final = frozenset({OF_THIRTY, OWN_DIGITS})  # which the kinds of arguments have judged
_BINARY: Final = ("this", "expression")
_OF_ISNULL: Final = "is_null=True"


class _Sorts(PlanTypes[Sort]):
    """Of the columns of plans; None is any."""

    def of(self, expr: Expr, seen: Sequence[Sort | None]) -> Sort | None:
        """Of an expression over such columns."""
        return self.once(expr, seen, self._of)

    def _of(self, expr: Expr, seen: Sequence[Sort | None]) -> Sort | None:
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
        if said in TEXTS:
            return "text"
        if said == "date":
            return "day"
        if said == "datetimeoffset":
            return "zoned"
        if said.startswith(("timestamp", "datetime", "smalldatetime")):
            return "moment"
        if said.startswith("interval"):
            return "span"
        if said in ("uuid", "uniqueidentifier"):
            return "uuid"
        if said in ("money", "smallmoney"):
            return "money"
        if said in ("char", "nchar", "character", "bpchar"):
            return "filled"
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
            return _MOVED.get(self.of(expr.args[0], seen))
        if op in ("add", "sub"):
            return _moved(op, [self.of(each, seen) for each in operands(expr)])
        if op not in _OF_OPERANDS:
            return None
        below = {self.of(each, seen) for each in values_of(op, operands(expr))}
        return below.pop() if len(below) == 1 else None


_MOVED: Final[dict[Sort | None, Sort]] = {"day": "moved", "moved": "moved", "moment": "moment"}


def _moved(op: str, of: Sequence[Sort | None]) -> Sort | None:
    """Of a sum or a difference; of texts joined with +."""
    if "span" in of and (moved := next((_MOVED[each] for each in of if each in _MOVED), None)):
        return moved
    if op == "sub" and "moment" in of and {*of} <= _MOVED.keys():
        return "span"
    return of[0] if len({*of}) == 1 and of[0] in ("number", "span", "text") else None


_BY_OP: Final[tuple[tuple[Sort, frozenset[str]], ...]] = (
    ("day", _DAY), ("moment", _MOMENT), ("truth", _TRUTH), ("text", _TEXT), ("number", _NUMBER),
)  # fmt: skip


def spoken(plan: Plan, source: str, target: str, declared: Declared) -> tuple[Plan, frozenset[str]]:
    """A legacy plan, with what its types tell of the two dialects, and what that takes for
    granted."""
    sorts, needed = _Sorts(declared), set[str]()
    there, here = Numbers(declared, source), Numbers(declared, target)
    touched = _IN_SQLITE if "sqlite" in (source, target) else _TOUCHED

    def visit(expr: Expr, rel: Rel) -> Expr:
        seen, before, after = sorts.seen(rel), there.seen(rel), here.seen(rel)

        def one(part: Expr) -> Expr:
            if not isinstance(part, Call | Agg) or part.op not in touched or APART in part.shape:
                return part
            of = [sorts.of(each, seen) for each in part.args]
            numbers = [(there.of(each, before), here.of(each, after)) for each in part.args]
            apart, assumed = judged(part, of, numbers, source, target)
            differs = isinstance(part, Call) and (
                _differs(part, of, source, target)
                or (any(is_odd_day(each, source, target) for each in part.args)
                    and _is_of_days(part, of, sorts))
            )  # fmt: skip
            other = numbers_apart.differs(part, of, numbers, source, target)
            if apart or differs or other or _is_cut(part, of, numbers):
                return replace(part, shape=(*part.shape, APART))
            needed.update(assumed)
            if None in of and any(seems_odd_day(each, source, target) for each in part.args):
                needed.add(
                    "what is compared with texts such as '20200101' are texts "
                    f"({source} and {target} read other days of them)"
                )
            if _may_be_empty(part, of, source, target):
                needed.add("no text that is cast to a number or a day is empty (tsql: 0)")
            if not isinstance(part, Call):
                return part
            if OWN_DIGITS in part.shape and not {*numbers[0]} <= WHOLE:
                needed.add(f"what is CAST AS DECIMAL is whole ({source} and {target} round it)")
            if not _MARKS.isdisjoint(part.shape):
                return replace(part, shape=tuple(s for s in part.shape if s not in _MARKS))
            return _coalesced(part, of, source) or _joined(part, of, source, target)

        return rebuild(expr, one)

    return with_visited(plan, visit, touched), frozenset(needed)


def _differs(call: Call, of: Sequence[Sort | None], source: str, target: str) -> bool:
    def both(some: frozenset[str]) -> bool:
        return {source, target} <= some

    match call.op, of:
        case "sub", ["day", "day"]:  # T-SQL takes none: DATEDIFF was it
            return target not in _DAYS_APART if source in TSQL else not both(_DAYS_APART)
        case "sub", ["day" | "moment" | "moved", "day" | "moment" | "moved"]:
            return not both(_SPANS)
        case "add" | "sub", ["day", "number"] | ["number", "day"]:
            return not both(_DAYS_ON)
        case "add" | "sub", ["moment" | "moved", "number"] | ["number", "moment" | "moved"]:
            return True
        case "add", _ if _may_join(of):
            written = source in TSQL and target in JOINING and {*of} == {"text"}
            return (source in TSQL) != (target in TSQL) and not written
        case ("add" | "sub", ["number", "span"]) | ("dateadd", ["number", *_]):
            return (source in TSQL) != (target in TSQL)  # 0 is the first day of 1900 there
        case "cast" | "trycast", ["zoned"]:  # its day is the one in its own zone
            return (source in TSQL) != (target in TSQL)
        case "extract", ["span"]:  # of hours alone, or of days and hours
            return "bigquery" in (source, target)
        case "dateadd", ["day", *_] if target in TSQL and source not in TSQL:
            return not set(_TIMES).isdisjoint(call.shape)
        case _:
            return False


def _is_of_days(call: Call, of: Sequence[Sort | None], sorts: _Sorts) -> bool:
    """Whether texts among the arguments become days, or are compared with some."""
    if call.op in ("cast", "trycast"):
        return sorts.of_type(cast_type(call)) in _DAYS
    return call.op == "tsordstodate" or not _DAYS.isdisjoint(of)


def _may_join(of: Sequence[Sort | None]) -> bool:
    """Whether T-SQL's + joins texts: one surely is, and the other one may be."""
    some = not {"text", "filled"}.isdisjoint(of)
    return some and {*of} <= {"text", "filled", None}


def _is_cut(
    part: Call | Agg,
    of: Sequence[Sort | None],
    numbers: Sequence[tuple[Number | None, Number | None]],
) -> bool:
    """A fraction, or a text that may be one, cast to a DECIMAL of other digits."""
    return OWN_DIGITS in part.shape and (of == ["text"] or not FRACTIONS.isdisjoint(numbers[0]))


def _may_be_empty(call: Call | Agg, of: Sequence[Sort | None], source: str, target: str) -> bool:
    """CAST('' AS INT) is 0 in T-SQL, CAST('' AS DATE) the first day of 1900; elsewhere an error, or
    NULL ("CAST and CONVERT (Transact-SQL)")."""
    if call.op not in ("cast", "trycast") or of != ["text"] or is_text_of(call):
        return False
    if isinstance(call.args[0], Lit) and call.args[0].text:
        return False
    return (source in TSQL) != (target in TSQL)


def _joined(call: Call, of: Sequence[Sort | None], source: str, target: str) -> Call:
    """|| of texts is + in T-SQL: NULL where one is NULL in both ("+ (String Concatenation)")."""
    if {*of} != {"text"}:
        return call
    if call.op == "dpipe" and target in TSQL and source not in TSQL:
        return Call("add", call.args, _BINARY)
    if call.op == "add" and source in TSQL and target in JOINING:
        return Call("dpipe", call.args, (*_BINARY, "safe=True") if target != "trino" else _BINARY)
    return call


def _coalesced(call: Call, of: Sequence[Sort | None], source: str) -> Call | None:
    """ISNULL that needs no conversion is COALESCE."""
    if call.op != "coalesce" or _OF_ISNULL not in call.shape or source not in TSQL:
        return None
    match of, call.args[-1]:
        case ["number", "number"], Lit(text=text) if text.isdigit():
            pass
        case ["text", "text"], Lit(text=""):
            pass
        case _:
            return None
    return replace(call, shape=tuple(s for s in call.shape if s != _OF_ISNULL))
