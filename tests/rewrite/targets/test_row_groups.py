"""Loops of one macro over other rows each: as one loop they are rendered to the same branches."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined
from sqlglot import exp

from unwet.rewrite.library import MacroCall
from unwet.rewrite.prove.sandbox import CHARACTERS, STEPS, Budget, Sandbox
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import template
from unwet.rewrite.targets.shared_stretches import with_stretches

KEYS = [f"Level {n}" for n in range(9)]
QUOTE = "'"  # of which SQL says two
METRICS = ["COUNT(DISTINCT person_id)", "SUM(days) / COUNT(*)", "MAX(minutes_of_restraint)"]


def call(macro: str = "m", like: str = "", **args: str) -> MacroCall:
    said = tuple((name, Leaf("string", text)) for name, text in args.items())
    return MacroCall(macro, said, like=like)


def printed(calls: Sequence[MacroCall], stretches: bool = False) -> tuple[str, list[str]]:
    """The template of a UNION ALL of calls, and what each branch is in it."""
    tree: exp.Expr = exp.Var(this="call__0__call")
    for at in range(1, len(calls)):
        branch = exp.Var(this=f"call__{at}__call")
        tree = exp.Union(this=tree, expression=branch, distinct=False)
    text = template(tree, "duckdb", calls, tables=True)
    text = with_stretches(text) if stretches else text
    known = {name: _Said(name) for name in ("m", "n")}
    environments = (
        Environment(undefined=StrictUndefined),
        Sandbox(Budget(STEPS, CHARACTERS)),
    )
    found = [each.from_string(text).render(known) for each in environments]
    assert found[0].split() == found[1].split()
    return text, [branch.strip() for branch in found[0].split("UNION ALL")]


class _Said:
    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, **args: str) -> str:
        return f"{self.name} {sorted(args.items())}"


def plain(calls: Sequence[MacroCall]) -> list[str]:
    args = ({name: leaf.text.replace(QUOTE, QUOTE * 2) for name, leaf in c.args} for c in calls)
    return [f"{c.macro} {sorted(said.items())}" for c, said in zip(calls, args, strict=True)]


def test_a_table_that_says_the_same_again_and_again_is_a_list_for_each() -> None:
    calls = [
        call(key=key, metric=metric, name=f"M{n}")
        for n, metric in enumerate(METRICS)
        for key in KEYS[n:]
    ]
    text, found = printed(calls)
    assert found == plain(calls)
    assert all(text.count(metric) == 1 for metric in METRICS)
    assert "{% for metric, name, keys in [\n" in text
    assert "{% for key in keys %}\n{{ m(key=key, metric=metric, name=name) }}" in text


def test_loops_of_one_macro_are_one_loop_and_the_first_branch_stays_the_first() -> None:
    same = {f"argument_{n}": f"the same in all of them, {n}" for n in range(6)}
    calls = [call(key=key, metric=f"{metric} OF {n}", like=str(n), **same)
             for n, metric in enumerate(METRICS) for key in KEYS[3 * n : 4 * n + 4]]  # fmt: skip
    calls.insert(5, call("n", a="1"))
    text, found = printed(calls)
    assert sorted(found) == sorted(plain(calls))
    assert found[0] == plain(calls)[0]
    assert text.count("key=key") == text.count("argument_0") == 1


def test_lists_of_rows_that_others_have_too_stand_once() -> None:
    calls = [call(key=key, more=f"{key} as in others", metric=metric)
             for n, metric in enumerate(METRICS) for key in KEYS[n:]]  # fmt: skip
    text, found = printed(calls, stretches=True)
    assert found == plain(calls)
    assert all(text.count(f"{key} as") <= 1 for key in KEYS[2:])


def test_few_rows_are_read_as_they_are() -> None:
    calls = [call(key=key, metric=metric) for metric in METRICS[:2] for key in KEYS[:2]]
    text, found = printed([*calls, call(key=KEYS[4], metric=METRICS[1])])
    assert found == plain([*calls, call(key=KEYS[4], metric=METRICS[1])])
    assert text.count("{% for") == 1


def test_calls_that_say_other_things_are_not_put_together() -> None:
    first = [call(key=key, metric=METRICS[0], like="a") for key in KEYS[:6]]
    second = [call(key=key, other=METRICS[1], like="b") for key in KEYS[2:]]
    text, found = printed([*first, *second])
    assert found == plain([*first, *second])
    assert "metric='COUNT(DISTINCT person_id)'" in text
    assert "other='SUM(days) / COUNT(*)'" in text


def test_names_of_loops_hide_no_parameter_of_the_macro_around() -> None:
    calls = [call(key=key, metric=metric, more="h__keys__h")
             for n, metric in enumerate(METRICS) for key in KEYS[n:]]  # fmt: skip
    tree: exp.Expr = exp.Var(this="call__0__call")
    for at in range(1, len(calls)):
        branch = exp.Var(this=f"call__{at}__call")
        tree = exp.Union(this=tree, expression=branch, distinct=False)
    text = template(tree, "duckdb", calls, tables=True)
    assert "{% for metric, keys_2 in [\n" in text
    found = Environment().from_string(text).render({"m": _Said("m"), "keys": "mine"})
    said = [row.replace("h__keys__h", "mine") for row in plain(calls)]
    assert [branch.strip() for branch in found.split("UNION ALL")] == said


_VALUES = st.sampled_from(["a", "Region", "it's", '"x"', "{{ y }}", "a; b", "Region; b"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(METRICS)] * 2, _VALUES, _VALUES,
                          st.sampled_from("xyz")), min_size=6, max_size=40))  # fmt: skip
def test_whatever_the_rows_the_branches_are_the_same(
    rows: list[tuple[str, str, str, str, str]],
) -> None:
    rows.sort(key=lambda row: row[0])
    calls = [call(metric=a, value=b, key=c, level=d, like=like) for a, b, c, d, like in rows]
    for stretches in (False, True):
        _, found = printed(calls, stretches)
        assert sorted(found) == sorted(plain(calls))
        assert found[0] == plain(calls)[0]
