"""Tables of the data that scripts declare, and change or fill: what the old side begins with."""

from pathlib import Path

import pytest

from unwet import refactor, verify
from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.prove.schedule import Touched

DDL = "CREATE TABLE app.customer (id int PRIMARY KEY, country text);"
FIX = "UPDATE app.customer SET country='DE' WHERE country='GER';"
REPORT = "CREATE VIEW rep.es AS SELECT id FROM app.customer WHERE country='ES';"
MERGE = "MERGE INTO app.customer AS c USING app.fix AS f ON c.id = f.id WHEN "
PROVED = ("proved", "")
ROWS = "id,country\n1,ES\n2,FR\n3,ES\n"


def put(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def told(root: Path, change: str, where: str = "app/", **more: str) -> tuple[str, str]:
    """What refactor says of the report; `verify` says the same where it is proved."""
    pile = {"schema": DDL, "a_fix": change, "es": REPORT, **more}
    put(root / "pile", {f"{name}.sql": sql for name, sql in pile.items()})
    put(root / "data", {f"{where}customer.csv": ROWS, "app/fix.csv": "id\n2\n"})
    given = root / "data"
    done = refactor(root / "pile", root / "out", dialect="postgres", data=given)
    (first,) = (each for each in done.verdicts if each.relation == "rep.es")
    if first.outcome == "proved":
        again = verify(root / "pile", root / "out", dialect="postgres", data=given)
        (second,) = (each for each in again.reports if each.relation == "rep.es")
        assert (second.verdict, second.rows_before, second.rows_after) == ("proved", 2, 2)
        assert first.rows == 2
    return first.outcome, first.reason


@pytest.mark.parametrize(
    "change",
    [
        FIX,
        "DELETE FROM app.customer WHERE id = 2;",
        MERGE + "MATCHED THEN UPDATE SET country='DE';",
    ],
)
def test_a_declared_table_whose_rows_are_changed_keeps_those_of_the_data(
    tmp_path: Path, change: str
) -> None:
    assert told(tmp_path, change) == PROVED


def test_the_data_may_have_it_under_another_schema(tmp_path: Path) -> None:
    assert told(tmp_path, FIX, where="") == PROVED


def test_a_change_that_the_report_sees_still_differs(tmp_path: Path) -> None:
    assert told(tmp_path, "UPDATE app.customer SET country='ES' WHERE id = 2;") == (
        "failed",
        "the rows differ on the data: rows 1 removed",
    )


def test_a_table_that_scripts_fill_begins_empty(tmp_path: Path) -> None:
    fill = "INSERT INTO app.customer VALUES (6, 'GER'), (7, 'ES'), (8, 'ES');"
    assert told(tmp_path, FIX, fill=fill) == PROVED


@pytest.mark.parametrize(
    ("sql", "filled", "changed"),
    [
        (MERGE + "NOT MATCHED THEN INSERT (id) VALUES (7)", True, False),
        (MERGE + "MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (7)", True, False),
        (MERGE + "MATCHED THEN DELETE", False, True),
        ("CREATE TABLE app.customer AS SELECT 1 AS id", True, False),
        (DDL, False, False),
    ],
)
def test_what_puts_rows_into_a_table(sql: str, filled: bool, changed: bool) -> None:
    found = Touched(parse(verbatim(Source("a.sql", sql, "postgres")), "postgres"))
    expected = {("app", "customer")}
    assert found.written == expected
    assert found.filled == (expected if filled else set())
    assert found.changed == (expected if changed else set())


def test_the_changes_of_another_table_of_that_name_stay_there(tmp_path: Path) -> None:
    """Else they would change the table of the data, which is the only one of that name."""
    change = "UPDATE stage.customer SET country='ES';"
    more = {"stage": DDL.replace("app.", "stage.")}
    assert told(tmp_path, change, **more) == PROVED


@pytest.mark.parametrize(
    ("fill", "kept"),
    [
        ("INSERT INTO customer VALUES (7, 'ES'), (8, 'ES');", False),  # without its schema
        ("INSERT INTO app.customer (country, id) VALUES ('ES', 7), ('ES', 8);", True),
    ],
)
def test_both_sides_read_what_a_script_puts_into_a_table_of_the_data(
    tmp_path: Path, fill: str, kept: bool
) -> None:
    """The data have three rows of another day under its name."""
    put(tmp_path / "pile", {"schema.sql": DDL, "fill.sql": fill, "es.sql": REPORT})
    put(tmp_path / "data", {"app/customer.csv": ROWS})
    done = refactor(tmp_path / "pile", tmp_path / "out", dialect="postgres", data=tmp_path / "data")
    found = {each.relation: each for each in done.verdicts}
    assert (found["rep.es"].outcome, found["rep.es"].rows) == ("proved", 2)
    assert found["app.customer"].outcome == ("kept" if kept else "proved")
    again = verify(tmp_path / "pile", tmp_path / "out", dialect="postgres", data=tmp_path / "data")
    (first,) = (each for each in again.reports if each.relation == "rep.es")
    assert (first.verdict, first.rows_before, first.rows_after) == ("proved", 2, 2)
