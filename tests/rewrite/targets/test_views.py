"""Plain views: what is written, that it is proved, and that real engines run it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from sqlglot import exp

from tests.rewrite.prove.servers import _program, postgres_server
from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.engines.lengths import too_long
from unwet.rewrite.prove.projects import read_project
from unwet.rewrite.prove.rendered import BadProject
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.rewrite.summary import open_reports
from unwet.rewrite.verify import Request as VerifyRequest
from unwet.rewrite.verify import verify
from unwet.tests.rewrite.outcomes import told_of
from unwet.tests.rewrite.targets.small_shop import (
    bag,
    data_sql,
    database,
    modelled,
    readable,
    rewritten,
)
from unwet.tests.test_small_pile import order

TABLES = "CREATE TABLE s.t (id INT, name TEXT, at DATE);"


def made(dialect: str, to_dialect: str = "", **scripts: str) -> Result:
    """The views of a pile of scripts, each a file of its name, over one table."""
    sources = [Source(f"p/{name}.sql", text) for name, text in scripts.items()]
    pile = load([Source("p/a_tables.sql", TABLES), *sources], dialect)
    return refactor(pile, Request(target="views", to_dialect=to_dialect))


def run_duckdb(connection: duckdb.DuckDBPyConnection, project: Path) -> None:
    """all.sql as DuckDB's own client runs it."""
    for line in (project / "all.sql").read_text("utf-8").splitlines():
        path = line.removeprefix(".read ")
        connection.execute((project / path).read_text("utf-8") if path != line else line)


def test_duckdb_runs_the_views_and_every_report_is_equal(tmp_path: Path) -> None:
    result = rewritten(tmp_path / "project", "views", "duckdb")
    old, new = database(tmp_path / "old.duckdb", True), database(tmp_path / "new.duckdb", False)
    run_duckdb(new, tmp_path / "project")
    reports = modelled(result)
    assert len(reports) > 35
    for report in reports:
        before, after = bag(old, f"FROM {report.relation}"), bag(new, f"FROM marts.{report.model}")
        assert before == after, report.name


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_server() as dsn:
        yield dsn


