"""PIVOT and UNPIVOT as groups and unions.

UNPIVOT(r, v FOR n IN (a, b))       ->  the union of all (r's other columns, 'a' AS n, a AS v)
                                        and (the other columns, 'b', b), where v is not NULL
PIVOT(r, sum(x) FOR k IN (1, 2))    ->  sum(x) where k = 1, sum(x) where k = 2, by r's other columns

All columns of the rows have to be known, as those that are not named decide what is kept.
(BigQuery, Snowflake, DuckDB: their references on PIVOT and UNPIVOT.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.lineage.names import folded
from unwet.lineage.resolve import Query
from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Col,
    Expr,
    Filter,
    Lit,
    Plan,
    Project,
    Rel,
    SetOp,
    parts,
)
from unwet.rewrite.clauses import only
from unwet.rewrite.scalars import Unsupported, encode
from unwet.rewrite.stars import UNKNOWN, is_open
from unwet.rewrite.volatile import is_random_plan

_UNDERSTOOD: Final = frozenset(
    {"alias", "expressions", "fields", "unpivot", "include_nulls", "columns",
     "identify_pivot_strings", "prefixed_pivot_columns", "pivot_column_naming",
     "value_columns_first"}
)  # fmt: skip
_MOST: Final = 100  # columns that become rows: each is a branch over all the others
_UNPIVOTING: Final = ("bigquery", "duckdb", "snowflake")
_SKIPPING: Final = frozenset({"sum", "min", "max", "avg", "count"})  # what is NULL is not there


def pivot_plan(query: Query, rows: Rel, names: Sequence[str], presumed: set[str]) -> Plan:
    """The rows of a PIVOT or UNPIVOT over `rows`, whose columns are called `names`. `presumed` gets
    what that takes for granted. Raises Unsupported."""
    pivot = query.node
    only(pivot, _UNDERSTOOD)
    if not query.complete or is_open(names) or len(set(names)) < len(names):
        raise Unsupported(UNKNOWN)
    fields = pivot.args.get("fields") or []
    alias = pivot.args.get("alias")
    if len(fields) != 1 or not isinstance(fields[0], exp.In) or (alias and alias.columns):
        raise Unsupported("PIVOT in another form than FOR x IN (...)")
    at = {name: n for n, name in enumerate(names)}
    if pivot.args.get("unpivot"):
        return _unpivoted(query, rows, at, fields[0], presumed)
    return _pivoted(query, rows, at, fields[0])


# --- UNPIVOT ----------------------------------------------------------------------------------


def _unpivoted(
    query: Query, rows: Rel, at: Mapping[str, int], field: exp.In, presumed: set[str]
) -> Plan:
    pivot, dialect = query.node, query.dialect
    if dialect not in _UNPIVOTING or is_random_plan(rows):
        raise Unsupported(f"UNPIVOT of {dialect or 'no dialect'}")
    values = pivot.expressions
    if len(values) != 1 or isinstance(values[0], exp.Tuple):
        raise Unsupported("UNPIVOT into several columns")
    if len(field.expressions) > _MOST:
        raise Unsupported(f"UNPIVOT of more than {_MOST} columns")
    value, name = folded(values[0], dialect), folded(field.this, dialect)
    melted = [_melted(each, at, dialect) for each in field.expressions]
    presumed |= _spelled_alike(field, dialect)
    names = tuple(output.name for output in query.outputs)
    kept = [each for each in names if each not in (value, name)]
    if len(names) != len(kept) + 2 or len(kept) + len(melted) != len(at) or not set(kept) <= {*at}:
        raise Unsupported("UNPIVOT of columns that are not told apart")
    whole = bool(pivot.args.get("include_nulls"))
    branches = []
    for column, label in melted:
        cells = {**{each: Col(at[each]) for each in kept}, value: Col(column), name: label}
        there = rows if whole else Filter(rows, (_is_known(Col(column)),))
        branches.append(Project(there, tuple(cells[each] for each in names)))
    return Plan(names, SetOp("union_all", tuple(branches)) if len(branches) > 1 else branches[0])


def _melted(item: exp.Expr, at: Mapping[str, int], dialect: str) -> tuple[int, Expr]:
    """Which column becomes rows, and what its rows are called."""
    column, said = item, None
    if isinstance(item, exp.Alias | exp.PivotAlias):
        column, said = item.this, item.args.get("alias")
    place = _column(column, at, dialect)
    match said:
        case None:
            return place, Lit("string", _written(column.this, dialect))
        case exp.Literal():
            return place, Lit("string" if said.is_string else "number", said.name)
        case exp.Identifier():
            return place, Lit("string", _written(said, dialect))
        case _:
            raise Unsupported("UNPIVOT with names that are computed")


def _spelled_alike(field: exp.In, dialect: str) -> set[str]:
    """DuckDB's values are the names as the table spells them, whatever UNPIVOT does (executed in
    test_lower.py); what BigQuery's are its manual does not say."""
    plain = [each.sql(dialect) for each in field.expressions if isinstance(each, exp.Column)]
    if not plain or dialect == "snowflake":
        return set()
    said = ", ".join(sorted(plain))
    return {f"the columns of UNPIVOT have capitals where they are written with some: {said}"}


