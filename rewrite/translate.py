"""A legacy plan as its target dialect can say it: types and date conversions under their names.

Going to another dialect, a type becomes the nearest one of that dialect (T-SQL's VARCHAR(255) is
DuckDB's TEXT). Such a step is an assumption about values, not an equation, so each one that a plan
needed is returned in words, to be listed beside the proof. Whatever is not in the list below stays
as it is, and makes the proof fail where the target says it differently.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite import aggregates_apart
from unwet.rewrite.algebra import Agg, Call, Expr, Lit, Node
from unwet.rewrite.decoding import built_type
from unwet.rewrite.known_apart import (
    APART,
    is_truncated_day,
    known_apart,
    moments,
)
from unwet.rewrite.mapping import mapped
from unwet.rewrite.moot_notes import spoken as moot_notes
from unwet.rewrite.moved_dates import spoken as moved_dates
from unwet.rewrite.plan_types import type_name
from unwet.rewrite.scalars import ONE_TRUNCATION, is_decimal, type_text
from unwet.rewrite.tsql_dates import spoken as tsql_dates
from unwet.rewrite.unsized import spoken as unsized
from unwet.rewrite.weeks import spoken as weeks

N = TypeVar("N", bound=Node)
_TYPE = "to:"


def translate(plan: N, source: str, target: str) -> tuple[N, frozenset[str]]:
    """The plan with the target's types and functions, and the assumptions that took."""
    if source == target:
        return plan, frozenset()
    needed: set[str] = set()
    if blind := _only_one(_CASE_BLIND, source, target):
        needed.add(
            f"text is compared letter for letter, blanks at its end, too (no case-blind {blind} "
            "collation)"
        )
    if empty := _only_one(_EMPTY_IS_NULL, source, target):
        needed.add(f"no text is empty ({empty} takes '' for NULL)")
    alike = f"functions and operators of one name mean the same in {source or 'SQL'} and {target}"

    def one(node: Node) -> Node:
        if isinstance(node, Agg):
            needed.add(alike)
            if node.op == "countif" and "duckdb" in (source, target):
                needed.add("COUNT_IF is 0, not NULL, where all its tests are NULL")
            return aggregates_apart.spoken(node, source, target)
        if not isinstance(node, Call):
            return node
        needed.add(alike)
        call = node
        for step in _STEPS:
            call, assumption = step(call, source, target)
            if assumption:
                needed.add(assumption)
        return call

    return mapped(plan, one, {}), frozenset(needed)


def _only_one(some: frozenset[str], source: str, target: str) -> str:
    """The one of two dialects that is one of some, where the other is not; else nothing."""
    found = some & {source, target}
    return next(iter(found)) if len(found) == 1 else ""


def _types(call: Call, source: str, target: str) -> tuple[Call, str]:
    """A type becomes the one it is read as after it was written in the target dialect."""
    shape = tuple(_slot(slot, target) for slot in call.shape)
    for before, after in zip(call.shape, shape, strict=True):
        if before != after:
            old, new = type_name(before[len(_TYPE) :]), type_name(after[len(_TYPE) :])
            return replace(call, shape=shape), f"{source or 'source'} {old} is {target} {new}"
    return call, ""


# YEAR(x), LAST_DAY(x) of x as a day, which their parsers note, too
_AS_DAYS = frozenset({"snowflake", "databricks", "spark", "hive"})


def _dates(call: Call, _source: str, target: str) -> tuple[Call, str]:
    """Conversions the parser wraps around arguments that have to be dates."""
    match call:
        case Call(op="tsordstodate", args=(value, *_)) if target in _AS_DAYS:
            day = Call("tsordstodate", (value,), ("this",))
            return day, "arguments of date functions are dates"
        case Call(op="tsordstodate", args=(value, *_)):
            return _cast(value, "date", target), "arguments of date functions are dates"
        case Call(op="timestrtotime", args=(value,), shape=("this",)):
            return _cast(value, "timestamp", target), "arguments of DATEDIFF are dates"
        case _:
            return call, ""


