"""Queries that read other relations in one place are one macro, and return the same rows."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from unwet.lineage.pile import load
from unwet.rewrite.abstract import Unit
from unwet.rewrite.chosen_later import with_lists
from unwet.rewrite.library import Library, MacroCall
from unwet.rewrite.limits import NO_LIMITS, Owners
from unwet.rewrite.own_relations import (
    called,
    clash,
    may_be_own,
    may_have_own,
    place_own,
    reads,
    with_own,
    without_ctes,
)
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Leaf, Survey
from unwet.tests.rewrite.small_pile import assert_same_rows

CASE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "own_relations"
TWICE = CASE.with_name("own_relations_twice")
SCHEMA: dict[str, object] = {
    "visits": {"person": "TEXT", "region": "TEXT", "minutes": "INTEGER"},
    "people": {"person": "TEXT", "age": "INTEGER"},
    "insurances": {"person": "TEXT", "insurer": "TEXT", "year": "INTEGER"},
    "insurers": {"insurer": "TEXT", "closed": "BOOLEAN"},
    "members": {"person": "TEXT"},
}
ROWS = """
    CREATE TABLE visits AS SELECT 'p' || i % 7 AS person, 'r' || i % 3 AS region,
      NULLIF(i % 11, 4) AS minutes FROM range(60) AS t (i);
    CREATE TABLE people AS SELECT 'p' || i % 7 AS person, 14 + i % 7 AS age
      FROM range(14) AS t (i);
    CREATE TABLE insurances AS SELECT 'p' || i % 5 AS person, 'i' || i % 3 AS insurer,
      2020 + i AS year FROM range(12) AS t (i);
    CREATE TABLE insurers AS SELECT 'i' || i AS insurer, i = 1 AS closed FROM range(3) AS t (i);
    CREATE TABLE members AS SELECT 'p' || i AS person FROM range(3) AS t (i);
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("own_relations") / "project"
    result = refactor(load(CASE, "duckdb", SCHEMA), Request(out=out))  # type: ignore[arg-type]
    assert {report.outcome for report in result.verdicts} == {"proved"}
    return out


def called_by(project: Path, name: str) -> tuple[str, str]:
    """A report, and the macro that it calls."""
    report = (project / "models" / "marts" / f"{name}.sql").read_text()
    macro = report.split("{{ ")[1].split("(")[0]
    return report, (project / "macros" / f"{macro}.sql").read_text()


def test_a_derived_table_of_its_own_is_a_cte_in_front_of_the_call(project: Path) -> None:
    young, of_age = called_by(project, "visits_of_the_young")
    insured, of_year = called_by(project, "visits_of_the_insured")
    _, common = called_by(project, "visits_of_members")
    name = common.split("macro ")[1].split("(")[0]
    assert "(18)" in young
    assert "(2021)" in insured
    assert "people_rows as (" in of_age
    assert "insurances_rows as (" in of_year
    assert f"{{{{ {name}('people_rows') }}}}" in of_age
    assert f"{{{{ {name}('insurances_rows') }}}}" in of_year


def test_a_table_of_its_own_is_an_argument(project: Path) -> None:
    members, common = called_by(project, "visits_of_members")
    assert "(source('main', 'members')) }}" in members
    assert "join {{ relation }} using (person)" in common


def test_the_rows_are_what_they_were(project: Path) -> None:
    base = duckdb.connect()
    base.execute(ROWS)
    assert_same_rows(base, project, CASE)


def unit_of(tree: exp.Expr, node: exp.Expr | None = None) -> Unit:
    node = node or tree
    return Unit("whole" if node is tree else "block", "host", node, Survey(tree).shape(node), "x")


def read(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, dialect="duckdb")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM t JOIN LATERAL (SELECT t.a AS b) AS q ON TRUE",
        "SELECT a FROM t JOIN (SELECT 1 AS b UNION ALL SELECT 2) AS q ON TRUE",
        "SELECT a FROM t JOIN (SELECT 1) AS q(b) ON TRUE",
        "SELECT a FROM t JOIN UNNEST([1]) AS q(b) ON TRUE",
    ],
)
def test_what_is_more_than_a_derived_table_is_nobodys_own(sql: str) -> None:
    assert not may_be_own(read(sql).args["joins"][0].this)