def psql(dsn: str, folder: Path, *args: str) -> str:
    command = [_program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", dsn, *args]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert not done.returncode, done.stderr[-2000:]
    return done.stdout


def test_postgres_runs_the_views_and_every_report_is_equal(server: str, tmp_path: Path) -> None:
    result = rewritten(tmp_path / "project", "views", "postgres")
    setup = "\n".join(
        [*data_sql(), *(readable(name).rstrip().rstrip(";") + ";" for name in order())]
    )
    (tmp_path / "setup.sql").write_text(setup, "utf-8")
    psql(server, tmp_path, "-f", "setup.sql")
    psql(server, tmp_path / "project", "-f", "all.sql")
    for report in modelled(result):
        old, new = f"SELECT * FROM {report.relation}", f"SELECT * FROM marts.{report.model}"
        differing = f"({old} EXCEPT ALL {new}) UNION ALL ({new} EXCEPT ALL {old})"
        assert psql(server, tmp_path, "-c", differing) == "", report.name
    assert len(modelled(result)) > 35


def test_a_view_and_its_place(tmp_path: Path) -> None:
    result = made(
        "postgres",
        names="-- all names\nCREATE VIEW r.names AS SELECT name, id FROM s.t WHERE id > 3;",
        few="CREATE TABLE r.few AS SELECT name FROM r.names WHERE id < 9;",
    )
    assert result.files["views/marts/names.sql"] == (
        "-- all names\n-- Replaces names.sql:2\nCREATE OR REPLACE VIEW marts.names AS\n"
        "SELECT\n  name,\n  id\nFROM s.t\nWHERE\n  id > 3;\n"
    )
    lines = result.files["all.sql"].splitlines()
    assert lines.index(r"\ir views/marts/names.sql") < lines.index(r"\ir views/marts/few.sql")
    assert "CREATE SCHEMA IF NOT EXISTS marts;" in lines
    assert "`psql -v ON_ERROR_STOP=1 -f all.sql` makes them all" in result.files["MIGRATION.md"]


@pytest.mark.parametrize(
    ("dialect", "head", "line"),
    [
        ("duckdb", "CREATE OR REPLACE VIEW marts.a AS", ".read views/marts/a.sql"),
        ("tsql", "CREATE OR ALTER VIEW marts.a AS", ":r views/marts/a.sql"),
        ("sqlite", "DROP VIEW IF EXISTS a;\nCREATE VIEW a AS", ".read views/marts/a.sql"),
        ("bigquery", "CREATE OR REPLACE VIEW marts.a AS", "-- views/marts/a.sql"),
    ],
)
def test_each_engine_in_its_own_words(dialect: str, head: str, line: str) -> None:
    result = made("duckdb", dialect, a="SELECT id FROM s.t WHERE id = 3")
    assert head in result.files["views/marts/a.sql"]
    assert line in result.files["all.sql"].splitlines()
    assert {v.name: v.outcome for v in result.verdicts}["a"] == "proved"


def test_names_that_need_quotes_and_layers_that_are_taken() -> None:
    result = made("postgres", order="SELECT id FROM s.t", x='SELECT "Id" FROM marts."Some Thing"')
    assert (
        'VIEW unwet_project_marts."order" AS' in result.files["views/unwet_project_marts/order.sql"]
    )
    assert 'FROM marts."Some Thing"' in result.files["views/unwet_project_marts/x.sql"]
    assert {v.name: v.outcome for v in result.verdicts} == {"order": "proved", "x": "proved"}


def test_what_cannot_be_a_view_is_kept_with_the_reason() -> None:
    long = "n" * 64
    result = made(
        "postgres", **{long: "SELECT id FROM s.t"}, open="SELECT id FROM s.t WHERE id > :n"
    )
    why = {v.name: (v.outcome, v.reason) for v in result.verdicts}
    [(cut, _)] = [(name, told) for name, told in why.items() if told == ("proved", "")]
    assert cut.startswith("n" * 50) and len(cut) == 60
    assert why["open"] == ("kept", "a view has no parameters: give --param NAME=VALUE for n")
    assert "legacy/open.sql" in result.files


_LONG = "name_of_something_that_somebody_has_written_down_in_full_length_and_more"  # 71 bytes
_ALIKE = f"""CREATE VIEW r.alike AS
    WITH {_LONG}_a AS (SELECT id, name AS {_LONG}_c, id + 1 AS {_LONG}_d FROM s.t WHERE id < 3),
    {_LONG}_b AS (SELECT id FROM s.t WHERE id > 1)
    SELECT b.id, a.{_LONG}_c AS c, a.{_LONG}_d AS d
    FROM {_LONG}_a AS a JOIN {_LONG}_b AS b ON a.id = b.id"""


def test_names_that_another_engine_would_cut_are_cut_apart(server: str, tmp_path: Path) -> None:
    result = made("tsql", "postgres", alike=_ALIKE)
    assert [(v.outcome, v.reason) for v in result.verdicts] == [("proved", "")]
    text = result.files["views/marts/alike.sql"]
    assert all(len(word) <= 63 for word in re.findall(r"\w+", text))
    for path, content in result.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, "utf-8")
    rows = "INSERT INTO s.t VALUES (1, 'a', NULL), (2, 'b', NULL), (3, 'c', NULL);"
    fresh = "DROP SCHEMA IF EXISTS s, marts CASCADE; CREATE SCHEMA s;"
    psql(server, tmp_path, "-c", fresh + TABLES + rows)
    psql(server, tmp_path, "-f", "all.sql")
    assert psql(server, tmp_path, "-c", "SELECT * FROM marts.alike") == "2|b|3\n"


@pytest.mark.parametrize("target", ["views", "dbt", "sqlmesh"])
@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT id AS {_LONG} FROM s.t",
        f"SELECT id FROM s.t UNION ALL SELECT {_LONG} FROM s.u",
        f"SELECT id FROM s.{_LONG}",
        f"SELECT * FROM (SELECT id AS {_LONG} FROM s.t) AS q",
    ],
)
def test_names_that_others_know_are_a_reason_to_keep_it(target: str, sql: str) -> None:
    pile = load([Source("p/a.sql", TABLES), Source("p/b.sql", sql)], "tsql")
    result = refactor(pile, Request(target=target, to_dialect="postgres"))
    [verdict] = result.verdicts
    assert verdict.outcome == "kept"
    assert verdict.reason == (
        f"the name {_LONG[:40]}... has {len(_LONG)} bytes, more than the 63 of postgres"
    )
    same = refactor(pile, Request(target=target, to_dialect="tsql"))
    assert [v.outcome for v in same.verdicts] == ["proved"]


