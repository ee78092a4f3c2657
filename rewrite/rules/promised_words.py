"""Functions that mean the same in some dialects, or for values of some kinds, only."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from unwet.rewrite.algebra import Agg, Aggregate, Call, Expr, Lit, Rel, expressions
from unwet.rewrite.rules.nulls import not_null_tested, null_tested
from unwet.rewrite.rules.promises import NOTHING, Promises, Rested, input_of
from unwet.rewrite.rules.refs import is_volatile, rebuild, with_expressions
from unwet.rewrite.rules.shapes import binary, integer, is_constant, negation

_COUNTED_ALIKE: Final = frozenset({"bigquery", "snowflake", "spark", "databricks", "trino"})
"""Where COUNTIF(p) is of the type of COUNT(*) (the manuals, "Aggregate functions"); DuckDB's is a
HUGEINT."""
_SUMMED_ALIKE: Final = frozenset({"postgres", "redshift", "bigquery", "spark", "databricks"})
"""Where the sum of integers 0 and 1 is of the type of COUNT(*): BIGINT, INT64."""
_DAYS: Final = frozenset({"bigquery", "snowflake"})
"""Where a DATE and some days, months or years make a DATE again, the last day of a month that is
too short (BigQuery, "DATE_ADD"; Snowflake, "DATEADD")."""


def count_if_to_count(promises: Promises, rel: Rel) -> Rested | None:
    """COUNTIF(p) -> COUNT(CASE WHEN p THEN 1 END)."""
    if not promises.dialects or not promises.dialects <= _COUNTED_ALIKE:
        return None
    return _everywhere(rel, _count_if)


def _count_if(expr: Expr) -> Expr:
    match expr:
        case Agg(op="countif", args=(test,), distinct=False, order=()) if expr.shape[:1] == (
            "this",
        ):
            return replace(expr, op="count", args=(_one_where(test),), shape=("this",))
        case _:
            return expr


def sum_of_ones_to_count(promises: Promises, rel: Rel) -> Rested | None:
    """SUM(CASE WHEN x IS NULL THEN 0 ELSE 1 END) -> COUNT(CASE WHEN x IS NOT NULL THEN 1 END), and
    SUM(CASE WHEN p THEN 1 ELSE 0 END) -> COUNT(CASE WHEN p THEN 1 END). With keys: over no rows a
    sum is NULL."""
    match rel:
        case Aggregate(keys=keys, aggs=aggs) if (
            keys and promises.dialects and promises.dialects <= _SUMMED_ALIKE
        ):
            made = tuple(map(_ones_counted, aggs))
            return Rested(NOTHING, replace(rel, aggs=made)) if made != aggs else None
        case _:
            return None


def _ones_counted(agg: Agg) -> Agg:
    match agg:
        case Agg(
            op="sum", shape=("this",), distinct=False, where=None, order=(),
            args=(Call(op="case", shape=("ifs*1", "default"),
                       args=(Call(args=(test, yes)), no)),),
        ):  # fmt: skip
            said = (integer(yes), integer(no))
            if said == (1, 0):
                return replace(agg, op="count", args=(_one_where(test),))
            is_never_null = null_tested(test) is not None or not_null_tested(test) is not None
            if said == (0, 1) and is_never_null:
                return replace(agg, op="count", args=(_one_where(negation(test)),))
            return agg
        case _:
            return agg


def count_of_not_null(promises: Promises, rel: Rel) -> Rested | None:
    """COUNT(CASE WHEN x IS NOT NULL THEN 1 END) -> COUNT(x)."""
    return _everywhere(rel, _count_of_tested)


def _count_of_tested(expr: Expr) -> Expr:
    match expr:
        case Agg(
            op="count", shape=("this",), distinct=False,
            args=(Call(op="case", shape=("ifs*1",), args=(Call(args=(test, value)),)),),
        ) if is_constant(value):  # fmt: skip
            tested = not_null_tested(test)
            if tested is None or is_volatile(tested):
                return expr
            return replace(expr, args=(tested,))
        case _:
            return expr


def decode_of_text_to_case(promises: Promises, rel: Rel) -> Rested | None:
    """DECODE(x, 'a', 1, 'b', 2, 3) -> CASE WHEN x = 'a' THEN 1 WHEN x = 'b' THEN 2 ELSE 3 END where
    x is a text; see ``decode_to_case``."""
    given = input_of(rel)
    if given is None:
        return None

    def visit(expr: Expr) -> Expr:
        match expr:
            case Call(op="decodecase", args=(tested, *rest)) if (
                len(rest) > 1 and promises.kind(given, tested) == "text"
            ):
                pairs = list(zip(rest[::2], rest[1::2], strict=False))
                if not all(is_constant(w) and isinstance(w, Lit) and w.kind == "string"
                           for w, _ in pairs):  # fmt: skip
                    return expr
                arms = [
                    Call("if", (binary("eq", tested, wanted), value), ("this", "true"))
                    for wanted, value in pairs
                ]
                left = (rest[-1],) if len(rest) % 2 else ()
                shape = (f"ifs*{len(arms)}", *(["default"] * len(left)))
                return Call("case", (*arms, *left), shape)
            case _:
                return expr

    return _everywhere(rel, visit)


def constant_day(promises: Promises, rel: Rel) -> Rested | None:
    """DATE_ADD(DATE '1990-01-01', INTERVAL 1 YEAR) -> DATE '1991-01-01'."""
    if not promises.dialects or not promises.dialects <= _DAYS:
        return None
    return _everywhere(rel, _day)


def _day(expr: Expr) -> Expr:
    match expr:
        case Call(
            op="dateadd" | "datesub" as op,
            args=(Call(op="cast", args=(Lit(kind="string", text=text),), shape=shape), amount),
            shape=("this", "expression", unit),
        ) if shape == ("this", "to:date"):
            count = _amount(amount)
            try:
                day = date.fromisoformat(text) if len(text) == len("2000-01-01") else None
            except ValueError:
                return expr  # no day: the engine says so when it runs
            if count is None or day is None:
                return expr
            made = _moved(day, -count if op == "datesub" else count, unit.removeprefix("unit:var "))
            return expr if made is None else Call("cast", (Lit("string", made.isoformat()),), shape)
        case _:
            return expr


def _amount(expr: Expr) -> int | None:
    match expr:
        case Call(op="neg", args=(inner,)):
            found = _amount(inner)
            return -found if found is not None else None
        case Lit(kind="string", text=text) if text.isascii() and text.isdigit():
            return int(text)
        case _:
            return integer(expr)


def _moved(day: date, count: int, unit: str) -> date | None:
    """None for units it does not know, and for days that no calendar has."""
    if abs(count) > 100_000:
        return None
    try:
        if unit in ("DAY", "WEEK"):
            return day + timedelta(days=count * (7 if unit == "WEEK" else 1))
        if unit not in ("MONTH", "QUARTER", "YEAR"):
            return None
        months = day.year * 12 + day.month - 1
        months += count * {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
        year, month = divmod(months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(day.day, last))
    except (OverflowError, ValueError):
        return None


def _one_where(test: Expr) -> Expr:
    arm = Call("if", (test, Lit("number", "1")), ("this", "true"))
    return Call("case", (arm,), ("ifs*1",))


def _everywhere(rel: Rel, visit: Callable[[Expr], Expr]) -> Rested | None:
    made = [rebuild(e, visit) for e in expressions(rel)]
    return Rested(NOTHING, with_expressions(rel, made)) if tuple(made) != expressions(rel) else None
