"""What a run would make once, and what that saves."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sqlglot import exp, parse_one

from unwet.cli import main
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.lineage.tables import Catalog
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.plan_forms import SHOWN, WIDTH, as_text
from unwet.rewrite.planned import Abstraction, Hole, abstractions
from unwet.rewrite.project import Project
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.rewrite.shapes import Leaf
from unwet.tests.rewrite.small_pile import FOLDER, small_pile

REPORT = """
CREATE TABLE r.{0} AS
WITH good AS (
  SELECT o.id, o.customer, SUM(o.amount) AS amount, COUNT(*) AS n
  FROM s.orders AS o WHERE o.status = 'paid' GROUP BY o.id, o.customer
)
SELECT c.name, c.country, SUM(g.amount) AS revenue, MAX(g.n) AS most
FROM s.customers AS c LEFT JOIN good AS g ON g.customer = c.id
WHERE c.country = '{0}'
GROUP BY c.name, c.country
"""
PILE = [Source(f"{name}.sql", REPORT.format(name), "duckdb") for name in ("de", "at", "ch")]


@pytest.fixture(scope="module")
def result() -> Result:
    return refactor(load(PILE, "duckdb"), Request())


def test_each_use_has_its_values(result: Result) -> None:
    [macro] = [each for each in result.abstractions if each.kind == "macro"]
    assert macro.members == ("at", "ch", "de")
    [values] = [hole.values for hole in macro.holes if "'de'" in hole.values]
    assert values == ("'at'", "'ch'", "'de'")


def test_lines_are_those_of_the_files_before_they_are_laid_out() -> None:
    result = refactor(load(PILE, "duckdb"), Request(target="sqlmesh"))
    assert {each.kind for each in result.abstractions} == {"macro", "model"}
    for each in result.abstractions:
        folder = "models/marts" if each.kind == "macro" else "models/intermediate"
        _, _, query = result.files[f"{folder}/{each.name}.sql"].partition(");\n\n")
        assert each.lines == len(query.splitlines())
        assert each.before == each.lines * len(each.members)
        assert each.saves > 0


def test_a_model_that_others_read(result: Result) -> None:
    found = refactor(small_pile(), Request()).abstractions
    shared = [each for each in found if each.kind == "model"]
    assert all(len(each.members) > 1 and not each.holes for each in shared)
    assert [each.saves for each in found] == sorted((e.saves for e in found), reverse=True)


def many(n: int) -> list[Abstraction]:
    hole = Hole("condition_of_rows", tuple(f"country = 'number {i} of many'" for i in range(n)))
    users = tuple(f"a_report_with_a_long_name_{i}" for i in range(n))
    return [Abstraction(f"macro_{i}", "macro", users, 10, 10 * n, 12 + n, (hole,))
            for i in range(n)]  # fmt: skip


def test_no_line_is_too_long() -> None:
    text = as_text(many(40), everything=True)
    assert all(len(line) <= WIDTH for line in text.splitlines())
    assert text.count("macro macro_") == 40
    assert "in a_report_with_a_long_name_0 and 39 more" in text


def test_the_rest_is_counted() -> None:
    text = as_text(many(40), everything=False)
    assert text.count("macro macro_") == SHOWN
    assert text.splitlines()[-1].strip().startswith("3,480  by 10 more abstractions")


def test_nothing_to_make_once() -> None:
    assert as_text([], everything=False) == "nothing is worth having once\n"


def test_a_query_that_one_report_hands_on_is_nothing_to_make_once() -> None:
    years = {"de": range(2021, 2024), "at": range(2019, 2024), "ch": range(2018, 2022)}
    shown = ", ".join(f"SUM(CASE WHEN n = {n} THEN amount ELSE 0 END) AS n_{n}" for n in range(6))
    tail = f"SELECT region, {shown} FROM good WHERE region IS NOT NULL GROUP BY region"
    scripts = []
    for name, some in years.items():
        rows = " UNION ALL ".join(
            f"SELECT region, amount, n FROM s_{year % 2}.orders_{year} WHERE status <> 'x'"
            for year in some
        )
        sql = f"CREATE TABLE r.{name} AS WITH good AS ({rows}) {tail}"
        scripts.append(Source(f"{name}.sql", sql, "duckdb"))
    result = refactor(load(scripts, "duckdb"), Request())
    [taker] = result.abstractions
    assert taker.saves > 0 and taker.why == "" and result.macros == 1
    made_of = "3 models, 0 shared models, 1 macro"
    assert made_of in result.files["MIGRATION.md"]
    assert sum("{% endset %}" in text for text in result.files.values()) == 3


def test_what_saves_nothing_says_why_it_is_there() -> None:
    """A condition that two reports hand to the macro of all, and a rule in two places."""
    paid = Macro("is_paid", (), parse_one("status = 'paid'"), "expression")
    rows = Macro("rows", ("test",), parse_one("SELECT a FROM t WHERE h__test__h"), "query")
    said = MacroCall("rows", (("test", Leaf("condition", "call__0__call")),))
    models = {name: exp.Var(this=f"call__{n}__call") for n, name in ((1, "a"), (2, "b"))}
    library = Library(models, (paid, rows), (MacroCall("is_paid", ()), said, said))
    found = abstractions(Project("p", "duckdb", (), (), library, {}, (), Catalog()))
    [given] = [each for each in found if each.name == "is_paid"]
    assert given.saves <= 0 and given.why == "saves through rows, as its argument"
    assert "saves through rows, as its argument" in as_text(found, everything=True)
    rule = Abstraction("is_paid", "macro", ("a", "b"), 1, 2, 5)
    assert "saves no lines: what it says is changed in one place" in as_text([rule], True)


def test_the_command_shows_it_and_writes_nothing() -> None:
    words = ["refactor", str(FOLDER), "--dialect", "duckdb", "--plan", "--no-generated"]
    text = CliRunner().invoke(main, words)
    data = json.loads(CliRunner().invoke(main, [*words, "--format", "json", "-q"]).output)
    for each in data["abstractions"]:
        assert f"{each['kind']} {each['name']}" in text.output
        assert each["uses"] == len(each["members"])
        assert all(len(hole["values"]) == each["uses"] for hole in each["holes"])
    assert data["abstractions"]
