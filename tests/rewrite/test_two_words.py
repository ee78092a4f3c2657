"""A table that calls read is two words, its schema and its name, where both vary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.implied_values import with_implied_values
from unwet.rewrite.library import NO_VALUE, Library, MacroCall
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import call_text
from unwet.rewrite.targets.jinja_values import argument, usual
from unwet.tests.rewrite.one_macro_called import library

Args = dict[str, Leaf]
APPS = ("org_mozilla_fenix_nightly", "org_mozilla_focus_nightly", "debug_ping_of_all_views")
PINGS = ("content_decoding_error", "bounce_tracking_protection", "user_characteristics_v1_of")
PAIRS = tuple((app, ping) for app in APPS for ping in PINGS)


def source(schema: str, table: str) -> Leaf:
    return Leaf("name", f"src__{schema}__{table}__src")


def pings(app: str, ping: str) -> Args:
    return {"table": source(f"{app}_stable", f"{ping}_v1")}


def implied(*said: Args, taken: tuple[str, ...] = (), **how: Iterable[Sequence[int]]) -> Library:
    return with_implied_values(library(*said, name="metadata_ping_info", **how), taken)


def texts(made: Library) -> list[str]:
    return [call_text(call, "bigquery", made.calls) for call in made.calls]


def table_of(made: Library) -> str:
    [macro] = made.macros
    return usual(macro.defaults["table"], "bigquery", ())


def test_a_table_of_which_schema_and_name_vary_is_two_words() -> None:
    made = implied(*(pings(*pair) for pair in PAIRS))
    assert texts(made) == [f"{{{{ metadata_ping_info('{a}', '{p}') }}}}" for a, p in PAIRS]
    assert made.macros[0].params == ("origin", "name", "table")
    assert table_of(made) == "source(origin ~ '_stable', name ~ '_v1')"


def test_names_that_end_in_nothing_alike_are_said_whole() -> None:
    said = [{"table": source(f"{app}_x{n}", f"{ping}_y{n}")} for n, (app, ping) in enumerate(PAIRS)]
    made = implied(*said)
    assert table_of(made) == "source(origin, name)"
    assert texts(made)[0] == f"{{{{ metadata_ping_info('{APPS[0]}_x0', '{PINGS[0]}_y0') }}}}"


def test_a_call_that_reads_something_else_says_it() -> None:
    many = [pings(*pair) for pair in PAIRS] + [pings(app, "events_of_all") for app in APPS]
    model, another = Leaf("name", "ref__pings__ref"), source("mach_stable", "crash_v2")
    made = implied(*many, {"table": model}, {"table": another})
    assert texts(made)[-2:] == [
        "{{ metadata_ping_info(table=ref('pings')) }}",
        "{{ metadata_ping_info(table=source('mach_stable', 'crash_v2')) }}",
    ]
    assert {made.macros[0].defaults[name] for name in ("origin", "name")} == {NO_VALUE.text}


def test_a_call_that_says_more_says_the_names_of_all() -> None:
    more = Leaf("string", "one, more")
    made = implied(*({"app": more, **pings(*pair)} for pair in PAIRS))
    assert texts(made)[0].split() == (
        f"{{{{ metadata_ping_info( origin='{APPS[0]}', name='{PINGS[0]}',"
        f" app='{more.text}' ) }}}}".split()
    )


def test_a_call_that_is_an_argument_says_the_two_words() -> None:
    made = implied(*(pings(*pair) for pair in PAIRS))
    call = argument(Leaf("condition", "call__0__call"), "bigquery", made.calls)
    assert call == f"metadata_ping_info('{APPS[0]}', '{PINGS[0]}')"


def test_branches_of_one_query_say_so_all_or_none() -> None:
    said = [*(pings(*pair) for pair in PAIRS), {"table": Leaf("name", "ref__pings__ref")}]
    made = implied(*said, models=[*([n] for n in range(8)), [8, 9]])
    assert [call.bare for call in made.calls] == [True] * 8 + [False] * 2
    assert [dict(call.args).keys() for call in made.calls[8:]] == [{"table"}] * 2


def test_names_that_a_parameter_would_hide_are_free() -> None:
    made = implied(*(pings(*pair) for pair in PAIRS), taken=("origin", "name"))
    assert made.macros[0].params[:2] == ("origin_2", "name_2")
    assert table_of(made) == "source(origin_2 ~ '_stable', name_2 ~ '_v1')"


@pytest.mark.parametrize(
    "said",
    [
        [pings(*pair) for pair in PAIRS[:2]],
        [{"table": source("s", f"t_{n}")} for n in range(5)],
        [{"table": source(f"{app}_Stable", f"{ping}_V1")} for app, ping in PAIRS],
        [{"table": Leaf("name", f"ref__{app}__ref")} for app in APPS],
    ],
    ids=["few", "short already", "capitals", "models"],
)
def test_calls_that_say_the_table(said: list[Args]) -> None:
    made = implied(*said)
    assert made.macros[0].params == ("table",)
    assert [dict(call.args) for call in made.calls] == said


def test_reports_of_tables_of_several_schemas_are_proved() -> None:
    query = """SELECT d.client_id, MIN(d.day) AS first_day, MAX(d.day) AS last_day, COUNT(*) AS n,
    SUM(d.pings) AS pings, MAX(d.pings) AS most_pings FROM {0}_stable.{1}_v1 AS d
    WHERE d.sample < 5 AND NOT d.client_id IS NULL GROUP BY d.client_id"""
    pile = [Source(f"{app}/{ping}.sql", query.format(app, ping)) for app, ping in PAIRS]
    result = refactor(load(pile, "bigquery"), Request())
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
    models = [t for p, t in result.files.items() if p.startswith("models/") and p.endswith(".sql")]
    said = sorted(text.partition("(")[2].strip() for text in models)
    assert said == sorted(f"'{app}', '{ping}') }}}}" for app, ping in PAIRS)


def rows(report: str, app: str, **more: Leaf) -> Args:
    return {"app": Leaf("string", app), "pings": Leaf("name", f"ref__{report}_{app}__ref"), **more}


REPORTS = ("baseline_clients_daily", "baseline_clients_first_seen", "baseline_clients_last_seen")
BESIDE = tuple((report, app) for report in REPORTS for app in APPS)


def pings_of(made: Library) -> str:
    return usual(made.macros[0].defaults["pings"], "bigquery", ())


def test_a_model_called_after_a_word_that_is_said_is_the_other_word() -> None:
    made = implied(*(rows(*pair) for pair in BESIDE))
    assert pings_of(made) == "ref(report ~ '_' ~ app)"
    assert made.macros[0].params == ("report", "app", "pings")
    assert texts(made) == [f"{{{{ metadata_ping_info('{r}', '{a}') }}}}" for r, a in BESIDE]


def test_the_word_that_is_said_may_stand_in_front() -> None:
    said = [{"app": Leaf("string", app), "pings": Leaf("name", f"ref__{app}_{report}__ref")}
            for report, app in BESIDE]  # fmt: skip
    assert pings_of(implied(*said)) == "ref(app ~ '_' ~ report)"


def test_a_table_of_a_schema_that_is_called_after_a_word_that_is_said_is_the_other_word() -> None:
    said = [{"app": Leaf("string", app), "pings": source(f"{app}_stable", f"{ping}_v1")}
            for app, ping in PAIRS]  # fmt: skip
    assert pings_of(implied(*said)) == "source(app ~ '_stable', report ~ '_v1')"


def test_a_call_that_says_more_than_both_words_says_their_names() -> None:
    more = [Leaf("string", "one"), *[Leaf("string", "another")] * 8]
    made = implied(*(rows(*pair, more=m) for pair, m in zip(BESIDE, more, strict=True)))
    assert not any(call.bare for call in made.calls)
    assert texts(made)[0].split()[2:] == [
        f"report='{REPORTS[0]}',", f"app='{APPS[0]}',", "more='one'", ")", "}}"
    ]  # fmt: skip


def test_a_model_that_is_called_otherwise_is_said() -> None:
    odd = {"app": Leaf("string", "fenix"), "pings": Leaf("name", "ref__all_clients__ref")}
    made = implied(*(rows(*pair) for pair in BESIDE), odd)
    assert made.macros[0].defaults["report"] == NO_VALUE.text
    assert dict(made.calls[-1].args) == odd
    assert not any(call.bare for call in made.calls)  # what may be missing comes behind


def test_where_the_word_is_not_the_first_parameter_names_are_said() -> None:
    said = [{"pings": each["pings"], "app": each["app"]} for each in (rows(*p) for p in BESIDE)]
    assert not any(call.bare for call in implied(*said).calls)


@pytest.mark.parametrize(
    "said",
    [
        [rows(*pair) for pair in BESIDE[:2]],
        [rows(f"a{n}", f"b{n}") for n in range(5)],
        [{**rows(*pair), "app": Leaf("string", "x")} for pair in BESIDE],
        [{**rows(*pair), "app": Leaf("string", pair[1][1:])} for pair in BESIDE],
    ],
    ids=["few", "short already", "another word", "not a whole word"],
)
def test_calls_that_say_the_model(said: list[Args]) -> None:
    made = implied(*said)
    assert [dict(call.args) for call in made.calls] == said


def test_reports_of_models_of_several_reports_are_proved() -> None:
    view = """CREATE VIEW {1}.{0} AS SELECT p.* EXCEPT (meta), LOWER(p.meta.os) AS os,
    IF(p.meta.beta, 1, 2) AS n FROM {1}_derived.{0}_v1 AS p"""
    above = """CREATE VIEW mobile.{0}_of_{1} AS SELECT '{1}' AS app, p.day, p.client, COUNT(*) AS n,
    MAX(p.size) AS most, MIN(p.size) AS least FROM {1}.{0} AS p GROUP BY p.day, p.client"""
    pile = [Source(f"{a}/{r}.sql", view.format(r, a)) for r, a in BESIDE]
    pile += [Source(f"mobile/{r}_of_{a}.sql", above.format(r, a)) for r, a in BESIDE]
    result = refactor(load(pile, "bigquery"), Request())
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
    macros = [t for p, t in result.files.items() if p.startswith("macros/")]
    assert sum("ref(report ~ '_' ~ " in text for text in macros) == 1


def test_a_schema_that_never_varies_is_no_word() -> None:
    said = [pings(APPS[0], ping) for ping in PINGS]
    made = implied(*said)
    assert made.macros[0].params == ("table",)
    assert [dict(call.args) for call in made.calls] == said


def test_a_table_that_decides_something_else_is_said() -> None:
    """A default that is looked up is read before a table which follows from two words is known."""
    start = library(*(pings(*pair) for pair in PAIRS), name="metadata_ping_info")
    look_up = MacroCall("date_of", (("table", Leaf("condition", "h__table__h")),))
    [macro] = start.macros
    wider = replace(macro, params=("date", *macro.params),
                    defaults={"date": f"call__{len(start.calls)}__call"})  # fmt: skip
    calls = tuple(replace(c, unsaid=(("date", Leaf("name", "day")),)) for c in start.calls)
    made = with_implied_values(replace(start, macros=(wider,), calls=(*calls, look_up)), ())
    assert made.macros[0].params == ("date", "table")
