"""Branches that differ in whole parts are rows of one table, and the queries that they were."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from unwet.lineage.pile import load
from unwet.rewrite.choose import choose
from unwet.rewrite.compose import Draft
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.stand_ins import LEAST, put_back, stand_ins
from unwet.tests.rewrite.laid_out import flat
from unwet.tests.rewrite.small_pile import models

CASE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "branches"
SCHEMA: dict[str, object] = {
    "stays": dict.fromkeys(("person", "region", "provider", "service"), "TEXT")
    | {"minutes": "INTEGER"},
    "bed_days": dict.fromkeys(("region", "provider", "service"), "TEXT") | {"days": "INTEGER"},
}
ROWS = """
    CREATE TABLE stays (person TEXT, region TEXT, provider TEXT, service TEXT, minutes INTEGER);
    INSERT INTO stays SELECT 'p' || i % 7, 'r' || i % 2, 'o' || i % 3, 's' || i % 4, i % 11
    FROM range(60) AS t (i);
    CREATE TABLE bed_days (region TEXT, provider TEXT, service TEXT, days INTEGER);
    INSERT INTO bed_days SELECT r, o, s, length(r || o || s)
    FROM unnest(['r0', 'r1', 'NULL']) AS a (r), unnest(['o0', 'o1', 'NULL']) AS b (o),
      unnest(['s0', 's1', 'NULL']) AS c (s);
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("branches") / "project"
    result = refactor(load(CASE, "duckdb", SCHEMA), Request(out=out))  # type: ignore[arg-type]
    assert [report.outcome for report in result.verdicts] == ["proved"]
    return out


def test_each_metric_is_a_macro_and_a_table_of_rows(project: Path) -> None:
    macros = sorted(path.stem for path in (project / "macros").glob("*.sql"))
    assert macros == ["dashboard_m76", "dashboard_m96"]
    model = (project / "models" / "marts" / "dashboard.sql").read_text()
    assert model.count("{% for ") == 3  # two over rows, one over what follows from a name
    assert model.count("select") == 1  # the branch of all, which has no GROUP BY
    assert "('Region; Provider', 'region', 'provider', \"'NULL'\")," in model
    macro = flat((project / "macros" / "dashboard_m96.sql").read_text())
    levels = ("level_one", "level_two", "level_three")
    keys = ", ".join(f"{{{{ {level} }}}}" for level in levels)
    assert f"group by {keys}, d.days " in macro
    assert "'bed_days') }} as d on {{ matching_condition }} " in macro


def test_the_rows_are_what_they_were(project: Path) -> None:
    base = duckdb.connect()
    base.execute(ROWS)
    base.execute((CASE / "dashboard.sql").read_text())
    made = models(project)["dashboard"]
    assert base.sql("SELECT COUNT(*) FROM dashboard").fetchall() == [(60,)]
    for one, other in (("FROM dashboard", f"FROM ({made})"), (f"FROM ({made})", "FROM dashboard")):
        assert base.sql(f"SELECT * {one} EXCEPT ALL SELECT * {other}").fetchall() == []


def union(*branches: str) -> exp.Query:
    tree = sqlglot.parse_one(" UNION ALL ".join(branches), read="duckdb")
    assert isinstance(tree, exp.Query)
    return tree


MIXED = [f"SELECT {v} AS a, COUNT(*) AS n FROM t GROUP BY b" for v in ("b", "'x'", "NULL", "t.b")]


def test_what_stands_in_is_put_back() -> None:
    tree = union(*MIXED)
    before = tree.sql("duckdb")
    assert len(stand_ins(tree, "duckdb")) == LEAST
    assert sum(1 for _ in tree.find_all(exp.Var)) == LEAST
    put_back(tree)
    assert tree.sql("duckdb") == before
    assert not list(tree.find_all(exp.Var))


@pytest.mark.parametrize(
    "branches",
    [
        MIXED[:3],  # few
        [f"SELECT a, '{i}' AS b FROM t GROUP BY a, c{i}" for i in range(4)],  # one shape
        [b.replace("FROM t", f"FROM t AS t{i}") for i, b in enumerate(MIXED)],  # other names
        [b.replace("GROUP BY b", "GROUP BY ROLLUP (b)") for b in MIXED[:1]] * 4,
        [f"SELECT a FROM t JOIN u ON a = (SELECT MAX(b{'+ 1' * i}) FROM v)" for i in range(4)],
    ],
)
def test_nothing_stands_in(branches: list[str]) -> None:
    assert stand_ins(union(*branches), "duckdb") == []


def test_a_branch_that_became_no_row_is_as_it_was() -> None:
    branches = [*MIXED, "SELECT b, MAX(c) AS n FROM t GROUP BY b, c"]
    draft = Draft("r", union(*branches), (), (), ())
    library = choose([draft], "duckdb")
    left = library.models["r"].sql("duckdb")
    assert "SELECT b, MAX(c) AS n FROM t GROUP BY b, c" in left


def branches_of(*branches: str) -> exp.Expr:
    return sqlglot.parse_one(" UNION ALL ".join(branches), read="duckdb")


SHOWING = "SELECT '{0}' AS kind, {1} AS one, {2} AS two, SUM(minutes) AS n FROM stays GROUP BY {3}"


def test_branches_group_by_all_that_any_of_them_shows() -> None:
    rows = [
        ("a", "region", "'-'", "region"),
        ("b", "provider", "'-'", "provider"),
        ("c", "region", "provider", "provider, region"),
        ("d", "'all'", "service", "service"),
    ]
    sqls = [SHOWING.format(*row) for row in rows]
    tree = branches_of(*sqls)
    assert len(stand_ins(tree, "duckdb")) == 4
    base = duckdb.connect()
    base.execute(ROWS)
    text = tree.sql("duckdb")
    assert "GROUP BY region, '-'" in text and "GROUP BY 'all', service" in text
    old = base.execute(" UNION ALL ".join(sqls)).fetchall()
    assert sorted(base.execute(text).fetchall()) == sorted(old)
    put_back(tree)
    assert tree == branches_of(*sqls)


def test_a_number_in_the_place_of_a_column_is_no_key() -> None:
    rows = [(c, c, "1" if c == "region" else "service", f"{c}, service" if c != "region" else c)
            for c in ("region", "provider", "person")]  # fmt: skip
    sqls = [SHOWING.format(*row) for row in [*rows, ("x", "'-'", "service", "service")]]
    tree = branches_of(*sqls)
    stand_ins(tree, "duckdb")
    assert ", 1" not in tree.sql("duckdb").split("GROUP BY")[1]


@pytest.mark.parametrize("dialect", ["tsql", "postgres", "bigquery", "oracle"])
def test_where_nobody_may_group_by_a_text_keys_stay(dialect: str) -> None:
    rows = [(c, c, "'-'", c) for c in ("region", "provider", "service")]
    sqls = [SHOWING.format(*row) for row in [*rows, ("x", "region", "service", "region, service")]]
    tree = branches_of(*sqls)
    stand_ins(tree, dialect)
    assert "GROUP BY region, '-'" not in tree.sql(dialect)