def _written(name: exp.Expr, dialect: str) -> str:
    """A name as a value. Snowflake keeps those without quotes in capitals."""
    if dialect == "snowflake" and not name.args.get("quoted"):
        return name.name.upper()
    return name.name


def _column(node: exp.Expr, at: Mapping[str, int], dialect: str) -> int:
    if not isinstance(node, exp.Column) or len(node.parts) > 1:
        raise Unsupported("a column of PIVOT that is no name alone")
    known = at.get(folded(node.this, dialect))
    if known is None:
        raise Unsupported(f"column {node.name} of PIVOT is not known")
    return known


def _is_known(value: Expr) -> Expr:
    """IS NOT NULL, as the parser would have it."""
    test = exp.Not(this=exp.Is(this=exp.column("x"), expression=exp.null()))
    return encode(test, _in_place_of_columns(value))


def _in_place_of_columns(value: Expr) -> Callable[[exp.Expr], Expr | None]:
    return lambda node: value if isinstance(node, exp.Column) else None


# --- PIVOT ------------------------------------------------------------------------------------


def _pivoted(query: Query, rows: Rel, at: Mapping[str, int], field: exp.In) -> Plan:
    """BigQuery's only: others compare as texts, or give NULL for a count of nothing."""
    pivot, dialect = query.node, query.dialect
    if dialect != "bigquery":
        raise Unsupported(f"PIVOT of {dialect or 'no dialect'}")
    key = Col(_column(field.this, at, dialect))
    aggs = [_aggregate(each, at, dialect) for each in pivot.expressions]
    made = tuple(replace(agg, where=test) for test in _tests(field, key) for agg in aggs)
    names = tuple(output.name for output in query.outputs)
    kept = names[: len(names) - len(made)]
    read = {part.index for agg in aggs for part in parts(agg) if isinstance(part, Col)}
    read.add(key.index)
    if not kept or len(kept) + len(read) != len(at) or not {*kept} <= {*at}:
        raise Unsupported("PIVOT of columns that are not told apart")
    return Plan(names, Aggregate(rows, tuple(Col(at[each]) for each in kept), made))


def _aggregate(item: exp.Expr, at: Mapping[str, int], dialect: str) -> Agg:
    """An aggregate that does not see rows without a value."""

    def leaf(node: exp.Expr) -> Expr | None:
        if isinstance(node, exp.Query):
            raise Unsupported("PIVOT of a query")
        return Col(_column(node, at, dialect)) if isinstance(node, exp.Column) else None

    found = encode(item.unalias(), leaf, dialect)
    if not isinstance(found, Agg) or found.op not in _SKIPPING or found.order:
        raise Unsupported("PIVOT of an aggregate that may see NULLs")
    return found


def _tests(field: exp.In, key: Expr) -> Iterator[Expr]:
    """For each value, whether a row has it."""
    for each in field.expressions:
        value = each.this if isinstance(each, exp.PivotAlias | exp.Alias) else each
        if not isinstance(value, exp.Literal):
            raise Unsupported("PIVOT of values that are no constants")
        test = exp.EQ(this=exp.column("x"), expression=value.copy())
        yield encode(test, _in_place_of_columns(key))
