"""End states of scripts.

Cases are in fixtures/rewrite/script: `-- # title`, `-- dialect: x`, `-- file: b` starts another
file (the first is a.sql), and one line `-- => report: known | doubt: why | problem: why` for every
report, no more and no fewer.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.plan_sql import to_sql
from unwet.rewrite.script import EndState, end_state
from unwet.tests.rewrite.small_world import SCHEMA, Worlds

FOLDER = Path(__file__).parents[2] / "fixtures" / "rewrite" / "script"


@dataclass(frozen=True)
class Case:
    """Files of a pile, and what its reports have to be."""

    title: str
    dialect: str
    files: dict[str, str]
    expected: tuple[str, ...]


def read_case(text: str) -> Case:
    title, *lines = text.strip().splitlines()
    files, dialect, expected, name = {"a": ""}, "duckdb", list[str](), "a"
    for line in lines:
        if line.startswith("-- => "):
            expected.append(line.removeprefix("-- => "))
        elif line.startswith("-- dialect: "):
            dialect = line.removeprefix("-- dialect: ")
        elif line.startswith("-- file: "):
            name = line.removeprefix("-- file: ")
            files[name] = ""
        else:
            files[name] += line + "\n"
    return Case(title.removeprefix("-- # "), dialect, files, tuple(expected))


CASES = [
    pytest.param(case, id=f"{path.stem}: {case.title}")
    for path in sorted(FOLDER.glob("*.sql"))
    for text in re.split(r"(?m)^(?=-- # )", path.read_text(encoding="utf-8"))[1:]
    for case in [read_case(text)]
]


def pile_of(files: dict[str, str], dialect: str = "duckdb") -> Pile:
    schema: dict[str, object] = {**SCHEMA, "untyped": ["x"], "typed": {"x": "INTEGER"}}
    sources = [Source(f"{name}.sql", text, dialect) for name, text in files.items()]
    return load(sources, dialect, schema)  # type: ignore[arg-type]


def state_of(files: dict[str, str], dialect: str = "duckdb") -> EndState:
    pile = pile_of(files, dialect)
    return end_state(pile.scripts, pile.resolved, pile.catalog)


def shown(state: EndState) -> list[str]:
    lines = []
    for report in state.reports:
        made = report.definition
        if made.problem:
            what = f"problem: {made.problem}"
        elif made.plan is None:
            what = f"doubt: {made.doubt}"
        else:
            what = "known"
        lines.append(f"{report.name}: {what}")
    return lines


@pytest.mark.parametrize("case", CASES)
def test_the_reports_of_a_pile(case: Case) -> None:
    found = shown(state_of(case.files, case.dialect))
    assert len(found) == len(case.expected), found
    for line, expected in zip(found, case.expected, strict=True):
        name, _, what = expected.partition(": ")
        kind, _, why = what.partition(": ")
        assert line.startswith(f"{name}: {kind}") and why in line


@pytest.mark.parametrize("case", CASES)
def test_the_order_of_the_files_does_not_matter(case: Case) -> None:
    names = list(case.files)
    backwards = {name: case.files[name] for name in reversed(names)}
    assert shown(state_of(backwards, case.dialect)) == shown(state_of(case.files, case.dialect))


SCRIPTS = {
    "inserts": """CREATE TABLE r (x INTEGER, y VARCHAR);
INSERT INTO r SELECT a, c FROM t; INSERT INTO r (y, x) SELECT d, k FROM u;
INSERT INTO r (x) SELECT a FROM t WHERE a IS NOT NULL""",
    "casts": """CREATE TABLE r (x VARCHAR, y DOUBLE);
INSERT INTO r SELECT a, b FROM t""",
    "delete all": """CREATE TABLE r (x INTEGER);
INSERT INTO r SELECT a FROM t; DELETE FROM r; INSERT INTO r SELECT k FROM u""",
    "temps": """CREATE TEMP TABLE x AS SELECT a, b FROM t WHERE b > 0;
CREATE TEMP TABLE y AS SELECT a FROM x GROUP BY a;
CREATE TABLE r AS SELECT x.a, x.b FROM x LEFT JOIN y ON x.b = y.a; DROP TABLE x; DROP TABLE y""",
    "temp made anew": """CREATE TEMP TABLE x AS SELECT a FROM t;
