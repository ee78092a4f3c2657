"""Names that are another argument with more around it are not said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.implied_values import with_implied_values
from unwet.rewrite.library import Library
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import call_text
from unwet.rewrite.targets.jinja_values import usual
from unwet.tests.rewrite.one_macro_called import library

Said = dict[str, Leaf]
COLUMNS = ("crash_time", "glean_validation_first_run_hour", "installation_timestamp")
OF = "of_the_relation_that_all_read"


def name(text: str) -> Leaf:
    return Leaf("name", text)


def times(column: str, before: str = "raw_", after: str = "") -> Said:
    return {"column": name(f"{column}_{OF}"), "raw": name(f"{before}{column}_{OF}{after}")}


def implied(*said: Said, models: Iterable[Sequence[int]] = ()) -> Library:
    return with_implied_values(library(*said, models=models), ())


def default(made: Library, name: str = "raw") -> str:
    return usual(made.macros[0].defaults[name], "bigquery", ())


def test_a_name_with_more_in_front_of_it_follows() -> None:
    made = implied(*map(times, COLUMNS))
    assert default(made) == "'raw_' ~ column"
    said = [call_text(call, "bigquery", made.calls) for call in made.calls]
    assert said == [f"{{{{ m(column='{column}_{OF}') }}}}" for column in COLUMNS]


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("", "2", "column ~ '2'"),
        ("", "_value", "column ~ '_value'"),
        ("metrics.text.", "", "'metrics.text.' ~ column"),
        ("`", "`", "'`' ~ column ~ '`'"),
    ],
)
def test_what_stands_around_it(before: str, after: str, shown: str) -> None:
    made = implied(*(times(column, before, after) for column in COLUMNS))
    assert default(made) == shown


def test_a_call_that_wants_another_name_says_it() -> None:
    odd = {"column": name(f"x_{OF}"), "raw": name(f"y_{OF}")}
    made = implied(*map(times, COLUMNS), odd)
    assert [dict(call.args).keys() for call in made.calls] == [{"column"}] * 3 + [odd.keys()]


def test_a_name_that_others_follow_follows_from_none() -> None:
    made = implied(*({"a": name(f"{c}_{OF}"), "b": name(f"x_{c}_{OF}"), "c": name(f"y_{c}_{OF}")}
                     for c in COLUMNS))  # fmt: skip
    assert {n: default(made, n) for n in made.macros[0].defaults} == {
        "b": "'x_' ~ a", "c": "'y_' ~ a"
    }  # fmt: skip


def test_branches_of_one_query_say_so_all_or_none() -> None:
    odd = {"column": name(f"x_{OF}"), "raw": name(f"y_{OF}")}
    made = implied(*map(times, (*COLUMNS, "a", "b")), odd, models=[[0], [1], [2], [3], [4, 5]])
    assert [len(call.args) for call in made.calls] == [1, 1, 1, 1, 2, 2]


@pytest.mark.parametrize(
    "said",
    [
        [times(column) for column in COLUMNS[:2]],
        [times("crash_time")] * 4,
        [{"column": name(column), "raw": name(f"raw_{column}")} for column in ("a", "b", "c")],
        [times(column, "raw") for column in COLUMNS],
        [times(column, "", "s") for column in COLUMNS],
        [times(column, "raw__") for column in COLUMNS],
        [{"column": name(f"{c}_{OF}"), "raw": Leaf("string", f"raw_{c}_{OF}")} for c in COLUMNS],
        [{"column": name(f"{c}_{OF}"), "raw": Leaf("name", f"raw_{c}_{OF}", quoted=True)}
         for c in COLUMNS],
    ],
    ids=["few", "one word", "short", "in a word", "in front of letters", "a token", "texts",
         "quoted"],
)  # fmt: skip
def test_calls_that_say_all(said: list[Said]) -> None:
    made = implied(*said)
    assert [dict(call.args) for call in made.calls] == said


def test_reports_are_proved() -> None:
    query = """SELECT p.client_id, p.day, PARSE_TIMESTAMP('%F', p.raw_{0}) AS {0}, p.raw_{0},
    COUNT(*) AS n, MAX(p.raw_{0}) AS last_time, MIN(p.sample) AS least FROM s.{0}_pings AS p
    WHERE p.sample < 5 GROUP BY p.client_id, p.day, p.raw_{0}"""
    pile = [Source(f"{column}.sql", query.format(column)) for column in COLUMNS]
    result = refactor(load(pile, "bigquery"), Request())
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
