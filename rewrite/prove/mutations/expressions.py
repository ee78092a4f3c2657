"""Operators on conditions and values: comparisons, logic, NULLs, CASE, aggregates."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from unwet.rewrite.prove.mutations.edits import (
    Edit,
    Operator,
    becoming,
    child,
    closed,
    setting,
    without,
)

_BOUNDARY: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.GTE, exp.GTE: exp.GT, exp.LT: exp.LTE, exp.LTE: exp.LT,
}  # fmt: skip
_AGGREGATES: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.Sum: exp.Max, exp.Max: exp.Min, exp.Min: exp.Max, exp.Avg: exp.Max,
}  # fmt: skip


def _comparison(node: exp.Expr) -> Iterator[Edit]:
    """x > 1 becomes x >= 1; BETWEEN loses one of its ends."""
    if type(node) in _BOUNDARY:
        yield becoming(_BOUNDARY[type(node)])
    elif isinstance(node, exp.Between) and not node.args.get("symmetric"):
        yield lambda n: _between(n, exp.GT, exp.LTE)
        yield lambda n: _between(n, exp.GTE, exp.LT)


def _between(node: exp.Expr, low: type[exp.Expr], high: type[exp.Expr]) -> exp.Expr:
    above = low(this=node.this, expression=node.args["low"])
    below = high(this=node.this.copy(), expression=node.args["high"])
    return exp.Paren(this=exp.And(this=above, expression=below))


def _equality(node: exp.Expr) -> Iterator[Edit]:
    """x = 1 becomes x <> 1, and the other way round; not the = of an assignment."""
    if isinstance(node, exp.EQ) and not _assigns(node):
        yield becoming(exp.NEQ)
    elif isinstance(node, exp.NEQ):
        yield becoming(exp.EQ)


def _assigns(node: exp.Expr) -> bool:
    return isinstance(node.parent, exp.Update) and node.arg_key == "expressions"


def _dropped_predicate(node: exp.Expr) -> Iterator[Edit]:
    """Either side of an AND is lost."""
    if isinstance(node, exp.And):
        yield child("this")
        yield child("expression")


def _and_or(node: exp.Expr) -> Iterator[Edit]:
    """AND becomes OR, and the other way round."""
    if isinstance(node, exp.And | exp.Or):
        yield _other_connector


def _other_connector(node: exp.Expr) -> exp.Expr:
    kind = exp.Or if isinstance(node, exp.And) else exp.And
    made = kind(this=closed(node.this), expression=closed(node.expression))
    return exp.Paren(this=made)


def _null_test(node: exp.Expr) -> Iterator[Edit]:
    """IS NULL becomes IS NOT NULL, and the other way round."""
    if _is_null_test(node) and not isinstance(node.parent, exp.Not):
        yield lambda n: exp.Not(this=n.copy())
    elif isinstance(node, exp.Not) and _is_null_test(node.this):
        yield child("this")


def _is_null_test(node: exp.Expr) -> bool:
    return isinstance(node, exp.Is) and isinstance(node.expression, exp.Null)


def _lost_not(node: exp.Expr) -> Iterator[Edit]:
    """NOT is lost: of IN, LIKE, EXISTS, of a condition in parentheses."""
    if isinstance(node, exp.Not) and not _is_null_test(node.this):
        yield child("this")
    elif node.args.get("negate"):
        yield setting(negate=None)


def _lost_coalesce(node: exp.Expr) -> Iterator[Edit]:
    """COALESCE(x, 0) becomes x."""
    if isinstance(node, exp.Coalesce) and node.expressions:
        yield child("this")


def _in_element(node: exp.Expr) -> Iterator[Edit]:
    """One element of a list is lost; not one that is there twice."""
    if isinstance(node, exp.In) and len(node.expressions) > 1:
        elements = node.expressions
        yield from (
            without("expressions", at)
            for at, each in enumerate(elements)
            if elements.count(each) == 1
        )


def _case_branch(node: exp.Expr) -> Iterator[Edit]:
    """One WHEN is lost, or the ELSE; of IF the last argument."""
    if isinstance(node, exp.Case):
        branches = node.args.get("ifs") or []
        if len(branches) > 1:
            yield from (without("ifs", at) for at in range(len(branches)))
        if _says_something(node.args.get("default")):
            yield setting(default=None)
    elif isinstance(node, exp.If) and _says_something(node.args.get("false")):
        yield setting(false=None)


def _says_something(node: object) -> bool:
    while isinstance(node, exp.Cast | exp.Paren):
        node = node.this
    return node is not None and not isinstance(node, exp.Null)


def _operand_swap(node: exp.Expr) -> Iterator[Edit]:
    """a - b becomes b - a, a / b becomes b / a."""
    if isinstance(node, exp.Sub | exp.Div) and not isinstance(node.expression, exp.Interval):
        yield lambda n: setting(this=_operand(n.expression), expression=_operand(n.this))(n)


def _operand(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, exp.Binary) else node


def _aggregate(node: exp.Expr) -> Iterator[Edit]:
    """SUM becomes MAX, MAX becomes MIN, MIN and AVG become MAX."""
    if type(node) in _AGGREGATES and not node.expressions:
        yield lambda n: _AGGREGATES[type(n)](this=n.this)


def _counted(node: exp.Expr) -> Iterator[Edit]:
    """COUNT(DISTINCT x) becomes COUNT(x), and the other way round."""
    if not isinstance(node, exp.Count) or isinstance(node.this, exp.Star) or node.expressions:
        return
    if not isinstance(node.this, exp.Distinct):
        yield lambda n: setting(this=exp.Distinct(expressions=[n.this]))(n)
    elif len(node.this.expressions) == 1:
        yield lambda n: setting(this=n.this.expressions[0])(n)


EXPRESSIONS: dict[str, Operator] = {
    "comparison": _comparison,
    "equality": _equality,
    "dropped predicate": _dropped_predicate,
    "AND, OR": _and_or,
    "IS NULL": _null_test,
    "lost NOT": _lost_not,
    "lost COALESCE": _lost_coalesce,
    "IN element": _in_element,
    "CASE branch": _case_branch,
    "operand swap": _operand_swap,
    "aggregate": _aggregate,
    "COUNT DISTINCT": _counted,
}
