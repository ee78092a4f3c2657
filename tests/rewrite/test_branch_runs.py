"""Branches that say the same of other words are one macro with a list, with the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.abstract import Unit, families
from unwet.rewrite.branch_runs import (
    around,
    branch_run,
    has_branch_runs,
    is_branch_run,
    put_back,
    say_branch_runs,
)
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Survey
from unwet.tests.rewrite.laid_out import flat
from unwet.tests.rewrite.small_pile import models

CASE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "branch_runs"
SOURCES = CASE.parent / "branch_sources"
PEOPLE = ("conditions", "drugs", "visits")
SCHEMA: dict[str, object] = {
    **{name: {"person_id": "INTEGER", "day": "INTEGER"} for name in PEOPLE},
    "sales": {"month": "INTEGER", "region": "TEXT", "amount": "INTEGER"},
}
ROWS = """
    CREATE TABLE conditions AS SELECT i % 9 AS person_id, i % 3 AS day FROM range(30) AS t (i);
    CREATE TABLE drugs AS SELECT NULLIF(i % 7, 5) AS person_id, i % 4 AS day
      FROM range(20) AS t (i);
    CREATE TABLE visits AS SELECT 2 + i % 11 AS person_id, i % 5 AS day FROM range(40) AS t (i);
    CREATE TABLE sales AS SELECT i % 7 AS month, NULLIF(i % 11, 4) AS amount,
      ['north', 'south', 'east', 'west'][1 + i % 4] AS region FROM range(120) AS t (i);
