"""What CREATE TABLE and ALTER TABLE say about relations."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.constraints import (
    Constraint,
    Loosened,
    common,
    constrained,
    constraints,
    loosened,
)
from unwet.lineage.names import folded, relation_name
from unwet.lineage.parse import Statement
from unwet.lineage.tables import Column, Table

_MOVING = frozenset({"spark", "spark2", "databricks", "hive"})
_IN_PLACE = frozenset({"delta", "iceberg"})


@dataclass(frozen=True, slots=True)
class Retyped:
    """Columns whose declared types hold no longer; no names: all of the table's."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rearranged:
    """The table has no longer the columns that were declared, in the order of the declaration."""


Addition = Column | Constraint | Loosened | Retyped | Rearranged


def declared_tables(statements: Iterable[Statement]) -> list[Table]:
    """Tables declared with columns, in order; ALTER TABLE adds columns and keys to them."""
    tables: list[Table] = []
    places: dict[str, int] = {}
    for statement in statements:
        tree = statement.tree
        if isinstance(tree, exp.Create):
            table = declared(statement)
            if table is not None:
                places.setdefault(table.name, len(tables))
                tables.append(table)
            for each in parents(tree):
                if (at := places.get(relation_name(each, statement.dialect))) is not None:
                    tables[at] = with_additions(tables[at], (Loosened(),))
        elif isinstance(tree, exp.Alter) and isinstance(tree.this, exp.Table):
            at = places.get(relation_name(tree.this, statement.dialect))
            if at is not None:
                tables[at] = with_additions(tables[at], additions(tree, statement.dialect))
    return tables


def declared(statement: Statement) -> Table | None:
    """The table of a CREATE TABLE with column definitions, or of DECLARE @t TABLE; else None."""
    tree, dialect = statement.tree, statement.dialect
    if isinstance(tree, exp.Declare):
        return _table_variable(statement, tree)
    schema = tree.this
    if str(tree.args.get("kind") or "").upper() != "TABLE" or not isinstance(schema, exp.Schema):
        return None
    if not isinstance(schema.this, exp.Table):
        return None
    columns = [each for each in schema.expressions if isinstance(each, exp.ColumnDef)]
    if not columns:
        return None
    columns += _partitions(tree)
    name, is_whole = relation_name(schema.this, dialect), _is_whole(tree, schema, dialect)
    found = tuple(_column(c, dialect) for c in columns)
    table = Table(name, found, is_whole, "ddl", (), statement.span)
    table = replace(table, agreed=not _may_be_moved(tree, table.names, dialect))
    made = constraints(schema.expressions, dialect)
    if not _keeps_references(_properties(tree), dialect):
        made = replace(made, foreign=())
    return constrained(table, made)


# of MySQL; the others read FOREIGN KEY and forget it (its manual, "FOREIGN KEY Constraints")
_REFERRING: Final = frozenset({"innodb", "ndb", "ndbcluster"})


def _keeps_references(properties: Iterable[exp.Expr], dialect: str) -> bool:
    """Whether foreign keys of a table are checked, by the storage engine that it names."""
    named = (each.name.lower() for each in properties if isinstance(each, exp.EngineProperty))
    return dialect != "mysql" or all(name in _REFERRING for name in named)


def parents(tree: exp.Create) -> tuple[exp.Table, ...]:
    """The tables that a new one INHERITS from: they show its rows, too, and no key of theirs is
    one of these (PostgreSQL's manual, "Inheritance", Caveats)."""
    found = (e for e in _properties(tree) if isinstance(e, exp.InheritsProperty))
    return tuple(t for each in found for t in each.expressions if isinstance(t, exp.Table))


def _properties(tree: exp.Expression) -> Sequence[exp.Expr]:
    properties = tree.args.get("properties")
    return properties.expressions if isinstance(properties, exp.Properties) else ()


def _partitions(tree: exp.Expression) -> Iterator[exp.ColumnDef]:
    """The columns of PARTITIONED BY (day DATE), which are the table's last ones (Hive manual,
    "Partitioned Tables"); without a type they are columns that are there already."""
    for each in _properties(tree):
        if isinstance(each, exp.PartitionedByProperty) and isinstance(each.this, exp.Schema):
            yield from (c for c in each.this.expressions if isinstance(c, exp.ColumnDef))


