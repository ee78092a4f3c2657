"""Slices of a table: rows that have one whole number in a column, which is all that a statement
writes or reads there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from unwet.lineage.resolve import Input, Query, Resolved
from unwet.rewrite.definitions import Definition
from unwet.rewrite.reads import blocks
from unwet.rewrite.writes import is_plain

_Pair = tuple[str, int]  # a column and the number in it


def leaves_alone(delete: Resolved, current: Definition) -> bool:
    """Whether a DELETE can meet no row that the relation holds: it asks for a constant in a column
    in which every INSERT so far has put another one."""
    if not is_plain(delete) or not current.parts:
        return False
    columns = current.columns
    return any(
        all(_puts_other(part, part.target_columns or columns, *pair) for part in current.parts)
        for pair in _deleted(delete)
    )


def is_unseen(name: str, reader: Resolved, later: Sequence[Resolved]) -> bool:
    """Whether a statement reads none of the rows of a relation that others write: wherever it
    reads the relation it asks for a constant in a column, and they have another one there."""
    if reader.query is None or any(write.target != name for write in later):
        return False
    found = [_asked(b, i) for b in blocks(reader.query) for i in b.inputs if i.stored == name]
    return all(
        any(all(_is_other(write, *pair) for write in later) for pair in pairs) for pairs in found
    )


def leaves(query: Query) -> Sequence[Query]:
    """The SELECTs that a query puts together."""
    if not query.branches:
        return (query,)
    return [leaf for branch in query.branches for leaf in leaves(branch)]


# --- what is written ------------------------------------------------------------------------------


def _is_other(write: Resolved, column: str, wanted: int) -> bool:
    """Whether a statement takes away and puts in only rows with another number in a column."""
    if write.kind == "delete":
        deleted = _deleted(write) if is_plain(write) else ()
        return any(c == column and value != wanted for c, value in deleted)
    return write.kind == "insert" and _puts_other(write, write.target_columns or (), column, wanted)


def _deleted(delete: Resolved) -> Iterator[_Pair]:
    """What a DELETE asks for in columns of its table."""
    where = delete.statement.tree.args.get("where")
    for each in _conjuncts(where):
        if (pair := _column_is(each)) is not None:
            yield pair[0].name.lower(), pair[1]


def _puts_other(part: Resolved, named: Sequence[str], column: str, wanted: int) -> bool:
    """Whether an INSERT puts another whole number into a column in each of its rows: 2.4 may be
    stored as 2."""
    columns = [name.lower() for name in named]
    if part.kind != "insert" or part.query is None or columns.count(column) != 1:
        return False
    if part.statement.tree.args.get("overwrite"):
        return False
    at = columns.index(column)
    for query in leaves(part.query):
        value = query.outputs[at].expression if at < len(query.outputs) else None
        if not query.complete or not isinstance(value, exp.Literal) or not value.is_int:
            return False
        if int(value.name) == wanted:
            return False
    return True


# --- what is read ---------------------------------------------------------------------------------


def _asked(block: Query, item: Input) -> list[_Pair]:
    """What a block asks for in columns of one of its inputs: rows that have something else there
    are as good as not there. A WHERE drops them whatever they are joined to, and the ON of an
    input's own inner or left join does not let them in."""
    tests = [*_conjuncts(block.node.args.get("where"))]
    join = item.join
    if join is not None and join.side in ("", "LEFT") and join.kind in ("", "INNER", "OUTER"):
        tests += _conjuncts(join.args.get("on"))
    found = [pair for each in tests if (pair := _column_is(each)) is not None]
    return [(column.name.lower(), number) for column, number in found if _is_of(column, item)]


def _is_of(column: exp.Column, item: Input) -> bool:
    named = column.table.lower() == item.alias.lower()
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
