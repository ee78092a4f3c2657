"""What a statement writes: INTO, temporary marks, column lists, assignments."""

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
