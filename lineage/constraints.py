"""Keys and foreign keys that CREATE TABLE and ALTER TABLE declare, and what ALTER takes back."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlglot import exp

from unwet.lineage.names import folded, relation_name
from unwet.lineage.tables import ForeignKey, Table

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Constraint:
    """Column sets that are unique, added to a table; the columns of primary ones are not null.
    `foreign`: foreign keys."""

    primary: tuple[Key, ...] = ()
    unique: tuple[Key, ...] = ()
    foreign: tuple[ForeignKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Loosened:
    """What holds no longer: NOT NULL of the columns `names` (None: of all), and, where `keys`, the
    keys and foreign keys that have one of them."""

    names: tuple[str, ...] | None = None
    keys: bool = True


def constraints(items: Iterable[exp.Expr], dialect: str) -> Constraint:
    """What is declared beside and at columns."""
    primary: list[Key] = []
    unique: list[Key] = []
    foreign: list[ForeignKey] = []
    for item in items:
        if isinstance(item, exp.ColumnDef):
            kinds = [each.args.get("kind") for each in item.args.get("constraints") or ()]
            name = (folded(item.this, dialect),)
            if any(isinstance(kind, exp.PrimaryKeyColumnConstraint) for kind in kinds):
                primary.append(name)
            elif any(isinstance(kind, exp.UniqueColumnConstraint) for kind in kinds):
                unique.append(name)
            if dialect not in _ONLY_READ:
                found = (kind for kind in kinds if isinstance(kind, exp.Reference))
                foreign += [_foreign(name, each, dialect) for each in found]
            continue
        for part in item.expressions if isinstance(item, exp.Constraint) else [item]:
            if isinstance(part, exp.PrimaryKey):
                primary.append(_columns(part.expressions, dialect))
            elif isinstance(part, exp.UniqueColumnConstraint) and isinstance(
                part.this, exp.Schema | exp.Tuple
            ):
                unique.append(_columns(part.this.expressions, dialect))
            elif isinstance(part, exp.ForeignKey) and isinstance(
                reference := part.args.get("reference"), exp.Reference
            ):
                names = _columns(part.expressions, dialect)
                foreign.append(_foreign(names, reference, dialect))
    return Constraint(
        tuple(key for key in primary if all(key)),
        tuple(key for key in unique if all(key)),
        tuple(key for key in foreign if all(key.columns) and key.table),
    )


# REFERENCES at a column is read and forgotten there (MySQL 8.0, "FOREIGN KEY Constraints")
_ONLY_READ = frozenset({"mysql"})
_UNCHECKED = ("NOT ENFORCED", "NOT VALID", "DISABLE", "NOCHECK", "NOVALIDATE")


def _foreign(names: Key, reference: exp.Reference, dialect: str) -> ForeignKey:
    """A foreign key; without a table where it is none."""
    to = reference.this
    table = to.this if isinstance(to, exp.Schema) else to
    said = " ".join(str(each).upper() for each in reference.args.get("options") or ())
    if not isinstance(table, exp.Table):
        return ForeignKey(names, "")
    keys = to.expressions if isinstance(to, exp.Schema) else ()
    checked = not any(word in said for word in _UNCHECKED)
    return ForeignKey(names, relation_name(table, dialect), _columns(keys, dialect), checked)


def _columns(nodes: Iterable[exp.Expr], dialect: str) -> Key:
    return tuple(folded(node, dialect) for node in nodes)


def constrained(table: Table, more: Constraint) -> Table:
    """The table with more keys; the columns of a primary key are not null."""
    required = {name for key in more.primary for name in key}
    columns = tuple(
        replace(column, not_null=True) if column.name in required else column
        for column in table.columns
    )
    keys = (*more.primary, *table.keys, *more.unique)
    return replace(table, columns=columns, keys=keys, foreign=(*table.foreign, *more.foreign))


def loosened(table: Table, less: Loosened) -> Table:
    """The table with less that is sure."""
    columns = tuple(
        replace(column, not_null=False)
        if less.names is None or column.name in less.names
        else column
        for column in table.columns
    )
    if not less.keys:
        return replace(table, columns=columns)
    if less.names is None:
        return replace(table, columns=columns, keys=(), foreign=())
    gone = set(less.names)
    keys = tuple(key for key in table.keys if gone.isdisjoint(key))
    foreign = tuple(key for key in table.foreign if gone.isdisjoint(key.columns))
    return replace(table, columns=columns, keys=keys, foreign=foreign)


def common(one: Table, other: Table) -> Table:
    """The first of two declarations of one table, with what both of them promise."""
    required = {column.name for column in other.columns if column.not_null}
    columns = tuple(
        replace(column, not_null=column.not_null and column.name in required)
        for column in one.columns
    )
    return replace(
        one,
        columns=columns,
        keys=tuple(key for key in one.keys if key in other.keys),
        foreign=tuple(key for key in one.foreign if key in other.foreign),
    )


def trusted(table: Table) -> Table:
    """A table all of whose declared keys hold, whether or not an engine checks them."""
    if table.origin not in ("ddl", "schema"):
        return table
    foreign = tuple(replace(key, checked=True) for key in table.foreign)
    return replace(table, foreign=foreign, trusted=True)
