"""Calls that one UNION puts together are counted as rows of a loop."""

from __future__ import annotations

from sqlglot import exp, parse_one

from unwet.rewrite.library import MacroCall
from unwet.rewrite.looped_calls import lines_of, united_in
from unwet.rewrite.placed_calls import height_of
from unwet.rewrite.shapes import Leaf

LONG = Leaf("condition", "SUM(t.minutes) / COUNT(DISTINCT t.incident, t.kind) * 1000 " * 3)


def calls(many: int, *more: MacroCall) -> tuple[MacroCall, ...]:
    """Calls that differ in a word, each of several lines."""
    said = (("kind", Leaf("string", f"kind {at}")) for at in range(many))
    return (*(MacroCall("m", (one, ("value", LONG))) for one in said), *more)


def tree(many: int, first: int = 0) -> exp.Expr:
    """A UNION ALL of so many calls."""
    words = [exp.Var(this=f"call__{n}__call") for n in range(first, first + many)]
    made: exp.Expr = words[0]
    for word in words[1:]:
        made = exp.Union(this=made, expression=word, distinct=False)
    return made


def test_rows_and_one_call() -> None:
    made = calls(20)
    unions = united_in({"r": tree(20)})
    assert unions == dict.fromkeys(range(20), ("r", 0))
    assert lines_of(range(20), made, unions) == 20 + height_of(made[0]) + 4


def test_few_calls_and_those_elsewhere_are_counted_one_by_one() -> None:
    made = calls(5)
    each = height_of(made[0])
    assert lines_of(range(5), made, {}) == 5 * each
    assert lines_of(range(2), made, united_in({"r": tree(2)})) == 2 * each
    unions = united_in({"r": tree(2), "s": tree(3, first=2), "t": parse_one("SELECT 1")})
    assert unions[0] == ("r", 0)
    assert unions[4] == ("s", 0)
    assert lines_of(range(5), made, unions) == 2 * each + min(3 * each, 3 + each + 4)


def test_what_was_of_another_macro_is_another_loop() -> None:
    one, two = calls(10), calls(10)
    made = [*one, *(MacroCall(c.macro, c.args, like="other") for c in two)]
    unions = united_in({"r": tree(20)})
    assert lines_of(range(20), made, unions) == 2 * lines_of(range(10), made, unions)


def test_short_calls_are_no_shorter_in_a_loop() -> None:
    made = [MacroCall("m", (("kind", Leaf("string", str(at))),)) for at in range(4)]
    assert lines_of(range(4), made, united_in({"r": tree(4)})) == 4