DROP TABLE x; CREATE TEMP TABLE x AS SELECT k AS a FROM u;
CREATE TABLE r AS SELECT a FROM x; DROP TABLE x""",
    "scratch": """CREATE TABLE x AS SELECT a FROM t; CREATE TABLE r AS SELECT a, a AS b FROM x;
DROP TABLE x""",
    "column list": """CREATE TEMP TABLE x AS SELECT a, b FROM t;
CREATE TEMP VIEW w (b, a) AS SELECT a, b FROM x; CREATE TABLE r AS SELECT a, b FROM w""",
    "if not exists": """CREATE TABLE r AS SELECT a FROM t;
CREATE TABLE IF NOT EXISTS r AS SELECT k AS a FROM u""",
    "values": "CREATE TABLE r (x INTEGER, y VARCHAR); INSERT INTO r VALUES (1, 'a'), (2, NULL)",
    "temp by its schema": """CREATE TEMP TABLE x AS SELECT a FROM t;
DELETE FROM temp.x WHERE a > 1; CREATE TABLE r AS SELECT a FROM x; DROP TABLE temp.x""",
    "order and limit": "CREATE TABLE r AS SELECT a, b FROM t ORDER BY a, b LIMIT 3",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_plan_has_the_rows_that_the_script_leaves(name: str) -> None:
    state = state_of({"a": SCRIPTS[name]})
    [report] = [r for r in state.reports if r.relation == "r"]
    plan = report.definition.plan
    assert plan is not None and not report.definition.problem
    for world in range(3):
        worlds = Worlds()
        worlds.engine.execute(f"USE memory.w{world}")
        worlds.engine.execute(SCRIPTS[name])
        assert worlds.difference_in(world, "SELECT * FROM r", to_sql(plan)) == ""


ANEW = {
    "truncate": "TRUNCATE TABLE r; INSERT INTO r SELECT a AS x, c AS y FROM t WHERE b > 0",
    "delete": """DELETE FROM r; INSERT INTO r (y, x) SELECT c, a FROM t;
INSERT INTO r (y, x) SELECT d, k FROM u""",
}


@pytest.mark.parametrize("name", ANEW)
def test_rows_that_a_table_had_before_it_was_emptied_make_no_difference(name: str) -> None:
    [report] = state_of({"a": ANEW[name]}).reports
    plan = report.definition.plan
    assert plan is not None and report.definition.assumed
    for world in range(3):
        worlds = Worlds()
        worlds.engine.execute(f"USE memory.w{world}")
        worlds.engine.execute("CREATE TABLE r (x INTEGER, y VARCHAR)")
        worlds.engine.execute(f"INSERT INTO r VALUES (7, 'old'), (NULL, 'old'); {ANEW[name]}")
        old = f"SELECT {', '.join(plan.names)} FROM r"
        assert worlds.difference_in(world, old, to_sql(plan)) == ""


EDITED = "CREATE TABLE r (x INTEGER, y VARCHAR); INSERT INTO r SELECT a, c FROM t;"
EDITS = {
    "update": "UPDATE r SET x = x + 1 WHERE y = 'a'; UPDATE r SET y = NULL WHERE x > 2",
    "delete": "DELETE FROM r WHERE x > 1 OR y = 'b'",
    "merge": """MERGE INTO r USING (SELECT DISTINCT k FROM u WHERE k IS NOT NULL) AS s ON r.x = s.k
