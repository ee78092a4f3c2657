"""`unwet diff`: what is otherwise in another revision."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from unwet.cli import main

SALES = "CREATE TABLE totals AS SELECT s.region, SUM(s.amount) AS total FROM sales AS s GROUP BY 1"
OLD = {
    "totals.sql": SALES,
    "best.sql": "CREATE VIEW best AS SELECT region FROM totals WHERE total > 100",
    "top.sql": "SELECT region, total FROM totals ORDER BY total DESC",
}
Run = Callable[..., Any]


def write(folder: Path, files: Mapping[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture
def compare(tmp_path: Path) -> Run:
    def run(*, old: Mapping[str, str] = OLD, words: tuple[str, ...] = (), **new: str) -> Any:
        files = {**OLD, **{f"{name}.sql": text for name, text in new.items()}}
        write(tmp_path / "old", old)
        write(tmp_path / "elsewhere" / "new", {n: t for n, t in files.items() if t})
        paths = [str(tmp_path / "old"), str(tmp_path / "elsewhere" / "new")]
        form = ["--dialect", "duckdb", "--format", "json", "-q", *words]
        done = CliRunner().invoke(main, ["diff", *paths, *form])
        assert done.exit_code in (0, 1), done.output
        return {**json.loads(done.stdout), "code": done.exit_code}

    return run


def reports(found: list[dict[str, Any]]) -> list[str]:
    return [each["relation"] or each["name"] for each in found if each["kind"] == "report"]


def edges(found: list[dict[str, Any]]) -> set[str]:
    return {f"{each['source']['column']} {each['target']['column']} {each['subtype']}"
            for each in found if each["kind"] == "edge"}  # fmt: skip


def test_what_is_written_otherwise_is_nothing(compare: Run) -> None:
    other = "create table totals as with x as (select amount, region from sales) "
    other += "select region as region, sum(amount) as total from x group by region"
    found = compare(totals=other, words=("--check",))
    assert (found["changed"], found["same"], found["code"]) == ([], 3, 0)
    assert reports(found["added"]) == reports(found["removed"]) == []


def test_what_may_return_other_rows_is_told_with_its_places(compare: Run) -> None:
    found = compare(best=OLD["best.sql"].replace("100", "200"), words=("--check",))
    [changed] = found["changed"]
    assert (changed["relation"], changed["line"], changed["kind"]) == ("best", 1, "report")
    assert changed["path"].endswith("new/best.sql")
    assert changed["before"]["path"].endswith("old/best.sql")
    assert "100" in changed["reason"] and "200" in changed["reason"]
    assert (found["added"], found["removed"], found["same"], found["code"]) == ([], [], 2, 1)


def test_new_and_gone_reports_and_columns(compare: Run) -> None:
    found = compare(best="", worst="CREATE TABLE worst AS SELECT MIN(total) AS least FROM totals")
    assert reports(found["added"]) == ["worst"] and reports(found["removed"]) == ["best"]
    assert edges(found["added"]) == {"total least AGGREGATION"}
    assert edges(found["removed"]) == {"region region IDENTITY", "total region FILTER"}
    assert found["code"] == 0


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("SELECT region, total FROM totals", "SELECT region, total AS most FROM totals", "were"),
        ("SELECT region, total FROM totals", "SELECT total, region FROM totals", "were"),
        (
            "CREATE TEMP MACRO big(x) AS (x > 3); SELECT region FROM totals WHERE big(total)",
            "CREATE TEMP MACRO big(x) AS (x > 4); SELECT region FROM totals WHERE big(total)",
            "big is defined otherwise",
        ),
        (
            "CREATE TEMP TABLE t AS SELECT * FROM totals; SELECT COUNT(*) AS n FROM t",
            "CREATE TEMP TABLE t AS SELECT * FROM best; SELECT COUNT(*) AS n FROM t",
            "not proved",
        ),
        ("SELECT * FROM totals", "SELECT * FROM best", "were"),
        ("SELECT region FROM totals ORDER BY 1", "SELECT region FROM totals", "was ordered"),
        (
            "SELECT region FROM totals ORDER BY total",
            "SELECT region FROM totals ORDER BY total DESC",
            "was ordered",
        ),
        ("USE a; SELECT n FROM q", "USE b; SELECT n FROM q", "another statement besides: USE"),
        ("SELECT n FROM q", "SET x = 1; SELECT n FROM q", "sets x, which no model does"),
        (
            "SET x = 1; SELECT n FROM q; SET x = 2",
            "SET x = 1; SET x = 2; SELECT n FROM q",
            "sets x, which no model does",
        ),
        (
            "CREATE MACRO g(x) AS x + 1; CREATE MACRO f(x) AS g(x); SELECT f(n) AS n FROM q",
            "CREATE MACRO g(x) AS x + 2; CREATE MACRO f(x) AS g(x); SELECT f(n) AS n FROM q",
            "the function f is defined otherwise",
        ),
        (
            "CREATE MACRO f(x) AS x + 1; CREATE OR REPLACE MACRO f(x) AS x; SELECT f(n) n FROM q",
            "CREATE OR REPLACE MACRO f(x) AS x; CREATE MACRO f(x) AS x + 1; SELECT f(n) n FROM q",
            "the function f is defined otherwise",
        ),
        (
            "SELECT n FROM q WHERE a = ? AND b = ?",
            "SELECT n FROM q WHERE b = ? AND a = ?",
            "not proved",
        ),
        ("{DEFAULT @x = 1} SELECT n FROM q", "{DEFAULT @x = 2} SELECT n FROM q", "@x = 2"),
        (
            "{{ config(pre_hook='a') }} SELECT n FROM q",
            "{{ config(pre_hook='b') }} SELECT n FROM q",
            "config(pre_hook='b')",
        ),
        (
            "SELECT region FROM totals WHERE total BETWEEN SYMMETRIC 3 AND 1",
            "SELECT region FROM totals WHERE total BETWEEN 3 AND 1",
            "",
        ),
    ],
)
def test_other_rows_or_columns_are_never_the_same(
    compare: Run, before: str, after: str, reason: str
) -> None:
    found = compare(old={**OLD, "top.sql": before}, top=after)
    [changed] = found["changed"]
    assert (changed["name"], found["same"]) == ("top", 2)
    assert reason in changed["reason"]


def test_a_table_with_other_columns_changes_what_reads_all_of_them(compare: Run) -> None:
    old = {**OLD, "all.sql": "CREATE TABLE a (x INT, y INT); CREATE VIEW b AS SELECT * FROM a"}
    new = "CREATE TABLE a (x INT, z INT); CREATE VIEW b AS SELECT * FROM a"
    assert "b" in reports(compare(old=old, all=new)["changed"])


def test_a_table_with_other_types_is_changed(compare: Run) -> None:
    old = {**OLD, "a.sql": "CREATE TABLE a (x INT); INSERT INTO a SELECT total FROM totals"}
    [changed] = compare(old=old, a=old["a.sql"].replace("INT)", "TEXT)"))["changed"]
    assert changed["reason"] == "the type of x was INT, and is TEXT"


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (SALES, SALES.replace("SUM", "MAX"), "which may return other rows"),
        (SALES, "DELETE FROM sales WHERE amount > 1", "which is gone"),
        ("SELECT n FROM q", SALES, "which is new"),
    ],
)
def test_what_reads_another_relation_may_return_other_rows(
    compare: Run, before: str, after: str, reason: str
) -> None:
    """Also through a view that is as it was."""
    far = {"far": "CREATE TABLE far AS SELECT COUNT(*) AS n FROM best"}
    old = {**OLD, "far.sql": far["far"], "totals.sql": before}
    found = compare(old=old, totals=after, **far)
    told = {each["name"]: each["reason"] for each in found["changed"]}
    assert {"best", "far", "top"} <= told.keys() and found["same"] == 0
    assert all(f"it reads totals, {reason}" in told[name] for name in ("best", "top"))


@pytest.mark.parametrize("body", ["g(x) * 2", "(SELECT MAX(g(n)) FROM q) * x"])
def test_a_function_that_calls_another_one_makes_other_rows_of_all_readers(
    compare: Run, body: str
) -> None:
    made = f"CREATE FUNCTION g(x) AS (x + 1); CREATE FUNCTION f(x) AS ({body})"
    files = {"v": "CREATE VIEW v AS SELECT f(n) AS n FROM q", "w": "SELECT n FROM v WHERE n > 1",
             "u": "SELECT n FROM q"}  # fmt: skip
    old = {"made.sql": made, **{f"{name}.sql": text for name, text in files.items()}}
    found = compare(old={**OLD, **old}, made=made.replace("+ 1", "+ 2"), **files)
    assert reports(found["changed"]) == ["v", "w"] and found["same"] == 4
    assert all("f is defined otherwise" in each["reason"] for each in found["changed"])


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [("a INT, b INT", "a DOUBLE, b INT", 3), ("a INT, b INT", "a INT, b INT, c INT", 4)],
)
def test_a_table_that_is_only_declared_with_other_types_makes_other_rows(
    compare: Run, before: str, after: str, same: int
) -> None:
    text = "CREATE VIEW v AS SELECT a / b AS n FROM s.t"
    old = {**OLD, "t.sql": f"CREATE TABLE s.t ({before})", "v.sql": text}
    found = compare(old=old, t=f"CREATE TABLE s.t ({after})", v=text)
    assert found["same"] == same
    assert [each["reason"] for each in found["changed"]] == [
        "the table t is declared otherwise"
    ] * (4 - same)


@pytest.mark.parametrize(
    ("key", "before", "after"),
    [
        ("k INT PRIMARY KEY", "a.x FROM a", "a.x FROM a LEFT JOIN b ON a.k = b.k"),
        ("k INT NOT NULL", "COUNT(*) AS x FROM b", "COUNT(b.k) AS x FROM b"),
    ],
)
def test_a_proof_does_not_rest_on_a_declaration_that_is_gone(
    compare: Run, key: str, before: str, after: str
) -> None:
    tables = "CREATE TABLE b ({}, y INT); CREATE TABLE a (k INT, x INT)"
    old = {**OLD, "t.sql": tables.format(key), "q.sql": f"CREATE VIEW q AS SELECT {before}"}
    words = ("--dialect", "postgres")
    new = {"q": f"CREATE VIEW q AS SELECT {after}"}
    assert compare(old=old, t=tables.format(key), words=words, **new)["changed"] == []
    found = compare(old=old, t=tables.format("k INT"), words=words, **new)
    assert reports(found["changed"]) == ["q"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("CREATE TABLE q (n INT, d INT DEFAULT 1)", "CREATE TABLE q (n INT, d INT DEFAULT 2)"),
        ("CREATE TABLE q (n INT, d INT)", "CREATE TABLE q (n DOUBLE, d INT)"),
        ("CREATE TABLE q (n INT)", "CREATE TABLE q (n INT); ALTER TABLE q RENAME n TO m"),
        ("COPY q FROM 'a.csv'", "COPY q FROM 'b.csv'"),
        ("ATTACH 'a.db' AS q", "ATTACH 'b.db' AS q"),
        ("CREATE SEQUENCE q START 1", "CREATE SEQUENCE q START 5"),
    ],
)
def test_what_another_file_says_of_a_table_counts(compare: Run, before: str, after: str) -> None:
    top = "SELECT n / 2 AS n, d FROM q"
    [changed] = compare(old={**OLD, "ddl.sql": before, "top.sql": top}, ddl=after, top=top)[
        "changed"
    ]
    assert changed["reason"] == "the table q is declared otherwise"


def test_a_table_that_is_declared_as_well_is_no_change_for_who_does_not_name_it(
    compare: Run,
) -> None:
    old = {**OLD, "ddl.sql": "CREATE TABLE sales (region TEXT, amount INT, odd INT)"}
    new = "create table if not exists SALES (region TEXT, amount INT not null, odd DATE, more INT)"
    assert compare(old=old, ddl=new)["same"] == 3


def test_what_no_row_depends_on_is_no_change(compare: Run) -> None:
    before = "CREATE TABLE t (n INT); INSERT INTO t SELECT n FROM q"
    after = "create table T (\n  n int\n);\ncreate index i on T (n); insert into T select N from Q;"
    after += "grant select on T to everybody; comment on table T is 'a table'"
    words = ("--dialect", "postgres")
    assert compare(old={**OLD, "t.sql": before}, t=after, words=words)["changed"] == []


def test_a_proof_that_rests_on_a_declaration_needs_it_in_both(compare: Run) -> None:
    keyed, free = "CREATE TABLE q (n INT NOT NULL)", "CREATE TABLE q (n INT)"
    some, every = "SELECT COUNT(n) AS n FROM q", "SELECT COUNT(*) AS n FROM q"
    for before, after, many in ((keyed, keyed, 0), (keyed, free, 1), (free, keyed, 1)):
        old = {**OLD, "ddl.sql": before, "top.sql": some}
        assert len(compare(old=old, ddl=after, top=every)["changed"]) == many


def test_what_asks_dbt_for_a_changed_model_or_calls_a_changed_macro(compare: Run) -> None:
    text = "{% macro m(x) %} select n from {{ x }} where n > 1 {% endmacro %}"
    files = {
        "far": "SELECT COUNT(*) AS n FROM {{ ref('stg') }}",
        "call": "SELECT n FROM ({{ m('q') }}) x",
    }
    old = {**OLD, "m.sql": text, "stg.sql": "SELECT n FROM q WHERE n > 1",
           **{f"{name}.sql": said for name, said in files.items()}}  # fmt: skip
    found = compare(old=old, m=text.replace("1", "2"), stg="SELECT n FROM q WHERE n > 2", **files)
    told = {each["name"]: each["reason"] for each in found["changed"]}
    assert told.keys() == {"stg", "far", "call"}
    assert told["far"] == "it reads stg, which may return other rows"
    assert told["call"] == "the function m is defined otherwise"


def test_what_reads_a_relation_before_it_is_made_reads_that(compare: Run) -> None:
    text = "CREATE TABLE e AS SELECT n FROM late; CREATE TABLE late AS SELECT n FROM q WHERE n > {}"
    found = compare(old={**OLD, "e.sql": text.format(1)}, e=text.format(2))
    assert reports(found["changed"]) == ["e", "late"]


def test_capitals_that_tell_columns_or_tables_apart(compare: Run) -> None:
    text = 'CREATE TABLE t AS SELECT a AS "A", b AS a FROM q'
    swapped = 'CREATE TABLE t AS SELECT a AS a, b AS "A" FROM q'
    words = ("--dialect", "postgres")
    found = compare(old={**OLD, "top.sql": text}, top=swapped, words=words)
    assert [each["relation"] for each in found["changed"]] == ["t"]
    old = {**OLD, "top.sql": "WITH c AS (SELECT n FROM d.Tab) SELECT n FROM C"}
    for name, many in (("Tab", 0), ("tab", 1)):
        new = f"WITH c AS (SELECT n FROM d.{name}) SELECT n FROM c"
        assert len(compare(old=old, top=new, words=("--dialect", "bigquery"))["changed"]) == many


def test_values_that_only_their_places_tell_apart(compare: Run) -> None:
    old = {**OLD, "top.sql": "SELECT n FROM q WHERE a = ? AND b = ?"}
    new = "SELECT n FROM q WHERE b = ? AND a = ?"
    [changed] = compare(old=old, top=new, words=("--dialect", "postgres"))["changed"]
    assert changed["reason"] == "its values that have no names may be given in another order"


def test_a_file_that_is_a_template_s_call_is_not_understood(compare: Run) -> None:
    found = compare(old={**OLD, "call.sql": "{{ made('x') }}"}, call="{{ made('y') }}")
    assert found["unclear"] == ["call.sql"]


def test_files_that_are_not_understood_are_told_where_they_differ(compare: Run) -> None:
    odd = "GRANT SELECT ON FROM b; CREATE VIEW odd AS SELECT 1 AS n"
    old = {**OLD, "odd.sql": odd, "bad.sql": "SELECT FROM FROM"}
    found = compare(old=old, odd=odd.replace("b;", "c;"), bad=old["bad.sql"], words=("--check",))
    assert found["unclear"] == ["odd.sql"] and found["code"] == 1
    assert "bad" not in reports(found["changed"])


def test_a_template_that_decides_something_else_is_changed(compare: Run) -> None:
    text = "SELECT n FROM q {% if x %} WHERE n > 1 {% endif %}"
    found = compare(old={**OLD, "top.sql": text}, top=text.replace("1", "2"))
    assert found["changed"] and found["same"] == 2
    assert compare(old={**OLD, "top.sql": text}, top=text)["changed"] == []


def test_what_nobody_can_tell_is_the_same_only_letter_for_letter(compare: Run) -> None:
    odd = "CREATE TABLE odd AS SELECT * FROM totals MATCH_RECOGNIZE (ORDER BY total PATTERN (a))"
    assert compare(old={**OLD, "odd.sql": odd}, odd=odd)["changed"] == []


def test_a_script_that_moves_with_its_folder_is_the_same_report(compare: Run) -> None:
    many = "DROP TABLE IF EXISTS twice; CREATE TABLE twice AS SELECT {} AS n FROM sales"
    old = {**OLD, "one.sql": many.format(1), "two.sql": many.format(2)}
    found = compare(old=old, one=many.format(1), two=many.format(3))
    assert reports(found["added"]) == reports(found["removed"]) == []
    assert [each["path"][-7:] for each in found["changed"]] == ["two.sql"]


def test_what_reads_one_script_s_own_state_reads_that_in_another_folder_too(compare: Run) -> None:
    many = "DROP TABLE IF EXISTS twice; CREATE TABLE twice AS SELECT {} AS n FROM sales; "
    many += "CREATE TABLE last_{} AS SELECT COUNT(n) AS n FROM twice"
    one, two, other = many.format(1, "a"), many.format(2, "b"), many.format(3, "b")
    old = {**OLD, "one.sql": one, "two.sql": two}
    assert compare(old=old, one=one, two=two)["changed"] == []
    assert reports(compare(old=old, one=one, two=other)["changed"]) == ["last_b", "twice"]


def test_a_temporary_table_is_the_same_in_another_folder(compare: Run) -> None:
    text = "CREATE TEMP TABLE t AS SELECT n FROM q; CREATE TABLE {} AS SELECT n FROM t"
    one, two = text.format("a"), text.format("b")
    found = compare(old={**OLD, "one.sql": one, "two.sql": two}, one=one, two=two)
    assert edges(found["added"]) == edges(found["removed"]) == set()


def test_a_report_is_the_same_beside_a_new_folder(tmp_path: Path) -> None:
    for name in ("old", "new"):
        write(tmp_path / name / "a", {"x.sql": "SELECT n FROM q"})
    write(tmp_path / "new" / "b", {"y.sql": "SELECT m FROM q"})
    words = ["diff", str(tmp_path / "old"), str(tmp_path / "new"), "--format", "json"]
    found = json.loads(CliRunner().invoke(main, words).stdout)
    assert (reports(found["added"]), reports(found["removed"]), found["same"]) == (["y"], [], 1)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_revision_has_the_files_that_the_folder_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No project that a run has left there, no hidden folder; a file that is none is told."""
    git = ["git", "-c", "user.name=n", "-c", "user.email=n@example.org", "-C", str(tmp_path)]
    pile = write(tmp_path / "pile", OLD)
    write(pile / "project" / ".unwet", {"manifest.json": "{}"})
    write(pile / "project", {"model.sql": "SELECT n FROM q"})
    write(pile / ".hidden", {"draft.sql": "SELECT n FROM q"})
    (pile / "odd.sql").write_bytes(b"SELECT \0 n")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "old"]):
        subprocess.run([*git, *words], check=True)
    (pile / "project" / "model.sql").unlink()
    (pile / "odd.sql").unlink()
    write(pile / "later", {"b.sql": "SELECT n FROM q"})
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["diff", "--since", "HEAD", "./pile", "--dialect", "duckdb"])
    assert "gone" not in done.stdout and "3 reports return the same rows" in done.stdout
    assert done.stderr == "pile/odd.sql:1:1: BINARY skipped: it holds NUL bytes\n"
    failed = CliRunner().invoke(main, ["diff", "--since", "HEAD", "pile/later"])
    assert failed.exit_code == 2 and "and a folder that it has" in failed.stderr


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_revision_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = ["git", "-c", "user.name=n", "-c", "user.email=n@example.org", "-C", str(tmp_path)]
    write(tmp_path / "pile", OLD)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "old"]):
        subprocess.run([*git, *words], check=True)
    write(tmp_path / "pile", {"best.sql": OLD["best.sql"].replace("100", "200")})
    (tmp_path / "pile" / "top.sql").unlink()
    for place, path in ((tmp_path, "pile"), (tmp_path / "pile", ".")):
        monkeypatch.chdir(place)
        words = ["diff", "--since", "HEAD", path, "--dialect", "duckdb", "--format", "json"]
        found = json.loads(CliRunner().invoke(main, words).stdout)
        assert reports(found["changed"]) == ["best"]
        assert reports(found["removed"]) == ["top"] and found["same"] == 1
    for revision in ("nosuch", "--output=x"):
        failed = CliRunner().invoke(main, ["diff", f"--since={revision}", "."])
        assert failed.exit_code == 2 and "help: name a commit" in failed.stderr
    assert not (tmp_path / "pile" / "x").exists()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_revision_has_the_files_that_are_read_today(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = ["git", "-c", "user.name=n", "-c", "user.email=n@example.org", "-C", str(tmp_path)]
    pile = tmp_path / "pile"
    for folder in ("sub dir", ".hidden", "node_modules"):
        write(pile / folder, {"x y.sql": "SELECT 1 AS n FROM q"})
    write(pile, {"-a.sql": "SELECT 2 AS n FROM q", ":(top)b.sql": "SELECT 3 AS n FROM q"})
    write(pile, {"hash.sql": "SELECT '$Format:%h$' AS n FROM q", "kept.sql": "SELECT 4 AS n"})
    (pile / ".gitattributes").write_text("hash.sql export-subst\nkept.sql export-ignore\n", "utf-8")
    (pile / "latin.sql").write_bytes("SELECT 'café' AS n FROM q".encode("latin-1"))
    (pile / "again.sql").symlink_to("kept.sql")
    (pile / "one").symlink_to("sub dir")
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["commit", "-q", "-m", "old"],
        ["tag", "-m", "", "v"],
    ):
        subprocess.run([*git, *words], check=True)
    for place, path, many in (
        (tmp_path, "pile", 6),
        (tmp_path, str(pile), 6),
        (tmp_path, "pile/*.sql", 6),
        (tmp_path, "pile/kept.sql", 1),
        (tmp_path, "pile/:(top)b.sql", 1),
        (pile / "sub dir", "..", 6),
        (pile, "sub dir", 1),
    ):
        monkeypatch.chdir(place)
        words = ["diff", "--since", "v", path, "--dialect", "duckdb", "--check", "-q"]
        done = CliRunner().invoke(main, words)
        assert f"nothing is otherwise: {many} report" in done.stdout, (path, done.output)
    monkeypatch.chdir(tmp_path)
    (pile / "kept.sql").unlink()
    words = ["diff", "--since", "v", "pile", "--dialect", "duckdb", "--format", "json"]
    assert reports(json.loads(CliRunner().invoke(main, words).stdout)["removed"]) == ["kept"]
    assert subprocess.check_output([*git, "status", "--short"]) == b" D pile/kept.sql\n"


