"""What the arms of a CASE say for nothing goes before copies are looked for.

    CASE WHEN p THEN a WHEN q THEN b ELSE b END  ->  CASE WHEN p THEN a ELSE b END
    CASE WHEN x >= 9 THEN a WHEN x >= 2 AND x < 9 THEN b END
                                     ->  CASE WHEN x >= 9 THEN a WHEN x >= 2 THEN b END

The second where another comparison of x with a constant stays, which is not true for NULL, nor for
what cannot be compared with the constant of the first one (`alike_constants`). The proof has both
as rules (`rules/factoring.py`). What has a comment stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import conjuncts
from unwet.rewrite.alike_constants import are_alike
from unwet.rewrite.idle_nulls import names_output
from unwet.rewrite.volatile import names_chance

_COMPLEMENT: Final[Mapping[type[exp.Expr], type[exp.Binary]]] = {
    exp.LT: exp.GTE,
    exp.LTE: exp.GT,
    exp.GT: exp.LTE,
    exp.GTE: exp.LT,
}
_COMPARING: Final = (*_COMPLEMENT, exp.EQ)


def without_idle_arms(tree: exp.Expr) -> None:
    """In place. Where the output has its name from the text, and of the only arm, nothing goes."""
    for case in tree.find_all(exp.Case):
        if not names_output(case):
            while len(case.args["ifs"]) > 1 and _is_idle(case):
                case.set("ifs", case.args["ifs"][:-1])
            if case.this is None:
                _without_told(case.args["ifs"])


def _is_idle(case: exp.Case) -> bool:
    arm, last = case.args["ifs"][-1], case.args.get("default")
    same = arm.args["true"] == last if last is not None else isinstance(arm.args["true"], exp.Null)
    return same and _says_nothing_else(arm)


def _says_nothing_else(node: exp.Expr) -> bool:
    """Whether it makes no rows, by which a query is of one row, or an item no key of GROUP BY ALL,
    and none of many, as UNNEST does."""
    if node.find(exp.AggFunc, exp.UDTF, exp.Explode, exp.Anonymous):
        return False
    return not any(part.comments for part in node.walk()) and not names_chance(node.sql())


def _without_told(arms: Sequence[exp.If]) -> None:
    """In place: conditions that hold because no arm before was taken go, one of each arm."""
    told: list[exp.Expr] = []
    for arm in arms:
        tests = [*conjuncts(arm.this)]
        idle = next((test for test in tests if _is_told(test, tests, told)), None)
        if idle is not None:
            _drop(idle)
        told.append(arm.this.unnest())


def _is_told(test: exp.Expr, tests: Sequence[exp.Expr], told: Sequence[exp.Expr]) -> bool:
    turned = _COMPLEMENT.get(type(test))
    if turned is None or not _is_constant(test.expression) or not _says_nothing_else(test):
        return False
    other = turned(this=test.this.copy(), expression=test.expression.copy())
    return other in told and any(each is not test and _compares(each, test) for each in tests)


def _compares(other: exp.Expr, test: exp.Expr) -> bool:
    """Whether it is of the same value, with a constant of the same kind."""
    if not isinstance(other, _COMPARING) or other.this != test.this:
        return False
    one, constant = other.expression, test.expression
    texts = one.args.get("is_string") is True, constant.args.get("is_string") is True
    return _is_constant(one) and are_alike(one.name, constant.name, texts)


def _is_constant(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and node.name != ""  # which is NULL in Oracle


def _drop(test: exp.Expr) -> None:
    """In place: the AND that it stands in is its other side."""
    while isinstance(test.parent, exp.Paren):
        test = test.parent
    both = test.parent
    assert isinstance(both, exp.And)
    left = both.expression if test.arg_key == "this" else both.this
    left.comments = [*(both.comments or ()), *(left.comments or ())] or None
    both.replace(left)