WHEN MATCHED THEN UPDATE SET y = 'met' WHEN NOT MATCHED THEN INSERT (x, y) VALUES (s.k, 'new')""",
}


@pytest.mark.parametrize("name", EDITS)
def test_one_other_script_changes_the_rows_that_are_there(name: str) -> None:
    """It finds none before, whatever the files are called."""
    for files in ({"a": EDITED, "b": EDITS[name]}, {"a": EDITS[name], "b": EDITED}):
        state = state_of({**files, "0": "CREATE TABLE n AS SELECT COUNT(*) AS n FROM r"})
        report, reader = state.reports[1], state.reports[0]
        plan = report.definition.plan
        assert plan is not None and reader.definition.plan is not None
        path = next(f"{name}.sql" for name, text in files.items() if text != EDITED)
        said = f"{path} changes r before anything else reads it"
        assert said in report.definition.assumed
        assert report.definition.path != path
        for world in range(3):
            worlds = Worlds()
            worlds.engine.execute(f"USE memory.w{world}")
            worlds.engine.execute(f"{EDITED} {EDITS[name]}")
            assert worlds.difference_in(world, "SELECT * FROM r", to_sql(plan)) == ""


def test_names_are_unique_and_fit_for_files() -> None:
    state = state_of(
        {
            "a b": "SELECT a FROM t; SELECT b FROM t; CREATE TABLE x.r AS SELECT a FROM t",
            "1": "SELECT a FROM u",
            "z": 'CREATE TABLE y.r AS SELECT a FROM t; CREATE TABLE "Ü/../x" AS SELECT a FROM t',
            "r_2": "SELECT k FROM u",
            "R": "SELECT k FROM u",
        }
    )
    names = [report.name for report in state.reports]
    assert len(set(names)) == len(names) == 8
    assert all(re.fullmatch(r"[a-z_][a-z0-9_]*", name) for name in names)


def test_relations_that_are_called_alike_are_told_by_their_schemas() -> None:
    made = ("crm.orders", "shop.orders", "a.shop.baskets", "b.shop.baskets", "shop.lines", "lines")
    files = {str(at): f"CREATE TABLE {name} AS SELECT {at} AS a" for at, name in enumerate(made)}
    names = ["baskets_shop", "baskets_shop_2", "lines", "lines_shop", "orders_crm", "orders_shop"]
    assert [report.name for report in state_of(files).reports] == names


def test_where_all_files_are_called_alike_the_folders_tell() -> None:
    query = "SELECT {} AS a"
    paths = ("x/daily/query", "y/daily/query", "y/weekly/query")
    files = {path: query.format(at) for at, path in enumerate(paths)}
    assert [r.name for r in state_of(files).reports] == ["daily_x", "daily_y", "weekly"]
    branches = "{% if is_init() %} SELECT 1 AS a {% else %} SELECT 2 AS a {% endif %}"
    reports = state_of({**files, "y/weekly/query": branches}).reports
    assert [r.name for r in reports] == ["daily_x", "daily_y", "weekly", "weekly_2"]
    assert not any(r.definition.problem for r in reports)
    few = {path: query.format(at) for at, path in enumerate(paths[:2])}
    assert [r.name for r in state_of(few).reports] == ["query", "query_y"]
    others = {f"z/{name}": query.format(name) for name in (7, 8, 9, 10)}
    assert "query_y_weekly" in [r.name for r in state_of({**files, **others}).reports]


def test_a_condition_of_a_template_is_a_value_of_both() -> None:
    """Two wordings of one template have one plan; another condition is another report."""
    condition = "{{% if is_init() %}} a > 1 {{% else %}} {} {{% endif %}}"
    asked = "SELECT a FROM t WHERE b = 1 AND {}"
    files = {
        "one": asked.format(condition.format("a = 1")),
        "two": asked.format(condition.format("1 = a").replace("%} a > 1", "%}\n1 < a")),
        "other": asked.format(condition.format("a = 2")),
    }
    one, other, two = state_of(files).reports
    assert (one.name, other.name, two.name) == ("one", "other", "two")
    normalizer = Normalizer()
    forms = [normalizer.run(r.definition.plan.rel)[0] for r in (one, other, two)
             if r.definition.plan is not None]  # fmt: skip
    assert forms[0] == forms[2] != forms[1]


def test_every_statement_that_makes_rows_is_in_a_report() -> None:
    """Whatever the scripts do to each other, the text of none is lost."""
    rng = random.Random(5)
    pieces = [
        "CREATE TABLE {r} AS SELECT a AS x FROM t",
        "CREATE TABLE {r} (x INTEGER)",
        "INSERT INTO {r} SELECT a FROM t",
        "INSERT INTO {r} SELECT x FROM {q}",
        "CREATE OR REPLACE VIEW {r} AS SELECT x FROM {q}",
        "UPDATE {r} SET x = 1",
        "SELECT x FROM {r}",
    ]
    for _ in range(60):
        files = {
            name: ";\n".join(
                rng.choice(pieces).format(r=rng.choice("pqrs"), q=rng.choice("pqrs"))
                for _ in range(rng.randint(1, 3))
            )
            for name in ("a", "b", "c")
        }
        pile = pile_of(files)
        state = end_state(pile.scripts, pile.resolved, pile.catalog)
        told = {p.statement.path for r in state.reports for p in r.definition.parts}
        told |= {r.definition.path for r in state.reports}
        making = {r.statement.path for r in pile.resolved if r.kind not in ("create_table", "drop")}
        assert making <= told, files


def test_that_a_procedure_has_run_is_assumed_of_what_it_makes() -> None:
    files = {
        "a": "CREATE PROCEDURE p AS BEGIN\nSELECT a INTO r FROM t\nEND",
        "b": "SELECT a INTO s FROM t",
    }
    assumed = {r.name: r.definition.assumed for r in state_of(files, "tsql").reports}
    assert "the procedure of a.sql:1 has run" in assumed["r"]
    assert not any("procedure" in each for each in assumed["s"])


def test_that_a_procedure_changes_what_it_names_is_assumed_of_all() -> None:
    files = {
        "a": "SELECT a INTO q FROM t;\nEXEC p;\nEXEC dbo.p;\nSELECT a INTO r FROM q",
        "b": "SELECT a INTO s FROM t",
    }
    said = "(EXEC, CALL, ...) changes no lasting table that is not named there"
    told = f"what is run in line 2 of a.sql {said}"
    assumed = {r.name: r.definition.assumed for r in state_of(files, "tsql").reports}
    assert assumed == {"q": {told}, "r": {told}, "s": {told}}
    files["c"] = "SELECT a INTO u2 FROM t;\nEXEC (@text);"
    assumed = {r.name: r.definition.assumed for r in state_of(files, "tsql").reports}
    assert assumed["s"] == {f"what is run in line 2 of a.sql and in 1 other script {said}"}


IMPORTED = "CREATE TABLE q AS SELECT a FROM t;\nIMPORT DATABASE '/x';"


def test_what_a_folder_brings_is_assumed_to_change_nothing_else() -> None:
    [report] = state_of({"a": IMPORTED}, "duckdb").reports
    told = "what is run in line 2 of a.sql (EXEC, CALL, ...) changes no lasting table"
    assert f"{told} that is not named there" in report.definition.assumed


TEXTS_RUN = [
    ("tsql", "DECLARE @s NVARCHAR(99) = N'DELETE FROM q WHERE a = ' + @n;\nEXEC (@s)"),
    ("tsql", "DECLARE @s NVARCHAR(99);\nSET @s = N'UPDATE q SET a = 1';\nEXEC sp_executesql @s"),
    ("snowflake", "SET s = 'DELETE FROM q';\nEXECUTE IMMEDIATE $s"),
    ("bigquery", "DECLARE s STRING DEFAULT 'DELETE FROM q WHERE TRUE';\nEXECUTE IMMEDIATE s"),
    ("mysql", "SET @s = 'DELETE FROM q';\nPREPARE st FROM @s;\nEXECUTE st"),
    ("tsql", "DECLARE @s NVARCHAR(99);\nSELECT @s = N'DELETE FROM q';\nEXEC (@s)"),
    ("mysql", "SELECT @s := 'DELETE FROM q';\nPREPARE st FROM @s;\nEXECUTE st"),
    ("snowflake", "SET s = $$DELETE FROM q$$;\nEXECUTE IMMEDIATE $s"),
    ("bigquery", 'DECLARE s STRING DEFAULT "DELETE FROM q WHERE TRUE";\nEXECUTE IMMEDIATE s'),
    ("bigquery", 'EXECUTE IMMEDIATE "DELETE FROM q WHERE TRUE"'),
    ("bigquery", 'EXECUTE IMMEDIATE """\nDELETE FROM d.q WHERE TRUE"""'),
    ("bigquery", 'CALL d.run(["DELETE FROM q WHERE TRUE"])'),
    ("bigquery", "EXECUTE IMMEDIATE 'UPDATE r SET a = \\'--\\' WHERE TRUE; DELETE FROM q'"),
    ("databricks", 'EXECUTE IMMEDIATE "DELETE FROM q"'),
    ("mysql", 'PREPARE st FROM "DELETE FROM q";\nEXECUTE st'),
    ("postgres", "DO $x$DELETE FROM q$x$"),
    ("postgres", "EXPLAIN ANALYZE DELETE FROM q"),
    ("postgres", "EXPLAIN (VERBOSE, ANALYZE) UPDATE q SET a = 1"),
    ("postgres", "SELECT dblink_exec('DELETE FROM q')"),
]


@pytest.mark.parametrize(("dialect", "text"), TEXTS_RUN)
def test_a_text_that_may_be_run_may_change_what_it_names(dialect: str, text: str) -> None:
    script = f"CREATE TABLE q AS SELECT a FROM t;\n{text};"
    reports = {r.name: r.definition for r in state_of({"a": script}, dialect).reports}
    assert "a.sql has text that is not understood" in (reports["q"].problem or reports["q"].doubt)


def test_a_text_in_a_variable_that_changes_nothing_is_none() -> None:
    script = "SELECT a INTO q FROM t;\nDECLARE @s VARCHAR(9) = 'q';\nSET @s = 'deleted';"
    [report] = state_of({"a": script}, "tsql").reports
    assert not report.definition.problem and not report.definition.doubt


ATTACHED = [
    ("ATTACH 'x.db' AS z", "ATTACH 'y.db' AS z", "z"),
    ("ATTACH 'x.db' AS z", "ATTACH 'x.db' AS y", "y"),
    ("ATTACH 'x.db' AS z", "ATTACH 'x.db' AS z", ""),
    ("ATTACH 'x.db' AS z", "ATTACH 'y.db' AS y", ""),
]


@pytest.mark.parametrize(("one", "other", "name"), ATTACHED)
def test_attached_databases_are_known_by_one_name(one: str, other: str, name: str) -> None:
    scripts = {
        "a": f"{one};\nCREATE TABLE main.q AS SELECT a FROM z.t;",
        "b": f"{other};\nCREATE TABLE main.r AS SELECT a FROM {name or 'z'}.t;",
    }
    told = {r.definition.problem or r.definition.doubt for r in state_of(scripts, "duckdb").reports}
    assert all("(ATTACH)" in each for each in told) if name else told == {""}


GLUED = ["s = 'a{{ x }}b'", "s = '{{ x }}{{ y }}B'", "s = 'a${x}b'", "a{{ x }}b = 1"]
APART = ["s = 'a{{ x }}_b'", "s = 'a{{ x }}{{ y }}'", "s LIKE 'a{{ x }}%'", "s = 'step__x__price'"]


@pytest.mark.parametrize("test", [*GLUED, *APART])
def test_letters_behind_a_placeholder_are_a_name_of_their_own_or_not(test: str) -> None:
    script = f"CREATE TABLE q AS SELECT a FROM t WHERE {test};"
    [report] = state_of({"a": script}, "bigquery").reports
    told = report.definition.problem or report.definition.doubt
    assert ("letters stand behind" in told) == (test in GLUED)


def test_a_text_that_is_no_statement_changes_nothing() -> None:
    texts = "SELECT f('update on q'), f('created: q');\nEXPLAIN DELETE FROM q;\n"
    script = f"CREATE TABLE q AS SELECT a FROM t;\n{texts}EXPLAIN ANALYZE SELECT a FROM q;"
    assert not any(r.definition.doubt for r in state_of({"a": script}, "postgres").reports)


def test_that_a_text_changes_no_table_is_assumed_where_a_template_puts_one_in() -> None:
    texts = {"a": "CREATE TABLE q AS SELECT a FROM t;\n{{ cleanup() }};"}
    [report] = state_of(texts, "bigquery").reports
    [told] = report.definition.assumed
    assert told.startswith("what is run in line 2 of a.sql")
    texts = {"a": "CREATE TABLE q AS SELECT a FROM t;\n{{ cleanup('d.q') }};"}
    [report] = state_of(texts, "bigquery").reports
    assert (
        report.definition.problem
        == "a.sql has text that is not understood and may write to it: line 2"
    )
    texts = {"a": "CREATE TABLE q AS SELECT a FROM t;\nSELECT {{ b }} FROM t;"}
    assert not any(r.definition.assumed for r in state_of(texts, "bigquery").reports)


@pytest.mark.parametrize(
    "text", ["EXEC sp_help", "PRINT 'EXEC p'", "GRANT EXECUTE ON p TO bob", "DBCC CHECKDB"]
)
def test_what_runs_no_code_of_somebody_takes_nothing_for_granted(text: str) -> None:
    [report] = state_of({"a": f"SELECT a INTO q FROM t;\n{text};"}, "tsql").reports
    assert report.definition.assumed == frozenset()


def test_a_procedure_of_the_pile_is_followed() -> None:
    made = "CREATE PROCEDURE dbo.p AS BEGIN\nSELECT a INTO r FROM t\nEND"
    found = state_of({"a": made, "b": "EXEC dbo.p;"}, "tsql").reports
    assert [r.definition.assumed for r in found] == [{"the procedure of a.sql:1 has run"}]


ADDING = (
    "CREATE TABLE r (a INT)\nGO\n"
    "CREATE PROCEDURE p AS\nBEGIN\nINSERT INTO r SELECT a FROM t\nEND\nGO\n"
)
REPEATED = [
    ("EXEC p\nGO 3\n", "line 8 of a.sql may run its procedure several times"),
    ("WHILE @i < 3 EXEC p\nGO\n", "line 8 of a.sql may run its procedure several times"),
    ("WHILE @i < 3\nBEGIN\nEXEC p\nEND", "line 10 of a.sql may run its procedure several times"),
    ("EXEC p\nGO\nEXEC p\n", "line 10 of a.sql runs its procedure once more"),
    (
        "CREATE PROC o AS EXEC p\nGO\nEXEC o\nEXEC o",
        "line 11 of a.sql runs its procedure once more",
    ),
    (
        "CREATE PROC o AS EXEC p\nGO\nCREATE PROC w AS EXEC o\nGO\nEXEC w\nEXEC w",
        "line 13 of a.sql runs its procedure once more",
    ),
    (
        "CREATE PROC o AS EXEC p\nGO\nEXEC o\nGO 2",
        "line 10 of a.sql may run its procedure several times",
    ),
    ("dbo.p\nGO\nEXEC p", "line 10 of a.sql runs its procedure once more"),
    ("p\nGO\np 'x'", "line 10 of a.sql runs its procedure once more"),
    ("EXEC (N'EXEC p')", "line 8 of a.sql may run its procedure several times"),
    (
        "EXEC sp_executesql N'EXEC q; EXEC dbo.p'",
        "line 8 of a.sql may run its procedure several times",
    ),
    ("p\nGO\n", ""),
    ("SELECT p FROM t\nGO\nEXEC p", ""),
    ("EXEC p\nGO\nPRINT 'p has run'", ""),
    ("CREATE PROC o AS EXEC p\nGO\nEXEC o\n", ""),
    ("EXEC p\nGO 1\n", ""),
    ("SELECT 1 AS x -- while it runs\nEXEC p\nGO\n", ""),
    ("WHILE @i < 3 SET @i = @i + 1\nGO\nEXEC p\nGO\n", ""),
]


@pytest.mark.parametrize(("calls", "reason"), REPEATED)
def test_what_a_procedure_adds_several_times_is_not_what_it_adds_once(
    calls: str, reason: str
) -> None:
    found = {r.name: r.definition for r in state_of({"a": ADDING + calls}, "tsql").reports}
    assert (found["r"].problem or found["r"].doubt) == reason


def test_what_a_trigger_runs_is_assumed_to_change_nothing_else() -> None:
    made = "CREATE TABLE s AS SELECT a FROM t;"
    trigger = "CREATE TRIGGER x AFTER INSERT ON q FOR EACH ROW EXECUTE FUNCTION f();"
    [report] = state_of({"a": f"{made}\n{trigger}"}, "postgres").reports
    told = "what is run in line 2 of a.sql (EXEC, CALL, ...) changes no lasting table"
    assert report.definition.assumed == {f"{told} that is not named there"}
