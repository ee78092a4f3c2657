"""How the items of a FROM clause are joined: which, on what, and whether rows may go missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from unwet.lineage.resolve import Input, Query

Condition = tuple[exp.Expression, str]  # with its clause


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """`items` are joined to the rest: inner, left (they may be missing), full, semi or anti (they
    must be missing). `node` is the FROM item that stands there."""

    kind: str
    items: tuple[Input, ...]
    conditions: tuple[Condition, ...]
    node: exp.Expression


def joined(query: Query) -> Iterator[Joined]:
    """The joins of a block; an inner one from both of its sides, as either may come first."""
    where = _equations(query, "where", query.node.args.get("where"))
    for at, item in enumerate(query.inputs):
        join = item.join
        if at == 0 or join is None:
            continue
        own = _equations(query, "on", join.args.get("on"))
        kind = _kind(join)
        if kind == "left" and _must_be_missing(query, item):
            kind = "anti"
        if kind == "right":
            yield Joined("left", query.inputs[:at], _about(own, query, item), item.node)
        elif kind != "inner":
            yield Joined(kind, (item,), _about(own, query, item), item.node)
        else:
            yield from _inner(query, at, item, (*own, *where))


def _inner(
    query: Query, at: int, item: Input, conditions: tuple[Condition, ...]
) -> Iterator[Joined]:
    for other in query.inputs[:at]:
        linking = tuple(c for c in conditions if _links(query, c, item, other))
        if linking:
            yield Joined("inner", (item,), linking, item.node)
            yield Joined("inner", (other,), linking, item.node)


def _kind(join: exp.Join) -> str:
    side, kind = (str(join.args.get(k) or "").lower() for k in ("side", "kind"))
    if kind in ("semi", "anti"):
        return kind
    return side if side in ("left", "right", "full") else "inner"


def _must_be_missing(query: Query, item: Input) -> bool:
    """WHERE item.column IS NULL: the rows without a partner are wanted."""
    where = query.node.args.get("where")
    tests = where.find_all(exp.Is) if where is not None else ()
    return any(
        isinstance(test.expression, exp.Null)
        and isinstance(test.this, exp.Column)
        and not isinstance(test.parent, exp.Not)
        and query.find(test.this, "where").input is item
        for test in tests
    )


def _equations(query: Query, clause: str, node: exp.Expr | None) -> tuple[Condition, ...]:
    """The conjuncts that compare columns of two items."""
    if node is None:
        return ()
    stack: list[exp.Expr] = [node.this if isinstance(node, exp.Where) else node]
    found: list[Condition] = []
    while stack:
        each = stack.pop().unnest()
        if isinstance(each, exp.And):
            stack.extend((each.right, each.left))
        elif isinstance(each, exp.EQ) and len(_inputs(query, each, clause)) == 2:
            found.append((each, clause))
    return tuple(found)


def _about(conditions: tuple[Condition, ...], query: Query, item: Input) -> tuple[Condition, ...]:
    return tuple(c for c in conditions if id(item) in _inputs(query, *c))


def _links(query: Query, condition: Condition, one: Input, other: Input) -> bool:
    return _inputs(query, *condition) == {id(one), id(other)}


def _inputs(query: Query, node: exp.Expression, clause: str) -> set[int]:
    found = (query.find(column, clause).input for column in node.find_all(exp.Column))
    return {id(item) for item in found if item is not None}
