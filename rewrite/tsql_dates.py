"""Dates of T-SQL in the words of other dialects.

    DATEADD(DAY, 7, x)      x + INTERVAL '7' DAY           the way of `moved_dates`, back
    DATEDIFF(DAY, a, b)     CAST(b AS DATE) - CAST(a AS DATE)          PostgreSQL
                            DATEDIFF(DAY, CAST(a AS DATE), ..)         Spark, of whole days else
    YEAR(x)                 EXTRACT(YEAR FROM CAST(x AS DATE))         as their printers have it
                            CAST(EXTRACT(..) AS INT)    PostgreSQL, where it is NUMERIC

DATEDIFF of days counts midnights ("DATEDIFF (Transact-SQL)"), as differences of days do.

written(tree, source, target)  in place
spoken(call, source, target) -> the call of a plan in these words, and what that takes for granted
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.lineage.dialects import TSQL
from unwet.rewrite.algebra import Call, Expr, Lit

_ADDING: Final = frozenset({"postgres", "duckdb", "bigquery", "databricks", "spark", "trino"})
_UNITS: Final = frozenset({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"})
_SUBTRACTING: Final = frozenset({"postgres"})
_OF_DAYS: Final = frozenset({"databricks", "spark"})
_EXTRACTING: Final = frozenset({"postgres", "redshift", "bigquery"})
_OF_DECIMALS: Final = frozenset({"postgres"})  # what EXTRACT gives ("EXTRACT" in its manual, 9.9)
_PARTS: Final = frozenset({"year", "month", "day"})
_UNIT: Final = "unit:var "
_BINARY: Final = ("this", "expression")


def written(tree: exp.Expr, source: str, target: str) -> None:
    """In place: what T-SQL says of dates as the target does."""
    if source not in TSQL or target in TSQL:
        return
    for node in list(tree.find_all(exp.DateAdd)) if target in _ADDING else ():
        unit, number = node.text("unit").upper(), node.expression
        kind: type[exp.Add | exp.Sub] = exp.Add
        if isinstance(number, exp.Neg):
            kind, number = exp.Sub, number.this
        if unit in _UNITS and isinstance(number, exp.Literal) and number.name.isdecimal():
            span = exp.Interval(this=exp.Literal.string(number.name), unit=exp.var(unit))
            moved = kind(this=node.this, expression=span)
            node.replace(exp.Paren(this=moved) if isinstance(node.parent, exp.Binary) else moved)
    for part in list(tree.find_all(exp.Year, exp.Month, exp.Day)) if target in _OF_DECIMALS else ():
        day = part.this.this if isinstance(part.this, exp.TsOrDsToDate) else part.this
        found = exp.Extract(this=exp.var(part.key.upper()), expression=exp.cast(day, "date"))
        part.replace(exp.cast(found, "int"))
    for gap in list(tree.find_all(exp.DateDiff)):
        if gap.text("unit").upper() != "DAY" or target not in _SUBTRACTING | _OF_DAYS:
            continue
        later, earlier = _day(gap.this), _day(gap.expression)
        if target in _SUBTRACTING:
            days = exp.Sub(this=later, expression=earlier)
            inside = isinstance(gap.parent, exp.Binary | exp.Neg)
            gap.replace(exp.Paren(this=days) if inside else days)
        else:
            gap.replace(exp.DateDiff(this=later, expression=earlier, unit=exp.var("DAY")))


def _day(of: exp.Expr) -> exp.Expr:
    return exp.cast(of.this if isinstance(of, exp.TimeStrToTime) else of, "date")


def spoken(call: Call, source: str, target: str) -> tuple[Call, str]:
    """A call of a plan as the target has to say it, and what that takes for granted."""
    if source not in TSQL or target in TSQL:
        return call, ""
    match call:
        case Call(op="dateadd", args=(of, number), shape=("this", "expression", unit)) if (
            target in _ADDING and unit[len(_UNIT) :] in _UNITS
        ):
            return _moved(call, of, number, unit, source, target)
        case Call(op="datediff", args=(later, earlier)) if f"{_UNIT}DAY" in call.shape:
            return _days(call, later, earlier, target), ""
        case Call(op=op, args=(of,), shape=("this",)) if op in _PARTS and target in _EXTRACTING:
            part = Call("extract", (of,), (f"this:var {op.upper()}", "expression"))
            whole = Call("cast", (part,), ("this", "to:int"))
            return whole if target in _OF_DECIMALS else part, ""
        case _:
            return call, ""


def _moved(
    call: Call, of: Expr, number: Expr, unit: str, source: str, target: str
) -> tuple[Call, str]:
    op = "add"
    if isinstance(number, Call) and number.op == "neg":
        op, number = "sub", number.args[0]
    if not isinstance(number, Lit) or not number.text.isdecimal():
        return call, ""
    span = Call("interval", (Lit("string", number.text),), ("this", unit))
    said = f"a day moved by days is a day or a timestamp ({source} and {target})"
    return Call(op, (of, span), _BINARY), said


def _days(call: Call, later: Expr, earlier: Expr, target: str) -> Call:
    if target in _SUBTRACTING:
        return Call("sub", (_as_day(later), _as_day(earlier)), _BINARY)
    if target in _OF_DAYS:
        days = (_as_day(later), _as_day(earlier))
        return Call("datediff", days, (*_BINARY, f"{_UNIT}DAY"))
    return call


def _as_day(of: Expr) -> Expr:
    """CAST(x AS DATE) of the conversion that the parser puts around an argument."""
    match of:
        case Call(op="cast", args=(value,), shape=("this", kind)) if "timestamp" in kind.lower():
            return replace(of, args=(value,), shape=("this", "to:date"))
        case _:
            return Call("cast", (of,), ("this", "to:date"))
