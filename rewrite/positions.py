"""GROUP BY the number of an output and GROUP BY its expression: the same, said in two ways.

Not in T-SQL and Oracle, where a number is a constant, nor in Hive, where a setting decides. Not
where a star stands before the output, as it may be any number of columns, and not for what may be
another value each time, nor for a query.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlglot import exp

NUMBERED: Final = frozenset(
    {"", "athena", "bigquery", "clickhouse", "databricks", "duckdb", "mysql", "postgres", "presto",
     "redshift", "snowflake", "spark", "sqlite", "trino"}
)  # fmt: skip
_LONG: Final = 60  # characters of a key: a shorter one is read faster than it is counted
_CONSTANT: Final = (exp.Literal, exp.Null, exp.Boolean)
_MOVING: Final = (exp.Rand, exp.Randn, exp.Uuid, exp.Anonymous, exp.Query)


def by_position(tree: exp.Expr, dialect: str) -> None:
    """In place: queries with a long key that is an output, too, say its number, and those of their
    other keys that are outputs."""
    for group, outputs in _grouped(tree, dialect):
        keys = group.expressions
        if any(key in outputs and _is_long(key) and _stands_still(key) for key in keys):
            for key in keys:
                if key in outputs and _stands_still(key):
                    key.replace(exp.Literal.number(outputs.index(key) + 1))


def by_expression(tree: exp.Expr, dialect: str) -> None:
    """In place: the keys that are numbers of outputs are the expressions of these."""
    for group, outputs in _grouped(tree, dialect):
        for key in group.expressions:
            at = int(key.name) - 1 if isinstance(key, exp.Literal) and key.is_int else -1
            if 0 <= at < len(outputs) and _stands_still(outputs[at]):
                key.replace(outputs[at].copy())


def without_constants(tree: exp.Expr) -> bool:
    """In place: keys that are constants go where others stand beside them, which make the same
    groups (SQL Server, "GROUP BY": no key may be without a column). Whether nothing is left that
    may be the number of an output: behind a star, and in ROLLUP and its like."""
    for group in tree.find_all(exp.Group):
        if any(isinstance(key, exp.Literal) and key.is_int for key in group.expressions):
            return False
        kept = [key for key in group.expressions if not isinstance(key.unnest(), _CONSTANT)]
        if kept and len(kept) < len(group.expressions):
            group.set("expressions", kept)
    sets = tree.find_all(exp.Rollup, exp.Cube, exp.GroupingSets)
    return not any(
        literal.is_int and isinstance(literal.parent, exp.Tuple | exp.Paren | type(each))
        for each in sets
        for literal in each.find_all(exp.Literal)
    )


def _grouped(tree: exp.Expr, dialect: str) -> Iterator[tuple[exp.Expr, list[exp.Expr]]]:
    """The plain GROUP BYs, and what the outputs before the first star are."""
    if dialect not in NUMBERED:
        return
    for select in list(tree.find_all(exp.Select)):
        group = select.args.get("group")
        said = {name for name, value in group.args.items() if value} if group is not None else set()
        if group is None or said != {"expressions"}:
            continue
        outputs: list[exp.Expr] = []
        for item in select.expressions:
            if item.is_star:
                break
            outputs.append(item.unalias())
        yield group, outputs


def _is_long(key: exp.Expr) -> bool:
    return not isinstance(key, exp.Column | exp.Literal) and len(key.sql()) > _LONG


def _stands_still(expression: exp.Expr) -> bool:
    return not isinstance(expression, _MOVING) and expression.find(*_MOVING) is None
