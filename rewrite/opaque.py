"""Queries that the algebra does not express, kept as canonical text over their inputs.

Two opaque queries are the same when their text is, letter for letter after names are unified,
and their inputs hold the same rows. Only whole statements become opaque here, so the text holds
every CTE it reads and no name in it depends on anything outside but the relations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from unwet.lineage.names import relation_name
from unwet.lineage.resolve import Query
from unwet.rewrite.algebra import Opaque, Plan, Rel, Scan


def opaque(query: Query, definitions: Mapping[str, Plan], reason: str, dialect: str = "") -> Plan:
    """The whole query as one Opaque node; `reason` says what was not understood."""
    tree = query.node.copy()
    tree.set("into", None)
    rels: dict[str, Rel] = {}
    for table in list(_outside_tables(tree)):
        name = relation_name(table, dialect)
        rels.setdefault(name, definitions[name].rel if name in definitions else Scan(name, ()))
        table.set("db", None)
        table.set("catalog", None)
        if not table.alias:
            # the name that columns may be qualified with stays what it was
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
        table.set("this", exp.to_identifier(f"${list(rels).index(name)}"))
    for identifier in tree.find_all(exp.Identifier):
        # an unquoted name folds; a quoted one is kept as it is unless folding leaves it alone
        name = identifier.name if identifier.args.get("quoted") else identifier.name.lower()
        identifier.set("this", name)
        identifier.set("quoted", not (name.isidentifier() and name == name.lower()))
    text = tree.sql(comments=False)
    names = tuple(output.name for output in query.outputs)
    marker = tuple(() for _ in rels)
    return Plan(names, Opaque(text, tuple(rels.values()), marker, len(names), reason))


def _outside_tables(tree: exp.Expression) -> Iterator[exp.Table]:
    """The tables that stand for relations, not for a CTE that is visible where they stand."""
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and not _is_cte(table):
            yield table


def _is_cte(table: exp.Table) -> bool:
    if table.args.get("db"):
        return False
    name, node = table.name.lower(), table.parent
    own: exp.CTE | None = None
    while node is not None:
        if isinstance(node, exp.CTE):
            own = node
        block = node.args.get("with_")
        if block is not None and name in _visible(block, own):
            return True
        node = node.parent
    return False


def _visible(block: exp.With, own: exp.CTE | None) -> set[str]:
    """The names a WITH gives to a place: all, or inside one of its CTEs those before it."""
    names: set[str] = set()
    for cte in block.expressions:
        if cte is own and not block.args.get("recursive"):
            break
        names.add(cte.alias.lower())
    return names
