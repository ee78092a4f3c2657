"""SQLMesh itself, in an environment of its own, builds what is written: every report is equal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.rewrite.prove.servers import missing
from unwet import Source, refactor
from unwet.rewrite.compose import Outside
from unwet.rewrite.mesh_names import TAKEN
from unwet.rewrite.prove.projects import read_project
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja_values import printed_look_up
from unwet.rewrite.targets.mesh_relations import with_source_names
from unwet.rewrite.targets.place import write
from unwet.rewrite.targets.placing import Places
from unwet.tests.rewrite.targets.small_shop import data_sql, modelled, readable, rewritten
from unwet.tests.rewrite.test_variants import ROWS
from unwet.tests.rewrite.test_written_parts import PICKED, REPORT
from unwet.tests.test_small_pile import order

ROOT = Path(__file__).resolve().parents[3]
VENV = Path(os.environ.get("UNWET_SQLMESH", ROOT / "build" / "venvs" / "sqlmesh"))
RUN = """
import duckdb, sys
with duckdb.connect(sys.argv[1]) as connection:
    connection.execute(open(sys.argv[2], encoding="utf-8").read())
"""
# floats to twelve digits: a sum of them depends on the order of its rows
COMPARE = """
import collections, duckdb, json, sys
def bag(sql):
    rows = connection.execute(sql).fetchall()
    return collections.Counter(
        repr([f"{v:.12g}" if isinstance(v, float) else v for v in row]) for row in rows)
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    pairs = json.load(open(sys.argv[2], encoding="utf-8"))
    found = {old: sum(((bag("FROM " + old) - bag("FROM " + new))
                       + (bag("FROM " + new) - bag("FROM " + old))).values())
             for old, new in pairs.items()}
    print(json.dumps(found))
