"""Lowering, by execution: a query and its plan return the same rows under the same names.

Cases are in fixtures/rewrite/lower: `-- # title`, then `-- dialect: x`, `-- opaque: reason` for
what the algebra must refuse, `-- fails: yes` for what DuckDB does not run, `-- engine: query` for
what it runs instead, and the query.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.normal import normalize_plan
from unwet.rewrite.plan_sql import to_sql
from unwet.rewrite.script import end_state
from unwet.tests.rewrite.small_world import Worlds, as_duckdb, plan_of, reason

FOLDER = Path(__file__).parents[2] / "fixtures" / "rewrite" / "lower"


@dataclass(frozen=True)
class Case:
    """One query; ``opaque`` is None when it has to be understood."""

    title: str
    sql: str
    dialect: str = "duckdb"
    opaque: str | None = None
    fails: bool = False
    engine: str = ""

    def runnable(self) -> str:
        """The query as the engine can run it."""
        return self.engine or as_duckdb(self.sql, self.dialect)


def _case(text: str) -> Case:
    title, *lines = text.strip().splitlines()
    found = [m for line in lines if (m := re.match(r"-- (\w+): ?(.*)", line))]
    settings: dict[str, str] = {m[1]: m[2] for m in found}
    sql = "\n".join(line for line in lines if not line.startswith("--"))
    dialect, fails = settings.get("dialect", "duckdb"), "fails" in settings
    return Case(
        title.removeprefix("-- # "),
        sql,
        dialect,
        settings.get("opaque"),
        fails,
        settings.get("engine", ""),
    )


def _cases() -> list[tuple[str, Case]]:
    return [
        (path.stem, _case(text))
        for path in sorted(FOLDER.glob("*.sql"))
        for text in re.split(r"(?m)^(?=-- # )", path.read_text(encoding="utf-8"))[1:]
    ]


CASES = _cases()
UNDERSTOOD = [pytest.param(c, id=f"{f}: {c.title}") for f, c in CASES if c.opaque is None]
RUNNABLE = [
    pytest.param(c, id=f"{f}: {c.title}") for f, c in CASES if c.opaque is not None and not c.fails
]
REFUSED = [pytest.param(c, id=f"{f}: {c.title}") for f, c in CASES if c.opaque is not None]


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    return Worlds()


@pytest.mark.parametrize("case", UNDERSTOOD)
def test_a_plan_returns_the_rows_of_its_query(case: Case, worlds: Worlds) -> None:
    plan = plan_of(case.sql, case.dialect)
    assert reason(plan) == ""
    assert worlds.difference(case.runnable(), to_sql(plan)) == ""


@pytest.mark.parametrize("case", UNDERSTOOD)
def test_its_normal_form_does_too(case: Case, worlds: Worlds) -> None:
    plan, _ = normalize_plan(plan_of(case.sql, case.dialect))
    assert worlds.difference(case.runnable(), to_sql(plan)) == ""


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_algebra_has_no_words_for_is_opaque(case: Case) -> None:
    assert case.opaque is not None
    found = reason(plan_of(case.sql, case.dialect))
    assert found and case.opaque.lower() in found.lower()


@pytest.mark.parametrize("case", RUNNABLE)
def test_refused_queries_are_queries(case: Case, worlds: Worlds) -> None:
    """A refused case that no engine runs would prove nothing."""
    worlds.rows(case.runnable(), 0)


def test_every_file_has_cases() -> None:
    assert {file for file, _ in CASES} == {path.stem for path in FOLDER.glob("*.sql")}
    assert len(CASES) > 200
    with pytest.raises(duckdb.Error):
        Worlds().rows("SELECT nope FROM t", 0)


@pytest.mark.parametrize("many", [100, 101])
def test_unpivot_of_very_many_columns_is_compared_as_a_text(many: int) -> None:
    columns = [f"c{n}" for n in range(many)]
    rows = ", ".join(f"a AS {column}" for column in columns)
    sql = f"SELECT n, v FROM (SELECT {rows} FROM t) UNPIVOT (v FOR n IN ({', '.join(columns)}))"
    assert ("more than 100" in reason(plan_of(sql))) == (many > 100)


@pytest.mark.parametrize(("dialect", "assumed"), [("duckdb", True), ("snowflake", False)])
def test_how_the_columns_of_unpivot_are_spelled_is_assumed(dialect: str, assumed: bool) -> None:
    sql = "SELECT n FROM t UNPIVOT (v FOR n IN (A, b))"
    pile = load([Source("a.sql", f"CREATE TABLE t (a INT, b INT); {sql}", dialect)], dialect)
    [report] = [
        r for r in end_state(pile.scripts, pile.resolved, pile.catalog).reports if not r.relation
    ]
    said = [each for each in report.definition.assumed if "UNPIVOT" in each]
    assert said == (
        ["the columns of UNPIVOT have capitals where they are written with some: A, b"] * assumed
    )
    with duckdb.connect() as engine:  # it has them as the table spells them
        engine.execute("CREATE TABLE t (a INT, B INT); INSERT INTO t VALUES (1, 2)")
        assert engine.execute(sql).fetchall() == [("a",), ("B",)]


def test_bigquery_refuses_using_of_two_columns_on_the_left() -> None:
    sql = "SELECT n.x, e, c FROM nobody AS n, UNNEST(n.many) AS e "
    sql += "JOIN (SELECT a AS e, c FROM t) q USING (e)"
    assert not reason(plan_of(sql, "bigquery"))
    assert "more than one" in reason(plan_of(sql.replace("(n.many) AS e", "(n.many) AS u(e)")))


@pytest.mark.parametrize(
    ("joins", "why"),
    [
        (
            "t JOIN u USING (a) JOIN nobody AS n ON n.x = t.b JOIN v AS w ON TRUE JOIN z USING (a)",
            "",
        ),
        ("t JOIN u USING (a) JOIN nobody AS n ON n.x = t.b LEFT JOIN z USING (a)", ""),
        ("nobody AS n JOIN t ON n.x = t.b JOIN u ON TRUE JOIN z USING (a)", "more than one"),
        ("nobody AS n JOIN t ON n.x = t.b JOIN z USING (a)", "more than one"),
    ],
)
def test_using_a_column_that_an_unknown_table_may_have(joins: str, why: str) -> None:
    """Whether it has one or not, the rows are the same: the leftmost is read."""
    sql = f"WITH z AS (SELECT a, c FROM t) SELECT t.b, u.k, z.c FROM {joins}"
    sql = sql if "JOIN u" in joins else sql.replace("u.k, ", "")
    plan = plan_of(sql)
    assert why in reason(plan) and bool(why) == bool(reason(plan))
    if why:
        return
    engine = duckdb.connect()
    for table in (
        "t (a INT, b INT, c TEXT)",
        "u (a INT, k INT, d TEXT)",
        "v (k INT, b INT, e INT)",
    ):
        engine.execute(f"CREATE TABLE {table}")
        values = ", ".join(f"({a}, {b}, NULL)" for a in (1, 2, "NULL") for b in (1, 2))
        engine.execute(f"INSERT INTO {table.split()[0]} VALUES {values}")
    rows = []
    for columns in ("1 AS x", "1 AS x, 7 AS a"):
        engine.execute(f"CREATE OR REPLACE TABLE nobody AS SELECT {columns}")
        rows.append(sorted(map(str, engine.execute(sql).fetchall())))
    assert rows[0] == rows[1]
    assert rows[0]