@pytest.mark.parametrize(
    ("target", "name", "why"),
    [
        ("mysql", "ä" * 64, ""),
        ("mysql", "ä" * 65, "has 65 letters, more than the 64 of mysql"),
        ("tsql", "ä" * 128, ""),
        ("tsql", "ä" * 129, "has 129 letters, more than the 128 of tsql"),
        ("tsql", "\U0001f600" * 65, "has 130 letters, more than the 128 of tsql"),
        ("postgres", "ä" * 32, "has 64 bytes, more than the 63 of postgres"),
    ],
)
def test_some_engines_count_letters_and_others_bytes(target: str, name: str, why: str) -> None:
    tree = exp.select(exp.alias_("id", name, quoted=True)).from_("t")
    assert too_long(tree, (), target).partition("... ")[2] == why


def test_a_long_name_of_letters_of_two_bytes_is_cut_by_bytes() -> None:
    result = made("postgres", **{"ü" * 50: "SELECT id FROM s.t", "ä" * 70: "SELECT name FROM s.t"})
    assert {v.outcome for v in result.verdicts} == {"proved"}
    assert all(len(v.name.encode()) <= 60 for v in result.verdicts)


def test_a_placeholder_without_a_value_is_called_as_the_pile_does() -> None:
    queries = {name: f"SELECT id FROM @cdmSchema.u WHERE id > {at}" for at, name in enumerate("ab")}
    result = made("tsql", **queries)
    why = "a view has no parameters: give --param NAME=VALUE for cdmSchema"
    assert [v.reason for v in result.verdicts] == [why, why]
    first, second = (f"{v.path}:{v.line}" for v in result.verdicts)
    assert open_reports(result) == [f"2 x KEPT {why} (first {first}; -v shows all)"]
    every = [f"{first}: KEPT a: {why}", f"{second}: KEPT b: {why}"]
    assert open_reports(result, every=True) == every


def test_a_word_that_the_engine_lacks_is_a_reason_too() -> None:
    sql = "SELECT CASE WHEN id > 1 THEN SPLIT_PART(name, ':', 2) END AS half FROM s.t"
    result = made("duckdb", "tsql", halves=sql, names="SELECT name FROM s.t")
    told = {v.name: (v.outcome, v.reason) for v in result.verdicts}
    assert told["names"] == ("proved", "")
    assert told["halves"][0] == "kept"
    assert told["halves"][1].startswith("cannot be written in tsql: SPLIT_PART")
    assert "legacy/halves.sql" in result.files


def test_a_table_whose_rows_move_with_the_clock_stays_a_table() -> None:
    sql = "CREATE TABLE r.{} AS SELECT id, CURRENT_DATE AS today FROM s.t"
    result = made(
        "postgres", old=sql.format("old"), seen=sql.format("seen").replace("TABLE", "VIEW")
    )
    assert (
        "DROP TABLE IF EXISTS marts.old;\nCREATE TABLE marts.old AS"
        in result.files["views/marts/old.sql"]
    )
    assert "rows are those of the day" in result.files["views/marts/old.sql"]
    assert "CREATE OR REPLACE VIEW marts.seen AS" in result.files["views/marts/seen.sql"]


def test_sql_server_gets_each_view_in_a_batch_of_its_own(tmp_path: Path) -> None:
    pile = load([Source("p/a.sql", TABLES), Source("p/b.sql", "SELECT id FROM s.t")], "tsql")
    refactor(pile, Request(out=tmp_path / "v", target="views"))
    lines = (tmp_path / "v" / "all.sql").read_text("utf-8").splitlines()
    made = [at for at, line in enumerate(lines) if line.startswith((":r", "IF SCHEMA_ID"))]
    assert made and all(lines[at + 1] == "GO" for at in made)
    assert told_of(pile, tmp_path / "v") == {"b": "proved: "}