"""


def pile(scripts: Sequence[str] | Path) -> Pile:
    if isinstance(scripts, Path):
        return load(scripts, "duckdb", SCHEMA)  # type: ignore[arg-type]
    sources = [
        Source(f"{name}.sql", sql, "duckdb") for name, sql in zip("abcdef", scripts, strict=False)
    ]
    return load(sources, "duckdb", SCHEMA)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_of(CASE, tmp_path_factory.mktemp("branch_runs") / "project")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_of(SOURCES, tmp_path_factory.mktemp("branch_sources") / "project")


def made_of(case: Path, out: Path) -> Path:
    result = refactor(pile(case), Request(out=out))
    assert {report.outcome for report in result.verdicts} == {"proved"}
    return out


def said(project: Path, name: str) -> str:
    return flat((project / "models" / "marts" / f"{name}.sql").read_text())


def macro(project: Path, word: str) -> str:
    found = [flat(path.read_text()) for path in (project / "macros").glob("*.sql")]
    [text] = [text for text in found if word in text]
    return text


def test_a_macro_goes_over_the_relations_of_a_call(project: Path) -> None:
    loop = "{% for relation in relations %} select person_id from {{ relation }} "
    loop += "{% if not loop.last %} intersect {% endif %} {% endfor %}"
    assert loop in macro(project, "intersect")
    text = said(project, "common_patients")
    for row in ("'one', ['seen']", "'two', ['ill', 'treated']", "['ill', 'treated', 'seen']"):
        assert row in text


def test_a_macro_goes_over_the_constants_of_a_call(project: Path) -> None:
    text = macro(project, "union all")
    assert "select '{{ region }}' as region" in text and "region = '{{ region }}'" in text
    assert "['north', 'south', 'east']" in said(project, "sales_north")
    assert "['west', 'east']" in said(project, "sales_south")


def test_a_macro_goes_over_the_sources_of_a_call(sources: Path) -> None:
    text = macro(sources, "union all")
    assert "select '{{ table }}' as came_from, person_id, day " in text
    assert "from {{ source('main', table) }} where day > 0" in text
    assert len([*(sources / "macros").glob("*.sql")]) == 1  # none that hands on the branches
    assert "['drugs', 'visits']" in said(sources, "events_treated")
    assert "['visits', 'conditions', 'conditions']" in said(sources, "events_ill")


@pytest.mark.parametrize("case", [CASE, SOURCES], ids=lambda case: case.name)
def test_the_rows_are_what_they_were(case: Path, project: Path, sources: Path) -> None:
    base = duckdb.connect()
    base.execute(ROWS)
    made = models(project if case == CASE else sources)
    for script in case.glob("*.sql"):
        base.execute(script.read_text())
        name = script.stem
        assert base.sql(f"SELECT COUNT(*) FROM {name}").fetchall() != [(0,)]
        for one, other in ((name, f"({made[name]})"), (f"({made[name]})", name)):
            assert base.sql(f"FROM {one} EXCEPT ALL FROM {other}").fetchall() == [], name


def read(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, dialect="duckdb")


@pytest.mark.parametrize(
    "inner",
    [
        "SELECT a FROM t EXCEPT SELECT a FROM u",  # not the same in any number
        "SELECT a FROM t INTERSECT ALL SELECT a FROM u",
        "SELECT a FROM t UNION SELECT a FROM u",
        "SELECT a FROM t UNION ALL BY NAME SELECT a FROM u",
        "SELECT a FROM t INTERSECT SELECT b FROM u",  # two words
        "SELECT a FROM t INTERSECT SELECT a FROM t",  # none
        "SELECT a FROM t INTERSECT SELECT a FROM u WHERE a > 1",
        "SELECT a FROM t INTERSECT (SELECT a FROM u LIMIT 2)",
        'SELECT a FROM t INTERSECT SELECT a FROM "U u"',
        "SELECT a FROM t WHERE b = 'x' INTERSECT SELECT a FROM t WHERE b = 'it''s'",
        "SELECT a FROM t INTERSECT SELECT a FROM u UNION ALL SELECT a FROM v",
        # sources of two schemas, a source and a CTE, a constant that is not what the table is
        "SELECT a FROM src__m__t__src INTERSECT SELECT a FROM src__n__u__src",
        "SELECT a FROM src__m__t__src INTERSECT SELECT a FROM u",
        "SELECT 'T' AS a FROM src__m__t__src UNION ALL SELECT 'u' AS a FROM src__m__u__src",
        "SELECT a FROM src__m__t__2__src INTERSECT SELECT a FROM src__m__u__2__src",
        "SELECT a FROM ref__t__ref INTERSECT SELECT a FROM ref__u__ref",
    ],
)
def test_what_is_no_list_of_words_stays(inner: str) -> None:
    tree = read(f"SELECT COUNT(*) AS n FROM ({inner}) AS x")
    hosts = {"a": tree.copy()}
    assert say_branch_runs(hosts, "duckdb") == []
    assert hosts == {"a": tree}


def test_what_becomes_no_parameter_is_as_it_was() -> None:
    texts = {
        "a": "SELECT a AS a FROM t INTERSECT SELECT a FROM u",
        "b": "SELECT COUNT(*) AS n FROM (SELECT a AS a FROM t) AS x",
        "c": "WITH x AS (SELECT a FROM t WHERE k = 3 UNION ALL SELECT a FROM t WHERE k = 4) "
        "SELECT a FROM x",
    }
    hosts = {name: read(sql) for name, sql in texts.items()}
    assert say_branch_runs(hosts, "duckdb") == ["a", "c", "b"]
    assert all(map(has_branch_runs, hosts.values()))
    [node] = [each for each in hosts["c"].find_all(exp.Select) if is_branch_run(each)]
    names, between, branch = branch_run(node)
    assert (names, between) == ("3, 4", "UNION ALL")
    assert branch.sql() == "SELECT a FROM t WHERE k = item__column__item"
    assert len([*around(hosts["c"])]) == 2
    put_back(hosts)
    assert {name: tree.sql("duckdb") for name, tree in hosts.items()} == texts


def test_a_source_is_said_by_its_table_and_where_another_schema_is_stays() -> None:
    texts = {
        "a": "SELECT COUNT(*) AS n FROM (SELECT 't' AS b FROM src__m__t__src UNION ALL "
        "SELECT 'u' AS b FROM src__m__u__src) AS x",
        "b": "SELECT COUNT(*) AS n FROM (SELECT 'v' AS b FROM src__m__v__src) AS x",
        "c": "SELECT COUNT(*) AS n FROM (SELECT 'v' AS b FROM src__n__v__src) AS x",
        "d": "SELECT COUNT(*) AS n FROM (SELECT 'w' AS b FROM src__m__v__src) AS x",
    }
    hosts = {name: read(sql) for name, sql in texts.items()}
    assert say_branch_runs(hosts, "duckdb") == ["a", "b"]
    for host, listed in (("a", "t, u"), ("b", "v")):
        [node] = [each for each in hosts[host].find_all(exp.Select) if is_branch_run(each)]
        names, _, branch = branch_run(node)
        assert names == listed
        branch_text = "SELECT 'item__column__item' AS b FROM src__m__item__column__item__src"
        assert branch.sql() == branch_text
    put_back(hosts)
    assert {name: tree.sql("duckdb") for name, tree in hosts.items()} == texts


# --- the law: whatever the lists are, a model returns what its script returned --------------------

LISTS = st.lists(st.sampled_from(("north", "south", "east")), min_size=1, max_size=4)
KINDS = st.sampled_from(["INTERSECT", "UNION ALL"])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(LISTS, KINDS), min_size=2, max_size=5), st.booleans())
def test_models_return_what_scripts_returned(
    tmp_path_factory: pytest.TempPathFactory,
    lists: Sequence[tuple[Sequence[str], str]],
    longer: bool,
) -> None:
    scripts = []
    more = ", COUNT(DISTINCT x.amount) AS amounts, MAX(x.amount) AS most" if longer else ""
    for number, (names, kind) in enumerate(lists):
        chain = f" {kind} ".join(
            f"SELECT month, amount FROM sales WHERE region = '{name}'" for name in names
        )
        scripts.append(
            f"SELECT {number} AS n, COUNT(*) AS many, COUNT(DISTINCT x.month) AS months, "
            f"SUM(x.amount) AS total, MIN(x.month) AS first_one{more} FROM ({chain}) AS x"
        )
    out = tmp_path_factory.mktemp("law") / "out"
    result = refactor(pile(scripts), Request(out=out))
    assert {report.outcome for report in result.verdicts} == {"proved"}
    base, made = duckdb.connect(), models(out)
    base.execute(ROWS)
    for name in sorted(made.keys() - {*"abcdef"}):
        base.execute(f"CREATE VIEW {name} AS {made[name]}")
    for name, sql in zip("abcdef", scripts, strict=False):
        assert base.sql(made[name]).fetchall() == base.sql(sql).fetchall()


TABLES = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4)


@settings(max_examples=15, deadline=None)
@given(st.lists(TABLES, min_size=2, max_size=4), st.booleans(), st.booleans())
def test_models_over_sources_return_what_scripts_returned(
    tmp_path_factory: pytest.TempPathFactory,
    lists: Sequence[Sequence[str]],
    told: bool,
    joined: bool,
) -> None:
    more = " JOIN visits AS v ON v.person_id = e.person_id AND v.day > 2" if joined else ""
    scripts = []
    for number, names in enumerate(lists):
        chain = " UNION ALL ".join(
            f"SELECT '{name if told else 'x'}' AS kind, e.person_id, e.day FROM {name} AS e{more}"
            for name in names
        )
        scripts.append(
            f"SELECT {number} AS n, COUNT(*) AS many, COUNT(DISTINCT x.person_id) AS people, "
            f"SUM(x.day) AS total, MIN(x.kind) AS one, MAX(x.kind) AS other FROM ({chain}) AS x"
        )
    out = tmp_path_factory.mktemp("law") / "out"
    result = refactor(pile(scripts), Request(out=out))
    assert {report.outcome for report in result.verdicts} == {"proved"}
    base, made = duckdb.connect(), models(out)
    base.execute(ROWS)
    for name in sorted(made.keys() - {*"abcdef"}):
        base.execute(f"CREATE VIEW {name} AS {made[name]}")
    for name, sql in zip("abcdef", scripts, strict=False):
        assert base.sql(made[name]).fetchall() == base.sql(sql).fetchall()


def test_a_name_of_its_own_that_a_list_says_is_a_parameter_too() -> None:
    """The template's own name would stand for it, and the list would say another one."""
    sql = "WITH {0} AS (SELECT day FROM visits), united AS (SELECT * FROM given UNION ALL "
    sql += "SELECT * FROM other UNION ALL SELECT * FROM {0}) SELECT day FROM united"
    hosts: dict[str, exp.Expr] = {
        host: sqlglot.parse_one(sql.format(host), read="duckdb") for host in ("came", "went")
    }
    assert say_branch_runs(hosts, "duckdb") == ["came", "went"]
    units = [Unit("whole", h, tree, Survey(tree).shape(tree), h) for h, tree in hosts.items()]
    [family] = families(units)
    assert {tuple(leaf.text for leaf in hole.values) for hole in family.holes} >= {("came", "went")}


