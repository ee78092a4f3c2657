"""A list of one constant is that constant, in queries and in what macros are told."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.lone_values import with_lone_values
from unwet.rewrite.shapes import Leaf

BODY = "SELECT client, COUNT(*) AS n FROM pages WHERE {} GROUP BY ALL"


def plain(test: str, dialect: str = "duckdb", stay: frozenset[str] = frozenset()) -> str:
    tree = sqlglot.parse_one(BODY.format(test), read="duckdb")
    made = with_lone_values(Library({"m": tree}, (), ()), dialect, stay)
    return str(made.models["m"].args["where"].this.sql("duckdb"))


@pytest.mark.parametrize(("test", "said"), [
    ("day IN ('2024-01-01')", "day = '2024-01-01'"),
    ("p.day IN (1) AND n > 2", "p.day = 1 AND n > 2"),
    ("CASE WHEN kind IN ('a') THEN 1 END = 1", "CASE WHEN kind = 'a' THEN 1 END = 1"),
    ("day IN (1, 2)", "day IN (1, 2)"),
    ("NOT day IN (1)", "NOT day IN (1)"),
    ("day IN (NULL)", "day IN (NULL)"),
    ("day IN (other)", "day IN (other)"),
    ("LOWER(kind) IN ('a')", "LOWER(kind) IN ('a')"),
    ("day IN (SELECT 1)", "day IN (SELECT 1)"),
])  # fmt: skip
def test_one_constant_is_no_list(test: str, said: str) -> None:
    assert plain(test) == said


def test_models_that_stay_keep_their_words() -> None:
    assert plain("day IN (1)", stay=frozenset({"m"})) == "day IN (1)"


def test_a_text_may_be_another_type_in_a_list_of_spark() -> None:
    assert plain("day IN ('2024-1-1')", "databricks") == "day IN ('2024-1-1')"


@pytest.mark.parametrize("kind", ["a", "b", "nobody"])
def test_law_the_rows_are_the_same(kind: str) -> None:
    query = (
        f"SELECT k, COUNT(*) FILTER (k IN ('{kind}')), MAX(CASE WHEN k IN ('{kind}') THEN 1 END) "
        f"FROM (VALUES ('a'), ('a'), (NULL), ('b')) AS t(k) WHERE k IN ('{kind}') OR k IS NULL "
        "GROUP BY k ORDER BY k"
    )
    tree = sqlglot.parse_one(query, read="duckdb")
    made = with_lone_values(Library({"m": tree}, (), ()), "duckdb", frozenset()).models["m"]
    assert not made.find(exp.In)
    assert duckdb.execute(made.sql("duckdb")).fetchall() == duckdb.execute(query).fetchall()


def told(*texts: str, test: str = "day IN (list__days__list)", kind: str = "list") -> Library:
    tree = sqlglot.parse_one(BODY.format("here"), read="duckdb")
    said = sqlglot.parse_one(test.replace("list__days__list", "'days'"), read="duckdb")
    for word in said.find_all(exp.Literal):
        word.replace(exp.Var(this="list__days__list"))
    tree.args["where"].set("this", said)
    calls = tuple(MacroCall("visits", (("days", Leaf(kind, text)),)) for text in texts)  # type: ignore[arg-type]
    models = {f"m{at}": exp.Var(this=f"call__{at}__call") for at in range(len(calls))}
    return Library(models, (Macro("visits", ("days",), tree, "query"),), calls)


def test_a_list_that_is_one_text_in_every_call_is_that() -> None:
    made = with_lone_values(told("'2024-01-01'", "'2024-02-01'"), "duckdb", frozenset())
    [macro] = made.macros
    assert macro.params == ("day",)
    assert macro.tree.args["where"].sql() == "WHERE day = 'h__day__h'"
    assert [call.args for call in made.calls] == [
        (("day", Leaf("string", text)),) for text in ("2024-01-01", "2024-02-01")
    ]


@pytest.mark.parametrize("before", [
    told("'a'", "'a', 'b'"),
    told("'a'", "'it''s'"),
    told("'a'", r"'a\n'"),
    told("1", "2"),
    told("'a'", "'b'", test="NOT day IN (list__days__list)"),
    told("'a'", "'b'", test="day IN (list__days__list) OR hour IN (list__days__list)"),
    told("h__days__h", "'b'", kind="condition"),
])  # fmt: skip
def test_other_lists_stay(before: Library) -> None:
    made = with_lone_values(before, "duckdb", frozenset())
    assert made.macros[0].params == ("days",) and made.calls == before.calls


def test_what_a_model_that_stays_calls_stays() -> None:
    made = with_lone_values(told("'a'", "'b'"), "duckdb", frozenset({"m0"}))
    assert made.macros[0].params == ("days",)


def test_what_a_macro_says_where_a_call_says_nothing_stays() -> None:
    before = told("'a'", "'b'")
    macros = tuple(replace(macro, defaults={"days": "'a'"}) for macro in before.macros)
    made = with_lone_values(replace(before, macros=macros), "duckdb", frozenset())
    assert made.macros[0].params == ("days",) and made.calls == before.calls
