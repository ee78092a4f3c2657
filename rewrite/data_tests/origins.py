"""Where a column of a plan comes from, as long as nothing computes with it."""

from __future__ import annotations

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Col,
    Distinct,
    Filter,
    Join,
    Project,
    Rel,
    Scan,
    Sort,
    Unnest,
    Window,
    width,
)


def origin(rel: Rel, at: int) -> tuple[str, str] | None:
    """The relation and its column that a column hands on as it is."""
    found = source(rel, at)
    return found if isinstance(found, tuple) else None


def source(rel: Rel, at: int) -> tuple[str, str] | Agg | None:
    """What a column comes from: a relation's column, a count, or something else."""
    while True:
        match rel:
            case Scan(table=table, columns=columns):
                return table, columns[at]
            case Project(input=inner, exprs=exprs) | Aggregate(input=inner, keys=exprs) if at < len(
                exprs
            ):
                expr = exprs[at]
                if not isinstance(expr, Col):
                    return None
                rel, at = inner, expr.index
            case Aggregate(keys=keys, aggs=aggs):
                agg = aggs[at - len(keys)]
                return agg if agg.op == "count" else None
            case Join(inputs=some):
                for each in some:
                    if at < width(each):
                        rel = each
                        break
                    at -= width(each)
            case Window(input=inner) if at >= width(inner):
                return None
            case Unnest(input=inner) if at >= width(inner):
                return None
            case (
                Filter(input=inner)
                | Window(input=inner)
                | Sort(input=inner)
                | Distinct(input=inner)
                | Unnest(input=inner)
            ):
                rel = inner
            case _:
                return None
