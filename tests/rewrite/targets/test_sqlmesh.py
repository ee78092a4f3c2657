"""A SQLMesh project: what is written, and what reading it back sees."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
import yaml
from sqlglot import exp

from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.prove.model_files import filled, misread, read_model
from unwet.rewrite.prove.projects import kind_of, read_project
from unwet.rewrite.prove.rendered import BadProject
from unwet.rewrite.prove.sandbox import TemplateFailure
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.sqlmesh_words import calls_of
from unwet.rewrite.verify import Request as VerifyRequest
from unwet.rewrite.verify import verify

TABLES = "CREATE TABLE s.t (id INT NOT NULL, name TEXT, amount INT, day DATE);"
COPY = """-- {country} per day
CREATE {kind} r.daily_{country} AS
SELECT t.day, COUNT(*) AS n, SUM(t.amount) AS amount, MIN(t.amount) AS least,
       MAX(t.amount) AS most
FROM s.t AS t WHERE t.name = '{country}' AND t.amount > {least} GROUP BY t.day;"""


def pile(dialect: str = "duckdb", **scripts: str) -> Pile:
    sources = [Source(f"p/{name}.sql", text) for name, text in scripts.items()]
    return load([Source("p/a_tables.sql", TABLES), *sources], dialect)


def family(kind: str = "TABLE") -> Pile:
    said = {"de": ("TABLE", 3), "fr": (kind, 4), "it's": ("TABLE", 5)}
    made = {
        f"daily_{n}": COPY.format(country=c.replace("'", "''"), kind=k, least=least)
        .replace("daily_it''s", "daily_its").replace("-- it''s", "-- it's")
        for n, (c, (k, least)) in enumerate(said.items())
    }  # fmt: skip
    return pile(**made, total="CREATE VIEW r.total AS SELECT SUM(n) AS n FROM r.daily_de;")


def made(given: Pile, to_dialect: str = "") -> Result:
    return refactor(given, Request(target="sqlmesh", to_dialect=to_dialect))


def blueprints(result: Result) -> str:
    """The one file that stands for several models."""
    (text,) = (text for text in result.files.values() if "blueprints (" in text)
    return text


def outcomes(result: Result) -> dict[str, str]:
    return {v.name: v.outcome for v in result.verdicts}


def test_copies_are_one_file_with_a_blueprint_each() -> None:
    result = made(family())
    assert set(outcomes(result).values()) == {"proved"}
    text = blueprints(result)
    assert "  name marts.@{model_name},\n  kind FULL,\n  description @about,\n" in text
    assert "(model_name := daily_de, amount_from := 3, name := 'de'," in text.replace("\n     ", "")
    assert "name := 'it''s'" in text
    assert "about := 'it''s per day. Replaces daily_2.sql:2-5.')" in text
    assert "t.name = @name AND t.amount > @amount_from" in text
    assert "grain (day)" in text and "unique_values(columns := (day))" in text
    assert "models/marts/daily_de.sql" not in result.files
    assert "FROM marts.daily_de" in result.files["models/marts/total.sql"]


def test_a_view_among_tables_stays_one() -> None:
    text = blueprints(made(family("VIEW")))
    assert "kind @kind" in text
    assert "kind := VIEW" in text and text.count("kind := FULL") == 2


def test_descriptions_and_audits_are_counted_apart() -> None:
    result = made(family())
    text = blueprints(result)
    lines = [line for line in text.splitlines() if line.strip()]
    apart = [
        line for line in lines if "description" in line or (":= '" in line and "about" in line)
    ]
    assert apart
    sql = [t for p, t in result.files.items() if p.endswith(".sql")]
    everything = sum(len([line for line in t.splitlines() if line.strip()]) for t in sql)
    assert result.after.lines < everything


def test_the_configuration_and_what_is_read() -> None:
    result = made(pile(few="CREATE VIEW r.few AS SELECT id FROM s.t WHERE id < :most;"))
    config = yaml.safe_load(result.files["config.yaml"])
    assert config["model_defaults"] == {"dialect": "duckdb", "optimize_query": False}
    assert config["variables"] == {"most": None}
    (table,) = yaml.safe_load(result.files["external_models.yaml"])
    assert table["name"] == "s.t"
    assert table["columns"] == {"id": "int", "name": "text", "amount": "int", "day": "date"}
    text = result.files["models/marts/few.sql"]
    assert "enabled @IF(@VAR('most') IS NULL, FALSE, TRUE)" in text
    assert text.endswith("WHERE\n  id < @most;\n")
    assert outcomes(result)["few"] == "proved"
    texts = made(pile(few="CREATE VIEW r.few AS SELECT id FROM s.t WHERE name = '{{ who }}';"))
    assert "\n  name = '{{ var(\"who\") }}'\nJINJA_END;" in texts.files["models/marts/few.sql"]
    other = made(pile(few="CREATE VIEW r.few AS SELECT id FROM u;"), "postgres")
    assert "FROM public.u" in other.files["models/marts/few.sql"]
    assert "gateways" not in yaml.safe_load(other.files["config.yaml"])
    assert "give config.yaml a gateway" in other.files["MIGRATION.md"]


def test_a_part_that_repeats_is_a_loop() -> None:
    part = (
        "SELECT '{0}' AS name, day, COUNT(*) AS n, SUM(amount) AS a "
        "FROM s.t WHERE name = '{0}' AND amount > 0 GROUP BY day"
    )
    union = " UNION ALL ".join(part.format(c) for c in ("de", "fr", "it"))
    result = made(pile(parts=f"CREATE VIEW r.parts AS {union};"))
    text = result.files["models/marts/parts.sql"]
    assert (
        "JINJA_QUERY_BEGIN;\n{% for name in ['de', 'fr', 'it'] %}" in text
        and text.rstrip().endswith("JINJA_END;")
    )
    assert not any(path.startswith("macros/") for path in result.files)
    assert text.count("SELECT") == 1 and "name = '{{ name }}'" in text
    assert outcomes(result)["parts"] == "proved"


PLACES = {"jan": "it's", "feb": "de", '"order"': "fr", "may": "nl"}
SOME = """WITH some AS (SELECT t.{0}_day AS day, t.name, t.amount, CASE WHEN t.amount > 100
    THEN 'large' WHEN t.amount > 10 THEN 'middle' ELSE 'small' END AS size
    FROM s.{1} AS t WHERE t.amount > 0 AND t.{0}_day IS NOT NULL AND t.name <> '')"""
MONTH = """CREATE TABLE r.month_{0} AS {1} SELECT day, '{2}' AS who, MEDIAN(amount) AS middle,
    COUNT(DISTINCT size) AS sizes FROM some WHERE name = '{2}' AND {3} GROUP BY day;"""
PEOPLE = """CREATE TABLE r.people_{0} AS {1} SELECT name, size, MODE(amount) AS most, MIN(day) AS
    first_day FROM some WHERE size <> '{2}' GROUP BY name, size;"""


def months(*least: str) -> Pile:
    """Two reports on each of several tables, which begin alike; ``least``: a condition of one."""
    scripts = {}
    for n, (table, who) in enumerate(PLACES.items()):
        word, said = table.strip('"'), who.replace("'", "''")
        some = SOME.format(word, table)
        scripts[f"m_{word}"] = MONTH.format(word, some, said, least[n])
        scripts[f"p_{word}"] = PEOPLE.format(word, some, said)
    return pile(**scripts)


def test_copies_that_call_macros_are_blueprints_of_a_template() -> None:
    result = made(months("amount > 1", "amount > 1", "amount > 9", "amount > 1"))
    assert set(outcomes(result).values()) == {"proved"}
    texts = [text for text in result.files.values() if "JINJA_QUERY_BEGIN" in text]
    (month,) = (text for text in texts if "MEDIAN" in text)
    assert "{% set who = blueprint_var('who')[1:-1] %}\n" in month
    assert "who := 'it''s'" in month and "name = '{{ who }}'" in month
    assert "{% set amount_from = blueprint_var('amount_from', 1) %}\n" in month  # for most
    assert month.count("amount_from := ") == 1 and "amount_from := 9" in month
    assert "{{ some(" in month
    assert 'FROM s."{{ table }}" AS t' in result.files["macros/some.sql"]
    assert len([path for path in result.files if path.startswith("models/marts/")]) == 2


def test_what_no_blueprint_can_say_is_a_model_of_its_own() -> None:
    result = made(months("amount > 1", "amount > 2", "name <> 'a@b'", "amount > 3"))
    assert set(outcomes(result).values()) == {"proved"}
    assert "a@b" in result.files["models/marts/month_order.sql"]
    (family,) = (t for t in result.files.values() if "model_name := month_jan" in t)
    assert "model_name := month_order" not in family and "blueprint_var('who')" in family
    assert "MEDIAN" not in family  # the macro has it, which both call


def test_a_model_whose_name_needs_quotes_is_none_of_the_blueprints() -> None:
    said = COPY.replace("r.daily_{country}", 'r."{name}"')
    names = ("order", "case", "de", "fr", "it", "at")
    copies = {f"q_{name}": said.format(name=name, country=name, kind="TABLE", least=at)
              for at, name in enumerate(names)}  # fmt: skip
    result = made(pile(**copies))
    assert set(outcomes(result).values()) == {"proved"}
    assert blueprints(result).count("model_name := ") == 4
    assert "model_name := at," in blueprints(result)  # which only DuckDB reserves
    for name in ("order", "case"):
        assert f'name marts."{name}",' in result.files[f"models/marts/{name}.sql"]


def test_what_sqlmesh_would_read_as_its_own_is_kept() -> None:
    result = made(pile("postgres", a="CREATE VIEW r.a AS SELECT id FROM s.t WHERE name = 'x@y';",
                       b='CREATE VIEW r.b AS SELECT id AS "@id" FROM s.t;'))  # fmt: skip
    assert outcomes(result) == {"a": "proved", "b": "proved"}
    result = made(pile("postgres", d=r"CREATE VIEW r.d AS SELECT id, E'a\\b' AS x FROM s.t;",
                       e='CREATE VIEW r.e AS SELECT id AS "@{x}" FROM s.t;'))  # fmt: skip
    assert outcomes(result) == {"d": "kept", "e": "kept"}
    result = made(pile("tsql", c="CREATE VIEW r.c AS SELECT id, @@ROWCOUNT AS n FROM s.t;"))
    assert outcomes(result)["c"] == "kept"


@pytest.mark.parametrize("name", ["latest_ds", "end_date", "eval", "model_name"])
def test_a_parameter_is_no_variable_of_sqlmesh(name: str) -> None:
    said = (
        "CREATE TABLE r.{1} AS SELECT MAX(a) AS a, MIN(b) AS b, SUM(c) AS c FROM s.t "
        "WHERE {0} = '{1}' AND b > 1"
    )
    result = made(pile(**{word: said.format(name, word) for word in ("one", "two", "three")}))
    assert set(outcomes(result).values()) == {"proved"}
    text = blueprints(result)
    assert f"{name} := 'one'" in text
    assert (f"blueprint_var('{name}')" in text) == (name != "model_name")
    assert (f"@{name} " in text) == (name == "model_name")


@pytest.mark.parametrize("name", ["start_date", "this_model", "day"])
def test_a_value_of_a_driver_is_no_variable_of_sqlmesh(name: str) -> None:
    said = (
        f"CREATE TABLE r.a AS SELECT day, SUM(amount) AS n FROM s.t WHERE day > ${name} GROUP BY 1"
    )
    text = made(pile(a=said)).files["models/marts/a.sql"]
    assert (f"day > {{{{ var('{name}') }}}}" in text) == (name != "day")
    assert (f"day > @{name}" in text) == (name == "day")


def test_a_value_called_gateway_is_the_name_of_a_connection() -> None:
    said = "CREATE VIEW r.a AS SELECT day, amount FROM s.t WHERE name = '{{ gateway }}'"
    (verdict,) = made(pile(a=said)).verdicts
    assert verdict.outcome == "kept" and "what SQLMesh calls its connection" in verdict.reason


# --- read back -------------------------------------------------------------------------------


def written(tmp_path: Path) -> Path:
    refactor(family(), Request(out=tmp_path / "p", target="sqlmesh"))
    return tmp_path / "p"


def verdicts(project: Path) -> dict[str, str]:
    found = verify(family(), VerifyRequest(project))
    return {report.name: f"{report.verdict}: {report.reason}" for report in found.reports}


def test_what_was_written_is_verified(tmp_path: Path) -> None:
    project = written(tmp_path)
    assert kind_of(project).name == "sqlmesh"
    assert set(verdicts(project).values()) == {"proved: "}


@pytest.mark.parametrize(
    ("old", "new", "name", "told"),
    [
        ("amount_from := 4", "amount_from := 5", "daily_fr", "kept: not proved"),
        ("SUM(t.amount)", "AVG(t.amount)", "daily_de", "kept: not proved"),
        ("@amount_from", "@unknown", "daily_de", "the variable @unknown is not understood"),
        ("@amount_from", "@latest_millis", "daily_de", "@latest_millis is what SQLMesh has"),
        ("amount_from", "eval", "daily_de", "@eval is what SQLMesh has under that name"),
        ("@amount_from", "@least(3)", "daily_de", "the macro @least is not understood"),
        ("kind FULL", "kind INCREMENTAL_BY_TIME_RANGE (time_column day)", "daily_de",
         "INCREMENTAL_BY_TIME_RANGE models are not those of one query"),
        ("kind FULL", "kind FULL,\n  enabled @f()", "daily_de", "whether it is enabled"),
        ("SELECT\n", "DELETE FROM s.t;\nSELECT\n", "daily_de", "a statement beside the query of"),
    ],
)  # fmt: skip
def test_wrong_edits_are_seen(tmp_path: Path, old: str, new: str, name: str, told: str) -> None:
    project = written(tmp_path)
    (file,) = (p for p in project.rglob("*.sql") if "blueprints (" in p.read_text("utf-8"))
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")
    assert told in verdicts(project)[name]


def test_a_model_block_is_read_as_it_is_written_by_hand() -> None:
    file = read_model(
        """/* one */ -- MODEL (
        model (NAME marts.@{n} , -- what it is called, (
          Kind VIEW, description 'a (b, c', audits (not_null(columns := (a, b))),
          blueprints ((n := a, x := f(1, ',')), (n := b, x := "q")) );

        SELECT @x AS x;""",
        "duckdb",
    )
    assert file.settings["name"] == "marts.@{n}"
    assert file.settings["kind"] == "VIEW"
    assert file.settings["audits"] == "(not_null(columns := (a, b)))"
    assert file.blueprints == ({"n": "a", "x": "f(1, ',')"}, {"n": "b", "x": '"q"'})
    assert file.query == "SELECT @x AS x" and not file.jinja


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('SELECT 1 AS "a @{x}"', "a variable into the name"),
        ('SELECT 1 AS "@X"', "a variable into the name"),
        ('SELECT 1 AS "to @end_ds"', "a variable into the name"),
        (r"SELECT e'a\\b' AS x", "the backslash in"),
        (r"SELECT E'\\' AS x", "the backslash in"),
        (r"SELECT e'a\tb' AS x, 'a\\b' AS y, '@{x}' AS z, 1 AS \"@id\"", ""),
    ],
)
def test_what_sqlmesh_runs_otherwise_than_it_stands_there(said: str, told: str) -> None:
    why = misread(said, {"x": "1"}, "duckdb")
    assert told in why and bool(told) == bool(why)


def test_variables_stand_in_code_only() -> None:
    values = {"x": "'it'", "t": "s.t", "c": '"C"'}
    said = "SELECT @x, '@x', @{c}_2 -- @y\nFROM @T"
    assert filled(said, values, "duckdb") == "SELECT 'it', '@x', C_2 -- @y\nFROM s.t"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("SELECT 1", "no MODEL block"),
        ("MODEL (name a", "no end"),
        ("MODEL (name a, blueprints @f()); SELECT 1", "blueprints that a macro makes"),
        ("MODEL (name a, blueprints ((3))); SELECT 1", "a blueprint says '3'"),
    ],
)
def test_files_that_are_no_models(text: str, told: str) -> None:
    with pytest.raises(TemplateFailure, match=told):
        read_model(text, "")


def test_a_project_by_hand(tmp_path: Path) -> None:
    files = {
        "config.yml": "model_defaults: {dialect: duckdb, optimize_query: false}\n"
        "variables: {least: 3, who: de, open: }\n",
        "macros/m.sql": "{% macro m(x) %}SELECT id FROM s.t WHERE id > {{ x }}{% endmacro %}",
        "models/a.sql": "MODEL (name w.a);\nJINJA_QUERY_BEGIN;\n{{ m(var('least')) }}\nJINJA_END;",
        "models/b.sql": "MODEL (name w.b, kind FULL);\nSELECT a.id FROM w.a AS a WHERE a.n = @who",
        "models/c.sql": "MODEL (name w.c, enabled FALSE);\nSELECT 1",
        "models/d.py": "",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / path).write_text(text)
    found = read_project(tmp_path, {}, lambda kind, name: f"{kind}_{name}".replace(".", "_"))
    assert [m.name for m in found.models] == ["a", "b"]
    assert found.models[0].sql == "SELECT id FROM source_s_t WHERE id > 3"
    assert found.models[1].sql == "SELECT a.id FROM ref_a AS a WHERE a.n = 'de'"
    assert (found.models[1].refs, found.models[1].materialized) == (("a",), "table")
    assert [f.reason for f in found.failures] == ["models in Python are not understood"]


@pytest.mark.parametrize("text", ["a: [", "model_defaults: {dialect: klingon}"])
def test_a_bad_configuration(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(BadProject, match=r"config\.yaml"):
        read_project(tmp_path)


def test_a_file_that_is_cut_anywhere_is_read_or_refused() -> None:
    text = blueprints(made(family("VIEW")))
    whole = read_model(text, "duckdb")
    for end in range(len(text)):
        try:
            cut = read_model(text[:end], "duckdb")
        except TemplateFailure:
            continue
        assert cut.settings == whole.settings and whole.query.startswith(cut.query)


def test_a_macro_that_a_call_hands_on_is_called_by_more_than_models() -> None:
    """It had no file: it is one with blueprints, and a call is no text of a macro."""

    around = sqlglot.parse_one("SELECT h__part__h FROM u")

    def library(handed_on: str, default: str = "c") -> Library:
        calls = (
            MacroCall("rows", (("a", Leaf("name", "x")),)),
            MacroCall("rows", (("a", Leaf("name", "y")),)),
            MacroCall("around", (("part", Leaf("condition", handed_on)),)),
            MacroCall("rows", (("a", Leaf("name", "z")),)),
        )
        models: dict[str, exp.Expr] = {
            name: exp.Var(this=f"call__{n}__call") for n, name in enumerate("pqr")
        }
        macros = (
            Macro("rows", ("a",), sqlglot.parse_one("SELECT h__a__h FROM t"), "query"),
            Macro("around", ("part",), around, "query", "", {"part": default}),
        )
        return Library(models, macros, calls)

    assert {*calls_of(library("c"), whole=True)} == {"rows"}
    assert {*calls_of(library("call__3__call"), whole=True)} == set()
    assert {*calls_of(library("c", "call__3__call"), whole=True)} == set()
    assert {*calls_of(library("call__3__call"))} == {"rows"}
