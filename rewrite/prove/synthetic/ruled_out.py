"""Conditions that no row can meet, as their constants differ or one of their cells is NULL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unwet.rewrite.algebra import Call, Expr, Lit, Param
from unwet.rewrite.prove.synthetic.symbols import NULL

_STRICT: Final = frozenset({"eq", "neq", "gt", "gte", "lt", "lte", "like"})


def is_never(test: Expr) -> bool:
    """Whether it is an equality of two different constants."""
    match test:
        case Call(op="paren", args=(inner,)):
            return is_never(inner)
        case Call(op="and", args=args):
            return any(map(is_never, args))
        case Call(op="eq", args=(Lit(kind=one, text=left), Lit(kind=other, text=right))):
            return one == other == "string" and left != right
        case _:
            return False


def is_torn(wants: Sequence[Expr]) -> bool:
    """Whether a cell has to be NULL that something is compared with: a partner of an outer join
    where those without one are looked for."""
    compared = {
        each
        for want in wants
        if isinstance(want, Call) and want.op in _STRICT
        for each in want.args
        if isinstance(each, Param)
    }
    return any(
        isinstance(want, Call)
        and want.op == "is"
        and want.args[1] == NULL
        and want.args[0] in compared
        for want in wants
    )


def is_missing(want: Expr) -> bool:
    """x IS NULL, of a cell."""
    match want:
        case Call(op="is", args=(Param(), value)):
            return value == NULL
        case _:
            return False
