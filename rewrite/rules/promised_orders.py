"""Orders by what is never NULL: where its NULLs stand is of no effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unwet.rewrite.algebra import Aggregate, Plan, Rel, Sort, SortKey, Window
from unwet.rewrite.rules.promises import Promises, Rested


def order_of_never_null(promises: Promises, rel: Rel) -> Rested | None:
    """ORDER BY x NULLS FIRST -> ORDER BY x where x is never NULL: of LIMIT, of windows, and of
    aggregates that put rows in an order."""
    grounds: set[str] = set()
    made: Rel
    match rel:
        case Sort(input=inner, keys=keys):
            made = replace(rel, keys=_plain(keys, inner, promises, grounds))
        case Window(input=inner, functions=functions):
            some = (replace(f, order=_plain(f.order, inner, promises, grounds)) for f in functions)
            made = replace(rel, functions=tuple(some))
        case Aggregate(input=inner, aggs=aggs) if any(each.order for each in aggs):
            said = (replace(a, order=_plain(a.order, inner, promises, grounds)) for a in aggs)
            made = replace(rel, aggs=tuple(said))
        case _:
            return None
    return Rested(frozenset(grounds), made) if made != rel else None


def ordered(promises: Promises, plan: Plan) -> tuple[Plan, frozenset[str]]:
    """The same of the order that a plan ends with, and what that rests on."""
    grounds: set[str] = set()
    order = _plain(plan.order, plan.rel, promises, grounds)
    return replace(plan, order=order), frozenset(grounds)


def _plain(
    keys: Sequence[SortKey], inner: Rel, promises: Promises, grounds: set[str]
) -> tuple[SortKey, ...]:
    made: list[SortKey] = []
    for key in keys:
        found = promises.value_never_null(key.expr, inner) if key.nulls_first is not None else None
        if found is not None:
            grounds |= found
            key = replace(key, nulls_first=None)
        made.append(key)
    return tuple(made)