def _truncated_days(call: Call, source: str, target: str) -> tuple[Call, str]:
    """DATE_TRUNC of a day is one function of days and moments in some dialects (`scalars`)."""
    match call:
        case Call(
            op="datetrunc",
            args=(Lit(kind="string", text=unit), Call(op="cast" | "trycast") as day),
            shape=("unit", "this"),
        ) if target in ONE_TRUNCATION and _TYPE + "date" in day.shape:
            return Call("timestamptrunc", (day,), ("this", f"unit:var {unit}")), ""
        case _ if is_truncated_day(call) and moments(source, target):
            return call, f"DATE_TRUNC of a date is a date or a timestamp ({source} and {target})"
        case _:
            return call, ""


def _boundaries(call: Call, source: str, _target: str) -> tuple[Call, str]:
    """T-SQL's DATEDIFF counts boundaries crossed, as DuckDB's does; only one parser says so."""
    mark = "date_part_boundary=True"
    if call.op == "datediff" and source == "tsql" and mark not in call.shape:
        return replace(call, shape=(*call.shape, mark)), ""
    return call, ""


def _division(call: Call, _source: str, target: str) -> tuple[Call, str]:
    """Division that depends on its operands' types does not when one is surely no integer; else
    DuckDB says // (`divisions`). By a decimal constant it is the same in all dialects from the
    start (`scalars`)."""
    mark = "typed=True"
    if call.op != "div" or is_decimal(call.args[-1]):
        return call, ""
    typed = bool(Dialect.get_or_raise(target or None).TYPED_DIVISION) and target != "duckdb"
    if mark in call.shape and not typed and any(map(_fractional, call.args)):
        return replace(call, shape=tuple(s for s in call.shape if s != mark)), ""
    if call.shape == ("this", "expression", mark) and target == "duckdb":
        return Call("intdiv", call.args, ("this", "expression")), ""
    return call, ""


# What CAST(2.7 AS INTEGER) gives; dialects that are in neither set are not known well enough.
_TRUNCATING = frozenset({"tsql", "spark", "databricks", "hive", "sqlite", "clickhouse"})
# A float halfway between two integers becomes the even one, or the one that is farther from zero
_ROUNDING = (
    frozenset({"duckdb", "postgres"}),
    frozenset({"snowflake", "bigquery", "mysql"}),
    frozenset({"trino", "presto"}),
)
_ALIKE = (_TRUNCATING, *_ROUNDING)
_INTEGERS = frozenset(f"{_TYPE}{name}" for name in ("int", "bigint", "smallint", "tinyint"))
_SPLIT = frozenset({"this:var SECOND", "this:var EPOCH"})  # parts of a time with a fraction
_EMPTY_IS_NULL = frozenset({"oracle"})
_CASE_BLIND = frozenset({"tsql", "mysql"})  # as they are installed


def _whole_numbers(call: Call, source: str, target: str) -> tuple[Call, str]:
    """A cast to an integer rounds here and cuts off there, which whole numbers do not notice."""
    if call.op not in ("cast", "trycast") or _INTEGERS.isdisjoint(call.shape):
        return call, ""
    if _whole(call.args[0]) or any({source, target} <= each for each in _ALIKE):
        return call, ""
    if _is_split(call.args[0]):
        rounded = {source, target} <= frozenset().union(*_ROUNDING)  # constants are decimals
        return (call if rounded else replace(call, shape=(*call.shape, APART))), ""
    return (
        call,
        f"casts to integers are of whole numbers ({source or 'SQL'} and {target} round otherwise)",
    )


def _whole(expr: Expr) -> bool:
    match expr:
        case Lit(kind="number", text=text):
            return text.isdigit()
        case Call(op="datediff" | "year" | "month" | "day" | "length"):
            return True
        case Call(op="extract", shape=shape):
            return _SPLIT.isdisjoint(shape)
        case Call(op="add" | "sub" | "mul" | "neg", args=args):
            return all(map(_whole, args))
        case Agg(op="count"):
            return True
        case _:
            return False


