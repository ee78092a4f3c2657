"""Single statements that write: what they do besides holding the rows of their query."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sqlglot import exp

from unwet.lineage.parse import Statement
from unwet.lineage.resolve import Resolved
from unwet.lineage.tables import Catalog
from unwet.lineage.trees import found_in
from unwet.rewrite.algebra import Col, Expr
from unwet.rewrite.clauses import trim
from unwet.rewrite.definitions import Definition
from unwet.rewrite.one_type import is_one_type
from unwet.rewrite.scalars import cast_to, null
from unwet.rewrite.stars import is_open

# Dialects in which CREATE TABLE ... AS SELECT 'ab' makes a column for texts of any length.
_FREE_TEXT = frozenset(
    {"", "bigquery", "databricks", "duckdb", "hive", "postgres", "spark", "sqlite"}
)
# Types that an integer literal below 2^31 has, or is converted to without making them wider.
_WHOLE = frozenset({"INT", "INTEGER", "BIGINT", "INT64"})

EMPTYING = frozenset({"truncate", "delete"})  # kinds of statements that only take rows away


def side_effect(resolved: Resolved) -> str:
    """Why a statement does more than fill its target; empty when it does not."""
    tree = resolved.statement.tree
    for node in found_in(tree, exp.Insert, exp.Update, exp.Delete, exp.Merge):
        if node is not tree and not isinstance(tree, exp.Merge):
            return f"it writes to other tables ({node.key.upper()} inside a query)"
    return ""


def is_plain(resolved: Resolved) -> bool:
    """Whether a DELETE has nothing beside its table but a condition."""
    args = resolved.statement.tree.args
    return not any(args.get(key) for key in ("using", "with_", "limit", "order", "tables"))


def made_otherwise(statement: Statement) -> bool:
    """Whether CREATE TABLE makes rows of what is no query: AS EXECUTE p, AS t WITH DATA. AS t of
    ClickHouse takes no more than the columns."""
    tree = statement.tree
    if tree.args.get("expression") is not None:
        return statement.dialect != "clickhouse"
    properties = tree.args.get("properties")
    said = properties.expressions if properties is not None else ()
    return any(isinstance(each, exp.ExecuteAsProperty) for each in said)


def odd_creation(resolved: Resolved) -> str:
    """Why CREATE ... AS does not simply hold the rows of its query; empty when it does."""
    tree = resolved.statement.tree
    for node in tree.find_all(exp.WithDataProperty):
        if node.args.get("no"):
            return "created WITH NO DATA"
    schema = tree.this if isinstance(tree, exp.Create) else None
    if isinstance(schema, exp.Schema) and any(c.args.get("kind") for c in schema.expressions):
        return "its query is cast to declared column types"
    return ""


def is_partition(resolved: Resolved) -> bool:
    """Whether an INSERT or TRUNCATE changes one partition only."""
    tree = resolved.statement.tree
    target = tree.this.args.get("partition") if isinstance(tree.this, exp.Expression) else None
    return bool(target or tree.find(exp.Partition))


_SELF_FILLING = (
    exp.DefaultColumnConstraint,
    exp.GeneratedAsIdentityColumnConstraint,
    exp.ComputedColumnConstraint,
    exp.AutoIncrementColumnConstraint,
    exp.GeneratedAsRowColumnConstraint,
)


def self_filling(tree: exp.Expr) -> frozenset[str]:
    """Columns with a value of their own when an INSERT leaves them out."""
    found = set()
    for column in tree.find_all(exp.ColumnDef):
        kinds = [c.args.get("kind") for c in column.args.get("constraints") or ()]
        serial = "serial" in str(column.args.get("kind") or "").lower()
        if serial or any(isinstance(kind, _SELF_FILLING) for kind in kinds):
            found.add(column.name.lower())
    return frozenset(found)


def insert_doubt(
    old: Definition, new: Definition, targets: tuple[str, ...], catalog: Catalog
) -> str:
    """Why the rows that an INSERT adds cannot be told; empty when they can."""
    if old.plan is None or new.plan is None:
        return old.doubt or new.doubt or "INSERT of rows that are not known"
    missing = {name.lower() for name in old.columns if name not in targets}
    if (
        is_open(new.plan.names)
        or len(targets) != len(new.plan.names)
        or len(set(targets)) != len(targets)
    ):
        return "INSERT of rows whose columns are not known"
    if set(targets) - set(old.columns):
        return "INSERT into columns that are not known"
    if missing & old.filled:
        return "INSERT leaves out columns that fill themselves"
    declared = old.as_inserted or (old.types and all(old.types))
    if not declared and not _fits(old, new, targets, catalog):
        return "INSERT casts to the table's column types, which are not known"
    return ""


def with_types(
    old: Definition, new: Definition, targets: tuple[str, ...], catalog: Catalog
) -> Definition:
    """The table with the types that its query gives its columns, where rows of others come into it:
    they are cast to these from then on. Not behind rows that needed no cast, as all are cast in one
    way."""
    if old.types or not old.made or not all(old.made) or old.as_inserted:
        return old
    if any(part.kind == "insert" for part in old.parts) or _fits(old, new, targets, catalog):
        return old
    return replace(old, types=old.made)


def _fits(old: Definition, new: Definition, targets: tuple[str, ...], catalog: Catalog) -> bool:
    """Whether a table that a query made gets rows of the very types of that query: nothing is cast
    then, whatever these types are. Only where a text has no length that a longer one is cut to."""
    if old.plan is None or new.plan is None or old.types or targets != old.columns:
        return False
    branches = (trim(old.plan), trim(new.plan))
    free = all(part.statement.dialect in _FREE_TEXT for part in new.parts)
    is_whole = partial(_is_whole, catalog)
    return free and all(is_one_type(at, branches, is_whole) for at in range(len(targets)))


def _is_whole(catalog: Catalog, name: str, column: str) -> bool:
    return catalog.type_of(name, column).upper() in _WHOLE


def as_row(table: Definition, targets: tuple[str, ...]) -> tuple[Expr, ...]:
    """The table's columns read from a row of the inserted columns: cast, NULL where missing. A
    table without declared types is of those of the row."""
    if not table.types:
        return tuple(Col(targets.index(name)) for name in table.columns)
    row: list[Expr] = []
    for name, kind in zip(table.columns, table.types, strict=True):
        value: Expr = Col(targets.index(name)) if name in targets else null()
        row.append(cast_to(value, kind))
    return tuple(row)