def test_a_list_of_ctes_and_one_of_sources_are_two_templates() -> None:
    """What a loop says its word in is no parameter, whatever else the branches have in common."""
    texts = {
        "a": "SELECT COUNT(*) AS n FROM (SELECT k FROM old UNION ALL SELECT k FROM new) AS x",
        "b": "SELECT COUNT(*) AS n FROM (SELECT k FROM old UNION ALL SELECT k FROM late) AS x",
        "c": "SELECT COUNT(*) AS n FROM (SELECT k FROM src__m__t__src UNION ALL "
        "SELECT k FROM src__m__u__src) AS x",
        "d": "SELECT COUNT(*) AS n FROM (SELECT k FROM src__n__t__src UNION ALL "
        "SELECT k FROM src__n__u__src) AS x",
    }
    hosts = {name: read(sql) for name, sql in texts.items()}
    assert say_branch_runs(hosts, "duckdb") == [*texts]
    shapes = {name: Survey(tree).shape(tree) for name, tree in hosts.items()}
    assert shapes["a"].digest == shapes["b"].digest
    assert len({shape.digest for shape in shapes.values()}) == 3
    assert not any("item" in leaf.text for shape in shapes.values() for leaf in shape.leaves)


# --- what is no list may have parameters ---------------------------------------------------------