def test_a_query_that_reads_the_ctes_of_its_macro_stays_in_it() -> None:
    query = read("SELECT a FROM (SELECT a FROM net) AS q")
    own = with_own([(query.args["from_"].this, "own_rows")], [])
    assert reads(own, {"net"})
    assert not reads(own, {"gross"})
    assert query.sql() == "SELECT a FROM own_rows AS q"


def test_names_are_those_of_most_and_free() -> None:
    derived = [
        read(f"SELECT 1 FROM (SELECT 1 FROM {t}) AS q").args["from_"].this
        for t in ("src__shop__orders__src", "src__shop__orders__src", "ref__paid__ref")
    ]
    assert called(derived, ()) == "orders_rows"
    assert called(derived, ("orders_rows",)) == "orders_rows_2"
    assert called(derived[1:], ()) == "own_rows"


def test_own_ctes_stand_before_the_one_that_reads_them() -> None:
    tree = read("WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM (SELECT x FROM a)) SELECT x FROM b")
    node = tree.args["with_"].expressions[1].this
    own = with_own([(node.copy().args["from_"].this, "own_rows")], [tree])
    unit = unit_of(tree, node)
    placed = place_own(
        Unit("block", "host", node, unit.shape, "b", own=own), exp.Var(this="call__0__call")
    )
    names = [cte.alias for cte in placed.args["with_"].expressions]
    assert names == ["a", "own_rows", "b"]


def test_a_macro_that_is_a_branch_or_an_argument_has_no_ctes_of_its_own() -> None:
    calls = [MacroCall(name, ()) for name in ("whole", "branch", "handed", "cte")]
    calls.append(MacroCall("around", (("q", Leaf("condition", "call__2__call")),)))
    union = exp.Union(this=exp.Var(this="call__1__call"), expression=read("SELECT 1"))
    cte = read("WITH a AS (SELECT 1) SELECT x FROM a")
    cte.args["with_"].expressions[0].set("this", exp.Var(this="call__3__call"))
    hosts = {"a": exp.Var(this="call__0__call"), "b": union, "c": cte}
    assert without_ctes(hosts, calls, "duckdb") == {"branch", "handed"}
    assert without_ctes(hosts, calls, "tsql") == {"branch", "handed", "cte"}


def test_a_query_inside_of_another_ones_ctes_has_none_of_its_own() -> None:
    tree = read(
        "SELECT x FROM (WITH a AS (SELECT 1 AS x) SELECT x FROM (SELECT x FROM a) AS q) AS r"
    )
    below = next(each for each in tree.find_all(exp.Subquery) if each.alias == "q").this
    assert not may_have_own(unit_of(tree, below))
    assert may_have_own(unit_of(tree))


def test_two_in_one_query_read_relations_of_two_names() -> None:
    trees = {path.stem: read(path.read_text()).expression for path in sorted(TWICE.glob("*.sql"))}
    library = with_lists(Library(trees, (), ()), "duckdb", frozenset(), Owners(NO_LIMITS))
    [macro] = library.macros
    ctes = library.models["visits_compared"].args["with_"].expressions
    assert [cte.alias for cte in ctes] == ["people_rows_2", "young", "people_rows", "of_members"]
    said = [[leaf.text for _, leaf in call.args] for call in library.calls]
    assert said == [["people_rows_2"], ["people_rows"], ["insurances_rows"]]
    assert f"JOIN h__{macro.params[0]}__h" in macro.tree.sql()


def test_own_ctes_clash_with_those_of_the_query_and_with_each_other() -> None:
    tree = read(
        "WITH a AS (SELECT x FROM (SELECT 1 AS x)), b AS (SELECT x FROM (SELECT 2 AS x)) "
        "SELECT x FROM b"
    )
    nodes = [cte.this for cte in tree.args["with_"].expressions]

    def unit(node: exp.Expr, name: str) -> Unit:
        own = with_own([(node.copy().args["from_"].this, name)], [])
        return Unit("block", "host", node, unit_of(tree, node).shape, "b", own=own)

    assert not clash([unit(nodes[0], "one"), unit(nodes[1], "two")])
    assert clash([unit(nodes[0], "one"), unit(nodes[1], "one")])
    assert clash([unit(nodes[0], "b")])
    assert not clash([unit_of(tree, nodes[0])])
