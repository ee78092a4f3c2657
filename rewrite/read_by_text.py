"""Relations that a query reads by a text, which no model can put into its place.

SELECT a FROM table_changes('rep.a', 2)               -- Databricks
SELECT a FROM IDENTIFIER('rep.a')                     -- Databricks, Snowflake
SELECT a FROM OPENQUERY(srv, 'SELECT a FROM rep.a')   -- SQL Server
SELECT a FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))     -- Snowflake: what the statement before gave
SELECT a FROM st, METADATA$ACTION ...                 -- Snowflake: a stream, read once
SELECT a FROM `rep.sales_*`                           -- BigQuery: all that begin so
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Final

from unwet.lineage.parse import Statement
from unwet.rewrite.changed_by_text import NAME, last_parts, plain
from unwet.rewrite.lost import last_part

_BY_TEXT: Final = re.compile(
    r"\b(?P<by>TABLE_CHANGES|OPENQUERY|OPENROWSET|OPENDATASOURCE|DBLINK\w*|EXTERNAL_QUERY"
    r"|QUERY_TABLE|QUERY|POSTGRES_QUERY|MYSQL_QUERY|REMOTE_QUERY|MERGE|REMOTE|CLUSTER"
    r"|QUERY_TO_XML|(?:IDENTIFIER|TABLE)(?=\s*\(\s*'))\s*\(",
    re.IGNORECASE,
)
_STREAM: Final = re.compile(
    rf"\s*CREATE\s+(?:OR\s+REPLACE\s+)?STREAM\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})",
    re.IGNORECASE,
)
_OF_STREAMS: Final = re.compile(r"\bMETADATA\$(?:ACTION|ISUPDATE)\b", re.IGNORECASE)
_LAST_RESULT: Final = re.compile(r"\b(?:RESULT_SCAN|LAST_QUERY_ID)\s*\(", re.IGNORECASE)
_TEXT: Final = re.compile(r"'(?P<told>(?:[^']|'')*)'|[()]")
_NAME: Final = re.compile(NAME)


def read_by_text(statement: Statement, made: Mapping[str, frozenset[str]]) -> str:
    """Why a query has no model; empty if it may have. ``made``: the relations of the pile by the
    last part of their names."""
    text = statement.text
    if _LAST_RESULT.search(text):
        return "it reads what a statement before it has returned"
    for hit in _BY_TEXT.finditer(text):
        for told in _within(text, hit.end()):
            for relation in _named(told, made):
                return f"it reads {relation} by a text, in {hit['by'].upper()}"
    return ""


def streams(statements: Iterable[Statement]) -> frozenset[str]:
    """The last parts of the names of the streams that a pile makes (Snowflake)."""
    hits = (_STREAM.match(each.text) for each in statements)
    return frozenset(part for hit in hits if hit is not None for part in last_parts(hit["name"]))


def read_from_stream(statement: Statement, names: Iterable[str], known: Container[str]) -> str:
    """Why a query of changes has no model: they are gone when it has read them. ``known``: the
    streams of the pile."""
    if _OF_STREAMS.search(statement.text):
        return "it reads the changes of a table, which are gone when they are read"
    found = sorted(name for name in names if last_part(name) in known)
    return f"it reads the stream {found[0]}, which is empty when it is read" if found else ""


def read_by_pattern(names: Iterable[str], made: Mapping[str, frozenset[str]]) -> str:
    """The same of a name that stands for several (`rep.sales_*` of BigQuery)."""
    for name in sorted(name for name in names if "*" in name):
        pattern = re.compile(re.escape(name).replace(r"\*", ".*"))
        for relation in sorted({each for several in made.values() for each in several}):
            if pattern.fullmatch(relation):
                return f"it reads {name}, of which {relation} is one"
    return ""


def _within(text: str, start: int) -> Iterator[str]:
    """The texts in quotes before a parenthesis that was opened is closed."""
    depth = 1
    for hit in _TEXT.finditer(text, start):
        depth += (hit[0] == "(") - (hit[0] == ")")
        if depth == 0:
            return
        if hit["told"]:
            yield hit["told"]


def _named(told: str, made: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for name in _NAME.finditer(told):
        parts = ".".join(plain(part) for part in name[0].split("."))
        for relation in sorted(made.get(last_part(parts), ())):
            if f".{relation}".endswith(f".{parts}") or f".{parts}".endswith(f".{relation}"):
                yield relation
