"""What other statements need to know of one before any query is read: the relation that it makes,
the columns that it declares or adds. Values without trees, so that they may go to other processes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlglot import exp

from unwet.lineage.constraints import Loosened
from unwet.lineage.ddl import (
    Addition,
    Rearranged,
    Retyped,
    additions,
    declared,
    parents,
    table_variable,
)
from unwet.lineage.names import INTO_VARIABLES, relation_name, table_part
from unwet.lineage.parse import Statement
from unwet.lineage.scopes import BODIES
from unwet.lineage.tables import CALLED, Table
from unwet.lineage.targets import (
    function_query,
    into_of,
    is_temporary,
    made_name,
    new_name,
    renamed_by_text,
    with_renamed_column,
)


class Place(NamedTuple):
    """A statement's place in the order of its pile: those that stand in strings and loops last,
    as what a script makes itself is better known."""

    inner: bool
    source: int
    position: int  # among those of its source


@dataclass(frozen=True, slots=True)
class Header:
    """A statement that makes a relation.

    `declared`: its columns as DDL gives them, under the name as written; `filled`: a query gives
    them, or more.
    """

    place: Place
    path: str
    index: int
    name: str
    temp: bool
    declared: Table | None
    filled: bool


@dataclass(frozen=True, slots=True)
class Altered:
    """A statement that adds columns or keys to a table, or changes types."""

    place: Place
    name: str
    additions: tuple[Addition, ...]


def headers(statements: Mapping[Place, Statement]) -> Iterator[Header]:
    """The relations that statements make, in the order given."""
    for place, statement in statements.items():
        made = _made_by(statement)
        if made is not None:
            filled = isinstance(statement.tree.args.get("expression"), BODIES)
            table = declared(statement)
            yield Header(place, statement.path, statement.index, *made, table, filled)


def alterations(statements: Mapping[Place, Statement]) -> Iterator[Altered]:
    """What ALTER TABLE adds and changes, in the order given."""
    for place, statement in statements.items():
        tree = statement.tree
        if isinstance(tree, exp.Alter) and isinstance(tree.this, exp.Table):
            added = additions(tree, statement.dialect)
            if added:
                yield Altered(place, relation_name(tree.this, statement.dialect), added)
            for action in tree.args.get("actions") or ():
                if isinstance(action, exp.SwapTable):  # the other one is another table, too
                    other = relation_name(action.this, statement.dialect)
                    yield Altered(place, other, (Retyped(()), Loosened(), Rearranged()))
        elif isinstance(tree, exp.Create):
            for each in parents(tree):
                yield Altered(place, relation_name(each, statement.dialect), (Loosened(),))
        elif isinstance(tree, exp.Command) and (found := _INHERITING.match(statement.text)):
            parent = exp.to_table(found[2], dialect=statement.dialect or None)
            yield Altered(place, relation_name(parent, statement.dialect), (Loosened(),))
        elif isinstance(tree, exp.Command) and (found := _ALTERED.match(statement.text)):
            name = exp.to_table(found[1], dialect=statement.dialect or None)
            relation = relation_name(name, statement.dialect)
            yield Altered(place, relation, (Retyped(()), Loosened(), Rearranged()))
        elif isinstance(tree, exp.Command) and (found := _LOOSENED.match(statement.text)):
            name = exp.to_table(found[1], dialect=statement.dialect or None)
            more = (Rearranged(),) if _GONE.match(statement.text) else ()
            yield Altered(place, relation_name(name, statement.dialect), (Loosened(), *more))
        elif isinstance(tree, exp.Execute) and (renamed := with_renamed_column(tree)) is not None:
            yield Altered(place, relation_name(renamed, statement.dialect), (Rearranged(),))


_NAME = r"""((?:[\w.#@$]|\[[^\]]*\]|"[^"]*"|`[^`]*`)+)"""
# ALTER that the parser does not understand: MODIFY (...) of Oracle, CHANGE COLUMN of Hive
_ALTERED = re.compile(
    rf"\s*ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+|ONLY\s+)*{_NAME}\s+(?:MODIFY|CHANGE|ALTER|REPLACE|SET\s+UNUSED)\b",
    re.IGNORECASE,
)
_INHERITING = re.compile(
    rf"\s*ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+|ONLY\s+)*{_NAME}\s+INHERIT\s+{_NAME}", re.IGNORECASE
)
# what nobody checks any more: T-SQL, Oracle
_LOOSENED = re.compile(
    rf"\s*ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+|ONLY\s+)*{_NAME}\s+(?:NOCHECK|DROP|DISABLE)\b",
    re.IGNORECASE,
)
_GONE = re.compile(rf"{_LOOSENED.pattern}(?<=DROP)(?!\s+CONSTRAINT\b)", re.IGNORECASE)


# --- the names of what statements make


def _made_by(statement: Statement) -> tuple[str, bool] | None:
    """Name of the relation a statement makes, and whether it is temporary."""
    tree, dialect = statement.tree, statement.dialect
    if isinstance(tree, exp.Create):
        if isinstance(tree.this, exp.UserDefinedFunction):
            return _function_header(tree, dialect)
        if str(tree.args.get("kind") or "").upper() not in ("TABLE", "VIEW"):
            return None
        target = table_part(tree.this)
        temp = is_temporary(tree)
    elif isinstance(tree, exp.Declare):
        name = table_variable(tree)
        return (name, True) if name else None
    elif isinstance(tree, exp.Select | exp.SetOperation) and (into := into_of(tree)) is not None:
        if dialect in INTO_VARIABLES:
            return None
        target, temp = into.this, bool(into.args.get("temporary"))
    elif isinstance(tree, exp.Alter) and (renamed := _new_name(tree, dialect)) is not None:
        target, temp = renamed, False
    elif isinstance(tree, exp.Cache):
        target, temp = tree.this, True
    elif isinstance(tree, exp.Command | exp.Execute):
        moved = renamed_by_text(tree, dialect)
        if len(moved) != 1 or moved[0][2]:
            return None
        target, temp = moved[0][1], False
    else:
        return None
    name = made_name(tree, target, dialect)
    return (name, temp or name.startswith("#")) if name else None


def _function_header(tree: exp.Create, dialect: str) -> tuple[str, bool] | None:
    """A function that is one query."""
    name = relation_name(tree.this.this, dialect) if function_query(tree) is not None else ""
    return (name + CALLED, False) if name else None


def _new_name(tree: exp.Alter, dialect: str) -> exp.Table | None:
    """The table that ALTER ... RENAME TO makes."""
    for action in tree.args.get("actions") or ():
        tables = isinstance(tree.this, exp.Table) and isinstance(action.this, exp.Table)
        if isinstance(action, exp.AlterRename) and tables:
            return new_name(tree.this, action.this, dialect)
    return None