def _may_be_moved(tree: exp.Expression, names: Sequence[str], dialect: str) -> bool:
    """Whether Spark may show the columns in another order: for most formats it puts those of
    PARTITIONED BY (day) behind the others."""
    if dialect not in _MOVING:
        return False
    formats = [e.name.lower() for e in _properties(tree) if isinstance(e, exp.FileFormatProperty)]
    if {*formats} & _IN_PLACE or (not formats and dialect == "databricks"):
        return False
    moved = [
        folded(named, dialect)
        for each in _properties(tree)
        if isinstance(each, exp.PartitionedByProperty)
        for part in each.this.expressions
        if (named := part.find(exp.Identifier)) is not None
    ]
    return bool(moved) and [*names[-len(moved) :]] != moved


def _is_whole(tree: exp.Expression, schema: exp.Schema, dialect: str) -> bool:
    """Whether a star stands for the columns that are written there: not with those of another
    table (LIKE between the columns, INHERITS), nor where it leaves some out, or shows one more:
    VALUE of Snowflake's external tables, $node_id of T-SQL's AS NODE."""
    taken = (*schema.expressions, *_properties(tree))
    if dialect == "snowflake" and any(isinstance(e, exp.ExternalProperty) for e in taken):
        return False
    if dialect == "tsql" and isinstance(tree.args.get("expression"), exp.Table):
        return False
    if any(isinstance(each, exp.LikeProperty | exp.InheritsProperty) for each in taken):
        return False
    return not any(
        _is_hidden(constraint.args.get("kind"), dialect)
        for column in schema.expressions
        if isinstance(column, exp.ColumnDef)
        for constraint in column.args.get("constraints") or ()
    )


def _is_hidden(constraint: object, dialect: str) -> bool:
    """Whether a star leaves a column with this out: MATERIALIZED, ALIAS and EPHEMERAL of
    ClickHouse, INVISIBLE of MySQL, HIDDEN of T-SQL."""
    match constraint:
        case exp.ComputedColumnConstraint():
            return dialect == "clickhouse"
        case exp.GeneratedAsRowColumnConstraint():
            return bool(constraint.args.get("hidden"))
        case _:
            return isinstance(
                constraint, exp.EphemeralColumnConstraint | exp.InvisibleColumnConstraint
            )


def _table_variable(statement: Statement, tree: exp.Declare) -> Table | None:
    name = table_variable(tree)
    columns = tree.expressions[0].args["kind"].expressions if name else ()
    found = [
        _column(each, statement.dialect) for each in columns if isinstance(each, exp.ColumnDef)
    ]
    return Table(name, tuple(found), True, "ddl", (), statement.span) if found else None


def table_variable(tree: exp.Declare) -> str:
    """`@t` of DECLARE @t TABLE (...), else ""."""
    item = tree.expressions[0] if len(tree.expressions) == 1 else None
    if not isinstance(item, exp.DeclareItem) or not isinstance(item.args.get("kind"), exp.Schema):
        return ""
    named = item.this[0] if isinstance(item.this, list) else item.this
    return f"@{named.name.lower()}" if isinstance(named, exp.Parameter) else ""


def additions(tree: exp.Alter, dialect: str) -> tuple[Addition, ...]:
    """What ALTER TABLE ... ADD column or constraint adds, in order; and what it changes."""
    found: list[Addition] = []
    for action in tree.args.get("actions") or ():
        if isinstance(action, exp.ColumnDef):
            found.append(_column(action, dialect))
        elif isinstance(action, exp.AddConstraint):
            made = constraints(action.expressions, dialect)
            if tree.args.get("not_valid"):  # nobody has looked at the rows that are there
                made = replace(made, foreign=())
            found.append(made)
        else:
            found += _changes(action, dialect)
        if not _keeps_order(action):
            found.append(Rearranged())
    if not _keeps_references(tree.args.get("options") or (), dialect):
        found.append(Loosened())
    return tuple(found)


def _keeps_order(action: exp.Expr) -> bool:
    """Whether the table has the columns that it had after ALTER TABLE, and at most one more behind
    them. MODIFY may move a column; what is not known may do anything."""
    if isinstance(action, exp.ColumnDef):
        return not action.args.get("position")
    if isinstance(action, exp.Drop):
        return not str(action.args.get("kind") or "").upper().startswith("COLUMN")
    if isinstance(action, exp.AlterColumn):  # CHANGE of Hive
        return action.args.get("rename_to") in (None, action.this)
    return isinstance(action, exp.AddConstraint | exp.DropPrimaryKey | exp.AddPartition)


