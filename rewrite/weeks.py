"""Weeks that begin on Mondays, in the words of each dialect.

DATE_TRUNC('week', x) is the Monday before x in PostgreSQL, DuckDB, Spark and Trino, and in
Snowflake as it is installed (WEEK_START is 0). BigQuery's WEEK begins on Sunday and its ISOWEEK
on Monday; T-SQL's WEEK begins where DATEFIRST says, its ISO_WEEK on Monday (their manuals,
"DATE_TRUNC" or "DATETRUNC"). A week that is not one of ISO 8601 has no other words.

written(tree, source, target)  in place
spoken(call, source, target) -> the call of a plan, in the target's words or marked as apart
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.rewrite.algebra import Call
from unwet.rewrite.known_apart import APART

_MONDAY: Final = frozenset(
    {"postgres", "redshift", "materialize", "risingwave", "duckdb", "trino", "presto", "athena",
     "spark", "databricks", "snowflake", "clickhouse"}
)  # fmt: skip
_ISO: Final = {"bigquery": "ISOWEEK", "tsql": "ISO_WEEK", "fabric": "ISO_WEEK"}
_CUTTING: Final = frozenset({"timestamptrunc", "datetimetrunc", "datetrunc"})
_TREES: Final = (exp.TimestampTrunc, exp.DatetimeTrunc, exp.DateTrunc)
_UNIT: Final = "unit:var "
_WEEKS: Final = frozenset({"WEEK", *_ISO.values()})


def written(tree: exp.Expr, source: str, target: str) -> None:
    """In place: weeks that begin on Mondays as the target says them, where it has a word."""
    old, new = _word(source), _word(target)
    if old == new or not old or not new:
        return
    for node in tree.find_all(*_TREES):
        unit = node.args.get("unit")
        if isinstance(unit, exp.Var | exp.Literal) and unit.name.upper() == old:
            node.set("unit", exp.var(new))


def spoken(call: Call, source: str, target: str) -> tuple[Call, str]:
    """A call of a plan as the target has to say it, and what that takes for granted."""
    unit = next((s[len(_UNIT) :] for s in call.shape if s.startswith(_UNIT)), "").upper()
    if call.op not in _CUTTING or unit not in _WEEKS or source == target:
        return call, ""
    old, new = _word(source), _word(target)
    if unit != old or not new:
        return replace(call, shape=(*call.shape, APART)), ""
    shape = tuple(f"{_UNIT}{new}" if s.startswith(_UNIT) else s for s in call.shape)
    sure = "snowflake" not in (source, target)
    return replace(call, shape=shape), "" if sure else "WEEK_START of snowflake is 0 or 1"


def _word(dialect: str) -> str:
    """The unit of weeks that begin on Mondays; empty where there is none, or nobody knows."""
    return _ISO.get(dialect, "WEEK" if dialect in _MONDAY else "")
