"""Slices of a table: rows that have one whole number in a column, which is all that a statement
writes or reads there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp

from unwet.lineage.names import folded
from unwet.lineage.resolve import Input, Query, Resolved
from unwet.lineage.tables import Table
from unwet.rewrite.definitions import Definition
from unwet.rewrite.reads import blocks
from unwet.rewrite.writes import is_plain

_Pair = tuple[str, int]  # a column, by its folded name, and the number in it

_ANY = "any type"
# Types whose columns hold a whole number as it was put in, and how many digits each surely has.
# T-SQL's BIT makes 1 of every number but 0 (its manual, "bit"), and a text may be cut.
_DIGITS = {
    **dict.fromkeys(("BIGINT", "INT8", "INT64", "LONG", "NUMBER", "NUMERIC", "DECIMAL"), 18),
    **dict.fromkeys(("INT", "INTEGER", "INT4", "INT32"), 9),
    **dict.fromkeys(("SMALLINT", "INT2", "INT16"), 4),
    **dict.fromkeys(("TINYINT", "BYTEINT"), 2),
}


def leaves_alone(delete: Resolved, current: Definition) -> bool:
    """Whether a DELETE can meet no row that the relation holds: it asks for a constant in a column
    in which every INSERT so far has put another one."""
    if not is_plain(delete) or not current.parts:
        return False
    columns = current.columns
    types = dict(zip(columns, current.types, strict=False))
    return any(
        all(_puts_other(part, part.target_columns or columns, *pair, types)
            for part in current.parts)
        for pair in _deleted(delete)
    )  # fmt: skip


def is_unseen(name: str, reader: Resolved, later: Sequence[Resolved], known: Table | None) -> bool:
    """Whether a statement reads none of the rows of a relation that others write: wherever it
    reads the relation it asks for a constant in a column, and they have another one there.
    ``known``: what the pile declares of the relation."""
    if reader.query is None or any(write.target != name for write in later):
        return False
    types = _types(known) if known is not None else {}
    dialect = reader.statement.dialect
    found = [
        _asked(b, i, dialect) for b in blocks(reader.query) for i in b.inputs if i.stored == name
    ]
    return all(
        any(all(_is_other(write, *pair, types) for write in later) for pair in pairs)
        for pairs in found
    )


def _types(table: Table) -> dict[str, str]:
    """By column; of a table that a query makes, one that is not known may be any."""
    unknown = _ANY if table.origin == "statement" else ""
    return {column.name: column.type or unknown for column in table.columns}


def leaves(query: Query) -> Sequence[Query]:
    """The SELECTs that a query puts together."""
    if not query.branches:
        return (query,)
    return [leaf for branch in query.branches for leaf in leaves(branch)]


# --- what is written ------------------------------------------------------------------------------


def _is_other(write: Resolved, column: str, wanted: int, types: Mapping[str, str]) -> bool:
    """Whether a statement takes away and puts in only rows with another number in a column."""
    if write.kind == "delete":
        deleted = _deleted(write) if is_plain(write) else ()
        return any(c == column and value != wanted for c, value in deleted)
    named = write.target_columns or ()
    return write.kind == "insert" and _puts_other(write, named, column, wanted, types)


def _deleted(delete: Resolved) -> Iterator[_Pair]:
    """What a DELETE asks for in columns of its table."""
    where = delete.statement.tree.args.get("where")
    for each in _conjuncts(where):
        if (pair := _column_is(each)) is not None:
            yield folded(pair[0].this, delete.statement.dialect), pair[1]


def _puts_other(
    part: Resolved, named: Sequence[str], column: str, wanted: int, types: Mapping[str, str]
) -> bool:
    """Whether an INSERT puts another whole number into a column in each of its rows, and the
    column's type holds it as it is: 2.4 may be stored as 2."""
    if part.kind != "insert" or part.query is None or named.count(column) != 1:
        return False
    if part.statement.tree.args.get("overwrite"):
        return False
    at, kind = named.index(column), types.get(column, "")
    for query in leaves(part.query):
        value = query.outputs[at].expression if at < len(query.outputs) else None
        if not query.complete or not isinstance(value, exp.Literal) or not value.is_int:
            return False
        if int(value.name) == wanted or not _holds(kind, value.name):
            return False
    return True


def _holds(kind: str, number: str) -> bool:
    """Whether a column of a declared type has that whole number in it when it is put there; one
    that nobody declares takes what comes, which is an assumption that is told elsewhere."""
    word, *sizes = re.findall(r"\w+", kind.upper()) or [""]
    if not word:
        return True
    digits = _DIGITS.get(word, 0)
    if digits and sizes and all(size.isdigit() for size in sizes):
        whole = int(sizes[0]) - int(sizes[1] if len(sizes) > 1 else 0)
        digits = min(digits, whole) if word in ("NUMBER", "NUMERIC", "DECIMAL") else digits
    return len(number.lstrip("0")) <= digits


# --- what is read ---------------------------------------------------------------------------------


def _asked(block: Query, item: Input, dialect: str) -> list[_Pair]:
    """What a block asks for in columns of one of its inputs: rows that have something else there
    are as good as not there. A WHERE drops them whatever they are joined to, and the ON of an
    input's own inner or left join does not let them in."""
    tests = [*_conjuncts(block.node.args.get("where"))]
    join = item.join
    if join is not None and join.side in ("", "LEFT") and join.kind in ("", "INNER", "OUTER"):
        tests += _conjuncts(join.args.get("on"))
    found = [pair for each in tests if (pair := _column_is(each)) is not None]
    return [(folded(c.this, dialect), number) for c, number in found if _is_of(c, item, dialect)]


def _is_of(column: exp.Column, item: Input, dialect: str) -> bool:
    table = column.args.get("table")
    named = table is not None and folded(table, dialect) == item.alias
    return named and not column.args.get("db")


def _conjuncts(test: exp.Expr | None) -> Sequence[exp.Expr]:
    inner = test.this if isinstance(test, exp.Where) else test
    if inner is None:
        return ()
    return tuple(inner.flatten()) if isinstance(inner, exp.And) else (inner,)


def _column_is(condition: exp.Expr) -> tuple[exp.Column, int] | None:
    """`column = whole number` as the two."""
    if not isinstance(condition, exp.EQ):
        return None
    sides = (condition.this, condition.expression)
    for one, other in (sides, sides[::-1]):
        if isinstance(one, exp.Column) and isinstance(other, exp.Literal) and other.is_int:
            return one, int(other.name)
    return None
