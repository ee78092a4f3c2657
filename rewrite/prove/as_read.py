"""Columns as they are read: a NULL that is only ever read with a default is as good as the default.

    as_read(rel) -> Rel

SUM(COALESCE(x, 0)) -> SUM(x) where the sum is only read as COALESCE(sum, 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Expr,
    Filter,
    Join,
    Lit,
    Project,
    Rel,
    Subquery,
    inputs,
    operands,
    width,
)
from unwet.rewrite.references import columns_of
from unwet.rewrite.rules.refs import with_inputs
from unwet.rewrite.rules.shapes import integer

_DEFAULTED: Final = ("this", "expressions*1")

Default = Lit | None
"""What a column that is NULL is read as, wherever it is read; None: it may be read as NULL."""


def as_read(rel: Rel) -> Rel:
    """The same rows, whose columns all may be read as they are."""
    return _Reader().over(rel, [None] * width(rel))


class _Reader:
    """SUM(COALESCE(x, 0)) -> SUM(x) where the sum is only read as COALESCE(sum, 0): the two differ
    for groups in which all x are NULL, and there one is 0 and the other NULL."""

    def __init__(self) -> None:
        self._done: dict[tuple[Rel, tuple[Default, ...]], Rel] = {}

    def over(self, rel: Rel, defaults: Sequence[Default]) -> Rel:
        """The same rows, as they are read."""
        key = rel, tuple(defaults)
        if key not in self._done:
            self._done[key] = self._made(rel, defaults)
        return self._done[key]

    def _made(self, rel: Rel, defaults: Sequence[Default]) -> Rel:
        match rel:
            case Project(input=inner, exprs=exprs):
                below = _of_exprs(exprs, width(inner), defaults)
                return Project(self.over(inner, below), exprs)
            case Filter(input=inner, conjuncts=conjuncts):
                below = _both(_of_exprs(conjuncts, width(inner)), defaults)
                return Filter(self.over(inner, below), conjuncts)
            case Join(kind="inner" | "left", inputs=sides, on=on):
                whole = _both(_of_exprs(on, width(rel)), defaults)
                made, start = list[Rel](), 0
                for side in sides:
                    made.append(self.over(side, whole[start : start + width(side)]))
                    start += width(side)
                return Join(rel.kind, tuple(made), on)
            case Aggregate(input=inner, keys=keys, aggs=aggs):
                own = defaults[len(keys) :]
                slim = tuple(_plain_sum(a, d) for a, d in zip(aggs, own, strict=True))
                below = _of_exprs((*keys, *slim), width(inner))
                return Aggregate(self.over(inner, below), keys, slim)
            case _:
                below_all = (self.over(each, [None] * width(each)) for each in inputs(rel))
                return with_inputs(rel, tuple(below_all)) if inputs(rel) else rel


_UNREAD: Final = Lit("unread", "")  # nobody reads the column: any default will do


def _of_exprs(
    exprs: Sequence[Expr], size: int, shown: Sequence[Default] | None = None
) -> list[Default]:
    """What each column is read as by expressions. `shown`: what each of these is read as."""
    found: list[Default] = [_UNREAD] * size
    for at, expr in enumerate(exprs):
        if shown is not None and isinstance(expr, Col):
            found[expr.index] = _one(found[expr.index], shown[at])
        else:
            _note(expr, found)
    return found


def _note(expr: Expr, found: list[Default]) -> None:
    match expr:
        case Col(index=index):
            found[index] = None
        case Call(op="coalesce", args=(Col(index=index), Lit() as default), shape=shape) if (
            shape == _DEFAULTED
        ):
            found[index] = _one(found[index], default)
        case Subquery():
            for index in columns_of(expr):
                found[index] = None
        case _:
            for each in operands(expr):
                _note(each, found)


def _one(left: Default, right: Default) -> Default:
    if left == _UNREAD:
        return right
    return left if right in (_UNREAD, left) else None


def _both(left: Sequence[Default], right: Sequence[Default]) -> list[Default]:
    return [_one(a, b) for a, b in zip(left, right, strict=True)]


def _plain_sum(agg: Agg, default: Default) -> Agg:
    match agg:
        case Agg(
            op="sum", args=(Call(op="coalesce", args=(x, Lit() as zero), shape=shape),), where=None
        ):
            if shape == _DEFAULTED and integer(zero) == 0 and default in (zero, _UNREAD):
                return replace(agg, args=(x,))
            return agg
        case _:
            return agg
