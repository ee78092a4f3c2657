"""Decisions in `refactor` and `verify`: what was decided is expected, and nothing else."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from unwet import refactor, verify
from unwet.cli import main
from unwet.rewrite.checked import Checked

COPY = """CREATE TABLE rep.{0} AS
SELECT c.id, COUNT(o.id) AS orders, SUM(o.amount) AS revenue
FROM shop.customers AS c LEFT JOIN shop.orders AS o ON o.customer_id = c.id
WHERE c.country = '{0}'
GROUP BY c.id;
"""
COUNTRIES = ("at", "be", "ch", "de", "nl")
DDL = (
    "CREATE TABLE shop.customers (id INTEGER, country VARCHAR);\n"
    "CREATE TABLE shop.orders (id INTEGER, customer_id INTEGER, amount INTEGER);\n"
)
CUSTOMERS = "id,country\n1,nl\n2,nl\n3,de\n"
ORDERS = "id,customer_id,amount\n1,1,5\n2,1,7\n3,3,9\n"
DECISION = """[[drift]]
code = "DRIFT_AGGREGATE"
path = "nl.sql"
expression = "COUNT(DISTINCT o.customer_id)"
decided = "majority"
date = 2026-03-01
reason = "orders are counted, not customers"
changes = { nl = ["orders"] }
"""


class Bench:
    """A pile with one outlier, data, and a project below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("pile/ddl.sql", DDL)
        for name in COUNTRIES:
            self.write(f"pile/{name}.sql", COPY.format(name))
        odd = COPY.format("nl").replace("COUNT(o.id)", "COUNT(DISTINCT o.customer_id)")
        self.write("pile/nl.sql", odd)
        self.write("data/shop/customers.csv", CUSTOMERS)
        self.write("data/shop/orders.csv", ORDERS)
        self.write("d.toml", DECISION)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def refactor(self, data: bool = False, decided: bool = True) -> dict[str, tuple[str, str]]:
        made = refactor(
            self.root / "pile",
            self.root / "project",
            dialect="duckdb",
            data=self.root / "data" if data else None,
            decisions=self.root / "d.toml" if decided else None,
            force=True,
        )
        return {v.name: (v.outcome, v.reason) for v in made.verdicts}

    def verify(self, data: bool = False, decided: bool = True) -> dict[str, Checked]:
        found = verify(
            self.root / "pile",
            self.root / "project",
            dialect="duckdb",
            data=self.root / "data" if data else None,
            decisions=self.root / "d.toml" if decided else None,
        )
        return {report.name: report for report in found.reports}

    def cli(self, *words: object) -> Result:
        return CliRunner().invoke(main, [str(word) for word in words])

    def model(self, name: str) -> Path:
        return self.root / "project" / "models" / "marts" / f"{name}.sql"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


WHY = "decided on 2026-03-01: orders are counted, not customers"


def test_the_project_is_what_was_decided(bench: Bench) -> None:
    found = bench.refactor()
    outcome, reason = found.pop("nl")
    assert outcome == "changed"
    assert reason == f"{WHY} ({bench.root / 'd.toml'}:1: DRIFT_AGGREGATE in nl.sql)"
    assert {outcome for outcome, _ in found.values()} == {"proved"}
    migration = (bench.root / "project" / "MIGRATION.md").read_text()
    assert "- **1 changed**: changed on purpose." in migration
    assert "| rep.nl | nl.sql:1 | nl | changed | see above |" in migration
    assert "### Changed on purpose (1)\n\n- decided on 2026-03-01: orders are counted" in migration
    checked = bench.verify()
    assert (checked["nl"].verdict, checked["nl"].changes) == ("changed", ("orders",))
    assert not checked["nl"].open
    assert checked["de"].verdict == "proved"


def test_with_data_the_rows_that_change_are_shown(bench: Bench) -> None:
    outcome, reason = bench.refactor(data=True)["nl"]
    assert outcome == "changed"
    assert reason.startswith(f"rows 1 modified; {WHY}")
    nl = bench.verify(data=True)["nl"]
    assert (nl.verdict, nl.rows_before, nl.rows_after) == ("changed", 2, 2)
    assert {(d.change, d.row) for d in nl.sample} == {
        ("removed", ("1", "1", "12")),
        ("added", ("1", "2", "12")),
    }


def test_any_other_change_fails(bench: Bench) -> None:
    bench.refactor()
    text = bench.model("nl").read_text()
    assert "'nl'" in text
    bench.model("nl").write_text("SELECT id, 1 AS orders, 2 AS revenue FROM shop.customers")
    nl = bench.verify()["nl"]
    assert (nl.verdict, nl.open) == ("failed", True)
    nl = bench.verify(data=True)["nl"]
    assert (nl.verdict, nl.open) == ("failed", True)
    assert nl.reason.startswith(f"not what was {WHY}")


def test_a_project_that_still_returns_the_old_rows_fails(bench: Bench) -> None:
    bench.refactor(decided=False)
    assert bench.verify(data=True, decided=False)["nl"].verdict == "proved"
    nl = bench.verify(data=True)["nl"]
    assert (nl.verdict, nl.open) == ("failed", True)


def test_without_the_decision_the_change_is_a_mistake(bench: Bench) -> None:
    bench.refactor()
    nl = bench.verify(data=True, decided=False)["nl"]
    assert (nl.verdict, nl.open, nl.changes) == ("failed", True, ())


