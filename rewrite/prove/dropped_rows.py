"""Relations without rows, and conditions that drop all rows: as words that are different ones in
every collation are compared, too.

    is_without_rows(rel) -> bool
    union_of_dropped(rel) -> the relation said otherwise, or None
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Expr,
    Filter,
    Join,
    Lit,
    Project,
    Rel,
    SetOp,
    Sort,
    Window,
)
from unwet.rewrite.rules.empty import is_empty
from unwet.rewrite.rules.refs import all_movable, substitute
from unwet.rewrite.rules.shapes import BINARY


def is_without_rows(rel: Rel) -> bool:
    """Also where words are compared that no collation takes for each other."""
    match rel:
        case SetOp(kind="union_all", inputs=many):
            return all(map(is_without_rows, many))
        case Project(input=inner) | Sort(input=inner) | Window(input=inner):
            return is_without_rows(inner)
        case Aggregate(input=inner, keys=keys):
            return bool(keys) and is_without_rows(inner)
        case Filter(input=inner, conjuncts=conjuncts):
            return any(map(_is_never, conjuncts)) or is_without_rows(inner)
        case Join(kind="inner" | "left", inputs=many):
            several = many if rel.kind == "inner" else many[:1]
            return any(map(is_without_rows, several))
        case _:
            return is_empty(rel)


def union_of_dropped(rel: Rel) -> Rel | None:
    """A UNION in a branch of UNION ALL -> UNION ALL, where a condition above drops all of its rows,
    as another constant is in them."""
    match rel:
        case Filter(input=SetOp(kind="union_all", inputs=many), conjuncts=conjuncts):
            made = tuple(_if_dropped(each, conjuncts) for each in many)
            return Filter(SetOp("union_all", made), conjuncts) if made != many else None
        case _:
            return None


def _if_dropped(rel: Rel, conjuncts: Sequence[Expr]) -> Rel:
    match rel:
        case Aggregate(input=inner, keys=keys, aggs=()) if keys and all_movable(keys):
            return Project(inner, keys) if any(_drops(c, rel) for c in conjuncts) else rel
        case Project(input=inner, exprs=exprs) if all_movable(exprs):
            below = [substitute(c, exprs) for c in conjuncts]
            return replace(rel, input=_if_dropped(inner, below))
        case _:
            return rel


def _drops(test: Expr, rel: Rel) -> bool:
    """k = 'tiktok', where a relation has other words in k."""
    if _is_never(test):
        return True
    match rel:
        case Aggregate(input=inner, keys=exprs, aggs=()) | Project(input=inner, exprs=exprs):
            return _drops(substitute(test, exprs), inner)
        case Filter(input=inner):
            return _drops(test, inner)
        case SetOp(kind="union_all", inputs=many):
            return all(_drops(test, each) for each in many)
        case _:
            return False


def _is_never(test: Expr) -> bool:
    """'google' = 'tiktok'."""
    if not isinstance(test, Call) or test.op != "eq" or test.shape != BINARY:
        return False
    return are_apart(*test.args)


def are_apart(one: Expr, other: Expr) -> bool:
    """Two words of plain letters that begin differently."""
    words = [each.text.lower() for each in (one, other) if isinstance(each, Lit) and is_word(each)]
    return len(words) == 2 and words[0][0] != words[1][0]


def is_word(each: Lit) -> bool:
    """A text of plain letters, at least one."""
    return each.kind == "string" and re.fullmatch(r"[a-zA-Z]+", each.text) is not None
