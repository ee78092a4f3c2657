"""Rows that show a contradiction, on data made for the purpose."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet import cli
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.drift import Drift, drift
from unwet.rewrite.drift_forms import as_text
from unwet.rewrite.evidence import Witness
from unwet.rewrite.prove.witness import UNSEEN, witnessed

ORDERS = """\
id,customer_id,country,status,total,tax,created
1,1,nl,paid,100,21,2024-01-01 10:00:00
2,1,nl,paid,50,,2024-02-01 10:00:00
3,2,nl,open,70,7,2024-03-01 10:00:00
4,2,nl,paid,50,5,2024-04-01 10:00:00
5,9,at,paid,10,1,2024-05-01 10:00:00
"""
CUSTOMERS = "id,country\n1,nl\n2,nl\n3,nl\n9,at\n"
SCHEMA = {
    "orders": {"id": "INT", "customer_id": "INT", "country": "TEXT", "status": "TEXT",
               "total": "INT", "tax": "INT", "created": "TIMESTAMP"},
    "customers": {"id": "INT", "country": "TEXT"},
}  # fmt: skip
COPIES = ("at", "ch", "de", "fr")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "orders.csv").write_text(ORDERS)
    (folder / "customers.csv").write_text(CUSTOMERS)
    return folder


def found(right: str, wrong: str, copies: tuple[str, ...] = COPIES) -> tuple[Drift, list[Source]]:
    """The contradictions of so many copies of `right`, `$` the country, and one of `wrong`."""
    pile = [Source(f"{name}.sql", right.replace("$", name)) for name in copies]
    pile.append(Source("nl.sql", wrong.replace("$", "nl")))
    return drift(load(pile, "postgres", SCHEMA)), pile


def witness(right: str, wrong: str, data: Path, copies: tuple[str, ...] = COPIES) -> Witness:
    before, pile = found(right, wrong, copies)
    after = witnessed(before, load(pile, "postgres", SCHEMA), data)
    [finding] = after.findings
    [made] = finding.witnesses
    assert (made.path, made.line) == (finding.outliers[0].path, finding.outliers[0].line)
    unseen = before.findings[0].score * (UNSEEN if made.rows == 0 else 1)
    assert finding.score == pytest.approx(unseen, abs=0.001)
    return made


CASES = {
    "a filter that is missing": (
        "SELECT SUM(total) AS t FROM orders WHERE status = 'paid' AND country = '$'",
        "SELECT SUM(o.total) AS t FROM orders AS o WHERE o.country = '$'",
        (1, 4, (("o.status", "open"),), "left out", "kept"),
    ),
    "JOIN for LEFT JOIN": (
        "SELECT c.id, COUNT(o.id) AS n FROM customers c LEFT JOIN orders o ON o.customer_id = c.id"
        " WHERE c.country = '$' GROUP BY c.id",
        "SELECT k.id, COUNT(o.id) AS n FROM customers k, orders o WHERE o.customer_id = k.id"
        " AND k.country = '$' GROUP BY k.id",
        (1, 5, (("o.customer_id", "NULL"), ("k.id", "3")), "kept", "left out"),
    ),
    "COUNT for COUNT DISTINCT, by group": (
        "SELECT status, COUNT(DISTINCT customer_id) AS n FROM orders WHERE country = '$'"
        " GROUP BY status",
        "SELECT status, COUNT(customer_id) AS n FROM orders WHERE country = '$' GROUP BY 1",
        (1, 2, (("status", "paid"),), "2", "3"),
    ),
    "a COALESCE that is lost, inside of a sum": (
        "SELECT SUM(COALESCE(tax, 0)) AS tax FROM orders WHERE country = '$'",
        "SELECT SUM(o.tax) AS tax FROM orders AS o WHERE country = '$'",
        (1, 4, (("o.tax", "NULL"),), "0", "NULL"),
    ),
    "another constant, in the condition of a count": (
        "SELECT COUNT(CASE WHEN total > 60 THEN 1 END) AS large FROM orders WHERE country = '$'",
        "SELECT COUNT(CASE WHEN total > 90 THEN 1 END) AS large FROM orders WHERE country = '$'",
        (1, 4, (("total", "70"),), "1", "NULL"),
    ),
    "< for <=, with the outlier's own bound": (
        "SELECT COUNT(*) AS n FROM orders WHERE created <= TIMESTAMP '2024-02-01 10:00:00'"
        " AND country = '$'",
        "SELECT COUNT(*) AS n FROM orders WHERE created < TIMESTAMP '2024-03-01 10:00:00'"
        " AND country = '$'",
        (1, 4, (("created", "2024-03-01 10:00:00"),), "kept", "left out"),
    ),
    "the copies' expression over a column that the outlier's CTE has made": (
        "SELECT SUM(total - tax) AS net FROM orders WHERE country = '$'",
        "WITH good AS (SELECT total AS gross, tax AS vat FROM orders WHERE country = '$')"
        " SELECT SUM(gross) AS net FROM good",
        (4, 4, (("gross", "50"), ("good.vat", "5")), "45", "50"),
    ),
    "a window that is ordered otherwise": (
        "SELECT id, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY id) AS at"
        " FROM orders WHERE country = '$'",
        "SELECT id, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY created DESC) AS at"
        " FROM orders WHERE country = '$'",
        (4, 4, (("customer_id", "1"), ("created", "2024-01-01 10:00:00"), ("orders.id", "1")),
         "1", "2"),
    ),
    "a key that nothing shows": (
        "SELECT country, SUM(total) AS t, COUNT(*) AS n FROM orders WHERE country = '$'"
        " AND status <> 'x' GROUP BY country",
        "SELECT country, SUM(total) AS t, COUNT(*) AS n FROM orders WHERE country = '$'"
        " AND status <> 'x' GROUP BY country, status",
        (3, 2, (("country", "nl"), ("t", "70"), ("n", "1")), "no such row", "has the row"),
    ),
    "UNION for UNION ALL": (
        "SELECT total, status FROM orders WHERE country = '$' AND status = 'paid' UNION ALL"
        " SELECT tax, status FROM orders WHERE country = '$' AND status = 'paid'",
        "SELECT total, status FROM orders WHERE country = '$' AND status = 'paid' UNION"
        " SELECT tax, status FROM orders WHERE country = '$' AND status = 'paid'",
        (1, 5, (("total", "50"), ("status", "paid")), "has the row", "no such row"),
    ),
    "a temporary table, gone when the script has run": (
        "CREATE TEMP TABLE g AS SELECT total, tax FROM orders WHERE country = '$';"
        " SELECT SUM(COALESCE(tax, 0)) AS tax FROM g",
        "CREATE TEMP TABLE g AS SELECT total, tax FROM orders WHERE country = '$';"
        " SELECT SUM(tax) AS tax FROM g",
        (1, 4, (("tax", "NULL"),), "0", "NULL"),
    ),
    "a difference that no row shows": (
        "SELECT SUM(total) AS t FROM orders WHERE total >= 0 AND country = '$'",
        "SELECT SUM(total) AS t FROM orders WHERE country = '$'",
        (0, 4, (), "", ""),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_row_shows_the_contradiction(name: str, data: Path) -> None:
    right, wrong, (rows, of, row, majority, outlier) = CASES[name]
    made = witness(right, wrong, data)
    assert (made.rows, made.of, made.row) == (rows, of, row)
    assert (made.majority, made.outlier) == (majority, outlier)
    assert made.reason == ("" if rows else "no row of the data shows it")


@pytest.mark.parametrize(
    ("right", "wrong", "reason"),
    [
        ("SELECT SUM(total) AS t FROM orders WHERE status = 'paid' AND country = '$'",
         "SELECT SUM(total) AS t FROM orders WHERE country = '$' AND id > {{ least }}",
         "a placeholder has no value: least"),
        ("SELECT SUM(x) AS t FROM missing WHERE status = 'paid' AND country = '$'",
         "SELECT SUM(x) AS t FROM missing WHERE country = '$'",
         "cannot be run: Catalog Error: Table with name missing does not exist!"),
        ("SELECT c.id, COUNT(o.id) AS n FROM customers c LEFT JOIN orders o ON o.customer_id = c.id"
         " WHERE c.country = '$' GROUP BY c.id",
         "SELECT c.id, COUNT(o.id) AS n FROM customers c FULL JOIN orders o ON o.customer_id = c.id"
         " WHERE c.country = '$' GROUP BY c.id",
         "only JOIN against LEFT JOIN is tried"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_says_why_and_keeps_its_score(
    right: str, wrong: str, reason: str, data: Path
) -> None:
    made = witness(right, wrong, data)
    assert (made.rows, made.of, made.reason) == (None, None, reason)


def test_what_the_pile_makes_itself_is_made_first(data: Path) -> None:
    copies = [
        Source(f"{name}.sql", f"SELECT SUM(net) AS t FROM good WHERE country = '{name}'"
                              " AND status = 'paid'")
        for name in COPIES
    ]  # fmt: skip
    pile = load(
        [
            Source("good.sql", "CREATE TABLE good AS SELECT o.*, total - 1 AS net FROM orders o"),
            *copies,
            Source("nl.sql", "SELECT SUM(net) AS t FROM good WHERE country = 'nl'"),
        ],
        "postgres",
        SCHEMA,
    )
    [finding] = witnessed(drift(pile), pile, data).findings
    [made] = finding.witnesses
    assert (made.rows, made.of, made.row) == (1, 4, (("good.status", "open"),))


def test_a_name_changes_no_row(data: Path) -> None:
    text = "WITH {0} AS (SELECT id FROM orders WHERE country = '$'), n AS (SELECT COUNT(id) AS o" \
           " FROM {0}) SELECT o FROM n"  # fmt: skip
    eight = ("at", "ch", "de", "fr", "gr", "hu", "it", "lt")
    made = witness(text.format("good"), text.format("nl_good"), data, eight)
    assert (made.rows, made.reason) == (None, "a name changes no row")


def test_what_no_row_shows_falls_behind_what_one_shows(data: Path) -> None:
    texts = {
        "unseen": "SELECT COUNT(id) AS n FROM customers WHERE id > 0 AND country = '$'",
        "seen": "SELECT MIN(total) AS t FROM orders WHERE status = 'paid' AND country = '$'",
    }
    pile = [
        Source(f"{title}/{name}.sql", text.replace("$", name))
        for title, text in texts.items()
        for name in COPIES
    ]
    pile.append(
        Source("unseen/nl.sql", "SELECT COUNT(id) AS n FROM customers WHERE country = 'nl'")
    )
    pile.append(Source("seen/nl.sql", "SELECT MIN(total) AS t FROM orders WHERE country = 'nl'"))
    read = load(pile, "postgres", SCHEMA)
    after = witnessed(drift(read), read, data)
    assert [f.outliers[0].path for f in after.findings] == ["seen/nl.sql", "unseen/nl.sql"]
    assert [told[0].deviation.path for told in after.told] == ["seen/nl.sql", "unseen/nl.sql"]


def test_the_command_shows_the_row(tmp_path: Path, data: Path) -> None:
    right, wrong, _ = CASES["a filter that is missing"]
    _, pile = found(right, wrong)
    folder = tmp_path / "pile"
    folder.mkdir()
    for source in pile:
        (folder / source.path).write_text(source.text)
    words = ["drift", str(folder), "--dialect", "postgres", "--data", str(data), "-q"]
    done = CliRunner().invoke(cli.main, words)
    assert "differs on 1 of 4 rows; one: o.status = open\n" in done.stdout
    assert "the copies: left out; here: kept\n" in done.stdout
    done = CliRunner().invoke(cli.main, [*words, "--format", "json"])
    [finding] = json.loads(done.stdout)["findings"]
    assert finding["witnesses"] == [
        {"path": finding["outliers"][0]["path"], "line": 1, "rows": 1, "of": 4,
         "row": {"o.status": "open"}, "majority": "left out", "outlier": "kept", "reason": ""}
    ]  # fmt: skip
    done = CliRunner().invoke(cli.main, [*words[:-2], str(tmp_path / "nowhere")])
    assert done.exit_code == 2
    assert "nowhere" in done.stderr


def test_without_data_nothing_is_said_of_it() -> None:
    right, wrong, _ = CASES["a filter that is missing"]
    assert "data" not in as_text(found(right, wrong)[0])
