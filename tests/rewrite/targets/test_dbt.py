"""The dbt project of the small pile: files, YAML, what each model says of itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.tests.rewrite.small_pile import FOLDER, small_pile
from unwet.tests.rewrite.small_world import SCHEMA


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return dict(refactor(small_pile(), Request(name="small")).files)


def loaded(text: str) -> Any:
    return yaml.safe_load(text)


def test_the_project_file(files: dict[str, str]) -> None:
    project = loaded(files["dbt_project.yml"])
    assert project["name"] == project["profile"] == "small"
    assert project["config-version"] == 2
    profile = loaded(files["profiles.yml"])["small"]
    assert profile["outputs"][profile["target"]]["type"] == "duckdb"


def test_only_what_duckdb_can_build_has_a_profile_for_it() -> None:
    pile = load([Source("a.sql", "SELECT a FROM s.t")], "postgres")
    asis, duck = (
        dict(refactor(pile, Request(name="shop", to_dialect=to)).files) for to in ("", "duckdb")
    )
    assert "profiles.yml" not in asis
    assert "It is postgres: `dbt build` wants your profile `shop`." in asis["MIGRATION.md"]
    assert "profiles.yml" in duck
    assert "`dbt build --profiles-dir .` builds it" in duck["MIGRATION.md"]


def test_names_that_look_like_templates_are_none() -> None:
    """dbt renders what a properties file says, and reads no file in which one name cannot be."""
    texts = {
        "ddl": 'CREATE TABLE s.t ("x{{" INTEGER, b INTEGER)',
        "r1": 'CREATE TABLE r1 AS SELECT b, COUNT(*) AS n, MAX("x{{") AS m FROM s.t GROUP BY b',
        "r2": 'CREATE TABLE r2 AS SELECT "x{{" AS "y{%", COUNT(*) AS n FROM s.t GROUP BY "x{{"',
        "r3": 'CREATE TABLE r3 AS SELECT q.a FROM "s"."u{{ x" AS q',
    }
    pile = load([Source(f"{{{{of}}}}/{name}{{%.sql", text) for name, text in texts.items()],
                "duckdb")  # fmt: skip
    result = refactor(pile, Request())
    assert {each.outcome for each in result.verdicts} == {"proved"}
    said = {path: text for path, text in result.files.items()
            if path.startswith("models/") and path.endswith(".yml")}  # fmt: skip
    assert len(said) > 2
    for text in said.values():
        jinja2.Environment().from_string(text).render()
    one, other = loaded(said["models/sources.yml"])["sources"][0]["tables"]
    assert [column["name"] for column in one["columns"]] == ["b"]
    assert other["identifier"] == "u{{ '{{' }} x"


def test_every_model_has_an_entry_and_an_exposure(files: dict[str, str]) -> None:
    entries = loaded(files["models/marts/_models.yml"])["models"]
    models = {Path(path).stem for path in files if re.match("models/marts/.*[.]sql", path)}
    assert {entry["name"] for entry in entries} == models
    listed = loaded(files["models/marts/_exposures.yml"])["exposures"]
    exposures = {each["name"]: each for each in listed}
    assert exposures.keys() == {f"legacy_{name}" for name in models}
    assert exposures["legacy_ranked"]["depends_on"] == ["ref('ranked')"]
    assert {"label", "type", "owner"} <= exposures["legacy_ranked"].keys()


def test_a_model_says_which_lines_it_replaces(files: dict[str, str]) -> None:
    entries = {e["name"]: e for e in loaded(files["models/marts/_models.yml"])["models"]}
    assert entries["sales_1"]["config"]["meta"]["replaces"] == ["sales_1.sql:2-14"]
    assert entries["sales_1"]["description"] == "sales of region 1"


def test_sources_have_their_columns(files: dict[str, str]) -> None:
    [source] = loaded(files["models/sources.yml"])["sources"]
    tables = {table["name"]: table for table in source["tables"]}
    assert source["name"] == source["schema"] == "main"
    assert tables.keys() == {"t", "u", "v"}
    assert [column["name"] for column in tables["v"]["columns"]] == ["k", "b", "e"]


@pytest.mark.parametrize(
    ("dialect", "read", "schema"),
    [
        ("duckdb", "t", "main"),
        ("postgres", "t", "public"),
        ("tsql", "t", "dbo"),
        ("bigquery", "t", "{{ target.schema }}"),
        ("postgres", "t JOIN public.t AS u ON u.a = t.a", "{{ target.schema }}"),  # one, or two?
        ("postgres", "t, main.u", "main"),
    ],
)
def test_a_source_without_a_schema_is_where_the_engine_looks(
    dialect: str, read: str, schema: str
) -> None:
    text = f"SELECT t.a, COUNT(*) AS n FROM {read} WHERE t.a > 1 GROUP BY t.a"
    result = refactor(load([Source("q.sql", text, dialect)]), Request())
    assert [verdict.outcome for verdict in result.verdicts] == ["proved"]
    sources = loaded(result.files["models/sources.yml"])["sources"]
    [source] = [each for each in sources if each["name"] == "main"]
    assert source["schema"] == schema
    told = (
        "tables that the scripts name without a schema (`t`) are " in result.files["MIGRATION.md"]
    )
    assert told is (schema != "main")


def test_views_stay_views(files: dict[str, str]) -> None:
    assert "config(materialized='view')" in files["models/marts/all_sales.sql"]
    assert "config(" not in files["models/marts/ranked.sql"]


def test_comments_of_the_author_are_kept(files: dict[str, str]) -> None:
    assert files["models/marts/sales_2.sql"].startswith("-- sales of region 2\n")
    assert "-- every segment once" in files["models/marts/segments.sql"]


def test_what_is_kept_is_there_letter_for_letter(files: dict[str, str]) -> None:
    for name in ("broken.sql", "names.sql"):
        assert files[f"legacy/{name}"] == (FOLDER / name).read_text()


def test_a_comment_cannot_become_code() -> None:
    text = "-- {{ 1/0 }} {% endmacro %} {# x\nCREATE TABLE r AS SELECT a FROM t"
    schema = {name: dict(columns) for name, columns in SCHEMA.items()}
    pile = load([Source("a.sql", text, "duckdb")], "duckdb", schema)
    result = refactor(pile, Request())
    assert [v.outcome for v in result.verdicts] == ["proved"]
    assert "{{ 1/0" not in result.files["models/marts/r.sql"]


def test_odd_names_of_tables_are_identifiers() -> None:
    text = 'CREATE TABLE r AS SELECT a FROM "My Schema"."My Table"'
    pile = load([Source("a.sql", text, "duckdb")], "duckdb")
    result = refactor(pile, Request())
    assert [v.outcome for v in result.verdicts] == ["proved"]
    [source] = loaded(result.files["models/sources.yml"])["sources"]
    assert source["name"] == "my_schema"
    assert source["schema"].lower() == "my schema"
    assert source["tables"][0]["identifier"].lower() == "my table"


def entries(files: dict[str, str], path: str) -> dict[str, Any]:
    kind = "sources" if path.endswith("sources.yml") else "models"
    found = loaded(files[path])[kind]
    return {each["name"]: each for each in found}


def made(text: str, dialect: str = "duckdb", path: str = "a.sql") -> dict[str, str]:
    sources = [Source(path, text, dialect), Source("top.sql", "SELECT 1 AS one", dialect)]
    result = refactor(load(sources, dialect), Request())
    assert {v.outcome for v in result.verdicts} == {"proved"}
    return dict(result.files)


GROUPED = "CREATE TABLE r AS SELECT {} FROM s.t GROUP BY 1, 2"


def test_keys_of_several_columns_have_a_test_of_our_own() -> None:
    files = made(GROUPED.format("a, COALESCE(b, 'none') AS b, count(*) AS n"))
    model = entries(files, "models/marts/_models.yml")["r"]
    assert model["data_tests"] == [{"unique_together": {"arguments": {"columns": ["a", "b"]}}}]
    assert model["columns"] == [{"name": "b", "data_tests": ["not_null"]}]
    assert (
        "{% test unique_together(model, columns) %}" in files["tests/generic/unique_together.sql"]
    )


def test_a_key_of_several_columns_of_a_source_has_that_test_too() -> None:
    table = "CREATE TABLE s.l (o INT NOT NULL, n INT NOT NULL, q INT, PRIMARY KEY (o, n));\n"
    files = made(table + "CREATE TABLE r AS SELECT o, SUM(q) AS q FROM s.l GROUP BY o")
    assert "unique_together" in files["models/sources.yml"]
    assert "tests/generic/unique_together.sql" in files


def test_no_test_of_our_own_where_none_is_needed(files: dict[str, str]) -> None:
    keyed = made("SELECT a, count(*) AS n FROM s.t GROUP BY a")
    assert "tests/generic/unique_together.sql" not in keyed
    assert entries(keyed, "models/marts/_models.yml")["a"]["columns"] == [
        {"name": "a", "data_tests": ["unique"]}
    ]


def test_lists_of_texts() -> None:
    files = made("SELECT CASE WHEN a > 1 THEN 'no' ELSE 'yes' END AS big, 1 AS n FROM s.t")
    [column] = entries(files, "models/marts/_models.yml")["a"]["columns"]
    assert column["data_tests"] == [{"accepted_values": {"arguments": {"values": ["no", "yes"]}}}]
    unsafe = made("SELECT CASE WHEN a > 1 THEN 'it''s' ELSE 'yes' END AS big, 1 AS n FROM s.t")
    assert "columns" not in entries(unsafe, "models/marts/_models.yml")["a"]


def test_names_that_need_quotes_have_them() -> None:
    files = made('SELECT a AS "order", count(*) AS n FROM s.t GROUP BY a')
    [column] = entries(files, "models/marts/_models.yml")["a"]["columns"]
    assert column == {"name": "order", "quote": True, "data_tests": ["unique"]}
    folded = made('SELECT a AS "Day", count(*) AS n FROM s.t GROUP BY a', "postgres")
    assert "columns" not in entries(folded, "models/marts/_models.yml")["a"]


def test_what_is_declared_of_sources_is_a_warning() -> None:
    ddl = "CREATE TABLE s.t (id INTEGER PRIMARY KEY, a TEXT);\n"
    files = made(ddl + "CREATE TABLE r AS SELECT a FROM s.t")
    [source] = loaded(files["models/sources.yml"])["sources"]
    [table] = source["tables"]
    columns = {column["name"]: column for column in table["columns"]}
    assert columns["a"] == {"name": "a", "data_type": "text"}
    [unique, filled] = columns["id"]["data_tests"]
    assert unique["unique"]["config"] == filled["not_null"]["config"] == {"severity": "warn"}
    assert unique["unique"]["description"] == "Assumed: declared as a key"


def test_sources_that_nothing_declares_have_the_columns_in_use() -> None:
    files = made("SELECT t.a, t.b FROM s.t WHERE t.day >= DATE '2024-01-01' AND t.n + 1 > 2")
    [source] = loaded(files["models/sources.yml"])["sources"]
    [table] = source["tables"]
    assert table["description"].startswith("Nothing declares it")
    assert {c["name"]: c.get("data_type") for c in table["columns"]} == {
        "a": None, "b": None, "day": "date", "n": "bigint"}  # fmt: skip


def test_models_lie_in_the_folders_of_their_scripts() -> None:
    files = made("SELECT 1 AS x", path="Finance Team/2024/a.sql")
    assert "models/marts/finance_team/2024/a.sql" in files
    assert "models/marts/top.sql" in files
    assert entries(files, "models/marts/finance_team/2024/_models.yml").keys() == {"a"}
    exposures = loaded(files["models/marts/finance_team/2024/_exposures.yml"])["exposures"]
    assert [each["name"] for each in exposures] == ["legacy_a"]


def test_code_that_was_commented_out_is_no_description() -> None:
    files = made("-- for sales\n-- SELECT\n--   a,\n-- FROM x\nSELECT 1 AS x")
    assert entries(files, "models/marts/_models.yml")["a"]["description"] == "for sales"
    assert "-- FROM x" in files["models/marts/a.sql"]


def test_what_most_models_of_a_folder_need_is_said_of_the_folder() -> None:
    texts = {
        "a.sql": "CREATE VIEW a AS SELECT x FROM s.t WHERE d = {{ day }}",
        "b.sql": "CREATE VIEW b AS SELECT y, x FROM s.t WHERE d > {{ day }}",
        "c.sql": "CREATE TABLE c AS SELECT y, z FROM s.t WHERE d < {{ day }}",
        "d.sql": "CREATE VIEW d AS SELECT z FROM s.t",
        "e.sql": "CREATE VIEW e AS SELECT x, z FROM s.t WHERE d <> {{ day }} AND e = {{ name }}",
    }
    pile = load([Source(path, text) for path, text in texts.items()], "postgres")
    result = refactor(pile, Request(name="shop"))
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
    project = loaded(result.files["dbt_project.yml"])
    marts = {"+materialized": "view", "+enabled": "{{ var('day', none) is not none }}"}
    assert project["models"] == {"shop": {"marts": marts}}
    assert project["exposures"] == {"shop": {"marts": {"+enabled": marts["+enabled"]}}}
    heads = {
        Path(path).stem: text.partition("}}")[0].strip() if text.startswith("{{ config") else ""
        for path, text in result.files.items()
        if path.endswith(".sql")
    }
    both = "var('day', none) is not none and var('name', none) is not none"
    assert heads == {
        "a": "",
        "b": "",
        "c": "{{ config(materialized='table')",
        "d": "{{ config(enabled=true)",
        "e": f"{{{{ config(enabled=({both}))",
    }
    exposures = loaded(result.files["models/marts/_exposures.yml"])["exposures"]
    assert {each["name"]: each.get("config") for each in exposures} == {
        "legacy_a": None,
        "legacy_b": None,
        "legacy_c": None,
        "legacy_d": {"enabled": True},
        "legacy_e": {"enabled": f"{{{{ {both} }}}}"},
    }


def test_a_folder_says_what_is_otherwise_with_most_of_its_models_if_that_spares_enough() -> None:
    def table(name: str, folder: str, where: str) -> Source:
        text = f"CREATE TABLE {folder}_{name} AS SELECT {name}, k FROM s.{folder} {where}"
        return Source(f"pile/{folder}/deep/{name}.sql", text)

    views = [
        Source(f"pile/top/{n}.sql", f"CREATE VIEW v_{n} AS SELECT {n}, k FROM s.t")
        for n in "abcdefghijkl"
    ]
    day = "WHERE d = {{ day }}"
    made = [table(name, "derived", day) for name in "abcd"]
    made.append(table("e", "derived", ""))
    few = [table(name, "few", "") for name in "ab"]
    none = [table(name, "half", "") for name in "abc"]
    none += [
        Source(f"pile/half/deep/{n}.sql", f"CREATE VIEW w_{n} AS SELECT {n}, k FROM s.half")
        for n in "def"
    ]
    result = refactor(load([*views, *made, *few, *none], "postgres"), Request(name="shop"))
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
    project = loaded(result.files["dbt_project.yml"])
    switch = {"+enabled": "{{ var('day', none) is not none }}"}
    derived = {"+materialized": "table", **switch}
    marts = {"+materialized": "view", "derived": derived}
    assert project["models"] == {"shop": {"marts": marts}}
    assert project["exposures"] == {"shop": {"marts": {"derived": switch}}}
    own = {Path(path).stem: text.partition(" }}")[0] for path, text in result.files.items()
           if path.endswith(".sql") and text.startswith("{{ config")}  # fmt: skip
    stored = "{{ config(materialized='table')"
    assert own == {
        "derived_e": "{{ config(enabled=true)",
        **dict.fromkeys(("few_a", "few_b", "half_a", "half_b", "half_c"), stored),
    }
    exposures = loaded(result.files["models/marts/derived/deep/_exposures.yml"])["exposures"]
    assert {each["name"]: each.get("config") for each in exposures if "config" in each} == {
        "legacy_derived_e": {"enabled": True}
    }


def test_a_model_called_like_a_folder_beside_it_says_what_is_otherwise_with_it() -> None:
    """Dbt takes what is said of a folder for a model and an exposure of its name, too."""
    views = [
        Source(
            f"p/{at}/{n}.sql", f"CREATE VIEW v_{n} AS SELECT {n} FROM s.t WHERE d > {{{{ day }}}}"
        )
        for n, at in zip("abcdefgh", ("sales",) * 4 + ("legacy_top",) * 4, strict=True)
    ]
    tables = [
        Source(f"p/{n}.sql", f"CREATE TABLE {n} AS SELECT {x} AS k FROM s.u_{n}")
        for n, x in zip(("sales", "top", *"ijklmnop"), "qrstuvwxyz", strict=True)
    ]
    result = refactor(load([*views, *tables], "postgres"), Request(name="shop"))
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
    marts = loaded(result.files["dbt_project.yml"])["models"]["shop"]["marts"]
    assert marts.keys() == {"+materialized", "sales", "legacy_top"}
    assert marts["+materialized"] == "table"
    head = result.files["models/marts/sales.sql"].partition("}}")[0]
    assert head == "{{ config(materialized='table', enabled=true) "
    assert "config" not in result.files["models/marts/top.sql"]
    exposures = loaded(result.files["models/marts/_exposures.yml"])["exposures"]
    assert {each["name"]: each["config"] for each in exposures if "config" in each} == {
        "legacy_top": {"enabled": True}
    }


def test_a_default_is_a_text_where_calls_say_one() -> None:
    query = (
        "SELECT o.k, SUM(o.x) AS x, COUNT(*) AS n, MIN(o.x) AS low FROM s.o AS o "
        "JOIN s.c AS c ON c.id = o.c WHERE o.d > c.d + INTERVAL '{}' DAY AND o.k = '{}' "
        "AND o.x > 1 AND c.x IS NOT NULL GROUP BY o.k"
    )
    days = (14, 14, 14, 14, 14, 30, 30)
    texts = [query.format(many, k) for many, k in zip(days, "abcdefg", strict=True)]
    pile = load([Source(f"r{n}.sql", text, "duckdb") for n, text in enumerate(texts)])
    files = refactor(pile, Request()).files
    assert "days='30'" in files["models/marts/r6.sql"]
    [macro] = [text for path, text in files.items() if path.startswith("macros/low")]
    assert "days='14'" in macro


def test_a_model_that_is_no_report_waits_for_what_all_that_read_it_need() -> None:
    """Sums of `d` are worth building only for reports of a day; those of `e` for `few`, too."""
    sums = "SELECT k, SUM(v) AS v, MAX(w) AS w, MIN(u) AS u, AVG(z) AS z FROM s.{} {}GROUP BY k"
    one = (
        "CREATE TABLE {0}_{2} AS SELECT a.k, a.v, a.w, a.u, a.z, b.{2}"
        " FROM ({1}) AS a JOIN s.{2} AS b ON a.k = b.k"
    )
    day = "WHERE day > {{ day }} "
    read = {t: sums.format(t, day if t in "abc" else "") for t in "abcde"}
    texts = [
        f"{one.format(t, query, b)} {day}" for t, query in read.items() for b in ("x", "y", "few")
    ]
    texts[-1] = f"CREATE TABLE e_few AS SELECT k + v AS n FROM ({read['e']}) AS e WHERE w > 3"
    pile = load([Source(f"{n}.sql", text) for n, text in enumerate(texts)], "postgres")
    result = refactor(pile, Request(name="shop"))
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
    heads = {Path(path).stem: text.partition(" }}")[0] for path, text in result.files.items()
             if path.startswith("models/") and "config(" in text}  # fmt: skip
    assert "models/intermediate/int_d_rows.sql" in result.files
    assert heads == dict.fromkeys(("int_e_rows", "e_few"), "{{ config(enabled=true)")
