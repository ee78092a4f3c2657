"""One way of writing for what may be written in several: to find what may mean the same.

plainly(expression) -> its text in that way

Nothing rests on it: what is taken for the same is proved afterwards, or found out.
"""

from __future__ import annotations

from sqlglot import exp

from unwet.lineage.trees import copied


def plainly(node: exp.Expr) -> str:
    """The text of an expression without comments, in small letters."""
    plain = copied(node).transform(_plain, copy=False)
    return plain.sql(comments=False, normalize_functions="upper", copy=False).lower()


def _plain(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.Paren() if not isinstance(node.this, exp.Query):
            return _plain(node.this)
        case exp.If() | exp.Case() if (value := _usual(node)) is not None:
            return value.transform(_plain)
        case exp.In(args={"expressions": [only]}):
            return exp.EQ(this=node.this, expression=only).transform(_plain)
        case exp.Filter():
            return _in_a_case(node)
        case exp.EQ() if (test := _truth(node)) is not None:
            return test.transform(_plain)
        case exp.GT() | exp.GTE():
            kind = exp.LT if isinstance(node, exp.GT) else exp.LTE
            return kind(this=node.expression, expression=node.this).transform(_plain)
        case exp.EQ() | exp.NEQ() | exp.Add() | exp.Mul():
            one, two = (side.transform(_plain) for side in (node.this, node.expression))
            first, last = sorted((one, two), key=lambda side: side.sql())
            return type(node)(this=first, expression=last)
        case _:
            return node


def _usual(node: exp.Expr) -> exp.Expr | None:
    """COALESCE, where a CASE is one."""
    ifs: list[exp.Expr] = list(node.args.get("ifs") or [])
    if not isinstance(node, exp.Case) or node.this is not None or len(ifs) != 1:
        return None
    test, value, other = ifs[0].this, ifs[0].args["true"], node.args.get("default")
    if isinstance(test, exp.Is) and isinstance(test.expression, exp.Null) and test.this == other:
        return exp.Coalesce(this=test.this, expressions=[value])
    return None


def _truth(node: exp.EQ) -> exp.Expr | None:
    """The test that is compared with TRUE or FALSE."""
    for value, test in ((node.this, node.expression), (node.expression, node.this)):
        if isinstance(value, exp.Boolean):
            return test if value.this else exp.Not(this=test)
    return None


def _in_a_case(node: exp.Filter) -> exp.Expr:
    """An aggregate with FILTER as one of a CASE."""
    aggregate: exp.Expr = node.this.copy()
    test = node.expression.this
    counted = aggregate.this
    inner = counted.expressions[0] if isinstance(counted, exp.Distinct) else counted
    if isinstance(inner, exp.Star) or not isinstance(inner, exp.Expr):
        return node
    inner.replace(exp.Case(ifs=[exp.If(this=test.copy(), true=inner.copy())]))
    return aggregate.transform(_plain)
