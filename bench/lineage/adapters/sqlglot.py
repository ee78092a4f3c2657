"""sqlglot.lineage of all output columns of each query.

Earlier queries of a script are given as `sources`, which is sqlglot's own way to go through
views. sqlglot has no notion of a target: CREATE and INSERT name it here, with their column list.
"""

from typing import Any

import sqlglot.lineage
from sqlglot import exp

from bench.lineage.adapters.splitting import statements


def answer(case: dict[str, Any]) -> dict[str, Any]:
    dialect = case["dialect"] or None
    schema = _nested(case["schema"])
    known: dict[str, str] = {}
    edges: list[list[str]] = []
    read: set[str] = set()
    written: set[str] = set()
    for tree in statements(case["sql"], case["dialect"]):
        target, names, query = _parts(tree)
        if target:
            written.add(target)
        if query is None:
            continue
        text = query.sql(dialect=dialect)
        nodes = sqlglot.lineage.lineage(None, text, schema, sources=dict(known), dialect=dialect)
        for at, (column, node) in enumerate(nodes.items()):
            to = names[at] if at < len(names) else column
            edges.extend([*leaf, target, to] for leaf in leaves(node))
        if isinstance(tree, exp.Create) and target:
            known[target] = text
    read.update(edge[0] for edge in edges if edge[0] != "?")
    return {"columns": edges, "tables": {"sources": sorted(read), "targets": sorted(written)}}


def leaves(node: Any) -> list[list[str]]:
    """[relation, column] of the base columns below a node of the lineage tree."""
    found: dict[tuple[str, str], None] = {}
    for each in node.walk():
        column = each.name.rpartition(".")[2]
        if each.downstream:
            continue
        if isinstance(each.expression, exp.Table):
            found[".".join(part.name for part in each.expression.parts), column] = None
        elif isinstance(each.expression, exp.Placeholder):
            found["?", column] = None
    return [list(each) for each in found]


def _parts(tree: exp.Expression) -> tuple[str, list[str], Any]:
    """Target relation, its column list, and the query of a statement."""
    if isinstance(tree, exp.Query):
        into = tree.args.get("into")
        return (_table(into.this)[0] if into else ""), [], tree
    if isinstance(tree, exp.Create | exp.Insert):
        target, names = _table(tree.this)
        query = tree.expression
        if isinstance(query, exp.Query) and tree.args.get("with_"):
            query = query.copy()
            query.set("with_", tree.args["with_"].copy())
        return target, names, query if isinstance(query, exp.Query) else None
    return "", [], None


def _table(node: Any) -> tuple[str, list[str]]:
    if isinstance(node, exp.Schema):
        return _table(node.this)[0], [each.name for each in node.expressions]
    if isinstance(node, exp.Table):
        return ".".join(part.name for part in node.parts), []
    return "", []


def _nested(schema: dict[str, list[str]]) -> dict[str, Any]:
    """sqlglot wants one depth throughout: names with fewer parts than the deepest are left out."""
    depth = max((name.count(".") for name in schema), default=0)
    nested: dict[str, Any] = {}
    for name, columns in schema.items():
        if name.count(".") == depth:
            below = nested
            *above, last = name.split(".")
            for part in above:
                below = below.setdefault(part, {})
            below[last] = dict.fromkeys(columns, "VARCHAR")
    return nested
