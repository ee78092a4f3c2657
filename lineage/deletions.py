"""DELETE as dialects write it, and as the parser does not read it.

DELETE rep.r WHERE n > 1           -- BigQuery, Oracle, SQL Server: FROM may be left out
DELETE TOP (5) FROM rep.r          -- SQL Server: some rows, no table TOP
DELETE LOW_PRIORITY FROM rep.r     -- MySQL: when it is done, no table either
DELETE (SELECT * FROM rep.r)       -- Oracle: through an inline view
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import found_in

_WHEN: Final = frozenset({"low_priority", "quick"})
_MYSQL: Final = frozenset({"mysql", "singlestore", "doris", "starrocks"})
_TSQL: Final = frozenset({"tsql", "fabric"})


def with_their_tables(trees: Sequence[exp.Expr | None], dialect: str) -> None:
    """In place: every DELETE has its table where others have it. Of other dialects `quick` and
    `top` are aliases."""
    for node in (n for tree in trees if tree is not None for n in found_in(tree, exp.Delete)):
        match node.args.get("tables"):
            case [exp.Table() | exp.Subquery() as table] if not isinstance(node.this, exp.Expr):
                node.set("this", table)
                node.set("tables", None)
            case [exp.Table() as word] if dialect in _MYSQL and _is_before(word):
                node.set("tables", [exp.to_table(word.alias)])  # DELETE QUICK x FROM r AS x
            case [exp.Table() as word] if _is_word(word, dialect):
                node.set("tables", None)
                if word.name.lower() == "top":
                    many = exp.Literal.number(word.alias_column_names[0])
                    node.set("limit", exp.Limit(expression=many))


def _is_word(table: exp.Table, dialect: str) -> bool:
    """Whether it is said how or how much is deleted."""
    if dialect in _TSQL and table.name.lower() == "top":
        return not table.alias and len(table.alias_column_names) == 1
    return dialect in _MYSQL and _says_when(table)


def _says_when(table: exp.Table) -> bool:
    return table.name.lower() in _WHEN and not table.args.get("db")


def _is_before(table: exp.Table) -> bool:
    """Whether such a word stands before the table that is meant."""
    return _says_when(table) and table.alias.lower() not in {"", *_WHEN}
