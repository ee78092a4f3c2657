"""What the data lack that a script reads: older than the pile, newer, or another warehouse's.

The engine says it in its own words, of the statement that it stops at; here it is said of the data.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from unwet.lineage.counted import counted
from unwet.rewrite.prove.adapt import name_parts, relations

if TYPE_CHECKING:
    from unwet.rewrite.prove.tested import DataVerdict

IsGiven = Callable[[tuple[str, ...]], bool]

_SAID: Final = "the data have no "
_HELP: Final = "help: give --data as they were when the scripts ran"
_MANY: Final = 5  # that are told one by one
_TABLE: Final = re.compile(r"Table with name \"?([^\s\"!]+)\"? does not exist")
_COLUMN: Final = (  # DuckDB's words; the name of the relation, where they say it, and of the column
    re.compile(r"(?:Table|Values list) \"(?P<of>[^\"]+)\" does not have a column named"
               r" \"(?P<column>[^\"]+)\""),
    re.compile(r"Referenced column \"(?P<column>[^\"]+)\" (?P<of>)not found in FROM clause"),
)  # fmt: skip
_WRITTEN: Final = (exp.Into, exp.Create, exp.Insert, exp.Schema)
_LACK: Final = re.compile(rf"{_SAID}(?:table|column) [^;]+")


def lacking(message: str, tree: exp.Expr, is_given: IsGiven, is_made: IsGiven) -> str:
    """What the data lack when a statement of the old scripts cannot be run for this reason; empty
    where it is something else. ``is_given``: whether the data have a table; ``is_made``: whether a
    script makes it."""
    if (missing := _TABLE.search(message)) is not None:
        name = missing[1]
        return "" if is_made(tuple(name.split("."))) else f"{_SAID}table {as_written(name, tree)}"
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
    return f"{_SAID}column {column} in {tables}"


def lacks(tests: Sequence[DataVerdict]) -> Iterator[str]:
    """Notes on what the data lack: of the reports that were not run for it, and of the tables that
    are taken for empty ones, as the pile declares them."""
    empty = sorted({name for test in tests for name in test.empty})
    found = Counter(hit[0] for test in tests if test.verdict == "not run"
                    and (hit := _LACK.search(test.reason)) is not None)  # fmt: skip
    said = [
        f"{lack}: {counted(many, 'report')} not run on them" for lack, many in sorted(found.items())
    ]
    said += [f"{_SAID}table {name}, which the pile declares: it is taken for an empty one"
             for name in empty]  # fmt: skip
    yield from said[:_MANY]
    if len(said) > _MANY:
        yield f"... and {len(said) - _MANY:,} more that they do not have"
    if said:
        yield f"  {_HELP}"
