"""Columns that a macro leaves out where a call says so: each stands in an `{% if %}` of its own.

    SELECT
      a.name,
      {% if 'sold' not in without %}SUM(a.quantity) AS sold,{% endif %}
      SUM(a.cents) / 100.0 AS net_revenue
      {% if 'margin' not in without %}, SUM(a.margin) AS margin{% endif %}

The comma is in it: behind the column, where one follows that is always there, else before it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

_WIDE: Final = "_" * 90  # makes the list too long for one line


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column by its name, the item of the SELECT, and whether one follows that always stands."""

    name: str
    item: exp.Expr
    followed: bool


def set_aside(tree: exp.Expr, names: Collection[str]) -> tuple[LeftOut, ...]:
    """In place: words stand for the items of the query with these names."""
    if not names:
        return ()
    last = max(n for n, item in enumerate(tree.expressions) if item.alias_or_name not in names)
    found: list[LeftOut] = []
    items: list[exp.Expr] = []
    for number, item in enumerate(tree.expressions):
        if item.alias_or_name in names:
            items.append(exp.column(f"{_word(len(found))}{_WIDE}"))
            found.append(LeftOut(item.alias_or_name, item, number < last))
        else:
            items.append(item)
    tree.set("expressions", items)
    return tuple(found)


def put_in(text: str, number: int, column: LeftOut, item: str, test: str) -> str:
    """The text with the column, printed as ``item``, in place of the word for it; it is there if
    the ``test`` is true."""
    test = f"{{% if {test} %}}"

    def put(found: re.Match[str]) -> str:
        comma, pad, after = found[1], found[2], found[3]
        body = item.replace("\n", f"\n{pad[1:]}")
        if column.followed:
            return f"{comma}{pad}{test}{body},{{% endif %}}"
        return f"{pad}{test}, {body}{{% endif %}}{after}"

    return re.sub(rf"(,?)(\n *){_word(number)}{_WIDE}(,?)", put, text)


def _word(number: int) -> str:
    return f"left_out_{number}"
