"""What differs between SQL dialects before parsing: quotes, comments, and free placeholder signs.

A small table of our own, so that masking a text does not load the parser; a test compares it with
the parser's tokenizers.
"""

from dataclasses import dataclass
from functools import cache

MYSQL = frozenset({"mysql", "singlestore", "doris", "starrocks"})
POSTGRES = frozenset({"postgres", "redshift", "materialize", "risingwave"})
_SPARK = frozenset({"spark", "spark2", "databricks", "hive", "athena"})
DASH_BLANK = frozenset({"mysql", "singlestore"})
TSQL = frozenset({"tsql", "fabric"})


@dataclass(frozen=True, slots=True)
class Lexis:
    """The lexical habits of one dialect."""

    backslash: bool  # 'it\'s' is one string
    triple: bool  # '''...''' and \"\"\"...\"\"\" are strings
    raw: bool  # r'...' ignores backslashes
    raw_pairs: bool  # but no quote behind one ends it: r'\\'' is a backslash and a quote
    nested: bool  # /* /* */ */ is one comment
    brackets: bool  # [a b] is an identifier
    dollar_quotes: bool  # $$ ... $$ and $tag$ ... $tag$ are strings
    line_comments: tuple[str, ...]
    dash_blank: bool  # `--` begins a comment only before a blank: 5--3 is 8
    at: str  # an undeclared @x: "text", "value" (a driver binds it), or "" (not a placeholder)
    dollar: str  # the same for $x
    colon: str  # the same for :x
    question: str  # the same for ?
    bare_statements: bool  # statements may follow each other without a semicolon


@cache
def lexis(dialect: str | None) -> Lexis:
    """The habits of `dialect` ("" or None: standard SQL)."""
    name = (dialect or "").lower()
    return Lexis(
        backslash=name in MYSQL | _SPARK | {"bigquery", "clickhouse", "redshift", "snowflake"},
        triple=name == "bigquery",
        raw=name in {"bigquery", "spark", "databricks"},
        raw_pairs=name == "bigquery",
        nested=name
        not in MYSQL | {"bigquery", "snowflake", "trino", "presto", "oracle"} | {"sqlite", "dune"},
        brackets=name in TSQL | {"sqlite", "exasol"},
        dollar_quotes=name in POSTGRES | {"duckdb", "snowflake", "clickhouse"},
        line_comments=_line_comments(name),
        dash_blank=name in DASH_BLANK,
        at="" if name in MYSQL | {"snowflake"} else "value" if name == "bigquery" else "text",
        dollar="value" if name == "duckdb" else "" if name in {"snowflake", "oracle"} else "text",
        colon="value",
        question="" if name in POSTGRES else "value",
        bare_statements=name in TSQL,
    )


def _line_comments(name: str) -> tuple[str, ...]:
    if name in {"mysql", "singlestore", "doris", "bigquery", "clickhouse"}:
        return ("--", "#")
    if name in {"snowflake", "dremio"}:
        return ("--", "//")
    return ("--",)