def test_branches_that_are_put_back_have_the_parameters_of_the_macro(tmp_path: Path) -> None:
    """They were those of one copy: `person_id <> 3` in both, so that the other was written out."""
    case = CASE.parent / "branch_parameters"
    result = refactor(load(case, "duckdb"), Request(out=tmp_path / "project"))
    assert result.rounds == ((),)
    text = macro(tmp_path / "project", "union all")
    assert text.count("person_id <> {{ person_id }}") == 2
    assert text.count("_day * {{ person_id }}") == 2


def test_branches_with_parameters_are_said_again_of_each_word() -> None:
    branch = "SELECT a FROM t WHERE k = {} AND n = 1"
    hosts = {
        "a": read(f"{branch.format(3)} UNION ALL {branch.format(4)}"),
        "b": read(f"SELECT COUNT(*) FROM ({branch.format(7)}) AS x"),
    }
    assert say_branch_runs(hosts, "duckdb") == ["a", "b"]
    for tree in hosts.values():
        for number in [each for each in tree.find_all(exp.Literal) if each.name == "1"]:
            number.replace(exp.Var(this="h__n__h"))
    put_back(hosts)
    assert hosts["a"].sql() == (
        "SELECT a FROM t WHERE k = 3 AND n = h__n__h UNION ALL "
        "SELECT a FROM t WHERE k = 4 AND n = h__n__h"
    )
    assert "(SELECT a FROM t WHERE k = 7 AND n = h__n__h)" in hosts["b"].sql()
