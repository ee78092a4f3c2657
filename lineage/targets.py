"""What a statement writes: INTO, temporary marks, column lists, assignments."""

import re

from sqlglot import exp

from unwet.lineage.names import folded, relation_name, table_part
from unwet.lineage.scopes import BODIES, Input, Output, Query, index_of


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


def function_query(tree: exp.Create) -> exp.Expression | None:
    """The query that a function is, if it is one: its rows are a relation."""
    body = tree.args.get("expression")
    body = body.this if isinstance(body, exp.Return) else body
    routine = isinstance(tree.this, exp.UserDefinedFunction)
    return body if routine and isinstance(body, BODIES) else None


def new_name(old: exp.Table, new: exp.Table, dialect: str) -> exp.Table:
    """The table that RENAME makes; a bare name stays in the schema of the old one."""
    if new.args.get("db") is not None or old.args.get("db") is None or dialect in _SESSION_NAMES:
        return new
    parts = {key: part.copy() for key in ("db", "catalog") if (part := old.args.get(key))}
    return exp.Table(this=new.this.copy(), **parts)


# where a bare new name is one of the current schema
_SESSION_NAMES = frozenset({"snowflake", "mysql", "clickhouse", "trino", "presto", "teradata"})


_NAME = r"""[`"\[]?[^\s,;()'`"\]]++[`"\]]?"""
_RENAME = re.compile(rf"(?<![^\s,])({_NAME})\s+TO\s+({_NAME})", re.I)
_EXCHANGE = re.compile(rf"(?<![^\s,])({_NAME})\s+AND\s+({_NAME})", re.I)
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


def with_renamed_column(tree: exp.Execute) -> exp.Table | None:
    """The table of a column that sp_rename gives another name; None of other statements."""
    texts = _renaming(tree)
    if len(texts) != 3 or texts[2].upper() != "COLUMN" or "." not in texts[0]:
        return None
    return _named(texts[0].rpartition(".")[0])


def _renaming(tree: exp.Execute) -> list[str]:
    """What sp_rename is told: old name, new name, and the kind of what is renamed."""
    if not isinstance(tree.this, exp.Table) or tree.this.name.lower() != "sp_rename":
        return []
    values = [each.expression if isinstance(each, exp.EQ) else each for each in tree.expressions]
    return [str(each.this) for each in values if isinstance(each, exp.Literal | exp.National)]


def _sp_rename(tree: exp.Execute, dialect: str) -> list[tuple[exp.Table, exp.Table, bool]]:
    texts = _renaming(tree)
    if len(texts) != 2:  # with a third word it renames a column or an index
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
    table = table_part(tree.this)
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


def assigned(tree: exp.Expression, query: Query) -> list[Output]:
    """SET a = expression, and the branches of a MERGE; `query` has the statement's inputs."""
    if isinstance(tree, exp.Merge):
        whens = tree.args.get("whens")
        then = [when.args.get("then") for when in (whens.expressions if whens else ())]
        found = [o for t in then if isinstance(t, exp.Expression) for o in _branch(t, query)]
        return list({id(o.expression or o): o for o in found}.values())
    if not isinstance(tree, exp.Update):
        return []
    pairs = (each for each in tree.expressions if isinstance(each, exp.EQ))
    return [output for pair in pairs for output in _assignment(pair, query)]


def _branch(then: exp.Expression, query: Query) -> list[Output]:
    """THEN UPDATE ... or THEN INSERT ...; `UPDATE SET *`, `INSERT *` and `INSERT ROW` take every
    column of the source under its own name."""
    if isinstance(then, exp.Insert):
        head = then.this
        if isinstance(head, exp.Star) or (isinstance(head, exp.Var) and head.name.upper() == "ROW"):
            return _all_of_source(then, query)
        return _paired(then, query)
    if any(isinstance(each, exp.Star) for each in then.expressions):
        return _all_of_source(then, query)
    return assigned(then, query)


def _all_of_source(then: exp.Expression, query: Query) -> list[Output]:
    source = query.inputs[-1]
    names = source.columns if source.columns is not None else tuple(source.index)
    return [Output(name, None, (source, name), then) for name in names] or [
        Output("*", None, (source, "*"), then)
    ]


def _assignment(pair: exp.EQ, query: Query) -> list[Output]:
    """`a = x`; `(a, b) = (x, y)` and `(a, b) = (SELECT ...)` by position."""
    target, value = pair.this, pair.expression
    while isinstance(target, exp.Paren):
        target = target.this
    if not isinstance(target, exp.Tuple):
        return [Output(column_name(target, query.dialect), value, None, pair)]
    names = [column_name(each, query.dialect) for each in target.expressions]
    if isinstance(value, exp.Tuple):
        values = value.expressions
        return [Output(n, v, None, pair) for n, v in zip(names, values, strict=False)]
    if isinstance(value, exp.Subquery):
        inner = query.nested(value)
        columns = tuple(output.name for output in inner.outputs)
        rows = Input("", value, None, inner, columns, index=index_of(columns))
        return [
            Output(name, None, (rows, output.name), pair)
            for name, output in zip(names, inner.outputs, strict=False)
        ]
    return [Output(name, value, None, pair) for name in names]


def _paired(tree: exp.Insert, query: Query) -> list[Output]:
    """INSERT (a, b) VALUES (x, y); without a list, the columns of the target."""
    values = tree.expression.expressions if isinstance(tree.expression, exp.Tuple) else []
    if isinstance(tree.this, exp.Tuple | exp.Schema):
        columns = [(column_name(c, query.dialect), c) for c in tree.this.expressions]
    else:
        known = query.inputs[0].columns or ()
        columns = [(name, value) for name, value in zip(known, values, strict=False)]
    return [
        Output(name, value, None, node)
        for (name, node), value in zip(columns, values, strict=False)
    ]


def written_relation(output: Output, query: Query) -> str | None:
    """The relation whose column SET x.a = ... writes, when a qualifier says so."""
    target = output.node.this if isinstance(output.node, exp.EQ) else None
    table = target.args.get("table") if isinstance(target, exp.Column) else None
    if table is None:
        return None
    alias = folded(table, query.dialect)
    owner = next((each for each in query.inputs if each.alias == alias), None)
    return (owner.relation or base_relation(owner)) if owner is not None else None


def base_relation(item: Input) -> str | None:
    """The relation behind a CTE or subquery that is written to: the only one it reads."""
    while item.relation is None and item.query is not None and len(item.query.inputs) == 1:
        item = item.query.inputs[0]
    return item.relation