@pytest.mark.parametrize("where", ["before", "behind"])
def test_a_batch_of_two_is_seen_where_views_are_made(tmp_path: Path, where: str) -> None:
    sources = [Source("p/a.sql", TABLES), Source("p/b.sql", "SELECT id FROM s.t"),
               Source("p/c.sql", "SELECT id, GETDATE() AS now INTO r.c FROM s.t")]  # fmt: skip
    pile = load(sources, "tsql")
    refactor(pile, Request(out=tmp_path / "v", target="views"))
    view = ":r views/marts/b.sql\n"
    edit(tmp_path / "v" / "all.sql", *(
        (f"GO\n\n{view}", view) if where == "before" else (f"{view}GO\n", view)
    ))  # fmt: skip
    found = told_of(pile, tmp_path / "v")
    assert found["b"].endswith("all.sql makes it in a batch with other statements: GO is missing")
    assert found["c"] == "proved: "


_UNION = "SELECT id INTO r.u FROM s.t WHERE at < GETDATE() UNION ALL SELECT id FROM s.t;"


def test_sql_server_has_tables_from_select_into(tmp_path: Path) -> None:
    cte = "WITH q AS (SELECT id, GETDATE() AS now FROM s.t) SELECT id, now INTO r.b FROM q;"
    sources = [("a", TABLES), ("b", cte), ("u", _UNION)]
    pile = load([Source(f"p/{name}.sql", text) for name, text in sources], "tsql")
    refactor(pile, Request(out=tmp_path / "v", target="views"))
    text = (tmp_path / "v" / "views/marts/b.sql").read_text("utf-8")
    assert "DROP TABLE IF EXISTS marts.b;\nWITH q AS (" in text
    assert text.endswith("SELECT\n  id,\n  now\nINTO marts.b\nFROM q;\n")
    assert told_of(pile, tmp_path / "v") == {"b": "proved: ", "u": "proved: "}
    edit(tmp_path / "v" / "views/marts/b.sql", "INTO marts.b\nFROM q", "INTO #b\nFROM q")
    assert told_of(pile, tmp_path / "v")["b"].endswith("a temporary table is no view")


@pytest.mark.parametrize("target", ["views", "dbt", "sqlmesh"])
def test_an_order_is_none_of_a_view_of_sql_server_without_offset(target: str) -> None:
    last = "SELECT id, name FROM s.t ORDER BY name, id"
    first = "SELECT TOP 3 id FROM s.t ORDER BY id"
    sources = [("a", TABLES), ("b", last), ("c", first)]
    pile = load([Source(f"p/{name}.sql", text) for name, text in sources], "tsql")
    result = refactor(pile, Request(target=target))
    assert [v.outcome for v in result.verdicts] == ["proved", "proved"]
    found = {path.rpartition("/")[2]: " ".join(text.lower().split())
             for path, text in result.files.items() if "/marts/" in path}  # fmt: skip
    assert "order by name, id offset 0 rows" in found["b.sql"]
    assert "order by id" in found["c.sql"] and "offset" not in found["c.sql"]


def test_a_kept_script_runs_before_what_reads_it() -> None:
    result = made(
        "postgres",
        a="SELECT id FROM s.t",
        base="CREATE TABLE r.base AS SELECT id FROM s.t; DELETE FROM r.base USING s.t WHERE id = 1",
        reader="CREATE VIEW r.reader AS SELECT id FROM r.base WHERE id > 0",
    )
    assert {v.name: v.outcome for v in result.verdicts}["base"] == "kept"
    lines = result.files["all.sql"].splitlines()
    assert "CREATE SCHEMA IF NOT EXISTS r;" in lines
    assert lines.index(r"\ir legacy/base.sql") < lines.index(r"\ir views/marts/reader.sql")


