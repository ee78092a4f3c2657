"""Branches of UNION ALL that have no row in common, and none twice.

is_set(rel, injected) -> whether no row of the relation is there twice
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from unwet.rewrite.algebra import Call, Col, Expr, Lit, Project, Rel, SetOp, width
from unwet.rewrite.prove.identity import told
from unwet.rewrite.rules.refs import all_movable

Source = Callable[[Expr, Rel], Expr]
"""Of an expression over a relation: what it tells the value of, or the expression itself."""


def is_set(rel: Rel, source: Source) -> bool:
    """SELECT 'shop', k ... UNION ALL SELECT 'web', k ...: another constant in each branch, and no
    row of a branch is there twice. For a dialect that compares texts letter by letter."""
    match rel:
        case SetOp(kind="union_all", inputs=many):
            branches = [each for each in many if isinstance(each, Project)]
            if len(branches) < len(many) or not any(map(_are_apart, _columns(branches))):
                return False
            return all(_is_set(each, source) for each in branches)
        case _:
            return False


def _columns(branches: Sequence[Project]) -> Iterator[list[Expr]]:
    for at in range(width(branches[0])):
        yield [each.exprs[at] for each in branches]


def _are_apart(values: Sequence[Expr]) -> bool:
    texts = {each.text for each in values if isinstance(each, Lit) and each.kind == "string"}
    return len(texts) == len(values)


def _is_set(branch: Project, source: Source) -> bool:
    values = [source(each, branch.input) for each in branch.exprs]
    kept = (each.index for each in values if isinstance(each, Col))
    return all_movable(branch.exprs) and told(branch.input, kept).rows


def of_concatenation(expr: Expr) -> Expr:
    """x of 'shop' || x, where a value is printed in a way that it can be read from again."""
    match expr:
        case (
            Call(op="dpipe", args=(Lit(kind="string"), x))
            | Call(op="dpipe", args=(x, Lit(kind="string")))
        ):
            return x
        case _:
            return expr
