"""What a statement writes: INTO, temporary marks, column lists, assignments."""

import re

from sqlglot import exp

from unwet.lineage.names import folded, relation_name
from unwet.lineage.scopes import Output


def into_of(tree: exp.Expression) -> exp.Expression | None:
    """INTO of a SELECT, which in a set operation stands in the first branch."""
    node: exp.Expression | None = tree
    while isinstance(node, exp.SetOperation | exp.Subquery):
        node = node.this
    return node.args.get("into") if isinstance(node, exp.Select) else None


def is_temporary(tree: exp.Create) -> bool:
    """Whether CREATE makes something that only its own session sees."""
    kinds = _properties(tree)
    return bool(kinds & {exp.TemporaryProperty, exp.VolatileProperty}) and not _is_shared(kinds)


def made_name(tree: exp.Expr, target: object, dialect: str) -> str:
    """The name of what a statement writes; "" when it is no table.

    Spark's global temporary views live in a schema of their own.
    """
    name = relation_name(target, dialect) if isinstance(target, exp.Table) else ""
    spark = dialect in ("spark", "databricks")
    if spark and name and isinstance(tree, exp.Create) and _is_shared(_properties(tree)):
        return name if "." in name else f"global_temp.{name}"
    return name


def new_name(old: exp.Table, new: exp.Table, dialect: str) -> exp.Table:
    """The table that RENAME makes; a bare name stays in the schema of the old one."""
    if new.args.get("db") is not None or old.args.get("db") is None or dialect in _SESSION_NAMES:
        return new
    parts = {key: part.copy() for key in ("db", "catalog") if (part := old.args.get(key))}
    return exp.Table(this=new.this.copy(), **parts)


# where a bare new name is one of the current schema
_SESSION_NAMES = frozenset({"snowflake", "mysql", "clickhouse", "trino", "presto", "teradata"})


_NAME = r"""[`"\[]?[^\s,;()'`"\]]+[`"\]]?"""
_RENAME = re.compile(rf"({_NAME})\s+TO\s+({_NAME})", re.I)
_EXCHANGE = re.compile(rf"({_NAME})\s+AND\s+({_NAME})", re.I)
_PARTITION = re.compile(
    rf"TABLE\s+({_NAME})\s+EXCHANGE\s+PARTITION\b.*?\bWITH\s+TABLE\s+({_NAME})", re.I | re.S
)


def renamed_by_text(
    tree: exp.Command | exp.Execute, dialect: str
) -> list[tuple[exp.Table, exp.Table, bool]]:
    """(from, to, swapped) of statements that the parser keeps as text: RENAME TABLE a TO b,
    EXCHANGE TABLES a AND b, ALTER TABLE a EXCHANGE PARTITION ... WITH TABLE b, sp_rename."""
    text = str(tree.args.get("expression") or "")
    if isinstance(tree, exp.Execute):
        return _sp_rename(tree, dialect)
    match str(tree.this).upper():
        case "RENAME":
            pairs = _RENAME.findall(text.partition(" ")[2])
            return [_pair(old, new, False) for old, new in pairs]
        case "EXCHANGE":
            pairs = _EXCHANGE.findall(text.partition(" ")[2])
            return [_pair(old, new, True) for old, new in pairs]
        case "ALTER":
            pairs = _PARTITION.findall(text)
            return [_pair(new, old, False) for old, new in pairs]
    return []


def _sp_rename(tree: exp.Execute, dialect: str) -> list[tuple[exp.Table, exp.Table, bool]]:
    values = [each.this if isinstance(each, exp.EQ) else each for each in tree.expressions]
    texts = [str(each.this) for each in values if isinstance(each, exp.Literal | exp.National)]
    called = isinstance(tree.this, exp.Table) and tree.this.name.lower() == "sp_rename"
    if not called or len(texts) != 2:  # with a third word it renames a column or an index
        return []
    old, new, _ = _pair(texts[0], texts[1], False)
    return [(old, new_name(old, new, dialect), False)]


def _pair(old: str, new: str, swap: bool) -> tuple[exp.Table, exp.Table, bool]:
    return _named(old), _named(new), swap


def _named(text: str) -> exp.Table:
    """`a.b.c` as a table; a part is quoted as it was."""
    parts = [
        exp.to_identifier(part.strip('`"[]'), quoted=part[:1] in ("`", '"', "["))
        for part in text.split(".")
    ]
    keys = ("this", "db", "catalog")
    return exp.Table(**dict(zip(keys, reversed(parts), strict=False)))


def dynamic_partitions(tree: exp.Expression, dialect: str) -> list[str]:
    """Columns of INSERT INTO t PARTITION (a = 1, b): b takes its values from the last output."""
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    partition = table.args.get("partition") if isinstance(table, exp.Table) else None
    listed = partition.expressions if isinstance(partition, exp.Expression) else ()
    return [column_name(each, dialect) for each in listed if isinstance(each, exp.Column)]


def _properties(tree: exp.Expr) -> set[type[exp.Expr]]:
    properties = tree.args.get("properties")
    return {type(each) for each in properties.expressions} if properties is not None else set()


def _is_shared(kinds: set[type[exp.Expr]]) -> bool:
    return exp.GlobalProperty in kinds


def column_name(node: exp.Expression, dialect: str) -> str:
    if isinstance(node, exp.ColumnDef | exp.Identifier | exp.Column):
        return folded(node if isinstance(node, exp.Identifier) else node.this, dialect)
    return ""


def assigned(tree: exp.Expression, dialect: str) -> list[Output]:
    """SET a = expression, and the INSERT branches of a MERGE."""
    if isinstance(tree, exp.Merge):
        whens = tree.args.get("whens")
        then = [when.args.get("then") for when in (whens.expressions if whens else ())]
        return [
            output
            for each in then
            if isinstance(each, exp.Expression)
            for output in assigned(each, dialect)
        ]
    if isinstance(tree, exp.Insert):
        return _paired(tree, dialect)
    pairs = [each for each in tree.expressions if isinstance(each, exp.EQ)]
    return (
        [Output(column_name(each.this, dialect), each.expression, None, each) for each in pairs]
        if isinstance(tree, exp.Update)
        else []
    )


def _paired(tree: exp.Insert, dialect: str) -> list[Output]:
    columns = tree.this.expressions if isinstance(tree.this, exp.Tuple | exp.Schema) else []
    values = tree.expression.expressions if isinstance(tree.expression, exp.Tuple) else []
    return [
        Output(column_name(column, dialect), value, None, column)
        for column, value in zip(columns, values, strict=False)
    ]
