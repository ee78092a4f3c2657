"""Calls of one macro as calls of another one."""

from __future__ import annotations

import pytest
from sqlglot import exp

from unwet.rewrite.library import Macro, MacroCall
from unwet.rewrite.moved_calls import moved
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja_values import argument

MACRO = Macro("rows", ("test",), exp.Var(this="h__test__h"), "query")


def said(wanted: str, value: Leaf) -> str:
    """What the call says of the macro, as a Jinja expression."""
    call = moved(MacroCall("old_rows", (("ids", value),)), MACRO,
                 {"test": Leaf("condition", wanted)}, "", [])  # fmt: skip
    assert call is not None
    return argument(dict(call.args)["test"], "tsql")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Leaf("list", "1, 2"), "'id IN (1, 2) AND x > 0'"),
        # it was 'id IN (' ~ ids ~ ')', which is `IN ([1, 2])`
        (Leaf("list", "h__ids__h"), "'id IN (' ~ ids | join(', ') ~ ') AND x > 0'"),
        (Leaf("list", "h__ids_2__h"), "'id IN (' ~ ids_2 | join(', ') ~ ') AND x > 0'"),
    ],
)
def test_a_list_that_is_handed_on_is_one_within_a_condition(value: Leaf, text: str) -> None:
    assert said("id IN (list__ids__list) AND x > 0", value) == text


def test_parameters_of_the_caller_are_not_those_of_the_macro() -> None:
    value = Leaf("condition", "id IN (list__ids__list)")
    assert said("h__ids__h AND x > 0", value) == "'id IN (' ~ ids | join(', ') ~ ') AND x > 0'"
