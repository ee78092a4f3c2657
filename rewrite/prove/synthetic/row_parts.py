"""Small questions about what rows are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unwet.rewrite.algebra import Agg, Aggregate, Call, Col, Expr, Subquery, parts


def is_pivot(rel: Aggregate) -> bool:
    """Whether rows of one group may be summed up in different columns."""
    chosen_ = [agg for agg in rel.aggs if agg.where is not None or has_choice(agg)]
    return len(chosen_) > 1


def has_choice(agg: Agg) -> bool:
    return agg.op == "countif" or any(
        isinstance(part, Call) and part.op in ("case", "if") for part in parts(agg)
    )


def columns(expr: Expr) -> list[int]:
    """The columns that it is made of; -1 stands for those of a subquery."""
    found = [part for part in parts(expr) if isinstance(part, Col | Subquery)]
    return [part.index if isinstance(part, Col) else -1 for part in found]


def argument(arg: Expr) -> Expr:
    """The value of ANY_VALUE(x HAVING MAX y), ARRAY_AGG(x ORDER BY y LIMIT 1): x."""
    while isinstance(arg, Call) and arg.op in ("havingmax", "limit", "order"):
        arg = arg.args[0]
    return arg


def members(exprs: Iterable[Expr]) -> Iterator[Expr]:
    """Those of tuples in their place: COUNT(DISTINCT (a, b)) is of a and b."""
    for each in exprs:
        if isinstance(each, Call) and each.op in ("tuple", "struct"):
            yield from each.args
        else:
            yield each
