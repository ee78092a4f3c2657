"""MIGRATION.md: every report with what became of it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.lineage.tables import Catalog
from unwet.rewrite.library import Library
from unwet.rewrite.project import Project
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.targets import dbt
from unwet.rewrite.targets.migration import migration
from unwet.rewrite.verdicts import Score, Verdict
from unwet.tests.rewrite.small_pile import small_pile

EMPTY = Project("p", "duckdb", (), (), Library({}, (), ()), {}, (), Catalog())


def test_every_report_has_a_row() -> None:
    result = refactor(small_pile(), Request())
    text = result.files["MIGRATION.md"]
    table = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert len(table) == len(result.verdicts) == 10
    for line, verdict in zip(table, result.verdicts, strict=True):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[0] == (verdict.relation or verdict.name)
        assert cells[2:4] == [verdict.model, verdict.outcome]
    assert "- **8 proved**" in text and "- **2 kept**" in text


def test_bars_and_lines_do_not_break_the_table() -> None:
    text = "SELECT a || '|\n|' AS x FROM WHERE"
    result = refactor(load([Source("a|b.sql", text, "duckdb")], "duckdb"), Request())
    [row] = result.files["MIGRATION.md"].splitlines()[-1:]
    assert row.startswith("| ") and row.endswith(" |")
    assert row.replace("\\|", "").count("|") == 6


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| ")]


COPY = "SELECT c.id, {} AS n FROM s.c LEFT JOIN s.o AS o ON o.c = c.id WHERE c.at = '{}' GROUP BY 1"


def test_what_needs_a_person_stands_above_the_table() -> None:
    sources = [Source(f"in/{name}.sql", COPY.format("COUNT(DISTINCT o.id)", name), "postgres")
               for name in ("at", "be", "ch", "de")]  # fmt: skip
    sources.append(Source("in/nl.sql", COPY.format("COUNT(o.id)", "nl"), "postgres"))
    sources.append(Source("out/bad.sql", "SELECT FROM WHERE", "postgres"))
    result = refactor(load(sources, schema={"s.c": ["id", "at"], "s.o": ["id", "c"]}), Request())
    text = result.files["MIGRATION.md"]
    assert (
        "### Copies that contradict each other (1)\n\n"
        "The models say what each report said. Which side is right is for you to decide:\n"
        "`unwet drift --format toml` drafts a decision for each.\n\n"
        "- DRIFT_AGGREGATE (n): 4 copies say `COUNT(DISTINCT o.id)`, 1 says otherwise:\n"
        "  - `COUNT(o.id)`: `in/nl.sql:1`\n"
    ) in text
    assert "### Kept as they were (1)\n\n- " in text
    assert ": `bad` (out/bad.sql:1)\n" in text
    assert text.index("## What needs a person") < text.index("## Every report")
    assert text.index("### in/") < text.index("### out/")
    assert rows(text)[-1] == "| bad | out/bad.sql:1 |  | kept | see above |"
    [told] = result.contradictions
    assert told.outliers[0].path == "in/nl.sql"


def test_a_boundary_is_told_without_the_constants_that_each_report_has() -> None:
    copy = "SELECT o.c, COUNT(*) AS n FROM s.o AS o WHERE o.x > 1 AND o.d {} GROUP BY 1"
    days = (f"< DATE '2024-0{month}-01'" for month in range(1, 6))
    texts = [*days, "<= DATE '2024-06-01'"]
    sources = [
        Source(f"{at}.sql", copy.format(text)) for at, text in zip("abcdef", texts, strict=True)
    ]
    sources.append(Source("g.sql", copy.replace("o.d {}", "DATE '2024-07-01' >= o.d")))
    schema = {"s.o": {"c": "INT", "x": "INT", "d": "DATE"}}
    text = refactor(load(sources, schema=schema), Request()).files["MIGRATION.md"]
    assert (
        "- DRIFT_BOUNDARY (d): 5 copies say `< ...` (as `a.sql:1` does), 2 say `<= ...`:\n"
        "  - `f.sql:1`, `g.sql:1`\n"
    ) in text


def test_reports_with_one_reason_stand_together() -> None:
    sources = [
        Source(name, "CREATE TABLE s.{} AS SELECT * FROM s.{}".format(*pair), "postgres")
        for name, pair in (("a.sql", ("a", "b")), ("b.sql", ("b", "a")))
    ]
    text = refactor(load(sources), Request()).files["MIGRATION.md"]
    assert "### Kept as they were (2)" in text
    assert ": `s.a` (a.sql:1), `s.b` (b.sql:1)\n" in text


def test_nothing_that_the_pile_says_is_markup() -> None:
    sql = "CREATE TABLE s.`x<b>` AS SELECT `*<img src=x>*` FROM WHERE"
    result = refactor(load([Source("a.sql", sql, "bigquery")], "bigquery"), Request())
    text = result.files["MIGRATION.md"]
    prose = re.sub(r"(`+).*?\1", "", text)
    assert not re.search(r"(?<!\\)<", prose)


def test_a_pile_without_questions_has_no_such_section() -> None:
    text = refactor(load([Source("a.sql", "SELECT 1 AS x")]), Request()).files["MIGRATION.md"]
    assert "## What needs a person" not in text
    assert text.endswith("| a | a.sql:1 | a | proved |  |\n")


def test_reasons_of_what_was_tested_stand_there_in_full() -> None:
    long = "not proved: " + "a" * 150 + " against b; see in/a.sql, not main/in/a.sql; same rows"
    verdict = Verdict("a", "s.a", "in/a.sql", 3, "a", "tested", long, score=Score(28, 32))
    text = migration(
        replace(EMPTY, root="in/"), dbt, [verdict, replace(verdict, name="b", model="b")]
    )
    told = long.replace("see in/a.sql", "see a.sql")
    assert f"- {told}: `s.a` (a.sql:3), `s.a` (a.sql:3)\n" in text
    assert "## Tested, not proved (2)\n" in text and "28 of 32 says" in text
    assert rows(text)[-1] == "| s.a | a.sql:3 | b | tested | see above |"


def test_no_word_on_mistakes_where_none_were_made() -> None:
    verdict = Verdict("a", "s.a", "a.sql", 3, "a", "tested", "same rows on data")
    text = migration(EMPTY, dbt, [verdict])
    assert "- same rows on data: `s.a` (a.sql:3)\n" in text and "28 of 32" not in text


def test_the_head_says_what_became_of_the_pile() -> None:
    result = refactor(small_pile(), Request())
    head = result.files["MIGRATION.md"].partition("\n- **")[0]
    before, after = result.before, result.after
    assert f"10 reports in {before.files} scripts of {before.lines} lines" in head
    assert f"became {after.lines} lines:\n8 models, " in head
    assert "2 scripts kept as they were." in head


def test_one_script_is_kept_as_it_was() -> None:
    result = refactor(load([Source("a.sql", "SELECT FROM WHERE")]), Request())
    assert ", 1 script kept as it was.\n" in result.files["MIGRATION.md"]


def test_folders_are_counted_and_linked() -> None:
    sources = [Source("a b/x.sql", "SELECT 1 AS x"), Source("a b/y.sql", "SELECT FROM WHERE"),
               Source("c/z.sql", "SELECT 2 AS x")]  # fmt: skip
    text = refactor(load(sources), Request()).files["MIGRATION.md"]
    assert "| folder | reports | proved | kept |\n| --- | --: | --: | --: |\n" in text
    assert "| [a b/](#a-b) | 2 | 1 | 1 |\n| [c/](#c) | 1 | 1 |  |\n" in text
    assert "### a b/\n" in text


def test_what_is_assumed_of_the_data_stands_there() -> None:
    text = "CREATE TABLE s.t (id INT PRIMARY KEY, a TEXT);\nCREATE TABLE r AS SELECT a FROM s.t"
    told = refactor(load([Source("a.sql", text, "duckdb")]), Request()).files["MIGRATION.md"]
    assert "## What is assumed of the data (2)\n" in told
    assert "- `s.t`: id: unique (declared as a key)\n" in told


def test_who_tests_what_is_assumed_of_the_data_is_told() -> None:
    text = "CREATE TABLE s.t (id INT PRIMARY KEY, a TEXT);\nCREATE TABLE r AS SELECT a FROM s.t"
    pile = load([Source("a.sql", text, "duckdb")])
    told = {kind: refactor(pile, Request(target=kind)).files["MIGRATION.md"]
            for kind in ("dbt", "sqlmesh", "views")}  # fmt: skip
    assert "The project tests each of these." in told["dbt"]
    assert "The project tests each of these." in told["sqlmesh"]
    assert "Nothing in the project tests these" in told["views"]


def test_what_is_not_built_without_a_value_is_told() -> None:
    text = "SELECT a, SUM(b) AS n FROM s.t GROUP BY a HAVING SUM(b) > {{ least }}"
    pile = load([Source("r.sql", text, "duckdb"), Source("q.sql", "SELECT a FROM s.t", "duckdb")])
    for kind, where in (("dbt", "dbt_project.yml"), ("sqlmesh", "config.yaml")):
        told = refactor(pile, Request(target=kind)).files["MIGRATION.md"]
        assert "### Not built before a value is given (1)\n" in told and where in told
        assert "\n- `least`: `r`\n" in told
    given = Source("r.sql", text.replace("{{ least }}", "3"), "duckdb")
    assert "Not built" not in refactor(load([given]), Request()).files["MIGRATION.md"]


def test_a_file_that_stays_as_it_was_edited_is_told(tmp_path: Path) -> None:
    pile = load([Source("r.sql", "SELECT a, SUM(b) AS n FROM s.t GROUP BY a", "duckdb")])
    out = tmp_path / "out"
    first = refactor(pile, Request(out=out))
    model = out / "models" / "marts" / "r.sql"
    model.write_text(model.read_text().lower().replace("sum(", "max("))
    again = refactor(pile, Request(out=out, force=True))
    told = (out / "MIGRATION.md").read_text()
    assert "Edited by hand" not in first.files["MIGRATION.md"]
    assert "### Edited by hand (1)\n" in told and "\n- `models/marts/r.sql`\n" in told
    assert again.edited == (model,) and "max(" in model.read_text()


WIDE = "SELECT {} FROM s.o AS o JOIN s.p AS p ON p.a = o.a WHERE {}"


def test_blocks_over_the_same_relations_are_told() -> None:
    conditions = ("o.a > 1", "o.b + o.c < p.b AND o.d = 1 AND p.c IS NULL", "o.e IN (1, 2)")
    columns = ("o.a, o.b, o.c, o.d, o.e, o.f", "o.a, o.b, o.c, o.g", "o.c, p.d, o.a, o.i, o.k")
    sources = [Source(f"{name}.sql", WIDE.format(*each), "duckdb")
               for name, *each in zip("abc", columns, conditions, strict=True)]  # fmt: skip
    told = refactor(load(sources), Request()).files["MIGRATION.md"]
    [line] = [line for line in told.splitlines() if "lines over `s.o`, `s.p`" in line]
    assert line.endswith(": `a`, `b`, `c`")
    alone = refactor(load(sources[:1]), Request()).files["MIGRATION.md"]
    assert "## Still there more than once" not in alone
