"""What a query reads: its FROM items at every depth, subqueries inside expressions included."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from unwet.lineage.resolve import Input, Query

_WITHOUT = (exp.Table, exp.Column, exp.Literal, exp.Identifier)  # no query is in them
_NOT_EXPRESSIONS = frozenset({"with_", "from_", "laterals", "into"})


def blocks(query: Query) -> Iterator[Query]:
    """The query and all queries it is made of, each once, outermost first."""
    seen: set[int] = set()
    stack = [query]
    while stack:
        block = stack.pop()
        if id(block) in seen:
            continue
        seen.add(id(block))
        yield block
        below = [item.query for item in block.inputs if item.query is not None]
        stack.extend((*below, *block.branches, *block.ctes.values(), *subqueries(block)))


def relations(query: Query) -> Iterator[Input]:
    """Every FROM item that reads a relation."""
    for block in blocks(query):
        for item in block.inputs:
            if item.stored is not None:
                yield item


def subqueries(query: Query) -> tuple[Query, ...]:
    """The queries inside the block's own expressions (EXISTS, IN, scalar)."""
    if query.subqueries is None:
        parts = _expressions(query.node) if query.kind != "setop" else ()
        nodes = (found for node in parts for found in _outermost_queries(node))
        query.subqueries = tuple(map(query.nested, nodes))
    return query.subqueries


def _expressions(node: exp.Expression) -> Iterator[exp.Expression]:
    for name, value in node.args.items():
        if name in _NOT_EXPRESSIONS:
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, exp.Join):
                yield from (item.args[k] for k in ("on",) if item.args.get(k) is not None)
            elif isinstance(item, exp.Expression):
                yield item


def _outermost_queries(node: exp.Expression) -> Iterator[exp.Expression]:
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, (exp.Select, exp.SetOperation)):
            yield item
        elif not isinstance(item, _WITHOUT):
            stack.extend(reversed(list(item.iter_expressions())))
