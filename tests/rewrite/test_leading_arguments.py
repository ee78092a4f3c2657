"""Which parameters of a macro its calls say without a name."""

from __future__ import annotations

import pytest
from sqlglot import parse_one

from unwet.rewrite.library import Library, Macro, MacroCall, with_leading
from unwet.rewrite.shapes import Leaf


@pytest.mark.parametrize(
    ("defaults", "leading"),
    [
        ({}, ("a", "b")),
        ({"a": "1"}, ("b", "c")),
        ({"a": "1", "c": "2"}, ("b",)),
        ({"a": "1", "b": "1", "c": "2"}, ()),
    ],
)
def test_the_first_two_that_each_call_has_to_say(
    defaults: dict[str, str], leading: tuple[str, ...]
) -> None:
    macro = Macro("m", ("a", "b", "c"), parse_one("SELECT 1"), "query", defaults=defaults)
    said = tuple((name, Leaf("number", "3")) for name in ("c", "b", "a"))
    calls = (MacroCall("m", said), MacroCall("unknown", said))
    known, unknown = with_leading(Library({}, (macro,), calls)).calls
    assert known.leading == leading
    assert unknown.leading == ()
    assert known.args == said
