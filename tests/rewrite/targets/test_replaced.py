"""What an author said above a query, as its model says it."""

from __future__ import annotations

import pytest
from sqlglot import exp

from unwet.rewrite.compose import Draft
from unwet.rewrite.targets.replaced import said_in_lines


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("---------------- TABLE 1 ------", ["TABLE 1"]),
        ("- - THE LIST --", ["THE LIST"]),
        ("=========", []),
        ("*/", []),
        ("### Revenue ###", ["Revenue"]),
        ("10\tNumber of persons", ["10 Number of persons"]),
        ("- a point, a -- b, 2020-01", ["- a point, a -- b, 2020-01"]),
        ("__init__ of a_b_", ["__init__ of a_b_"]),
        ("FROM old", ["FROM old"]),
    ],
)
def test_words_without_what_is_drawn_around_them(comment: str, said: list[str]) -> None:
    assert said_in_lines(Draft("m", exp.select("1"), (), (), (comment,))) == said
