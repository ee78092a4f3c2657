"""dbt itself builds what is written, and all tests that came from evidence pass.

It runs in an environment of its own (`UNWET_DBT`, else build/venvs/dbt, which `make test`
makes once), as dbt and unwet need not agree on packages.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.targets.place import write
from unwet.tests.rewrite.prove.servers import missing
from unwet.tests.rewrite.small_pile import small_pile
from unwet.tests.rewrite.small_world import SCHEMA
from unwet.tests.rewrite.test_variants import ROWS
from unwet.tests.rewrite.test_written_parts import PICKED, REPORT

ROOT = Path(__file__).parents[3]
VENV = Path(os.environ.get("UNWET_DBT", ROOT / "build" / "venvs" / "dbt"))


@pytest.fixture(scope="session")
def dbt() -> Path:
    """The program."""
    program = VENV / "bin" / "dbt"
    if not program.exists():
        missing("dbt in build/venvs/dbt (make build/venvs/dbt/.installed)")
    return program


def build(dbt: Path, files: Mapping[str, str], root: Path, data: Path) -> Counter[str]:
    """How many nodes ended how, by `kind status`."""
    write(files, root)
    words = [str(dbt), "build", "--profiles-dir", ".", "--warn-error-options", '{"error": []}']
    done = subprocess.run(words, cwd=root, env=dict(os.environ, UNWET_DUCKDB=str(data)),
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert "eprecat" not in done.stdout, done.stdout[-3000:]
    found: Any = json.loads((root / "target" / "run_results.json").read_text("utf-8"))
    return Counter(f"{each['unique_id'].split('.')[0]} {each['status']}"
                   for each in found["results"])  # fmt: skip


def world(path: Path) -> Path:
    """A database with the tables of the small pile and no rows but a few."""
    with duckdb.connect(str(path)) as connection:
        for table, columns in SCHEMA.items():
            declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            connection.execute(f"CREATE TABLE {table} ({declared})")
        connection.execute("INSERT INTO t VALUES (1, 1, 'a'), (1, 1, 'a'), (NULL, 2, NULL)")
        connection.execute("INSERT INTO u VALUES (1, 1, 'b'), (2, 1, NULL)")
        connection.execute("INSERT INTO v VALUES (1, 2, true), (1, NULL, NULL)")
    return path


def test_the_small_pile_is_built(dbt: Path, tmp_path: Path) -> None:
    result = refactor(small_pile(), Request(name="small"))
    models = sum(path.startswith("models/") and path.endswith(".sql") for path in result.files)
    done = build(dbt, result.files, tmp_path / "project", world(tmp_path / "data.duckdb"))
    assert done["model success"] == models > 5
    assert done["test pass"] >= 5
    assert not {k: n for k, n in done.items() if not k.endswith((" success", " pass", " no-op"))}


def test_dbt_reads_what_is_said_of_a_folder_below_marts(dbt: Path, tmp_path: Path) -> None:
    texts = {f"pile/top/{x}{y}.sql": f"CREATE VIEW v_{x}_{y} AS SELECT {x}, {y} AS k FROM t"
             for x in "ab" for y in ("a", "b", "c", "1")}  # fmt: skip
    for name, where in {"a": " WHERE a < {{ day }}", "b": " WHERE a > {{ day }}",
                        "c": " WHERE b < {{ day }}", "d": ""}.items():  # fmt: skip
        text = f"CREATE TABLE d_{name} AS SELECT a, b AS {name}_ FROM t{where}"
        texts[f"pile/made/{name}.sql"] = text
    result = refactor(
        load([Source(*each) for each in texts.items()], "duckdb"), Request(name="small")
    )
    made = result.files["dbt_project.yml"]
    assert "      made:\n        +materialized: table\n        +enabled:" in made
    data = world(tmp_path / "data.duckdb")
    done = build(dbt, result.files, tmp_path / "project", data)
    assert done["model success"] == len(texts) - 3
    with duckdb.connect(str(data)) as connection:
        like = (
            "SELECT table_name, table_type FROM information_schema.tables WHERE table_name ~ 'd_.'"
        )
        assert connection.execute(like).fetchall() == [("d_d", "BASE TABLE")]


def test_a_query_that_a_call_hands_on_is_a_block(dbt: Path, tmp_path: Path) -> None:
    texts = {name: REPORT.format(name=name, picked=query) for name, query in PICKED.items()}
    pile = load([Source(f"{name}.sql", text, "duckdb") for name, text in texts.items()])
    result = refactor(pile, Request(name="small"))
    assert sum("{% endset %}" in text for text in result.files.values()) == len(PICKED)
    data = tmp_path / "data.duckdb"
    with duckdb.connect(str(data)) as connection:
        connection.execute(ROWS)
        wanted = {}
        for name, text in texts.items():
            connection.execute(text)
            wanted[name] = connection.execute(f"FROM {name} ORDER BY ALL").fetchall()
            connection.execute(f"DROP TABLE {name}")
    done = build(dbt, result.files, tmp_path / "project", data)
    assert done["model success"] == len(PICKED)
    with duckdb.connect(str(data)) as connection:
        for name, rows in wanted.items():
            assert connection.execute(f"FROM {name} ORDER BY ALL").fetchall() == rows != []


@pytest.mark.parametrize("other", ["", ", good(a) AS g"])
def test_functions_are_made_before_the_models(dbt: Path, tmp_path: Path, other: str) -> None:
    """``other``: another call, without which each of them only gives a name to an expression."""
    texts = {
        f"pile/{name}.sql": "CREATE TEMP MACRO half(x) AS (x / 2);\n"
        f"CREATE TEMP MACRO good(x) AS (half(x) >= {least});\n"
        f"CREATE TABLE r.{name} AS SELECT a, good(b) AS good{other} FROM t"
        for name, least in {"one": 1, "two": 2, "again": 1}.items()
    }
    pile = load([Source(*each) for each in texts.items()], "duckdb")
    result = refactor(pile, Request(name="small"))
    data = world(tmp_path / "data.duckdb")
    done = build(dbt, result.files, tmp_path / "project", data)
    made = {"operation success": 2} if other else {}  # the schema, and the functions
    assert done == {"model success": 3, "exposure no-op": 3} | made
    with duckdb.connect(str(data)) as connection:
        wanted = {"one": [(1, False), (1, False), (None, True)],
                  "two": [(1, False), (1, False), (None, False)]}  # fmt: skip
        for name, rows in {**wanted, "again": wanted["one"]}.items():
            assert (
                connection.execute(f"SELECT a, good FROM main.{name} ORDER BY a").fetchall() == rows
            )


def test_functions_that_are_alike_are_made_in_a_loop(dbt: Path, tmp_path: Path) -> None:
    frame = "(SELECT COUNT(*) FROM (VALUES (1), (2), (3)) AS v(n) WHERE {0})"
    tests = {"below": "v.n < x", "above": "v.n > x OR x = 2", "named": "'it''s' = 'it''s'"}
    texts = {
        f"pile/{name}.sql": f"CREATE TEMP MACRO {name}(x) AS ({frame.format(test)});\n"
        f"CREATE TABLE r.{name}_rows AS SELECT a, {name}(b) AS n, {name}(a) AS m FROM t"
        for name, test in tests.items()
    }
    pile = load([Source(*each) for each in texts.items()], "duckdb")
    result = refactor(pile, Request(name="small"))
    assert "{% for name, condition in [" in result.files["macros/functions/create_functions.sql"]
    data = world(tmp_path / "data.duckdb")
    done = build(dbt, result.files, tmp_path / "project", data)
    assert done == {"model success": 3, "exposure no-op": 3, "operation success": 2}
    with duckdb.connect(str(data)) as connection:
        for name, test in tests.items():
            asked = frame.format(test).replace("x", "t.b")
            rows = connection.execute(f"SELECT a, {asked} FROM t ORDER BY ALL").fetchall()
            made = connection.execute(f"SELECT a, n FROM main.{name}_rows ORDER BY ALL")
            assert made.fetchall() == rows != []
