"""Branches of UNION ALL that have no row in common, and none twice.

is_set(rel, source, apart, integers) -> whether no row of the relation is there twice
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from unwet.rewrite.algebra import Call, Col, Expr, Lit, Project, Rel, SetOp, width
from unwet.rewrite.prove.identity import origin, told
from unwet.rewrite.prove.whole_numbers import Integers
from unwet.rewrite.rules.refs import all_movable

Source = Callable[[Expr, Rel], Expr]
"""Of an expression over a relation: what it tells the value of, or the expression itself."""
Branches = Sequence[Project]
_ONE_LETTER: Final = str.maketrans("wyj", "vii")


def is_set(rel: Rel, source: Source, exact: bool, integers: Integers) -> bool:
    """SELECT 'shop', k ... UNION ALL SELECT 'web', k ...: another constant in each branch, and no
    row of a branch is there twice, by columns that no branch brings to another type. `exact`:
    texts are compared letter by letter."""
    match rel:
        case SetOp(kind="union_all", inputs=many):
            branches = [each for each in many if isinstance(each, Project)]
            whole = len(branches) == len(many) and all(all_movable(e.exprs) for e in branches)
            if not whole or not any(_are_apart(c, exact) for c in _columns(branches)):
                return False
            places = list(range(width(rel)))
            read = [[source(each.exprs[at], each.input) for at in places] for each in branches]
            steady = [at for at in places if _is_steady(branches, read, at, exact, integers)]
            return all(
                told(
                    branch.input, [e.index for at in steady if isinstance(e := values[at], Col)]
                ).rows
                for branch, values in zip(branches, read, strict=True)
            )
        case _:
            return False


def _columns(branches: Branches) -> Iterator[list[Expr]]:
    for at in range(width(branches[0])):
        yield [each.exprs[at] for each in branches]


def _are_apart(values: Sequence[Expr], exact: bool) -> bool:
    texts = {
        each.text if exact else _core(each.text)
        for each in values
        if isinstance(each, Lit) and each.kind == "string"
    }
    return len(texts) == len(values) and (exact or "" not in texts)


def _core(text: str) -> str:
    """What two texts must differ in to differ in all collations: neither case, blanks and signs,
    nor zeros before a number, nor letters that are one in some language (Finnish v and w,
    Lithuanian i and y). Nothing of a text with letters outside of ASCII."""
    if not text.isascii():
        return ""
    letters = re.sub(r"[^a-z0-9]", "", text.lower().translate(_ONE_LETTER))
    return re.sub(r"(?<!\d)0+(?=\d)", "", letters)


def _is_steady(
    branches: Branches, read: Sequence[Sequence[Expr]], at: int, exact: bool, integers: Integers
) -> bool:
    """Are no two values made one by what UNION ALL converts? BIGINT beside DOUBLE makes two large
    integers one. ``exact``: beside a text, all are printed so that they can be read again."""
    texts = [read[i][at] != branch.exprs[at] for i, branch in enumerate(branches)]
    if all(texts) or (exact and any(texts)):
        return True
    if all(integers.holds(branch.exprs[at], branch.input) for branch in branches):
        return True
    found = {origin(branch.exprs[at], branch.input) for branch in branches}
    return len(found) == 1 and None not in found


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
