"""The comparison as text: for engines nobody here can connect to, and for people to run."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.rewrite.prove.servers import connected, run_sql
from unwet.cli import main
from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.prove.servers.flavours import FLAVOURS, Flavour, sql_type
from unwet.rewrite.prove.servers.parity import Sides

FOLDER = Path(__file__).parents[3] / "fixtures" / "rewrite" / "parity"
WALK = Path(__file__).parents[3] / "fixtures" / "walk" / "pile"


def everything(flavour: Flavour) -> str:
    """Every query there is, for a text, a changed number and a float."""
    sides = Sides(
        flavour,
        "SELECT name, total, share FROM old_report",
        "SELECT name, total, share FROM new_model",
        (None, sql_type("DECIMAL(12,2)", flavour), None),
        (0, 1),
        (("unwet_old_1_paid", "SELECT 1 AS x"),),
    )
    differences = sides.differences((7, -3))
    queries = {
        "totals": sides.totals(),
        "buckets": sides.buckets(),
        "counts": sides.counts(differences),
        "rows that travel": sides.rows(differences, 20_000, (2,)),
        "floats that do not": sides.unpaired({2: 1e-9}, (7, -3)),
        "for people": sides.report(("name", 'to"tal', "share `x`")),
    }
    return "\n\n".join(f"-- {name}\n{sql};" for name, sql in queries.items()) + "\n"


@pytest.mark.parametrize("flavour", FLAVOURS, ids=lambda flavour: flavour.dialect)
def test_the_text_for_each_engine(flavour: Flavour) -> None:
    text = everything(flavour)
    golden = FOLDER / f"{flavour.dialect}.sql"
    assert text == golden.read_text(encoding="utf-8"), "write it anew: python -m tests.write_parity"
    script = parse(verbatim(Source("parity.sql", text)), flavour.dialect)
    assert not script.findings
    assert len(script.statements) == 6


# --- files ------------------------------------------------------------------------------------


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project that refactor writes for the small pile."""
    made = run("refactor", WALK, "--dialect", "postgres", "--out", tmp_path / "project")
    assert made.exit_code == 0, made.output
    return tmp_path / "project"


def verify(project: Path, out: Path, *options: str, pile: Path = WALK) -> Result:
    return run("verify", pile, project, "--dialect", "postgres", "--param", "least=5",
               "--sql-out", out, *options)  # fmt: skip


def files(out: Path) -> Mapping[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(out.glob("*")) if path.is_file()}


