"""Formats of days and times that say something else to each engine, or nothing.

    FORMAT_DATE('%A', d)       Snowflake has no word for the whole name of a day: '%A' stands there
    TO_CHAR(d, 'MONTH')        in capitals and filled with blanks in Oracle and Redshift
    FORMAT_DATE('%e', d)       ' 1' in BigQuery, '1' in MySQL; Snowflake has '01' alone
    DATE_FORMAT(a, '%M')       the minute, or in ClickHouse the name of the month

sqlglot has a format as directives, and each dialect's own words for these ("Date and time format"
in the manuals). What it has no word for it leaves as it is, so that it reads the same there again.
"""

from __future__ import annotations

import re
from typing import Final

from sqlglot.dialects.dialect import Dialect
from sqlglot.time import format_time

from unwet.rewrite.algebra import Expr, Lit

_DIRECTIVE: Final = re.compile(r"%(-?\w)(?:strict)?")
_LETTERS: Final = re.compile(r"[A-SU-Za-z]")  # T stands between days and hours
# what says the same wherever it has a word; weeks and weekdays each engine counts in its own way
_SURE: Final = frozenset("YymdHIMSjpabABf") | {"-d", "-m", "-H", "-I"}
_IN_WORDS: Final = frozenset(
    {"postgres", "redshift", "oracle", "snowflake", "tsql", "fabric", "spark", "databricks", "hive"}
)  # whose formats have no %
_SPARK: Final = dict.fromkeys(("spark", "databricks", "hive"), frozenset({"j"}))  # no zeros
_TSQL: Final = dict.fromkeys(("tsql", "fabric"), frozenset({"j", "p", "a"}))
# what a dialect has in a way of its own, or not
_OWN_WAY: Final[dict[str, frozenset[str]]] = {
    **_SPARK,
    **_TSQL,
    "bigquery": frozenset({"-d", "-m", "-H", "-I"}),
    "clickhouse": _SURE - {"Y", "m", "d", "H", "S"},
    "oracle": frozenset({"a", "b", "A", "B"}),
    "redshift": frozenset({"a", "b", "A", "B"}),
    "snowflake": frozenset({"-d", "-m", "-H", "-I"}),
    "sqlite": _SURE - {"Y", "m", "d", "H", "M", "S", "j"},
}


def is_odd_format(expr: Expr, source: str, target: str) -> bool:
    """Whether two dialects do not mean the same by a format, or one has no words for it."""
    if not isinstance(expr, Lit) or expr.kind != "string":
        return False
    said = {*_DIRECTIVE.findall(expr.text)}
    if not said <= _SURE or _LETTERS.search(_DIRECTIVE.sub("", expr.text)):
        return True
    return any(said & _OWN_WAY.get(each, frozenset()) or _has_no_word(expr.text, each)
               for each in (source, target))  # fmt: skip


def _has_no_word(text: str, name: str) -> bool:
    dialect = Dialect.get_or_raise(name or None)
    return name in _IN_WORDS and "%" in (
        format_time(text, dialect.INVERSE_TIME_MAPPING, dialect.INVERSE_TIME_TRIE) or ""
    )
