"""Variables that a script declares, read by their plain names: `DECLARE k INT64` of BigQuery.

A name is a column if a table has one that is called so, and a variable if not (BigQuery,
"Procedural language", DECLARE); in MySQL it is a variable. Arguments of a procedure are variables,
too, and :k of Snowflake is one that is declared. A model has no variables.

variable_read(part) -> the first that a statement may read, "" where it reads none
session_value(part) -> what it asks its session for that only another statement can have said
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from unwet.lineage.dialects import MYSQL
from unwet.lineage.resolve import Query, Resolved
from unwet.rewrite.reads import blocks

# DuckDB and Snowflake; SQL Server
_OF_SESSION = frozenset(
    {"GETVARIABLE", "SESSION_CONTEXT", "CONTEXT_INFO",
     # what its last statements did
     "SCOPE_IDENTITY", "IDENT_CURRENT", "ROWCOUNT_BIG", "LAST_INSERT_ID", "LAST_INSERT_ROWID",
     "FOUND_ROWS", "ROW_COUNT", "CURRVAL", "LASTVAL", "LAST_QUERY_ID"}
)  # fmt: skip
_SEE_OUTPUTS = (exp.Group, exp.Having, exp.Order, exp.Qualify)


def variable_read(part: Resolved) -> str:
    """As its author spells it."""
    declared = part.statement.variables
    if not declared or part.query is None:
        return ""
    if (bound := _bound(part, declared)) is not None:
        return bound
    by_node = {id(block.node): block for block in blocks(part.query)}
    for column in part.query.node.find_all(exp.Column):
        plain = not column.table and column.name.lower() in declared
        wins = part.statement.dialect in MYSQL  # ("Local Variable Scope and Resolution")
        if plain and (wins or not any(_has(b, column) for b in _around(column, by_node))):
            return column.name
    return ""


def _bound(part: Resolved, declared: frozenset[str]) -> str | None:
    """The first that a statement says as :k, as those of Snowflake are."""
    text = part.statement.text.lower()
    for place in part.statement.masked.placeholders:
        is_declared = place.style == "colon" and place.name.lower() in declared
        if is_declared and place.token.lower() in text:
            return place.text
    return None


def session_value(part: Resolved) -> str:
    """A call such as `getvariable('k')`; of CURRENT_SETTING only what no server has by itself: its
    name has a dot (PostgreSQL, "Customized Options")."""
    if part.query is None:
        return ""
    for call in part.query.node.find_all(exp.Anonymous):
        name = call.name.upper()
        own = name == "CURRENT_SETTING" and any("." in each.name for each in call.expressions[:1])
        if own or name in _OF_SESSION:
            return call.sql(part.statement.dialect)
    return ""


def _around(column: exp.Column, by_node: dict[int, Query]) -> Iterator[Query]:
    """The queries whose tables a column may be of, innermost first: what stands in a FROM sees none
    of those beside it."""
    node, inside = column.parent, False
    while node is not None:
        if id(node) in by_node:
            yield by_node[id(node)]
            inside = True
        elif inside and isinstance(node, exp.From | exp.Join | exp.CTE):
            return
        node = node.parent


def _has(block: Query, column: exp.Column) -> bool:
    """Whether a name is a column of what a query reads, or an output where these are seen."""
    name = column.name.lower()
    if any(name in (each.lower() for each in item.index) for item in block.inputs):
        return True
    clause = column.find_ancestor(*_SEE_OUTPUTS, exp.Query)
    if not isinstance(clause, _SEE_OUTPUTS) or clause.parent is not block.node:
        return False
    items = block.node.args.get("expressions") or ()
    return any(isinstance(item, exp.Alias) and item.alias.lower() == name for item in items)