def test_a_change_in_a_column_that_no_decision_names_fails(bench: Bench) -> None:
    bench.write("d.toml", DECISION.replace('["orders"]', '["revenue"]'))
    outcome, reason = bench.refactor()["nl"]
    assert outcome == "failed"
    assert 'add { nl = ["orders"] } to changes' in reason
    nl = bench.verify()["nl"]
    assert (nl.verdict, nl.open, nl.reason) == ("failed", True, reason)


def test_a_change_in_a_report_that_no_decision_names_fails(bench: Bench) -> None:
    bench.write("pile/all.sql", "CREATE TABLE rep.total AS SELECT SUM(orders) AS n FROM rep.nl")
    assert bench.refactor()["total"][0] == "failed"
    bench.write("d.toml", DECISION.replace("{ nl", '{ total = ["n"], nl'))
    assert bench.refactor()["total"][0] == "changed"
    assert bench.verify(data=True)["total"].sample[0].row == ("1",)


def test_what_is_kept_keeps_its_own_words(bench: Bench) -> None:
    bench.write("pile/zz.sql", "UPDATE rep.nl SET revenue = 0 WHERE id = 1;")
    bench.write("d.toml", DECISION.replace('["orders"]', '["*"]'))
    outcome, reason = bench.refactor()["nl"]
    assert outcome == "kept"
    assert f"; not carried out in it: {WHY}" in reason
    [kept] = (bench.root / "project").rglob("legacy/nl.sql")
    assert kept.read_text() == (bench.root / "pile/nl.sql").read_text()


def test_exit_codes_and_forms(bench: Bench) -> None:
    pile, project = bench.root / "pile", bench.root / "project"
    words = ("--dialect", "duckdb", "--decisions", bench.root / "d.toml")
    made = bench.cli("refactor", pile, *words, "--out", project, "--format", "json")
    assert made.exit_code == 0
    verdicts = {r["name"]: r["verdict"] for r in json.loads(made.stdout)["reports"]}
    assert verdicts["nl"] == "changed"
    done = bench.cli("verify", pile, project, *words, "--format", "json")
    assert done.exit_code == 0
    [nl] = [r for r in json.loads(done.stdout)["reports"] if r["name"] == "nl"]
    assert (nl["verdict"], nl["changes"]) == ("changed", ["orders"])
    assert bench.cli("verify", pile, project, "--dialect", "duckdb").exit_code == 1
    bench.write("d.toml", DECISION.replace("COUNT(", "MAX("))
    stale = bench.cli("verify", pile, project, *words)
    assert stale.exit_code == 1
    assert "not carried out: nothing is told there any more" in stale.stderr
    bench.write("d.toml", DECISION.replace("code", "cod"))
    wrong = bench.cli("verify", pile, project, *words)
    assert wrong.exit_code == 2
    assert "d.toml:2: unknown key in [[drift]]: cod\nhelp: did you mean code?" in wrong.stderr


def test_the_file_beside_the_configuration_is_obeyed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bench.root)
    told = bench.cli("drift", "pile", "--dialect", "duckdb")
    assert told.stdout.endswith("1 contradiction in 1 place\n")
    bench.write("unwet-decisions.toml", DECISION)
    told = bench.cli("drift", "pile", "--dialect", "duckdb")
    assert told.stdout == "0 contradictions in 0 places; 1 accepted\n"
    told = bench.cli("check", "pile/nl.sql", "--dialect", "duckdb", "--drift", "--no-index")
    assert "DRIFT" not in told.stdout
    (bench.root / "unwet-decisions.toml").unlink()
    told = bench.cli("check", "pile/nl.sql", "--dialect", "duckdb", "--drift", "--no-index")
    assert "DRIFT_AGGREGATE" in told.stdout
    bench.write("unwet-decisions.toml", DECISION)
    made = bench.cli("refactor", "pile", "--dialect", "duckdb", "--plan")
    assert "1 changed, 4 proved" in made.stdout
    made = bench.cli("refactor", "pile", "--dialect", "duckdb", "--out", "out")
    text = (bench.root / "out" / "MIGRATION.md").read_text()
    assert "customers (unwet-decisions.toml:1: DRIFT_AGGREGATE in nl.sql): `rep.nl`" in text
    bench.write("unwet.toml", 'decisions = "none.toml"')
    assert bench.cli("refactor", "pile", "--dialect", "duckdb", "--plan").exit_code == 2


def test_queries_for_others_compare_with_what_was_decided(bench: Bench) -> None:
    bench.refactor()
    pile, project, out = bench.root / "pile", bench.root / "project", bench.root / "sql"
    words = ("verify", pile, project, "--dialect", "duckdb", "--sql-out", out)
    bench.cli(*words, "--decisions", bench.root / "d.toml")
    [nl] = out.rglob("nl.sql")
    assert "COUNT(DISTINCT" not in nl.read_text().upper()
    bench.cli(*words, "--force")
    assert "COUNT(DISTINCT" in nl.read_text().upper()


def test_a_draft_comes_from_the_command(bench: Bench) -> None:
    made = bench.cli("drift", bench.root / "pile", "--dialect", "duckdb", "--format", "toml")
    assert made.exit_code == 0
    assert '"nl" = ["orders"]' in made.stdout
