"""Relations of a call follow from one word: whose they are."""

from __future__ import annotations

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.implied_values import with_implied_values
from unwet.rewrite.library import NO_VALUE, Library
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.source_tables import source_of, table_parameters
from unwet.rewrite.targets.jinja import call_text
from unwet.rewrite.targets.jinja_values import usual
from unwet.tests.rewrite.one_macro_called import library

Args = dict[str, Leaf]
APPS = ("org_mozilla_fenix_nightly", "accounts_frontend", "burnham", "debug_ping_view")


def source(schema: str, table: str) -> Leaf:
    return Leaf("name", f"src__{schema}__{table}__src")


def model(name: str) -> Leaf:
    return Leaf("name", f"ref__{name}__ref")


def seen(app: str, table: str = "baseline_clients_first_seen_v1") -> Args:
    return {"rows": source(f"{app}_stable", "baseline_v1"), "old": source(f"{app}_derived", table)}


def texts(made: Library) -> list[str]:
    return [call_text(call, "bigquery", made.calls) for call in made.calls]


def defaults(made: Library) -> dict[str, str]:
    [macro] = made.macros
    return {name: usual(text, "bigquery", ()) for name, text in macro.defaults.items()}


def test_tables_of_the_schemas_of_one_word_are_that_word() -> None:
    made = with_implied_values(library(*map(seen, APPS)), ())
    assert texts(made) == [f"{{{{ m(origin='{app}') }}}}" for app in APPS]
    assert made.macros[0].params == ("origin", "rows", "old")
    assert defaults(made) == {
        "rows": "source(origin ~ '_stable', 'baseline_v1')",
        "old": "source(origin ~ '_derived', 'baseline_clients_first_seen_v1')",
    }
    assert not table_parameters(made)  # the schema is not one word


def test_another_table_is_still_said_and_another_model_says_all() -> None:
    odd = {"rows": model("baseline_of_all"), "old": source("x_derived", "y")}
    said = [*map(seen, APPS), seen("mach", "another_v1"), odd]
    made = with_implied_values(library(*said), ())
    assert texts(made)[4] == "{{ m(origin='mach', old=source('mach_derived', 'another_v1')) }}"
    assert dict(made.calls[5].args) == odd
    assert made.macros[0].defaults["origin"] == NO_VALUE.text


def test_models_follow_from_the_word_of_a_schema_too() -> None:
    said = [{"rows": source(app, "events"), "more": model(f"events_of_{app}_and_more_than_that")}
            for app in APPS]  # fmt: skip
    made = with_implied_values(library(*said), ())
    assert defaults(made)["more"] == "ref('events_of_' ~ origin ~ '_and_more_than_that')"
    assert defaults(made)["rows"] == "source(origin, 'events')"


def test_what_a_call_says_already_is_the_word() -> None:
    said = [{"app": Leaf("string", app), **seen(app)} for app in APPS]
    made = with_implied_values(library(*said), ())
    assert texts(made) == [f"{{{{ m(app='{app}') }}}}" for app in APPS]
    assert defaults(made)["rows"] == "source(app ~ '_stable', 'baseline_v1')"


def test_branches_of_one_query_say_so_all_or_none() -> None:
    said = [*map(seen, APPS), seen("mach"), seen("pine", "another_v1")]
    made = with_implied_values(library(*said, models=[[0], [1], [2], [3], [4, 5]]), ())
    assert [dict(call.args).keys() for call in made.calls[4:]] == [{"rows", "old"}] * 2
    assert texts(made)[0] == f"{{{{ m(origin='{APPS[0]}') }}}}"


def test_a_name_that_the_parameter_would_hide_is_free() -> None:
    made = with_implied_values(library(*map(seen, APPS)), {"origin"})
    assert made.macros[0].params[0] == "origin_2"


@pytest.mark.parametrize(
    "said",
    [
        [seen(app) for app in APPS[:2]],
        [seen(APPS[0], f"t{n}") for n in range(4)],
        [{"rows": source(f"a_{n}", f"t_{n}")} for n in range(5)],
        [{"rows": source(f"A{app}_stable_of_the_company", "b" * 40)} for app in APPS],
        [{"rows": source(app, "t")} for app in APPS],
    ],
    ids=["few", "one word", "two words", "capitals", "short already"],
)
def test_calls_that_say_all(said: list[Args]) -> None:
    given = library(*said)
    made = with_implied_values(given, ())
    assert made.macros[0].params == given.macros[0].params
    assert [call.args for call in made.calls] == [call.args for call in given.calls]


def test_reports_of_several_schemas_are_proved() -> None:
    query = """SELECT d.client_id, MIN(d.day) AS first_day, MAX(d.day) AS last_day, COUNT(*) AS n
    FROM {0}_stable.baseline_pings_v1 AS d LEFT JOIN {0}_derived.baseline_clients_first_seen_v1 AS o
    ON o.client_id = d.client_id WHERE o.client_id IS NULL AND d.sample < 5 GROUP BY d.client_id"""
    pile = [Source(f"{app}/first_seen.sql", query.format(app)) for app in APPS]
    result = refactor(load(pile, "bigquery"), Request())
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
    models = [t for p, t in result.files.items() if p.startswith("models/") and p.endswith(".sql")]
    assert sorted(text.partition("(")[2].strip() for text in models) == sorted(
        f"'{app}') }}}}" for app in APPS
    )


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ("src__cdm__visits__src", ("cdm", "visits")),
        ("src__cdm__h__table__h__src", ("cdm", "h__table__h")),
        ("src__cdm__h__kind__h_visits__src", ("cdm", "h__kind__h_visits")),
        ("src__h__origin__h_stable__baseline_v1__src", None),
        ("src__raw_h__app__h__events__src", None),
        ("ref__visits__ref", None),
    ],
)
def test_a_source_whose_schema_a_parameter_says_is_of_none(
    token: str, told: tuple[str, str] | None
) -> None:
    """It was taken for one of a schema `h`, and what called such a macro read nothing there is."""
    assert source_of(token) == told
    calls = [{"rows": Leaf("name", token)}, {"rows": Leaf("name", token.replace("v", "w"))}]
    found = table_parameters(library(*calls))
    assert found == ({} if told is None else {("m", "rows"): told[0]})
