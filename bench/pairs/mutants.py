"""Small changes of a query's text, most of which change its rows.

    mutants(tree) -> ((operator, mutated tree), ...)

One mutant per operator and place. Nothing here knows of plans or rules.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

Change = Callable[[exp.Expr], exp.Expr | None]
"""A copy of a node that is changed, or None where the operator has nothing to do."""

_COMPARISONS: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.GTE, exp.GTE: exp.GT, exp.LT: exp.LTE, exp.LTE: exp.LT, exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
}  # fmt: skip
_AGGREGATES: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.Sum: exp.Max, exp.Max: exp.Min, exp.Min: exp.Max, exp.Avg: exp.Max,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """`operator` names the kind of the change."""

    operator: str
    tree: exp.Expr


def mutants(tree: exp.Expr) -> Iterator[Mutant]:
    """Every mutant of a query, in the order of the operators and of the text."""
    for name, change in OPERATORS.items():
        for at, node in enumerate(tree.walk(bfs=False)):
            made = change(node)
            if made is not None:
                yield Mutant(name, _with(tree, at, made))


def _with(tree: exp.Expr, at: int, made: exp.Expr) -> exp.Expr:
    copied = tree.copy()
    spot = next(n for i, n in enumerate(copied.walk(bfs=False)) if i == at)
    if spot is copied:
        return made
    spot.replace(made)
    return copied


# --- operators --------------------------------------------------------------------------------


def _comparison(node: exp.Expr) -> exp.Expr | None:
    other = _COMPARISONS.get(type(node))
    return other(this=node.this.copy(), expression=node.expression.copy()) if other else None


def _dropped_predicate(node: exp.Expr) -> exp.Expr | None:
    return node.right.copy() if isinstance(node, exp.And) else None


def _dropped_where(node: exp.Expr) -> exp.Expr | None:
    return _without(node, "where")


def _dropped_having(node: exp.Expr) -> exp.Expr | None:
    return _without(node, "having")


def _without(node: exp.Expr, clause: str) -> exp.Expr | None:
    if not isinstance(node, exp.Select) or not node.args.get(clause):
        return None
    made = node.copy()
    made.set(clause, None)
    return made


def _join_kind(node: exp.Expr) -> exp.Expr | None:
    if not isinstance(node, exp.Join) or not (node.args.get("on") or node.args.get("using")):
        return None
    made = node.copy()
    made.set("side", None if node.side else "LEFT")
    made.set("kind", None)
    return made


def _aggregate(node: exp.Expr) -> exp.Expr | None:
    other = _AGGREGATES.get(type(node))
    return other(this=node.this.copy()) if other else None


def _counted(node: exp.Expr) -> exp.Expr | None:
    """COUNT(x) <-> COUNT(DISTINCT x), COUNT(*) from COUNT(x) where DISTINCT is already there."""
    if not isinstance(node, exp.Count) or isinstance(node.this, exp.Star):
        return None
    if isinstance(node.this, exp.Distinct):
        return exp.Count(this=node.this.expressions[0].copy())
    return exp.Count(this=exp.Distinct(expressions=[node.this.copy()]))


def _distinct(node: exp.Expr) -> exp.Expr | None:
    if not isinstance(node, exp.Select):
        return None
    made = node.copy()
    made.set("distinct", None if node.args.get("distinct") else exp.Distinct())
    return made


def _literal(node: exp.Expr) -> exp.Expr | None:
    if not isinstance(node, exp.Literal):
        return None
    if node.is_string:
        return exp.Literal.string(node.this + "x")
    return exp.Literal.number(int(node.this) + 1) if node.this.isdigit() else None


def _column_swap(node: exp.Expr) -> exp.Expr | None:
    """Two neighbours of a select list change their values, not their names."""
    if not isinstance(node, exp.Select) or len(node.expressions) < 2:
        return None
    made = node.copy()
    first, second = made.expressions[:2]
    if not isinstance(first.unalias(), exp.Column) or not isinstance(second.unalias(), exp.Column):
        return None
    one = exp.alias_(second.unalias().copy(), first.alias_or_name)
    two = exp.alias_(first.unalias().copy(), second.alias_or_name)
    made.set("expressions", [one, two, *made.expressions[2:]])
    return made


def _operand_swap(node: exp.Expr) -> exp.Expr | None:
    if not isinstance(node, exp.Sub | exp.Div):
        return None
    made = node.copy()
    made.set("this", node.expression.copy())
    made.set("expression", node.this.copy())
    return made


def _union(node: exp.Expr) -> exp.Expr | None:
    if not isinstance(node, exp.Union):
        return None
    made = node.copy()
    made.set("distinct", not node.args.get("distinct"))
    return made


def _lost_coalesce(node: exp.Expr) -> exp.Expr | None:
    return node.this.copy() if isinstance(node, exp.Coalesce) else None


def _null_test(node: exp.Expr) -> exp.Expr | None:
    if not isinstance(node, exp.Is) or not isinstance(node.expression, exp.Null):
        return None
    parent = node.parent
    return None if isinstance(parent, exp.Not) else exp.Not(this=node.copy())


def _lost_not(node: exp.Expr) -> exp.Expr | None:
    return node.this.copy() if isinstance(node, exp.Not) else None


def _and_or(node: exp.Expr) -> exp.Expr | None:
    if not isinstance(node, exp.And | exp.Or):
        return None
    other = exp.Or if isinstance(node, exp.And) else exp.And
    made = other(this=node.this.copy(), expression=node.expression.copy())
    return exp.paren(made, copy=False)


def _in_element(node: exp.Expr) -> exp.Expr | None:
    if not isinstance(node, exp.In) or len(node.expressions) < 2:
        return None
    made = node.copy()
    made.set("expressions", made.expressions[1:])
    return made


def _case_branch(node: exp.Expr) -> exp.Expr | None:
    if not isinstance(node, exp.Case):
        return None
    made = node.copy()
    if len(made.args["ifs"]) > 1:
        made.set("ifs", made.args["ifs"][1:])
    elif made.args.get("default"):
        made.set("default", None)
    else:
        return None
    return made


def _limit(node: exp.Expr) -> exp.Expr | None:
    if not isinstance(node, exp.Limit):
        return None
    bound = node.expression
    if not isinstance(bound, exp.Literal) or bound.is_string:
        return None
    return exp.Limit(expression=exp.Literal.number(int(bound.this) + 1))


def _window(node: exp.Expr) -> exp.Expr | None:
    """A partition less."""
    if not isinstance(node, exp.Window) or not node.args.get("partition_by"):
        return None
    made = node.copy()
    made.set("partition_by", made.args["partition_by"][1:])
    return made


def _grouping(node: exp.Expr) -> exp.Expr | None:
    """A grouping key that is not shown less."""
    if not isinstance(node, exp.Select) or not node.args.get("group"):
        return None
    shown = {e.unalias().sql() for e in node.expressions}
    keys = node.args["group"].expressions
    hidden = [k for k in keys if k.sql() not in shown and isinstance(k, exp.Column)]
    if not hidden or len(keys) < 2:
        return None
    made = node.copy()
    kept = [k.copy() for k in keys if k is not hidden[0]]
    made.args["group"].set("expressions", kept)
    return made


OPERATORS: dict[str, Change] = {
    "comparison": _comparison,
    "dropped predicate": _dropped_predicate,
    "dropped WHERE": _dropped_where,
    "dropped HAVING": _dropped_having,
    "join kind": _join_kind,
    "aggregate": _aggregate,
    "COUNT DISTINCT": _counted,
    "DISTINCT": _distinct,
    "literal": _literal,
    "column swap": _column_swap,
    "operand swap": _operand_swap,
    "UNION": _union,
    "lost COALESCE": _lost_coalesce,
    "IS NULL": _null_test,
    "lost NOT": _lost_not,
    "AND, OR": _and_or,
    "IN element": _in_element,
    "CASE branch": _case_branch,
    "LIMIT": _limit,
    "PARTITION BY": _window,
    "GROUP BY": _grouping,
}