def test_a_file_for_each_report_and_an_index(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "sql"
    told = verify(project, out)
    assert told.exit_code == 0, told.output
    assert f"queries for 3 reports: {out}" in told.output
    made = files(out)
    assert sorted(made) == ["README.md", "big_spenders.sql", "revenue_de.sql", "revenue_fr.sql"]
    assert "| reporting.revenue_de | [revenue_de.sql](revenue_de.sql) |" in made["README.md"]
    for name in ("revenue_de.sql", "big_spenders.sql"):
        script = parse(verbatim(Source(name, made[name])), "postgres")
        assert (len(script.statements), script.findings) == (2, ())
    before = made
    again = verify(project, out)
    assert again.exit_code == 2
    assert "output folder is not empty" in again.output
    assert verify(project, out, "--force").exit_code == 0
    assert files(out) == before


def test_the_index_says_which_report_has_no_file_for_it_has_no_model(
    project: Path, tmp_path: Path
) -> None:
    (model,) = project.rglob("big_spenders.sql")
    model.unlink()
    told = verify(project, tmp_path / "sql")
    assert "queries for 2 reports" in told.output
    assert "no query for big_spenders: the project has no model big_spenders" in told.output
    made = files(tmp_path / "sql")
    assert sorted(made) == ["README.md", "revenue_de.sql", "revenue_fr.sql"]
    assert "- big_spenders: the project has no model big_spenders\n" in made["README.md"]


def test_what_the_files_say_is_true(project: Path, tmp_path: Path, postgres: str) -> None:
    schema = (WALK / "schema.sql").read_text().split(";")[:2]
    run_sql(postgres, "CREATE SCHEMA shop", *schema,
            "INSERT INTO shop.customers VALUES (1, 'a', 'FR'), (2, NULL, 'FR'), (3, 'c', 'DE')",
            "INSERT INTO shop.orders VALUES (1, 1, 'paid', 7), (2, 2, 'open', 9)")  # fmt: skip
    try:
        assert verify(project, tmp_path / "right").exit_code == 0
        assert answers(tmp_path / "right", postgres) == ([], [])
        for model in project.rglob("*.sql"):
            wrong = model.read_text().replace("left join", "join").replace("LEFT JOIN", "JOIN")
            model.write_text(wrong)
        verify(project, tmp_path / "wrong")
        buckets, rows = answers(tmp_path / "wrong", postgres)
        assert len(buckets) == 1
        assert rows == [(1, 2, None, 0)]
    finally:
        run_sql(postgres, "DROP SCHEMA shop CASCADE")


def answers(out: Path, dsn: str) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """What the two queries for revenue_fr return."""
    text = (out / "revenue_fr.sql").read_text("utf-8")
    first, second = text.split(";\n\n-- 2.")
    with connected(dsn) as engine:
        return engine.rows(first), engine.rows(f"-- 2.{second.rstrip().rstrip(';')}")


def test_reports_without_a_file_are_named_with_the_reason(tmp_path: Path) -> None:
    pile, project = tmp_path / "pile", tmp_path / "project"
    pile.mkdir()
    reports = {
        "stars": "SELECT * FROM shop.orders",
        "random_one": "SELECT id, random() AS r FROM shop.orders",
        "written": "CREATE TABLE rep.written (id int);\n"
        "INSERT INTO rep.written SELECT id FROM shop.orders;\nDELETE FROM rep.written WHERE id = 1",
        "valued": "SELECT id FROM shop.orders WHERE id > {{ unknown }}",
        "fine": "SELECT id FROM shop.orders",
    }
    for name, sql in reports.items():
        (pile / f"{name}.sql").write_text(sql)
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: p\n")
    (project / "models" / "sources.yml").write_text(
        "sources: [{name: shop, tables: [{name: orders}]}]"
    )
    for name in reports:
        model = "select id from {{ source('shop', 'orders') }}"
        (project / "models" / f"{name}.sql").write_text(model)
    told = verify(project, tmp_path / "sql", pile=pile)
    index = files(tmp_path / "sql")["README.md"]
    assert sorted(files(tmp_path / "sql")) == ["README.md", "fine.sql"]
    assert "- stars: its columns are not known: give a schema with --schema" in index
    assert "- random_one: cannot be tested: uses rand" in index
    assert re.findall("- written: .*statements that write: no query says that\n", index)
    assert "scratch" not in index  # it would not help
    assert "{{ unknown }} has no value" in re.findall("- valued: .*", index)[0]
    assert "no query for stars: its columns are not known" in told.output


def test_nothing_is_written_elsewhere(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "a file"
    out.write_text("mine")
    assert verify(project, out, "--force").exit_code == 2
    assert out.read_text() == "mine"
    shutil.copytree(WALK, tmp_path / "pile")
    odd = tmp_path / "pile" / "x\n; DROP TABLE y; --.sql"
    odd.write_text("SELECT id FROM shop.orders")
    told = verify(project, tmp_path / "sql", pile=tmp_path / "pile")
    assert told.exit_code in (0, 1)
    for text in files(tmp_path / "sql").values():
        assert "\n; DROP" not in text


def test_a_dialect_that_has_no_words_for_it(project: Path, tmp_path: Path) -> None:
    told = run("verify", WALK, project, "--dialect", "postgres", "--to-dialect", "tsql",
               "--sql-out", tmp_path / "sql")  # fmt: skip
    assert told.exit_code == 2
    assert "rows cannot be compared in tsql" in told.output
    assert not (tmp_path / "sql").exists()
