"""The expressions of a query block, clause by clause, and small questions about them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from unwet.lineage.names import STRUCTS
from unwet.lineage.resolve import Query

_CLAUSES = {
    "where": "where", "having": "having", "qualify": "qualify", "group": "group",
    "order": "order", "expressions": "select", "on": "on", "sort": "order", "windows": "select",
    "limit": "select", "offset": "select", "match": "select",
}  # fmt: skip
ITEMS = ("group", "having", "order", "qualify")  # clauses that see the names of outputs
TESTS = ("where", "having", "qualify", "on")


def has_value(node: exp.Expr) -> bool:
    """Whether a chain of dots starts with a value, not with the name of a catalog."""
    while isinstance(node, exp.Dot):
        node = node.this
    return not isinstance(node, exp.Identifier)


def unaliased(query: Query, node: exp.Column) -> int | None:
    """The item that a bare name means by the last part of a path: SELECT s.a ... GROUP BY a."""
    if node.table or query.kind != "select" or query.dialect not in STRUCTS:
        return None
    for at, output in enumerate(query.outputs):
        item = output.expression
        if item is None or output.node is not item or output.name != node.name:
            continue
        if isinstance(item, exp.Dot):
            return at
        if isinstance(item, exp.Column) and item.table and query.find(item, "select").path:
            return at
    return None


def expressions(node: exp.Expression) -> Iterator[tuple[str, exp.Expr]]:
    """The expressions of a block's own clauses; its outputs are read as outputs."""
    for name, value in node.args.items():
        if name in ("with_", "from_", "laterals", "into", "this", "expression", "pivots"):
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, exp.Join):
                if item.args.get("on") is not None:
                    yield "on", item.args["on"]
            elif isinstance(item, exp.Order | exp.Group | exp.Tuple):
                yield from ((_CLAUSES.get(name, "select"), e) for e in _parts(item))
            elif isinstance(item, exp.Where | exp.Having | exp.Qualify):
                yield name, item.this
            elif isinstance(item, exp.Expression) and name != "expressions":
                yield _CLAUSES.get(name, "select"), item
            elif isinstance(item, exp.EQ):
                yield "where", item  # SET of an UPDATE


def _parts(item: exp.Expr) -> Iterator[exp.Expr]:
    for each in item.iter_expressions():
        yield each.this if isinstance(each, exp.Ordered) else each
