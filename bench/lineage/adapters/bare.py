"""A bare SELECT for tools that only speak of statements with a target. Standard library only."""

import re
from typing import Any

RESULT = "bench_result"
_QUERY = re.compile(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*(?:select|sel|with)\b", re.I | re.S)
_CHANGES = re.compile(r"\b(?:insert\s|update\s|merge\s|delete\s|into\s)", re.I)


def wrapped(sql: str) -> str:
    """CREATE TABLE bench_result AS the query, when the text is one bare query."""
    text = sql.strip().rstrip(";")
    if ";" in text or not _QUERY.match(text) or _CHANGES.search(text):
        return sql
    return f"CREATE TABLE {RESULT} AS\n{text}"


def column_end(column: Any) -> list[str]:
    """Relation and name of a column of sqllineage or its fork, at either end of a path."""
    parent = column.parent
    if parent is None:
        candidates = "|".join(sorted(str(each) for each in column.parent_candidates))
        return [candidates or "?", column.raw_name]
    relation = str(parent)
    if type(parent).__name__ == "SubQuery":
        relation = "(" + relation
    return ["" if relation.rpartition(".")[2] == RESULT else relation, column.raw_name]