@pytest.mark.parametrize("target", ["views", "dbt", "sqlmesh"])
@pytest.mark.parametrize("to_dialect", ["tsql", "postgres"])
def test_a_kept_script_of_another_dialect_is_not_run(
    target: str, to_dialect: str, tmp_path: Path
) -> None:
    kept = "SELECT id INTO r.base FROM s.t; DELETE b FROM r.base AS b JOIN s.t AS t ON b.id = t.id;"
    reader = "CREATE VIEW r.reader AS SELECT id FROM r.base WHERE id > 0"
    sources = [("a", TABLES), ("base", kept), ("reader", reader)]
    pile = load([Source(f"p/{name}.sql", text) for name, text in sources], "tsql")
    request = Request(out=tmp_path / "v", target=target, to_dialect=to_dialect)
    result = refactor(pile, request)
    assert {v.name: v.outcome for v in result.verdicts} == {"base": "kept", "reader": "proved"}
    same = to_dialect == "tsql"
    said = "model reader reads r.base, which " + (
        "the legacy scripts still make"
        if same
        else "has to be there: its script is written in tsql, and nothing makes it in postgres"
    )
    assert said in result.assumptions and said in result.files["MIGRATION.md"]
    assert verify(pile, VerifyRequest(tmp_path / "v")).assumptions == result.assumptions
    if target == "views":
        order = result.files["all.sql"]
        assert (":r legacy/base.sql" in order) is same
        assert ("--   legacy/base.sql, which makes it, is written in tsql." in order) is not same
        assert (r"\ir legacy/base.sql" in order) is False
    if target == "dbt":
        made = "Made by legacy/base.sql, which is kept" + (": run it" if same else ", and written")
        assert made in result.files["models/sources.yml"]


# --- read back -------------------------------------------------------------------------------


NAMES = TABLES + "CREATE VIEW r.names AS SELECT name, id FROM s.t WHERE id > 3;"
FEW = "CREATE VIEW r.few AS SELECT name FROM r.names WHERE id < 9;"


def chain() -> Pile:
    return load([Source("p/names.sql", NAMES), Source("p/few.sql", FEW)], "duckdb")


def written(tmp_path: Path, to_dialect: str = "duckdb") -> Path:
    refactor(chain(), Request(out=tmp_path / "v", target="views", to_dialect=to_dialect))
    return tmp_path / "v"


def outcomes(project: Path) -> dict[str, str]:
    return told_of(chain(), project)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_what_was_written_is_verified(tmp_path: Path) -> None:
    assert outcomes(written(tmp_path)) == {"few": "proved: ", "names": "proved: "}


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("names", "id > 3", "id >= 3", "kept: not proved"),
        ("few", "marts.names", "s.t", "kept: not proved"),
        ("few", "VIEW marts.few AS", "VIEW marts.few (n) AS", "list of columns"),
        ("few", "CREATE OR", "DELETE FROM s.t; CREATE OR", "a delete is no view"),
        ("few", "CREATE OR REPLACE VIEW", "CREATE TABLE IF NOT EXISTS", "not those of one query"),
    ],
)
def test_wrong_edits_are_seen(tmp_path: Path, name: str, old: str, new: str, told: str) -> None:
    project = written(tmp_path)
    edit(project / f"views/marts/{name}.sql", old, new)
    assert told in outcomes(project)[name]


def test_a_view_that_nobody_makes_is_seen(tmp_path: Path) -> None:
    project = written(tmp_path)
    edit(project / "all.sql", ".read views/marts/few.sql\n", "")
    assert "all.sql does not make it" in outcomes(project)["few"]


def test_an_order_that_cannot_work_is_seen(tmp_path: Path) -> None:
    project = written(tmp_path)
    lines = [".read views/marts/few.sql\n", ".read views/marts/names.sql\n"]
    edit(project / "all.sql", "".join(reversed(lines)), "".join(lines))
    assert "all.sql makes it before names, which it reads" in outcomes(project)["few"]


def test_a_copy_that_says_something_else_is_seen(tmp_path: Path) -> None:
    project = written(tmp_path, "bigquery")
    edit(project / "all.sql", "id > 3", "id > 4")
    assert "all.sql says something else than its file" in outcomes(project)["names"]


BESIDE = (
    "DROP VIEW marts.few;",
    "DELETE FROM s.t;",
    "SET TimeZone = 'Asia/Tokyo';",
    ".read other.sql",
    ".read views/../other.sql",
    ".read views/marts/other.txt",
    ".system rm x",
    "ALTER TABLE s.t ADD COLUMN x INT;",
    "-- views/marts/few.sql\nDROP VIEW marts.few;",
    "/* a comment */ DROP VIEW marts.few;",
    "CREATE SCHEMA IF NOT EXISTS x; DROP VIEW marts.few;",
    "CREATE MACRO abs(x) AS 1;",
)


