"""Days and moments as constant texts, which each engine reads in a way of its own.

    d > '20200101'              1 January 2020 in T-SQL and PostgreSQL; seconds since 1970 in
                                Snowflake; an error in BigQuery, DuckDB and Databricks
    CAST('01/02/2020' AS DATE)  a day in January or February, by settings

'2020-01-02' and '2020-01-02 10:00:00' are the same in all ("Supported string literal formats for
date" of Transact-SQL, "Date/Time Input" of PostgreSQL, "Date and time input and output formats" of
Snowflake).

is_odd_day(expr, source, target) -> whether a text is none that both read alike
seems_odd_day(expr, source, target) -> whether it looks like one, whatever it is compared with
"""

from __future__ import annotations

import re
from typing import Final

from unwet.lineage.templating import TOKEN
from unwet.rewrite.algebra import Expr, Lit

_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?")
_DIGITS: Final = re.compile(r"\d{8}")
_DAY: Final = re.compile(r"(?:19|20)\d{6}|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}")
_READING_DIGITS: Final = frozenset({"tsql", "fabric", "postgres", "redshift", "mysql"})


def is_odd_day(expr: Expr, source: str, target: str) -> bool:
    """Whether an expression is a text that two dialects may read as two days."""
    if not isinstance(expr, Lit) or expr.kind != "string" or _ISO.fullmatch(expr.text):
        return False
    if TOKEN.search(expr.text):  # a placeholder stands for what whoever runs it puts there
        return False
    return not _DIGITS.fullmatch(expr.text) or not {source, target} <= _READING_DIGITS


def seems_odd_day(expr: Expr, source: str, target: str) -> bool:
    """Whether an expression is such a text, and most likely meant as a day."""
    odd = is_odd_day(expr, source, target)
    return odd and isinstance(expr, Lit) and _DAY.fullmatch(expr.text) is not None