def _is_split(expr: Expr) -> bool:
    """A constant with a fraction."""
    match expr:
        case Lit(kind="number", text=text):
            return "." in text and text.rstrip("0")[-1:] != "."
        case Call(op="neg", args=(value,)):
            return _is_split(value)
        case _:
            return False


_COMPARED = frozenset({"eq", "neq", "lt", "lte", "gt", "gte", "in", "between"})


def _rows(call: Call, source: str, target: str) -> tuple[Call, str]:
    """(a, b) = (1, 2) is NULL where a is, and false in DuckDB, whose rows are structs."""
    compared = call.op in _COMPARED and (source == "duckdb") != (target == "duckdb")
    if compared and any(isinstance(a, Call) and a.op in ("tuple", "struct") for a in call.args):
        return call, "no part of a row that is compared is NULL"
    return call, ""


def _weekday(call: Call, source: str, target: str) -> tuple[Call, str]:
    """PostgreSQL's DOW and DAYOFWEEK of DuckDB and Snowflake all count from Sunday as 0."""
    old, new = "this:var DOW", "this:var DAYOFWEEK"
    if call.op == "extract" and old in call.shape and source == "postgres":
        shape = tuple(new if s == old else s for s in call.shape)
        if target == "duckdb":
            return replace(call, shape=shape), ""
        if target == "snowflake":
            return replace(call, shape=shape), "WEEK_START of snowflake is 0"
    return call, ""


_WHITE = frozenset({"bigquery", "trino", "presto", "athena"})


def _trimmed(call: Call, source: str, target: str) -> tuple[Call, str]:
    """TRIM(x) takes all white space off in some dialects, and blanks in others ("TRIM")."""
    if call.op != "trim" or len(call.args) > 1 or (source in _WHITE) == (target in _WHITE):
        return call, ""
    return call, f"TRIM meets no white space but blanks ({source} and {target})"


def _joined_text(call: Call, source: str, target: str) -> tuple[Call, str]:
    """T-SQL's + joins text, that of most others does not take it."""
    text = any(isinstance(arg, Lit) and arg.kind == "string" for arg in call.args)
    if call.op == "add" and text and "tsql" in (source, target):
        return replace(call, shape=(*call.shape, "text=True")), ""
    return call, ""


def _fractional(expr: Expr) -> bool:
    """Whether a value is surely a decimal or float: 1.0, 1.0 * x, x / 2.0, CAST(x AS FLOAT)."""
    match expr:
        case Lit(kind="number", text=text):
            return "." in text or "e" in text.lower()
        case Call(op="mul" | "add" | "sub" | "div", args=args):
            return any(map(_fractional, args))
        case Call(op="cast", shape=shape):
            names = tuple(s[len(_TYPE) :] for s in shape if s.startswith(_TYPE))
            return names in (("float",), ("double",), ("real",))
        case _:
            return False


def _cast(value: Expr, name: str, target: str) -> Call:
    return Call("cast", (value,), ("this", _TYPE + _type_in(name, target)))


_STEPS = (
    known_apart,  # first: the next ones spell calls as the target does
    weeks,
    moot_notes,
    moved_dates,
    unsized,
    _types,
    _dates,
    _truncated_days,
    _boundaries,
    tsql_dates,
    _division,
    _weekday,
    _joined_text,
    _trimmed,
    _whole_numbers,
    _rows,
)


def _slot(slot: str, target: str) -> str:
    return _TYPE + _type_in(slot[len(_TYPE) :], target) if slot.startswith(_TYPE) else slot


@lru_cache(maxsize=4096)
def _type_in(name: str, target: str) -> str:
    """A type's name after it was written in the target dialect and read there again."""
    kind = built_type(name)
    if kind is None or type_name(name) not in (name, "datetime2"):
        return name  # of a type that no other dialect has: SMALLDATETIME, which rounds to minutes
    query = f"SELECT CAST(a AS {kind.sql(dialect=target)})"
    read = parse(verbatim(Source("type.sql", query, target))).statements
    cast = read[0].tree.find(exp.Cast) if read else None
    return type_text(cast.to) if cast is not None else name
