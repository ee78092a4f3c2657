"""A block as a model of its own, and back: what one query reads only is its first CTE."""

from __future__ import annotations

from sqlglot import exp

from unwet.lineage.trees import copied, is_inside
from unwet.rewrite.naming import free
from unwet.rewrite.referring import visible


def inlined(table: exp.Table, name: str, tree: exp.Query) -> bool:
    """In place: the query as the first CTE of the only one that reads it, if it can stand there."""
    host = table.root()
    if tree.args.get("with_") or not isinstance(host, exp.Query):
        return False
    inner = copied(tree)
    if isinstance(inner, exp.Select):
        _narrow(inner, table)
    block = host.args.get("with_")
    ctes = list(block.expressions) if block is not None else []
    taken = {cte.alias.lower() for cte in host.find_all(exp.CTE)}
    label = free(name.removeprefix("int_"), taken)
    table.set("this", exp.to_identifier(label))
    cte = exp.CTE(this=inner, alias=exp.TableAlias(this=exp.to_identifier(label)))
    recursive = bool(block is not None and block.args.get("recursive"))
    host.set("with_", exp.With(expressions=[cte, *ctes], recursive=recursive))
    return True


def _narrow(inner: exp.Select, table: exp.Table) -> None:
    """Drops the columns that the reader does not read."""
    reader = table.find_ancestor(exp.Select)
    if reader is None or inner.args.get("distinct") or any(i.is_star for i in reader.expressions):
        return
    if any(isinstance(n, exp.Literal) for k in ("group", "order") if inner.args.get(k)
           for n in inner.args[k].expressions):  # fmt: skip
        return
    read = {c.name.lower() for c in reader.find_all(exp.Column) if c.table in ("", table.alias)}
    own = [i for i in inner.expressions if i.alias_or_name.lower() in read]
    if own:
        inner.set("expressions", own)


def standing_alone(node: exp.Expr) -> exp.Query:
    """A copy of a block with the CTEs it reads from the queries around it."""
    copy = copied(node)
    assert isinstance(copy, exp.Query)
    needed: dict[str, exp.CTE] = {}
    _collect(node, node, needed)
    own = copy.args.get("with_")
    ctes = [copied(cte) for cte in needed.values()]
    if ctes:
        inner = list(own.expressions) if own is not None else []
        recursive = bool(own is not None and own.args.get("recursive"))
        copy.set("with_", exp.With(expressions=[*ctes, *inner], recursive=recursive))
    return copy


def _collect(node: exp.Expr, place: exp.Expr, into: dict[str, exp.CTE]) -> None:
    """The CTEs around ``place`` that ``node`` reads, each after those it reads itself."""
    seen = visible(place)
    for table in node.find_all(exp.Table):
        cte = seen.get(table.name.lower()) if not table.args.get("db") else None
        if cte is not None and table.name.lower() not in into and not is_inside(cte, node):
            _collect(cte.this, cte, into)
            into.setdefault(table.name.lower(), cte)
