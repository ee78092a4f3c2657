"""A text of SqlRender by the values of the one parameter that its conditionals ask for."""

from __future__ import annotations

import pytest

from unwet.lineage.asked import OTHER, in_parts
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask

ONE = "SELECT a{@v == '2'}?{, b}:{, c} FROM t {@v in ('2', '3')}?{WHERE {@v != '3'}?{x}:{y}}\n"


@pytest.mark.parametrize("value", ["2", "3", OTHER])
def test_the_parts_of_a_value_are_what_is_read_with_it(value: str) -> None:
    found = in_parts(ONE)
    assert found is not None and (found.name, found.constants) == ("v", ("2", "3"))
    read = "".join(part.text for part in found.parts if value in part.values)
    assert read == mask(Source("a.sql", ONE, "tsql"), {"v": value or "none of these"}).text


NONE = [
    ("nothing is asked", "SELECT a FROM t"),
    ("another parameter is asked for, too", "SELECT a {@v == '2'}?{, b} {@w == '2'}?{, c} FROM t"),
    ("its value stands in the query", "SELECT '@v' AS v {@v == '2'}?{, b} FROM t"),
    ("it has a value", "{DEFAULT @v = '2'} SELECT a {@v == '2'}?{, b} FROM t"),
    ("it is asked whether it is true", "SELECT a {@v}?{, b} FROM t"),
    ("it is compared with another one", "SELECT a {@v == @w}?{, b} FROM t"),
    ("more than one thing is asked at once", "SELECT a {@v == '2' | @v == '3'}?{, b} FROM t"),
    ("tags of Jinja decide, too", "SELECT a {@v == '2'}?{, b} {% if x %}, c{% endif %} FROM t"),
    ("a brace is never closed", "SELECT a {@v == '2'}?{, b FROM t"),
]


@pytest.mark.parametrize("text", [text for _, text in NONE], ids=[name for name, _ in NONE])
def test_of_others_nothing_is_known(text: str) -> None:
    assert in_parts(text) is None
