"""A function that a script defines for itself is made once by the project, under its own name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.own_functions import OwnFunction, with_own_functions
from unwet.rewrite.prove.projects import render_project
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.tests.rewrite.small_pile import verdicts

GOOD = "CREATE TEMP FUNCTION good(x INT64) RETURNS BOOL AS (x > {0});"
GOOD_ONES = "WHERE good(d.a) AND good(d.b)"  # two of them: what is said once is no function
QUERY = f"SELECT d.a, COUNT(*) AS n, SUM(d.b) AS b FROM s.t AS d {GOOD_ONES} GROUP BY d.a"
JS = "CREATE TEMP FUNCTION good(x INT64) RETURNS BOOL LANGUAGE js AS '{0}';"


def pile(*scripts: str, dialect: str = "bigquery") -> Pile:
    sources = [Source(f"{'abcdef'[at]}.sql", text) for at, text in enumerate(scripts)]
    return load(sources, dialect)


def refactored(out: Path, *scripts: str, dialect: str = "bigquery", **more: str) -> Result:
    asked = Request(out=out, generated=None, force=True, **more)  # type: ignore[arg-type]
    return refactor(pile(*scripts, dialect=dialect), asked)


def outcomes(result: Result) -> dict[str, str]:
    return {each.name: each.outcome for each in result.verdicts}


def found(*scripts: str, dialect: str = "bigquery") -> dict[str, OwnFunction]:
    return dict(with_own_functions(pile(*scripts, dialect=dialect))[1])


def test_two_functions_of_one_name_are_two_of_the_project(tmp_path: Path) -> None:
    result = refactored(tmp_path, *(f"{GOOD.format(n)}\n{QUERY}" for n in (3, 5, 3)))
    assert outcomes(result) == {"a": "proved", "b": "proved", "c": "proved"}
    assert not [said for said in result.assumptions if "function" in said]
    made = result.files["macros/functions/create_functions.sql"]
    assert "-- functions.good, as a.sql:1 defines it for itself" in made
    assert "CREATE OR REPLACE FUNCTION functions.good(x INT64) RETURNS BOOL AS (x > 3);" in made
    assert "functions.good_2(x INT64) RETURNS BOOL AS (x > 5);" in made
    settings_ = result.files["dbt_project.yml"]
    place = settings_.index("CREATE SCHEMA IF NOT EXISTS functions")
    assert place < settings_.index("{{ create_functions() }}")
    assert verdicts(tmp_path, pile(*(f"{GOOD.format(n)}\n{QUERY}" for n in (3, 5, 3))))["b"]


@pytest.mark.parametrize(
    "other",
    [
        f"-- what is good\n{GOOD.format('/* three */ 3')}\n{QUERY}",
        f"{GOOD.format(3).replace('CREATE', 'CREATE OR REPLACE')}\n{QUERY}",
        f"{GOOD.format(3).replace('good', 'Good')}\n{QUERY.replace('good', 'Good')}",
    ],
)
def test_other_words_for_a_function_are_the_same(other: str) -> None:
    assert [*found(f"{GOOD.format(3)}\n{QUERY}", other)] == ["functions.good"]


def test_capitals_of_a_function_count_in_bigquery() -> None:
    """BigQuery, "Case sensitivity": GOOD is no function of a script that defines good."""
    assert not found(f"{GOOD.format(3)}\n{QUERY.replace('good', 'GOOD')}")
    two = f"{GOOD.format(3)}\n{GOOD.format(5).replace('good', 'Good')}\n{{}}"
    query = QUERY.replace("WHERE", "WHERE Good(d.b) AND Good(d.a) AND Good(1) AND")
    made = [function.sql for function in found(two.format(query)).values()]
    assert [each.rpartition("(")[2] for each in made] == ["x > 5)", "x > 3)"]
    outer = "CREATE TEMP FUNCTION both(x INT64) AS (good(x) AND Good(x));\n"
    assert "functions.both" not in found(two.format(outer + QUERY.replace("good", "both")))
    macro = "CREATE TEMP MACRO good(x) AS x > 3;\n"
    assert found(macro + QUERY.replace("good", "GOOD"), dialect="duckdb")


def test_a_call_without_a_definition_is_of_another_function(tmp_path: Path) -> None:
    result = refactored(tmp_path, QUERY, f"{GOOD.format(3)}\n{QUERY}", QUERY)
    assert outcomes(result) == {"a": "proved", "b": "proved", "c": "proved"}
    texts = [result.files[f"models/marts/{name}.sql"] for name in "abc"]
    macros = "".join(t for p, t in result.files.items() if p.startswith("macros/"))
    assert "functions.good" in texts[1] and "functions.good" not in texts[0] + texts[2]
    assert "functions.good(" not in macros.replace(
        result.files["macros/functions/create_good.sql"], ""
    )


def test_a_function_that_changes_within_a_script() -> None:
    made = [f"CREATE TABLE s.r{n} AS {QUERY};" for n in range(2)]
    [first, second] = found(f"{GOOD.format(3)}\n{made[0]}\n{GOOD.format(5)}\n{made[1]}").values()
    assert "> 3" in first.sql and "> 5" in second.sql


def test_what_a_function_calls_is_part_of_it() -> None:
    inner = "CREATE TEMP FUNCTION half(x INT64) AS (x / {0});\n"
    outer = "CREATE TEMP FUNCTION good(x INT64) AS (half(x) > half(9) AND 'half(' < 'x');\n"
    made = found(*(inner.format(n) + outer + QUERY for n in (2, 3)))
    assert {*made} == {f"functions.{n}" for n in ("half", "good", "half_2", "good_2")}
    assert made["functions.good_2"].needs == ("functions.half_2",)
    assert made["functions.good_2"].sql == (
        "CREATE OR REPLACE FUNCTION functions.good_2(x INT64) AS (functions.half_2(x) >"
        " functions.half_2(9) AND 'half(' < 'x')"
    )


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TEMP FUNCTION good(x INT64) AS (x > (SELECT MAX(a) FROM s.u));\n" + QUERY,
        "CREATE TEMP FUNCTION good(x INT64) AS (x > {{ least }});\n" + QUERY,
        "DECLARE least INT64 DEFAULT 3;\nCREATE TEMP FUNCTION good(x INT64) AS (x > least);\n"
        + QUERY,
        "CREATE TEMP FUNCTION good(x INT64) AS (x > @@row_count);\n" + QUERY,
        JS.format("return x > 3 {# + 1 #}") + "\n" + QUERY,
        "CREATE FUNCTION good(x INT64) AS (x > 3);\n" + QUERY,
        "CREATE TEMP FUNCTION good(x INT64) AS (x > 3);\nDROP FUNCTION good;\n" + QUERY,
        QUERY + ";\nCREATE TEMP FUNCTION good(x INT64) AS (x > 3);",
        "CREATE TEMP FUNCTION left(x STRING, n INT64) AS (x || n);\nSELECT LEFT(a, 2) AS l FROM t",
    ],
    ids=[
        "reads",
        "open",
        "a variable",
        "of the session",
        "cut",
        "lasts",
        "dropped",
        "later",
        "of the engine",
    ],
)
def test_functions_that_cannot_be_made_elsewhere(script: str) -> None:
    assert not found(script)


def test_a_body_that_is_a_text_of_sql_is_not_looked_into() -> None:
    script = "CREATE TEMP FUNCTION good(x INT) RETURNS BOOLEAN {0} AS $$ x > 3 $$;\n" + QUERY
    assert not found(script.format(""), dialect="snowflake")
    assert not found(script.format("LANGUAGE SQL"), dialect="snowflake")
    assert found(script.format("LANGUAGE JAVASCRIPT"), dialect="snowflake")


def test_rows_are_no_value() -> None:
    script = "CREATE TEMP MACRO good(x) AS TABLE SELECT x AS a;\nSELECT a FROM good(3)"
    assert not found(script, dialect="duckdb")


def test_the_schema_of_functions_is_none_of_the_pile() -> None:
    scripts = f"{GOOD.format(3)}\n{QUERY}", "SELECT functions.other(a) AS a FROM s.t"
    assert [*found(*scripts)] == ["functions_2.good"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x > 3", "x >= 3"),
        ("functions.good(", "functions.best("),
        ("INT64", "FLOAT64"),
        ("OR REPLACE ", "OR REPLACE TEMP "),
        ("(x > 3)", "(x > 3); DELETE FROM s.t"),
        ("FUNCTION functions.good", "FUNCTION functions.GOOD"),
    ],
)
def test_a_function_that_somebody_edits_proves_nothing(tmp_path: Path, old: str, new: str) -> None:
    script = f"{GOOD.format(3)}\n{QUERY}"
    refactored(tmp_path, script)
    assert verdicts(tmp_path, pile(script))["a"].verdict == "proved"
    path = tmp_path / "macros" / "functions" / "create_good.sql"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    assert verdicts(tmp_path, pile(script))["a"].verdict != "proved"


@pytest.mark.parametrize(("dialect", "verdict"), [("bigquery", "kept"), ("duckdb", "proved")])
def test_a_model_calls_a_function_in_its_capitals(
    tmp_path: Path, dialect: str, verdict: str
) -> None:
    script = f"{GOOD.format(3)}\n{QUERY}"
    if dialect == "duckdb":
        script = script.replace("FUNCTION good(x INT64) RETURNS BOOL", "MACRO good(x)")
    refactored(tmp_path, script, dialect=dialect)
    path = tmp_path / "models" / "marts" / "a.sql"
    text = path.read_text("utf-8")
    assert "functions.good(" in text
    path.write_text(text.replace("functions.good(", "functions.GOOD("), "utf-8")
    assert verdicts(tmp_path, pile(script, dialect=dialect))["a"].verdict == verdict


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("- '{{ create_good() }}'\n", ""),
        ("- '{{ create_good() }}'\n", "- '{{ create_good() }}'\n- '{{ create_good() }}'\n"),
        ("- '{{ create_good() }}'\n", "- '{{ create_good() }}'\n- delete from s.t\n"),
        ("- '{{ create_good() }}'\n", "- '{{ create_good() }}'\n- '{{ nobody() }}'\n"),
        ("on-run-start", "on-run-end"),
    ],
)
def test_what_runs_before_the_models_counts(tmp_path: Path, old: str, new: str) -> None:
    script = f"{GOOD.format(3)}\n{QUERY}"
    refactored(tmp_path, script)
    path = tmp_path / "dbt_project.yml"
    assert old in path.read_text("utf-8")
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    assert verdicts(tmp_path, pile(script))["a"].verdict != "proved"


def test_functions_are_made_behind_those_that_they_call(tmp_path: Path) -> None:
    """BigQuery and DuckDB refuse a body that calls what is not there."""
    inner = "CREATE TEMP FUNCTION half(x INT64) AS (x / 2);\n"
    script = f"{inner}CREATE TEMP FUNCTION good(x INT64) AS (half(x) > 3);\n{QUERY}"
    refactored(tmp_path, script)
    assert verdicts(tmp_path, pile(script))["a"].verdict == "proved"
    path = tmp_path / "macros" / "functions" / "create_functions.sql"
    head, half, good = path.read_text("utf-8").split("-- functions.")
    good, end = good.split("{% endmacro %}")
    assert half.startswith("half") and good.startswith("good")
    turned = f"{head}-- functions.{good}\n-- functions.{half}{{% endmacro %}}{end}"
    path.write_text(turned, "utf-8")
    assert verdicts(tmp_path, pile(script))["a"].verdict != "proved"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (";\n\n-- functions.good_2", ";\nDELETE FROM s.t;\n\n-- functions.good_2"),
        ("x > 5);", "x > 5);\nDELETE FROM s.t;"),
        ("x > 5);", "x >= 5);"),
        ("x > 3);", "x > 3)"),
        ("-- functions.good,", "DELETE FROM s.t; -- functions.good,"),
    ],
)
def test_one_macro_for_all_functions_that_somebody_edits_proves_nothing(
    tmp_path: Path, old: str, new: str
) -> None:
    scripts = [f"{GOOD.format(n)}\n{QUERY}" for n in (3, 5)]
    refactored(tmp_path, *scripts)
    path = tmp_path / "macros" / "functions" / "create_functions.sql"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    assert verdicts(tmp_path, pile(*scripts))["b"].verdict != "proved"


SHARES = ("good / (good + fair + poor) >= 0.75", "poor / (good + fair + poor) >= 0.25")
SHARE = ("CREATE TEMP FUNCTION is_{0}(good FLOAT64, fair FLOAT64, poor FLOAT64)\nRETURNS BOOL AS"
         " (\n  {1}\n);\nSELECT d.k, COUNTIF(is_{0}(d.a, d.b, d.c)) AS n, COUNTIF(is_{0}(d.b, d.c,"
         " d.a)) AS m\nFROM s.t AS d GROUP BY d.k")  # fmt: skip


def test_functions_that_are_alike_are_made_in_a_loop(tmp_path: Path) -> None:
    scripts = [SHARE.format(*each) for each in zip(("good", "poor"), SHARES, strict=True)]
    result = refactored(tmp_path, *scripts)
    assert outcomes(result) == {"a": "proved", "b": "proved"}
    made = result.files["macros/functions/create_functions.sql"]
    assert made.count("CREATE OR REPLACE FUNCTION functions.{{ name }}(good FLOAT64,") == 1
    assert "-- functions.is_poor, as b.sql:1 defines it for itself\n{% for name, cond" in made
    assert f"    ('is_poor', '{SHARES[1]}'),\n] %}}" in made
    assert {v.verdict for v in verdicts(tmp_path, pile(*scripts)).values()} == {"proved"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (">= 0.25", "> 0.25"),
        ("('is_poor'", "('is_fair'"),
        ("\n  {{ condition }}", "\n  {{ condition }} OR fair = 0"),
        ("{% endfor %}", "DELETE FROM s.t;\n{% endfor %}"),
        (");\n{% endfor %}", ")\n{% endfor %}"),
        ("    ('is_poor',", "    ('is_good', 'fair > 0'),\n    ('is_poor',"),
    ],
)
def test_a_loop_over_functions_that_somebody_edits_proves_nothing(
    tmp_path: Path, old: str, new: str
) -> None:
    scripts = [SHARE.format(*each) for each in zip(("good", "poor"), SHARES, strict=True)]
    refactored(tmp_path, *scripts)
    path = tmp_path / "macros" / "functions" / "create_functions.sql"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    assert verdicts(tmp_path, pile(*scripts))["b"].verdict != "proved"


@pytest.mark.parametrize("target", ["sqlmesh", "views"])
def test_other_projects_make_each_function_that_is_alike(tmp_path: Path, target: str) -> None:
    scripts = [SHARE.format(*each) for each in zip(("good", "poor"), SHARES, strict=True)]
    result = refactored(tmp_path, *scripts, target=target)
    assert {*outcomes(result).values()} == {"proved"}
    place = "config.yaml" if target == "sqlmesh" else "functions/is_poor.sql"
    assert "CREATE OR REPLACE FUNCTION functions.is_poor(good FLOAT64" in result.files[place]


def test_what_ends_a_function_is_in_no_comment(tmp_path: Path) -> None:
    inner = "CREATE TEMP FUNCTION half(x INT64) AS (x / 2) -- of it\n;\n"
    body = "return x > 3 /* {%*/"
    scripts = (
        f"{inner}SELECT half(d.a) AS h, half(d.b) AS i FROM s.t AS d",
        f"{JS.format(body)}\n{QUERY}",
    )
    result = refactored(tmp_path, *scripts)
    assert outcomes(result) == {"a": "proved", "b": "proved"}
    assert {v.verdict for v in verdicts(tmp_path, pile(*scripts)).values()} == {"proved"}
    assert "{% endraw %}\n;" in result.files["macros/functions/create_functions.sql"]


def test_an_engine_that_takes_one_statement_has_a_macro_for_each(tmp_path: Path) -> None:
    scripts = [
        f"CREATE TEMPORARY FUNCTION good(x INT) RETURNS BOOLEAN RETURN x > {n};\n{QUERY}"
        for n in (3, 5)
    ]
    result = refactored(tmp_path, *scripts, dialect="databricks")
    assert {*outcomes(result).values()} == {"proved"}
    settings_ = result.files["dbt_project.yml"]
    first, second = (
        settings_.index(each) for each in ("{{ create_good() }}", "{{ create_good_2() }}")
    )
    assert first < second


@pytest.mark.parametrize("target", ["sqlmesh", "views"])
def test_other_projects_make_functions_too(tmp_path: Path, target: str) -> None:
    scripts = [f"{GOOD.format(n)}\n{QUERY}" for n in (3, 5)]
    result = refactored(tmp_path, *scripts, target=target)
    assert outcomes(result) == {"a": "proved", "b": "proved"}
    place = "config.yaml" if target == "sqlmesh" else "functions/good_2.sql"
    text = (tmp_path / place).read_text("utf-8")
    assert "CREATE OR REPLACE FUNCTION functions.good_2(x INT64) RETURNS BOOL AS (x > 5)" in text
    (tmp_path / place).write_text(text.replace("x > 5", "x > 6"), "utf-8")
    assert verdicts(tmp_path, pile(*scripts))["b"].verdict != "proved"


@pytest.mark.parametrize("target", ["dbt", "sqlmesh", "views"])
def test_who_builds_the_project_is_told_of_the_schema(tmp_path: Path, target: str) -> None:
    asked = "in the schema `functions`: whoever builds it needs"
    result = refactored(tmp_path, f"{GOOD.format(3)}\n{QUERY}", target=target)
    assert asked in result.files["MIGRATION.md"].partition("## ")[0]
    never_called = f"{GOOD.format(3)}\n{QUERY.replace(GOOD_ONES, '')}"
    assert asked not in refactored(tmp_path, never_called, target=target).files["MIGRATION.md"]


def test_views_need_their_functions_before_them(tmp_path: Path) -> None:
    script = f"{GOOD.format(3)}\n{QUERY}".replace("INT64", "INT").replace("RETURNS BOOL ", "")
    script = script.replace("FUNCTION", "MACRO").replace("x INT", "x")
    refactored(tmp_path, script, dialect="duckdb", target="views")
    path = tmp_path / "all.sql"
    text = path.read_text("utf-8")
    line = ".read functions/good.sql\n"
    assert line in text and text.index(line) < text.index(".read views/")
    assert verdicts(tmp_path, pile(script, dialect="duckdb"))["a"].verdict == "proved"
    path.write_text(text.replace(line, "") + line, "utf-8")
    assert verdicts(tmp_path, pile(script, dialect="duckdb"))["a"].verdict != "proved"


def test_a_body_is_no_template(tmp_path: Path) -> None:
    result = refactored(tmp_path, f"{JS.format('return x > 3 /* {%*/')}\n{QUERY}")
    assert outcomes(result) == {"a": "proved"}
    assert "{% raw %}" in result.files["macros/functions/create_good.sql"]


def test_a_macro_that_makes_a_function_takes_no_name_of_dbt(tmp_path: Path) -> None:
    script = f"{GOOD.format(3)}\n{QUERY}".replace("good", "table_as")
    result = refactored(tmp_path, script)
    assert outcomes(result) == {"a": "proved"}
    assert (
        "{% macro create_table_as_2() %}" in result.files["macros/functions/create_table_as_2.sql"]
    )


def test_what_sqlmesh_would_read_as_a_macro_is_kept(tmp_path: Path) -> None:
    result = refactored(tmp_path, f"{JS.format('return x @ 3')}\n{QUERY}", target="sqlmesh")
    [kept] = result.verdicts
    assert kept.outcome == "kept" and "functions.good as a macro" in kept.reason


def test_a_function_is_of_its_dialect(tmp_path: Path) -> None:
    result = refactored(tmp_path, f"{GOOD.format(3)}\n{QUERY}", to_dialect="snowflake")
    [kept] = result.verdicts
    assert kept.outcome == "kept"
    assert kept.reason == "the function functions.good is written in bigquery, not in snowflake"


# --- the law: a model returns what its script returned -------------------------------------------

BODIES = ("x + 1", "x * 2", "COALESCE(x, 7)", "CASE WHEN x > 2 THEN x END")
OUTER = ("half(x) + half(x + 1)", "x - half(x)", "half(half(x))")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(BODIES), st.sampled_from(OUTER)), min_size=1, max_size=4))
def test_models_return_what_scripts_returned(
    tmp_path_factory: pytest.TempPathFactory, said: Sequence[tuple[str, str]]
) -> None:
    scripts = [
        f"CREATE TEMP MACRO half(x) AS ({inner});\nCREATE TEMP MACRO whole(x) AS ({outer});\n"
        "SELECT t.a, whole(t.a) AS w, half(t.b) AS h FROM t"
        for inner, outer in said
    ]
    out = tmp_path_factory.mktemp("project")
    result = refactored(out, *scripts, dialect="duckdb")
    assert {*outcomes(result).values()} == {"proved"}
    project = render_project(out)
    for model in project.models:
        with duckdb.connect() as old, duckdb.connect() as new:
            for base in (old, new):
                base.execute("CREATE TABLE t AS SELECT * FROM (VALUES (1, 3), (NULL, 2), (5, 0))"
                             " AS v(a, b)")  # fmt: skip
            new.execute("CREATE SCHEMA functions")
            for function in project.functions:
                new.execute(function)
            rows = old.execute(scripts["abcdef".index(model.name)]).fetchall()
            sql = model.sql.replace("main.t", "t")
            assert new.execute(sql).fetchall() == rows
