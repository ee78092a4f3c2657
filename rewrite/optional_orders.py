"""An ORDER BY, a GROUP BY ALL, or items of a SELECT, that a macro has where its call says some: a
parameter, which is empty for none.

In a tree it is an ORDER BY or GROUP BY of one word, or an item that is one; in a template,
``{% if sorted_by %}`` around it. Behind such an item there is always another one, so that the comma
is its own.
"""

from __future__ import annotations

import re
from typing import Final

from sqlglot import exp

from unwet.rewrite.library import HOLE

_OPTIONAL: Final = "optional_order"  # the note on such an ORDER BY
_GROUP: Final = "optional_group"
_ITEM: Final = "optional_item"
_WORD: Final = re.compile(r"((?:ORDER|GROUP) BY)\s+optional__(\w+?)__optional", re.IGNORECASE)
_LISTED: Final = re.compile(r"optional__(\w+?)__optional,", re.IGNORECASE)


def optional_order(name: str) -> exp.Order:
    """The ORDER BY for a parameter."""
    order = exp.Order(expressions=[exp.Var(this=f"h__{name}__h")])
    order.meta[_OPTIONAL] = True
    return order


def is_optional(order: exp.Expr) -> bool:
    """Whether an ORDER BY is only there where a call says one."""
    return order._meta is not None and _OPTIONAL in order._meta


def optional_group(name: str) -> exp.Group:
    """The GROUP BY for a parameter, which is ALL or nothing."""
    group = exp.Group(expressions=[exp.Var(this=f"h__{name}__h")])
    group.meta[_GROUP] = True
    return group


def is_optional_group(group: exp.Expr) -> bool:
    """Whether rows are only grouped where a call says so."""
    return group._meta is not None and _GROUP in group._meta


def optional_item(name: str) -> exp.Var:
    """The items for a parameter, before others."""
    word = exp.Var(this=f"h__{name}__h")
    word.meta[_ITEM] = True
    return word


def is_optional_item(node: exp.Expr) -> bool:
    """Whether items are only there where a call says some."""
    return node._meta is not None and _ITEM in node._meta


def marked(tree: exp.Expr) -> None:
    """In place: other words for such parameters, which `with_tests` finds in text."""
    for order in tree.find_all(exp.Order):
        if is_optional(order):
            _mark(order.expressions[0])
    for group in tree.find_all(exp.Group):
        if is_optional_group(group):
            _mark(group.expressions[0])
    for word in tree.find_all(exp.Var):
        if is_optional_item(word):
            _mark(word)


def _mark(word: exp.Expr) -> None:
    if (found := HOLE.fullmatch(word.name)) is not None:
        word.set("this", f"optional__{found[1]}__optional")


def with_tests(text: str) -> str:
    """The text in which what is optional stands in a test of its parameter."""
    text = _WORD.sub(r"{% if \2 %}\1 h__\2__h{% endif %}", text)
    return _LISTED.sub(r"{% if \1 %}h__\1__h,{% endif %}", text)
