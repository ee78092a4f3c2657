"""Contradictions in the forms of a check."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet import cli
from unwet.rewrite.check.drift_problems import problems
from unwet.rewrite.check.found import Place
from unwet.rewrite.drift import Deviation, Drift, DriftFinding

WALK = Path(__file__).parents[3] / "fixtures" / "walk"


def run(monkeypatch: pytest.MonkeyPatch, format: str, *more: str) -> tuple[int, str]:
    monkeypatch.chdir(WALK)
    words = ["drift", "copies", "--dialect", "postgres", "--format", format, *more]
    done = CliRunner(env={"COLUMNS": "80"}).invoke(cli.main, words)
    return done.exit_code, done.stdout


def test_each_place_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    code, out = run(monkeypatch, "concise")
    assert code == 0
    assert out.splitlines() == [
        "copies/orders_ch.sql:8:1: DRIFT_JOIN other kind of join (g): `JOIN good`, "
        "but 4 of 5 copies have `LEFT JOIN shop.orders`",
        "copies/orders_fr.sql:1:1: DRIFT_AGGREGATE other aggregate (orders): `COUNT(o.id)`, "
        "but 4 of 5 copies have `COUNT(DISTINCT o.id)`",
        "Found 2 problems in 2 files.",
    ]
    assert run(monkeypatch, "concise", "--check")[0] == 1


def test_the_sql_is_shown_with_what_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    _, out = run(monkeypatch, "full")
    first = out.split("\n\n")[0].splitlines()
    assert first[1:] == [
        "  --> copies/orders_ch.sql:8:1",
        "   |",
        " 6 | SELECT c.id, COUNT(DISTINCT g.id) AS orders, COALESCE(SUM(g.amount), 0) ...",
        " 7 | FROM shop.customers c",
        " 8 | JOIN good g ON c.id = g.customer_id",
        "   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        " 9 | WHERE c.country = 'CH'",
        "10 | GROUP BY 1;",
        "   |",
        "help: join as the others do; if it is meant: -- unwet: ignore[DRIFT_JOIN] reason",
        "see:  copies/orders_at.sql:3",
        "      copies/orders_de.sql:3",
        "      copies/orders_nl.sql:3",
    ]


def test_programs_get_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    _, out = run(monkeypatch, "sarif")
    (found,) = json.loads(out)["runs"]
    assert [each["ruleId"] for each in found["results"]] == ["DRIFT_JOIN", "DRIFT_AGGREGATE"]
    assert found["tool"]["driver"]["version"]
    _, out = run(monkeypatch, "gitlab")
    assert [each["location"]["lines"]["begin"] for each in json.loads(out)] == [8, 1]
    _, out = run(monkeypatch, "github")
    assert out.startswith(
        "::error title=unwet (DRIFT_JOIN),file=copies/orders_ch.sql,line=8,col=1::"
    )


def test_what_is_missing_is_said_and_where_a_copy_has_it() -> None:
    at, other = Deviation("a.sql", 3, ""), Deviation("b.sql", 7, "")
    right, what = (Deviation("c.sql", 5, "status = 'paid'"),), "status = 'paid'"
    finding = DriftFinding("DRIFT_FILTER", 6, 2, "orders", what, (at, other), 0.9, right)
    one, two = problems(Drift((finding,)))
    assert one.at == Place("a.sql", 3, 1, 3)
    assert one.others == two.others == (Place("c.sql", 5, 1, 5),)
    assert one.message == "filter missing (orders): 6 of 8 copies have `status = 'paid'`"
    assert one.key == two.key
