"""The smallest query by itself in which two statements differ.

    changed_part(before, after) -> (query, query), or None

Where a statement is not understood as a whole, that part of it may be: what has the same rows can
stand for each other in any query around it. A query by itself is a CTE or a query in FROM; it comes
with the CTEs that it may read.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

Pair = tuple[exp.Query, exp.Query]


def changed_part(before: exp.Expr, after: exp.Expr) -> Pair | None:
    """None where it is all of the statement, or where CTEs stand in more than one place."""
    found: Pair | None = None
    place: tuple[exp.Expr, exp.Expr] | None = (before, after)
    while place is not None:
        one, other = place
        if isinstance(one, exp.Query) and isinstance(other, exp.Query) and _is_alone(one):
            found = one, other
        place = _only_other(one, other)
    if found is None:
        return None
    made = tuple(map(_with_ctes, found))
    return (made[0], made[1]) if made[0] is not None and made[1] is not None else None


def _is_alone(query: exp.Query) -> bool:
    parent = query.parent
    if isinstance(parent, exp.CTE):
        return True
    return isinstance(parent, exp.Subquery) and isinstance(parent.parent, exp.From | exp.Join)


def _only_other(one: exp.Expr, other: exp.Expr) -> tuple[exp.Expr, exp.Expr] | None:
    """The only part in which two nodes differ; None where it is more than a part."""
    if type(one) is not type(other) or _own(one) != _own(other):
        return None
    ours, theirs = list(one.iter_expressions()), list(other.iter_expressions())
    if len(ours) != len(theirs):
        return None
    apart = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    return apart[0] if len(apart) == 1 else None


def _own(node: exp.Expr) -> dict[str, object]:
    """What a node says itself."""
    return {
        key: value
        for key, value in node.args.items()
        if value and not isinstance(value, exp.Expr | list)
    }


def _with_ctes(query: exp.Query) -> exp.Query | None:
    """A copy of the query with the CTEs that it may read."""
    lists = [each for each in _ancestors(query) if each.args.get("with_")]
    if len(lists) > 1 or query.args.get("with_"):
        return None
    made = query.copy()
    if lists:
        ctes = lists[0].args["with_"]
        inside = [each for each in _ancestors(query) if isinstance(each, exp.CTE)]
        before = ctes.expressions
        if inside:
            at = next((i for i, each in enumerate(before) if each is inside[-1]), None)
            before = before[:at]
        if ctes.args.get("recursive"):
            return None
        if before:
            made.set("with_", exp.With(expressions=[each.copy() for each in before]))
    return made


def _ancestors(node: exp.Expr) -> Iterator[exp.Expr]:
    while (parent := node.parent) is not None:
        yield parent
        node = parent