def _changes(action: exp.Expr, dialect: str) -> Iterator[Addition]:
    """What is not so any more. DROP CONSTRAINT says a name only, so it may be any of them."""
    if changed := _retyped(action, dialect):
        yield Retyped(changed)
        yield Loosened(changed, keys=not isinstance(action, exp.AlterColumn | exp.ModifyColumn))
    if isinstance(action, exp.DropPrimaryKey) or (
        isinstance(action, exp.Drop) and action.args.get("kind") != "COLUMN"
    ):
        yield Loosened()
    elif isinstance(action, exp.AlterColumn) and action.args.get("allow_null"):
        yield Loosened((folded(action.this, dialect),), keys=False)


def _retyped(action: exp.Expr, dialect: str) -> tuple[str, ...]:
    """The columns that have another type after ALTER, MODIFY, CHANGE, DROP or RENAME COLUMN."""
    if isinstance(action, exp.AlterColumn) and action.args.get("dtype") is None:
        return ()
    if not isinstance(action, exp.AlterColumn | exp.ModifyColumn | exp.Drop | exp.RenameColumn):
        return ()
    named = [action.this, *(action.args.get(key) for key in ("rename_from", "rename_to", "to"))]
    named += [each for each in action.args.get("tables") or () if isinstance(each, exp.Column)]
    found = [each.find(exp.Identifier) for each in named if isinstance(each, exp.Expr)]
    return tuple(folded(name, dialect) for name in found if name is not None)


def with_additions(table: Table, added: Iterable[Addition]) -> Table:
    """The table after ALTER TABLE has added columns and keys."""
    for each in added:
        if isinstance(each, Column):
            columns = (*_without_types(table.columns, {each.name}), each)
            table = replace(table, columns=columns)
        elif isinstance(each, Retyped):
            changed = set(each.names or table.names)
            table = replace(table, columns=_without_types(table.columns, changed))
        elif isinstance(each, Rearranged):
            table = replace(table, agreed=False)
        elif isinstance(each, Loosened):
            table = loosened(table, each)
        else:
            table = constrained(table, each)
    return table


def agreed(one: Table, other: Table) -> Table:
    """The first of two declarations of one table, without what the other one does not say of keys
    and NULLs, and without types that it contradicts."""
    one = common(one, other)
    types = {column.name: column.type.upper() for column in other.columns}
    changed = {c.name for c in one.columns if types.get(c.name, c.type.upper()) != c.type.upper()}
    if one.names != other.names:
        one = replace(one, agreed=False)
    return replace(one, columns=_without_types(one.columns, changed)) if changed else one


def untyped(table: Table) -> Table:
    """The table without the types of its columns, and without what is declared of its rows."""
    return loosened(replace(table, columns=_without_types(table.columns, table.names)), Loosened())


def _without_types(columns: Iterable[Column], names: Container[str]) -> tuple[Column, ...]:
    return tuple(replace(each, type="") if each.name in names else each for each in columns)


def _column(node: exp.ColumnDef, dialect: str) -> Column:
    kind = node.args.get("kind")
    said = [each.args.get("kind") for each in node.args.get("constraints") or ()]
    required = any(
        isinstance(each, exp.PrimaryKeyColumnConstraint)
        or (isinstance(each, exp.NotNullColumnConstraint) and not each.args.get("allow_null"))
        for each in said
    )
    collated = any(isinstance(each, exp.CollateColumnConstraint) for each in said)
    named = node.this
    bare = isinstance(named, exp.Identifier) and not named.args.get("quoted")
    text = _type_text(kind, dialect)
    name = folded(named, dialect)
    return Column(name, text, required, spelled=named.name, bare=bare, collated=collated)


_TEXTS: dict[tuple[str, object], str] = {}  # of plain types: the printer is slow


def _type_text(kind: object, dialect: str) -> str:
    if not isinstance(kind, exp.DataType):
        return kind.sql(dialect=dialect or None) if isinstance(kind, exp.Expr) else ""
    plain = not any(value for key, value in kind.args.items() if key != "this")
    if not plain or isinstance(kind.this, exp.Expr):
        return kind.sql(dialect=dialect or None)
    key = (dialect, kind.this)
    if key not in _TEXTS:
        _TEXTS[key] = kind.sql(dialect=dialect or None)
    return _TEXTS[key]
