"""A table that is declared and holds no rows, as a query: its columns have the declared types."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from unwet.rewrite.scalars import column_type


def typed_nothing(columns: Sequence[str], types: Sequence[str]) -> exp.Select | None:
    """A query of no rows with these columns; None where a type is not known."""
    if not types or not all(types):
        return None
    pairs = zip(columns, types, strict=True)
    items = [exp.alias_(exp.cast(exp.null(), column_type(kind)), name) for name, kind in pairs]
    nothing = exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(0))
    return exp.Select(expressions=items, where=exp.Where(this=nothing))