@pytest.mark.parametrize("line", BESIDE)
def test_whatever_all_sql_does_besides_is_seen(tmp_path: Path, line: str) -> None:
    project = written(tmp_path)
    text = (project / "all.sql").read_text("utf-8")
    (project / "views/marts/other.txt").write_text("DELETE FROM s.t;")
    (project / "all.sql").write_text(f"{text}\n{line}\n", "utf-8")
    told = outcomes(project)
    assert told.keys() == {"few", "names"}
    assert all(each.startswith("kept: ") and "all.sql" in each for each in told.values())


def test_comments_blank_lines_and_schemas_change_no_rows(tmp_path: Path) -> None:
    project = written(tmp_path)
    text = (project / "all.sql").read_text("utf-8")
    more = '\n-- note: .read x\n--\n  -- indented\nCREATE SCHEMA IF NOT EXISTS "my x";\n'
    (project / "all.sql").write_text(text + more, "utf-8")
    assert outcomes(project) == {"few": "proved: ", "names": "proved: "}


def test_a_text_behind_a_copy_in_all_sql_is_seen(tmp_path: Path) -> None:
    project = written(tmp_path, "bigquery")
    assert outcomes(project)["few"] == "proved: "
    text = (project / "all.sql").read_text("utf-8")
    (project / "all.sql").write_text(f"{text}DROP VIEW marts.few;\n", "utf-8")
    assert all("runs more than the views" in each for each in outcomes(project).values())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("CREATE OR", "DELETE FROM s.t; CREATE OR"),
        ("CREATE OR", "DROP VIEW IF EXISTS marts.names; CREATE OR"),
        ("CREATE OR", "DROP TABLE IF EXISTS s.t; CREATE OR"),
        ("CREATE OR", "DROP VIEW IF EXISTS marts.few CASCADE; CREATE OR"),
        ("CREATE OR", "SET TimeZone = 'Asia/Tokyo'; CREATE OR"),
        ("CREATE OR", "DELETE s.t FROM WHERE )( ; CREATE OR"),
        ("-- ", "INSERT INTO s.t SELECT * FROM s.t; -- "),
    ],
)
def test_a_file_that_does_more_than_its_view_counts_for_all(
    tmp_path: Path, old: str, new: str
) -> None:
    project = written(tmp_path)
    edit(project / "views/marts/few.sql", old, new)
    assert all(each.startswith("kept: ") for each in outcomes(project).values())


def test_a_view_that_cannot_be_read_is_its_own_matter(tmp_path: Path) -> None:
    project = written(tmp_path)
    edit(project / "views/marts/few.sql", "SELECT", "SELECT )(")
    told = outcomes(project)
    assert told["few"].startswith("kept: ") and told["names"] == "proved: "


@pytest.mark.parametrize(
    "line",
    [
        "CREATE TABLE marts.few WITH NO DATA AS",
        "CREATE TEMP VIEW few AS",
    ],
)
def test_ways_to_make_a_view_that_has_other_rows(tmp_path: Path, line: str) -> None:
    project = written(tmp_path)
    edit(project / "views/marts/few.sql", "CREATE OR REPLACE VIEW marts.few AS", line)
    assert outcomes(project)["few"].startswith("kept: ")


def test_a_kept_script_has_to_be_the_old_one(tmp_path: Path) -> None:
    base = "CREATE TABLE r.base AS SELECT id FROM s.t; DELETE FROM r.base USING s.t WHERE id = 1"
    reader = "CREATE VIEW r.reader AS SELECT id FROM r.base WHERE id > 0"
    sources = [Source("p/t.sql", TABLES), Source("p/base.sql", base), Source("p/r.sql", reader)]
    pile = load(sources, "duckdb")
    project = tmp_path / "v"
    refactor(pile, Request(out=project, target="views"))
    request = VerifyRequest(project)
    assert [r.verdict for r in verify(pile, request).reports] == ["kept", "proved"]
    edit(project / "legacy/base.sql", "id = 1", "id = 2")
    [_, told] = verify(pile, request).reports
    assert told.verdict == "kept" and "legacy/base.sql" in told.reason and told.open


@pytest.mark.parametrize("text", ["dialect = 3 3", 'dialect = "klingon"'])
def test_a_bad_configuration(tmp_path: Path, text: str) -> None:
    (tmp_path / "views.toml").write_text(text)
    with pytest.raises(BadProject, match=r"views\.toml"):
        read_project(tmp_path)
