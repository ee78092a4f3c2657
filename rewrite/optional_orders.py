"""An ORDER BY that a macro has where its call says one: a parameter, which is empty for no order.

In a tree it is an ORDER BY of one word; in a template, ``{% if sorted_by %}`` around it.
"""

from __future__ import annotations

import re
from typing import Final

from sqlglot import exp

from unwet.rewrite.library import HOLE

_OPTIONAL: Final = "optional_order"  # the note on such an ORDER BY
_WORD: Final = re.compile(r"ORDER BY\s+optional__(\w+?)__optional", re.IGNORECASE)


def optional_order(name: str) -> exp.Order:
    """The ORDER BY for a parameter."""
    order = exp.Order(expressions=[exp.Var(this=f"h__{name}__h")])
    order.meta[_OPTIONAL] = True
    return order


def is_optional(order: exp.Expr) -> bool:
    """Whether an ORDER BY is only there where a call says one."""
    return order._meta is not None and _OPTIONAL in order._meta


def marked(tree: exp.Expr) -> None:
    """In place: other words for the parameters of such orders, which `with_tests` finds in text."""
    for order in tree.find_all(exp.Order):
        found = HOLE.fullmatch(order.expressions[0].name) if is_optional(order) else None
        if found is not None:
            order.expressions[0].set("this", f"optional__{found[1]}__optional")


def with_tests(text: str) -> str:
    """The text in which such orders stand in a test of their parameter."""
    return _WORD.sub(r"{% if \1 %}ORDER BY h__\1__h{% endif %}", text)
