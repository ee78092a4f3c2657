"""Whether the engine takes the text of a model at all, by its own parser where that is at hand.

Ours reads more than engines do: a WITH or an ORDER BY inside a branch of a UNION, words that are
reserved there. What it reads may be proved, and is printed again before it runs on data, which
mends such a text; so the text itself is asked about. DuckDB's parser is the only one that is here.
What is known without one: no engine takes two CTEs of one name in one WITH, of which ours reads the
last one before, nor a name of no letters, and SQL Server no WITH but in front of the statement.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from sqlglot import exp

from unwet.lineage.names import folded
from unwet.lineage.trees import found_in
from unwet.rewrite.query_parts import has_inner_with

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TOKEN = re.compile(r"\bp__\w+?__p\b", re.IGNORECASE)  # what stands for a placeholder without value
_PLACE = re.compile(r"^LINE (\d+): ", re.MULTILINE)


def refused(sql: str, dialect: str) -> str:
    """Why the engine of a dialect cannot read one query; empty where it can, or is not here.

    A placeholder without a value may stand for a name or for a number: one of them has to do.
    """
    if dialect != "duckdb":
        return ""
    why = _refused_by_duckdb(sql)
    if why and _TOKEN.search(sql) and not _refused_by_duckdb(_TOKEN.sub("1", sql)):
        return ""
    return why


def not_run(tree: exp.Expr, dialect: str) -> str:
    """Why no engine of the dialect runs a query that ours reads; empty where nothing is known."""
    for block in found_in(tree, exp.With):
        names = [folded(cte.args.get("alias"), dialect) for cte in block.expressions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            return f"one WITH has the name {twice[0]} twice"
        if block.parent is not tree and not has_inner_with(dialect):
            return "SQL Server has no WITH inside of a query"
    if any(_is_of_nothing(column) for column in found_in(tree, exp.Column)):
        return "a column is one of a relation without a name"
    return ""


def _is_of_nothing(column: exp.Column) -> bool:
    """Whether it is `"".x`, which no engine takes for a column of `FROM (SELECT ..)`."""
    table = column.args.get("table")
    return isinstance(table, exp.Identifier) and not table.name


def _refused_by_duckdb(sql: str) -> str:
    import duckdb

    try:
        _parser().extract_statements(sql)
    except duckdb.ParserException as error:
        told = str(error)
        if "syntax error" not in told:
            return ""  # a limit of depth or of memory, which a setting may lift
        first = told.partition("\n")[0].partition("Parser Error: ")[2]
        at = _PLACE.search(told)
        line = f" in line {at[1]} of its SQL" if at else ""
        return f"DuckDB cannot read it: {first}{line}"
    except duckdb.Error:
        return ""  # two kinds of parameters, and whatever else is no question of grammar
    return ""


@cache
def _parser() -> DuckDBPyConnection:
    import duckdb

    return duckdb.connect(":memory:", config={"enable_external_access": "false", "threads": "1"})
