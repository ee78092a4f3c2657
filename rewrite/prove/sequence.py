"""The order that a query gives its rows, as far as its own columns show it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

Key = tuple[int, bool, bool]  # position of the column (0-based), descending, NULLs first


def sequence_of(tree: exp.Query) -> tuple[Key, ...]:
    """The keys of the final ORDER BY that are columns of the result: up to the first that is not.

    Rows that are equal in these keys may come in any order, so nothing more can be asked for.
    """
    while isinstance(tree, exp.Subquery) and not tree.args.get("order"):
        inner = tree.this
        if not isinstance(inner, exp.Query):
            return ()
        tree = inner
    clause = tree.args.get("order")
    outputs = tree.selects
    if clause is None or any(output.is_star for output in outputs):
        return ()
    places = _places(outputs)
    keys: list[Key] = []
    for item in clause.expressions:
        place = _place(item.this if isinstance(item, exp.Ordered) else item, places, len(outputs))
        if place is None:
            break
        keys.append((place, bool(item.args.get("desc")), bool(item.args.get("nulls_first"))))
    return tuple(keys)


def _places(outputs: list[exp.Expr]) -> dict[object, int]:
    """Column name in lower case, or expression, -> position; names win, ambiguous ones are out."""
    found: dict[object, int] = {}
    twice: set[object] = set()
    for place, output in enumerate(outputs):
        for key in (output.unalias(), output.alias_or_name.lower()):
            if key in found and found[key] != place:
                twice.add(key)
            found[key] = place
    return {key: place for key, place in found.items() if key not in twice and key != ""}


def _place(key: exp.Expr, places: Mapping[object, int], width: int) -> int | None:
    if isinstance(key, exp.Literal) and not key.is_string:
        number = int(str(key.this)) if str(key.this).isdigit() else 0
        return number - 1 if 0 < number <= width else None
    if isinstance(key, exp.Column) and not key.table and key.name.lower() in places:
        return places[key.name.lower()]
    return places.get(key)
