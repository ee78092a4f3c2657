"""Keys of ORDER BY that are columns declared NOT NULL, for an engine that has no NULLS LAST.

    ORDER BY day, id                                           -- PostgreSQL: NULLs last
    ORDER BY CASE WHEN day IS NULL THEN 1 ELSE 0 END, day, ..  -- as it is printed for T-SQL
    ORDER BY day, id                                           -- where there are none

Where such a column has its NULLs is of no effect, also in OVER (..) and in STRING_AGG. It is one
where the query at hand reads the table itself, and not behind an outer join; below ROLLUP and its
like it may be NULL all the same. The proof says so again, by its own rules.

written(tree, source, target, sure)  in place; sure: by table, the columns that are never NULL
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sqlglot import exp

_WITHOUT: Final = frozenset({"tsql", "fabric", "mysql", "singlestore", "doris", "starrocks"})
_SETS: Final = ("rollup", "cube", "grouping_sets", "totals", "all")


def are_said_otherwise(source: str, target: str) -> bool:
    """Whether the target has no words for where the NULLs of the source are."""
    return source != target and target in _WITHOUT


def written(tree: exp.Expr, source: str, target: str, sure: Mapping[str, Collection[str]]) -> None:
    """In place: NULLs where the target has them anyway, for keys that have none."""
    if not are_said_otherwise(source, target):
        return
    for key in tree.find_all(exp.Ordered):
        column = key.this
        if isinstance(column, exp.Column) and _is_sure(column, key, sure):
            key.set("nulls_first", not key.args.get("desc"))


def _is_sure(column: exp.Column, key: exp.Ordered, sure: Mapping[str, Collection[str]]) -> bool:
    query = key.find_ancestor(exp.Query)
    if not isinstance(query, exp.Select) or _is_grouped_by_sets(query):
        return False
    tables = _tables(query)
    if column.table:
        found = tables.get(column.table.lower())
    else:
        found = next(iter(tables.values())) if len(tables) == 1 else None
    if found is None or _is_renamed(column, key, query):
        return False
    return column.name.lower() in sure.get(found.name.lower(), ())


def _tables(query: exp.Select) -> dict[str, exp.Table]:
    """By what they are called: the tables of a query whose rows are all there; nothing where it
    reads anything else, whose columns may be meant."""
    source = query.args.get("from_")
    joins = query.args.get("joins") or []
    parts = [source.this if source is not None else None, *(join.this for join in joins)]
    if any(join.side in ("RIGHT", "FULL") or join.args.get("using") for join in joins):
        return {}
    if not all(isinstance(part, exp.Table) and not part.args.get("pivots") for part in parts):
        return {}
    if len(parts) > 1 or query.args.get("laterals"):
        lost = {id(join.this) for join in joins if join.side}
        return {p.alias_or_name.lower(): p for p in parts if id(p) not in lost and len(parts) > 1}
    return {p.alias_or_name.lower(): p for p in parts}


def _is_grouped_by_sets(query: exp.Select) -> bool:
    group = query.args.get("group")
    if group is None:
        return False
    sets = group.find(exp.Rollup, exp.Cube, exp.GroupingSets) is not None
    return sets or any(group.args.get(name) for name in _SETS)


def _is_renamed(column: exp.Column, key: exp.Ordered, query: exp.Select) -> bool:
    """Whether a bare name at the end of a query is that of another output."""
    above = key.parent
    if column.table or not (isinstance(above, exp.Order) and above.parent is query):
        return False
    named = [e for e in query.expressions if e.alias_or_name.lower() == column.name.lower()]
    return any(not isinstance(e.unalias(), exp.Column) or e.unalias().name.lower()
               != column.name.lower() for e in named)  # fmt: skip