def test_a_person_reads_it(tmp_path: Path) -> None:
    old = write(tmp_path / "old", OLD)
    new = write(tmp_path / "new", {**OLD, "top.sql": OLD["top.sql"].replace("total", "region", 1)})
    words = ["diff", str(old), str(new), "--dialect", "duckdb"]
    assert "may return other rows (1)" in CliRunner().invoke(main, words).stdout
    same = CliRunner().invoke(main, ["diff", str(old), str(old), "--dialect", "duckdb"])
    assert same.stdout == "nothing is otherwise: 3 reports return the same rows\n"
    wrong = CliRunner().invoke(main, ["diff", str(old)])
    assert wrong.exit_code == 2 and "unwet diff OLD NEW" in wrong.stderr


def test_what_cannot_be_read_in_both_is_told_once(tmp_path: Path) -> None:
    bad = "SELECT a FROM t WHERE GROUP BY a;\n"
    old = write(tmp_path / "old", {"a.sql": bad, "gone.sql": bad, "twice.sql": bad})
    new = write(tmp_path / "new", {"a.sql": f"SELECT 1 AS a;\n{bad}", "twice.sql": bad + bad})
    done = CliRunner().invoke(main, ["diff", str(old), str(new), "--dialect", "duckdb", "-v"])
    told = [line.partition(": PARSE")[0] for line in done.stderr.splitlines() if ": PARSE" in line]
    places = [str(Path(each.split(":")[0]).relative_to(tmp_path)) for each in told]
    assert places == ["old/gone.sql", "new/a.sql", "new/twice.sql", "new/twice.sql"]
