"""Joins that say the same of other relations call a macro of what these are called."""

from __future__ import annotations

import pytest
from sqlglot import parse_one

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.joined_alike import with_joins_alike
from unwet.rewrite.library import Library, Macro
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.targets.jinja import call_text, template

SAME = ("day", "app", "country", "channel", "product")
ALIASES = ("p", "l", "m")


def on(alias: str, *names: str, of: str = "a") -> str:
    return " AND ".join(f"{of}.{name} = {alias}.{name}" for name in names or SAME)


def between(alias: str, day: str) -> str:
    return (f"{alias}.person_id = op.person_id AND {alias}.{day} >= op.period_start_date "
            f"AND {alias}.{day} <= op.period_end_date")  # fmt: skip


def models(*conditions: str) -> Library:
    trees = (parse_one(f"SELECT 1 AS n FROM a JOIN x ON {each}") for each in conditions)
    return Library({f"r{at}": tree for at, tree in enumerate(trees)}, (), ())


def made(library: Library, stay: tuple[str, ...] = (), most: int = 5) -> Library:
    return with_joins_alike(library, frozenset({"taken"}), stay, most)


def text(library: Library, name: str) -> str:
    macro = next(each for each in library.macros if each.name == name)
    return template(macro.tree, "duckdb", library.calls, macro.kind)


def said(library: Library, name: str = "r0") -> str:
    return template(library.models[name], "duckdb", library.calls)


def test_one_relation_of_two_is_called_otherwise() -> None:
    library = made(models(*map(on, ALIASES)))
    assert text(library, "same_day_to_product").splitlines() == [
        "a.day = {{ alias }}.day",
        "AND a.app = {{ alias }}.app",
        "AND a.country = {{ alias }}.country",
        "AND a.channel = {{ alias }}.channel",
        "AND a.product = {{ alias }}.product",
    ]
    assert said(library).endswith("ON {{ same_day_to_product(alias='p') }}")


def test_both_are_called_otherwise() -> None:
    library = made(models(on("p"), on("l"), on("m", of="b")))
    assert [call_text(each, "duckdb") for each in library.calls][-1] == (
        "{{ same_day_to_product(alias='b', alias_2='m') }}"
    )


def test_a_column_that_is_compared_twice_may_be_another_one() -> None:
    places = [("ce", "start_day"), ("m", "day"), ("d", "day"), ("v", "visit_day"), ("o", "day")]
    library = made(models(*(between(*place) for place in places)))
    (macro,) = library.macros
    assert (macro.name, macro.params) == ("is_within_period", ("alias", "column"))
    assert said(library).endswith("{{ is_within_period(alias='ce', column='start_day') }}")


def test_what_a_macro_is_asked_for_is_handed_on() -> None:
    tree = parse_one(f"SELECT 1 AS n FROM h__of__h JOIN op ON {between('o', 'h__date__h')}")
    library = models(*(between(alias, "day") for alias in "abcd"))
    library = made(Library(library.models, (Macro("m", ("of", "date"), tree, "query"),), ()))
    assert text(library, "m").endswith("ON {{ is_within_period(alias='o', date=date) }}")


def test_what_stands_beside_them_stays_beside_them() -> None:
    wheres = [f"x.k > 1 AND {on(alias)} AND {alias}.k = {n} AND (u OR v)"
              for n, alias in enumerate(ALIASES)]  # fmt: skip
    assert " ".join(said(made(models(*wheres))).split()).endswith(
        "ON x.k > 1 AND {{ same_day_to_product(alias='p') }} AND p.k = 0 AND ( u OR v )"
    )


def test_a_shorter_stretch_that_more_say_is_a_macro_behind_the_longer_one() -> None:
    short = [on(alias, *SAME[:4]) for alias in "cdef"]
    library = made(models(*map(on, "ghijklmnopqrst"), *short))
    assert {each.name for each in library.macros} == {"same_day_to_product", "same_day_to_channel"}


def test_a_comment_behind_the_last_condition_stays() -> None:
    library = models(on("p"), on("l"), on("m") + " /* all five */")
    assert "/* all five */" in said(made(library), "r2")


@pytest.mark.parametrize(
    "conditions",
    [
        [on("p"), on("l")],
        [on(alias, *SAME[:2]) for alias in "abcdefghij"],
        [on("p"), on("l"), on("m").replace("m.country", "m.land")],
        [on("p"), on("l"), on("m").replace("a.country", "b.country")],
        [on("p"), on("l"), on("m").replace("a.country = m", "a.country < m")],
        [on("p"), on("l"), on("m").replace("m.country", 'm."country"')],
        [on("p"), on("l"), on("m").replace(" AND a.ch", " /* why */ AND a.ch")],
        [on("p"), on("l"), on("m").replace(" AND ", " OR ")],
        [on("p"), on("l"), on("m").replace("a.country = m.country", "a.country = 'DE'")],
        [on("p"), on("l"), on("m", *SAME[::-1])],
    ],
    ids=["two places", "two conditions", "column", "relation", "operator", "quotes", "comment",
         "or", "constant", "order"],
)  # fmt: skip
def test_what_says_something_else_stays(conditions: list[str]) -> None:
    given = models(*conditions)
    library = made(given)
    assert library.macros == ()
    assert {n: t.sql() for n, t in library.models.items()} == {
        n: t.sql() for n, t in given.models.items()
    }


def test_models_that_keep_their_words_and_macros_without_parameters() -> None:
    assert made(models(*map(on, ALIASES)), stay=("r1",)).macros == ()
    assert made(models(*map(on, ALIASES)), most=0).macros == ()


def test_reports_of_such_joins_are_proved() -> None:
    tables = ("paid", "lost", "moved")
    joins = " ".join(f"LEFT JOIN {t} AS {t[0]} ON {on(t[0])}" for t in tables)
    text = f"CREATE TABLE r AS SELECT a.day, p.n, l.n AS n2, m.n AS n3 FROM shown AS a {joins};"
    columns = dict.fromkeys((*SAME, "n"), "INT")
    schema = {t: columns for t in (*tables, "shown")}
    result = refactor(load([Source("r.sql", text, "duckdb")], "duckdb", schema), Request())
    assert [each.outcome for each in result.verdicts] == ["proved"]
    (path,) = [path for path in result.files if path.startswith("macros/same")]
    assert "alias" in result.files[path]