"""


def program(name: str) -> str:
    path = VENV / ("Scripts" if sys.platform == "win32" else "bin") / name
    if not path.exists():
        missing("SQLMesh in build/venvs/sqlmesh (make build/venvs/sqlmesh/.installed)")
    return str(path)


def run(cwd: Path, *command: str | Path, **env: str) -> str:
    done = subprocess.run([str(each) for each in command], cwd=cwd, env=os.environ | env,
                          capture_output=True, text=True)  # fmt: skip
    assert not done.returncode, (done.stdout + done.stderr)[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program("sqlmesh")
    return tmp_path_factory.mktemp("sqlmesh")


def test_sqlmesh_builds_the_small_shop_and_every_report_is_equal(home: Path) -> None:
    result = rewritten(home / "project", "sqlmesh", "duckdb")
    assert sum("blueprints (" in text for text in result.files.values()) >= 4
    scripts = [readable(name).rstrip().rstrip(";") + ";" for name in order()]
    (home / "setup.sql").write_text("\n".join([*data_sql(), *scripts]), "utf-8")
    database = home / "warehouse.duckdb"
    run(home, program("python"), "-c", RUN, database, home / "setup.sql")
    told = run(home / "project", program("sqlmesh"), "plan", "--auto-apply", "--no-prompts",
               UNWET_DUCKDB=str(database))  # fmt: skip
    assert "Model batches executed" in told and "Virtual layer updated" in told
    reports = modelled(result)
    assert len(reports) > 35
    pairs = {report.relation: f"marts.{report.model}" for report in reports}
    (home / "pairs.json").write_text(json.dumps(pairs), "utf-8")
    found = json.loads(run(home, program("python"), "-c", COMPARE, database, home / "pairs.json"))
    assert found == dict.fromkeys(pairs, 0)


def test_a_product_of_decimals_keeps_its_digits(home: Path) -> None:
    tables = "CREATE TABLE s.t (amount DECIMAL(12, 2), rate DECIMAL(10, 4));"
    report = "CREATE TABLE r.total AS SELECT SUM(amount * rate) AS total FROM s.t;"
    project, database = home / "digits", home / "digits.duckdb"
    refactor([Source("p/t.sql", tables), Source("p/r.sql", report)], project, "duckdb",
             generated=False, target="sqlmesh")  # fmt: skip
    rows = "INSERT INTO s.t VALUES (1.23, 0.0001), (4.56, 1.0203);"
    (home / "digits.sql").write_text(f"CREATE SCHEMA s; {tables} {rows}", "utf-8")
    run(home, program("python"), "-c", RUN, database, home / "digits.sql")
    run(project, program("sqlmesh"), "plan", "--auto-apply", "--no-prompts",
        UNWET_DUCKDB=str(database))  # fmt: skip
    (home / "pairs.json").write_text('{"(SELECT 4.652691 AS total)": "marts.total"}', "utf-8")
    found = json.loads(run(home, program("python"), "-c", COMPARE, database, home / "pairs.json"))
    assert set(found.values()) == {0}


def test_a_schema_that_a_variable_says(home: Path) -> None:
    """Of models, of blueprints and of macros, which read its tables in the same words."""
    sums = (
        "SELECT o.kind, SUM(o.n) AS n, MIN(o.n) AS least, MAX(o.n) AS most FROM ${shop}.in_%s AS o"
    )
    tests = "WHERE o.n > %d AND o.kind <> 'x' AND o.n IS NOT NULL GROUP BY o.kind"
    rows = {"sold": 1, "lost": 2, "paid": 3}
    texts = {table: f"{sums % table} {tests % least}" for table, least in rows.items()}
    scripts = [Source(f"p/{name}.sql", f"CREATE TABLE r.{name} AS {text}")
               for name, text in texts.items()]  # fmt: skip
    scripts.append(
        Source("p/one.sql", "CREATE TABLE r.one AS SELECT 1 + n AS n FROM ${shop}.in_sold")
    )
    project, database = home / "schema", home / "schema.duckdb"
    result = refactor(scripts, project, "duckdb", generated=False, target="sqlmesh")
    assert {v.outcome for v in result.verdicts} == {"proved"}
    assert not any("p__shop__p" in text for path, text in result.files.items() if "sql" in path)
    tables = [f"CREATE TABLE s.in_{table} AS SELECT ['a', 'b', 'x'][i % 3 + 1] AS kind, i % 7 AS n "
              "FROM range(50) AS r (i);" for table in rows]  # fmt: skip
    reports = [f"CREATE TABLE r.{name} AS {text};" for name, text in texts.items()]
    reports.append("CREATE TABLE r.one AS SELECT 1 + n AS n FROM s.in_sold;")
    setup = "\n".join(["CREATE SCHEMA s; CREATE SCHEMA r;", *tables, *reports])
    (home / "schema.sql").write_text(setup.replace("${shop}", "s"), "utf-8")
    run(home, program("python"), "-c", RUN, database, home / "schema.sql")
    config = (project / "config.yaml").read_text("utf-8")
    assert "shop: null" in config
    (project / "config.yaml").write_text(config.replace("shop: null", "shop: s"), "utf-8")
    run(project, program("sqlmesh"), "plan", "--auto-apply", "--no-prompts",
        UNWET_DUCKDB=str(database))  # fmt: skip
    pairs = {f"r.{name}": f"marts.{name}" for name in (*rows, "one")}
    (home / "pairs.json").write_text(json.dumps(pairs), "utf-8")
    found = json.loads(run(home, program("python"), "-c", COMPARE, database, home / "pairs.json"))
    assert found == dict.fromkeys(pairs, 0)


def test_functions_are_made_before_the_models(home: Path) -> None:
    scripts = [
        Source(f"p/{name}.sql", f"CREATE TEMP MACRO good(x) AS (x >= {least});\n"
               f"CREATE TABLE r.{name} AS SELECT n, good(n) AS good, good(n + 1) AS next FROM s.t")
        for name, least in {"one": 1, "two": 2}.items()
    ]  # fmt: skip
    project, database = home / "functions", home / "with_functions.duckdb"
    refactor(scripts, project, "duckdb", generated=False, target="sqlmesh")
    (home / "functions.sql").write_text(
        "CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS n;", "utf-8"
    )
    run(home, program("python"), "-c", RUN, database, home / "functions.sql")
    run(project, program("sqlmesh"), "plan", "--auto-apply", "--no-prompts",
        UNWET_DUCKDB=str(database))  # fmt: skip
    pairs = {f"(SELECT 1 AS n, {good} AS good, TRUE AS next)": f"marts.{name}"
             for name, good in {"one": "TRUE", "two": "FALSE"}.items()}  # fmt: skip
    (home / "pairs.json").write_text(json.dumps(pairs), "utf-8")
    found = json.loads(run(home, program("python"), "-c", COMPARE, database, home / "pairs.json"))
    assert set(found.values()) == {0}


def test_a_query_that_a_call_hands_on_is_a_block(home: Path) -> None:
    texts = {name: REPORT.format(name=name, picked=query) for name, query in PICKED.items()}
    project, database = home / "blocks", home / "blocks.duckdb"
    result = refactor([Source(f"p/{name}.sql", text) for name, text in texts.items()], project,
                      "duckdb", generated=False, target="sqlmesh")  # fmt: skip
    assert sum("{% endset %}" in text for text in result.files.values()) == len(PICKED)
    (home / "blocks.sql").write_text("".join([ROWS, *(f"{t};" for t in texts.values())]), "utf-8")
    run(home, program("python"), "-c", RUN, database, home / "blocks.sql")
    run(project, program("sqlmesh"), "plan", "--auto-apply", "--no-prompts",
        UNWET_DUCKDB=str(database))  # fmt: skip
    pairs = {name: f"marts.{name}" for name in PICKED}
    (home / "pairs.json").write_text(json.dumps(pairs), "utf-8")
    found = json.loads(run(home, program("python"), "-c", COMPARE, database, home / "pairs.json"))
    assert found == dict.fromkeys(PICKED, 0)


def test_sqlmesh_runs_the_unit_tests(home: Path) -> None:
    ladder = "CASE WHEN amount >= 1000 THEN 'large' WHEN amount >= 100 THEN 'medium' END"
    query = f"SELECT customer, {ladder} AS size, COUNT(*) AS n FROM s.orders GROUP BY 1, 2"
    report = f"CREATE TABLE r.sizes AS {query};"
    result = refactor([Source("p/r.sql", report)], home / "units", "duckdb",
                      generated=False, target="sqlmesh", unit_tests=True)  # fmt: skip
    place = "tests/test_old_sizes.yaml"
    [test] = yaml.safe_load(result.files[place]).values()
    given = test["inputs"]["s.orders"]  # nothing declares the table, so the test has the types
    assert given["columns"] == {"customer": "varchar", "amount": "bigint"}
    database = str(home / "units.duckdb")
    told = run(home / "units", program("sqlmesh"), "test", UNWET_DUCKDB=database)
    assert "Successfully Ran `1` Test" in told
    model = next((home / "units" / "models").rglob("sizes.sql"))
    model.write_text(model.read_text("utf-8").replace("'large'", "'huge'"), "utf-8")
    with pytest.raises(AssertionError, match="test_old_sizes"):
        run(home / "units", program("sqlmesh"), "test", UNWET_DUCKDB=database)


def test_no_variable_and_no_macro_is_called_as_one_of_sqlmesh(home: Path) -> None:
    """Its own would hide them, as those of the names that nobody may take."""
    said = (
        "import sqlmesh.core.macros as m, sqlmesh.utils.date as d;"
        "print(*m.macro.get_registry(), *d.date_dict('2024-01-01', '2024-01-01', '2024-01-01'))"
    )
    assert {*run(home, program("python"), "-c", said).lower().split()} <= TAKEN
    names = ("latest_ds", "snapshot", "eval", "gateway")
    project, database = home / "own_names", home / "own_names.duckdb"
    columns = ", ".join(f"'a' AS {name}" for name in names)
    said = (
        "CREATE TABLE r.{0}_{2} AS SELECT MIN(n) AS {0}_1, MAX(n) AS {0}_2, SUM(n) AS {0}_3 "
        "FROM s.t WHERE {0} = '{1}' AND n > 0"
    )
    scripts = [Source(f"p/{name}_{value[0]}.sql", said.format(name, value, value[0]))
               for name in names for value in ("a", "b", "x@y")]  # fmt: skip
    refactor(scripts, project, "duckdb", generated=False, target="sqlmesh")
    tables = f"CREATE SCHEMA s; CREATE TABLE s.t AS SELECT {columns}, 1 AS n"
    (home / "own_names.sql").write_text(tables, "utf-8")
    run(home, program("python"), "-c", RUN, database, home / "own_names.sql")
    run(project, program("sqlmesh"), "plan", "--auto-apply", "--no-prompts",
        UNWET_DUCKDB=str(database))  # fmt: skip
    wanted = {f"(SELECT 1, 1, 1::HUGEINT -- {name}\n)": f"marts.{name}_a" for name in names}
    (home / "pairs.json").write_text(json.dumps(wanted), "utf-8")
    found = json.loads(run(home, program("python"), "-c", COMPARE, database, home / "pairs.json"))
    assert found == dict.fromkeys(wanted, 0)


def test_sqlmesh_reads_templates_with_blueprints_as_we_do(home: Path) -> None:
    """What `sqlmesh_families` and `mesh_relations` write: quotes cut off, lists, what is left out,
    look-ups, and names that a macro has."""
    outside = [Outside(f"s.{table}", "s", table) for table in ("jan-1", "feb")]
    where = Places("duckdb", {}, {each.token.lower(): each for each in outside}, True)
    look_up = printed_look_up([("jan_1", Leaf("name", "a")), ("feb", Leaf("name", "b"))],
                              "table", "duckdb")  # fmt: skip
    model = """MODEL (name marts.@{model_name}, kind FULL, blueprints (
      (model_name := one, table := jan_1, seen := 'n', who := 'it''s', columns := (a, who),
        least := n > 0),
      (model_name := two, table := feb, who := 'xy', seen := ('x' || b), columns := (b, who))));
    JINJA_QUERY_BEGIN;
    {% set table = blueprint_var('table') %}
    {% set columns = blueprint_var('columns')[1:-1].split(', ') %}
    {{ rows(table=table, who=blueprint_var('who')[1:-1], columns=columns,
            seen=blueprint_var('seen')[1:-1], least=blueprint_var('least', 'n > 1')) }}
    JINJA_END;"""
    rows = """{% macro rows(table, who, columns, seen, least, column=column_of(table)) %}
    SELECT {% for each in columns %}{{ each }}, {% endfor %}{{ column }} || '.' AS more,
        {{ seen }} AS seen
    FROM (SELECT *, '{{ who }}' AS who FROM {{ source('s', table) }}) WHERE {{ least }}
    {% endmacro %}"""
    files = {
        "config.yaml": "gateways: {dev: {connection: {type: duckdb, database: "
        "\"{{ env_var('UNWET_DUCKDB') }}\"}}}\ndefault_gateway: dev\n"
        "model_defaults: {dialect: duckdb, optimize_query: false}\n",
        "models/m.sql": model,
        "macros/rows.sql": rows,
        "macros/column_of.sql": f"{{% macro column_of(table) %}}\n{look_up}\n{{% endmacro %}}",
    }
    project, database = home / "families", home / "families.duckdb"
    write(with_source_names(files, where), project)
    scripts = ["CREATE SCHEMA s", "CREATE TABLE s.\"jan-1\" AS SELECT 1 AS n, 'A' AS a",
               "CREATE TABLE s.feb AS SELECT UNNEST([1, 2]) AS n, 'B' AS b"]  # fmt: skip
    (home / "families.sql").write_text(";".join(scripts), "utf-8")
    run(home, program("python"), "-c", RUN, database, home / "families.sql")
    run(project, program("sqlmesh"), "plan", "--auto-apply", "--no-prompts",
        UNWET_DUCKDB=str(database))  # fmt: skip
    wanted = {
        "(SELECT 'A', 'it''s', 'A.', 1)": "marts.one",
        "(SELECT 'B', 'xy', 'B.', 'xB')": "marts.two",
    }
    (home / "pairs.json").write_text(json.dumps(wanted), "utf-8")
    found = json.loads(run(home, program("python"), "-c", COMPARE, database, home / "pairs.json"))
    assert set(found.values()) == {0}
    ours = {model.name: model.sql for model in read_project(project).models}
    assert "'it''s' AS who FROM s.\"jan-1\") WHERE n > 0" in ours["one"]
    assert "SELECT b, who, b || '.' AS more,\n        'x' || b AS seen" in ours["two"]
    assert ours["two"].endswith("n > 1")
