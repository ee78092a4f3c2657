"""What the data lack that a script reads: older than the pile, newer, or another warehouse's.

The engine says it in its own words, of the statement that it stops at; here it is said of the data.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from sqlglot import exp

from unwet.rewrite.prove.adapt import name_parts, relations

IsGiven = Callable[[tuple[str, ...]], bool]

LACK: Final = "the data have no "
_TABLE: Final = re.compile(r"Table with name \"?([^\s\"!]+)\"? does not exist")
_COLUMN: Final = (  # DuckDB's words; the name of the relation, where they say it, and of the column
    re.compile(r"(?:Table|Values list) \"(?P<of>[^\"]+)\" does not have a column named"
               r" \"(?P<column>[^\"]+)\""),
    re.compile(r"Referenced column \"(?P<column>[^\"]+)\" (?P<of>)not found in FROM clause"),
)  # fmt: skip
_WRITTEN: Final = (exp.Into, exp.Create, exp.Insert, exp.Schema)


def lacking(message: str, tree: exp.Expr, is_given: IsGiven, is_made: IsGiven) -> str:
    """What the data lack when a statement of the old scripts cannot be run for this reason; empty
    where it is something else. ``is_given``: whether the data have a table; ``is_made``: whether a
    script makes it."""
    if (missing := _TABLE.search(message)) is not None:
        name = missing[1]
        return "" if is_made(tuple(name.split("."))) else f"{LACK}table {as_written(name, tree)}"
    for pattern in _COLUMN:
        if (missing := pattern.search(message)) is not None:
            return _no_column(missing["column"], missing["of"], tree, is_given)
    return ""


def as_written(name: str, tree: exp.Expr) -> str:
    """The name of a table, of which an engine may leave out the schema, as the statement has it."""
    last = name.rpartition(".")[2].lower()
    found = (".".join(name_parts(table)) for table in relations(tree))
    return next((each for each in found if each.rpartition(".")[2].lower() == last), name)


def _no_column(column: str, of: str, tree: exp.Expr, is_given: IsGiven) -> str:
    """Only where nothing but tables of the data are read, or the relation is one of these: else it
    may be a column of what a script makes."""
    read = [table for table in relations(tree) if not isinstance(table.parent, _WRITTEN)]
    if of:
        near = [table for table in read if table.alias_or_name.lower() == of.lower()]
    else:
        homes = {id(each.find_ancestor(exp.Select)) for each in tree.find_all(exp.Column)
                 if each.name.lower() == column.lower() and not each.table}  # fmt: skip
        near = [table for table in read if id(table.find_ancestor(exp.Select)) in homes]
    asked = [name_parts(table) for table in near or read]
    if not asked or not all(map(is_given, asked)):
        return ""
    tables = " or ".join(dict.fromkeys(".".join(parts) for parts in asked))
    return f"{LACK}column {column} in {tables}"
