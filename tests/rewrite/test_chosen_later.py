"""Derived tables without a name are a macro when all else is chosen; rows are what they were."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.choose import choose
from unwet.rewrite.chosen_later import name_of_query, with_derived_tables
from unwet.rewrite.compose import Draft
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.limits import NO_LIMITS, Owners
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Leaf
from unwet.tests.rewrite.small_pile import assert_same_rows

CASE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "derived_tables"
SCHEMA: dict[str, object] = {
    "pages": {"client": "TEXT", "url": "TEXT", "bytes": "INTEGER", "year": "INTEGER"},
    "technologies": {"client": "TEXT", "url": "TEXT", "vendor": "TEXT", "category": "TEXT"},
    "devices": {"client": "TEXT", "device": "TEXT"},
}
ROWS = """
    CREATE TABLE pages AS SELECT 'c' || i % 4 AS client, 'u' || i % 9 AS url,
      NULLIF(i * 7 % 23, 4) AS bytes, 2020 + i % 3 AS year FROM range(80) AS t (i);
    CREATE TABLE technologies AS SELECT 'c' || i % 5 AS client, 'u' || i % 7 AS url,
      'v' || i % 3 AS vendor, CASE WHEN i % 2 = 0 THEN 'Shop' END AS category
      FROM range(40) AS t (i);
    CREATE TABLE devices AS SELECT 'c' || i AS client, 'd' || i % 2 AS device
      FROM range(6) AS t (i);
"""
TABLE = """SELECT client, COUNT(DISTINCT url) AS total, MAX(bytes) AS heaviest FROM pages
  WHERE year = {0} AND bytes > 0 GROUP BY client"""
AROUND = (
    "SELECT a, b FROM t JOIN ({0}) USING (client) WHERE t.a > 1",
    "SELECT c FROM u LEFT JOIN ({0}) USING (client) GROUP BY c",
    "SELECT MAX(x.d) AS d FROM v AS x JOIN ({0}) USING (client)",
    "SELECT e FROM w JOIN ({0}) USING (client) ORDER BY e LIMIT 3",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("derived_tables") / "project"
    result = refactor(load(CASE, "duckdb", SCHEMA), Request(out=out))  # type: ignore[arg-type]
    assert {report.outcome for report in result.verdicts} == {"proved"}
    return out


def test_the_derived_table_is_called_after_its_table_and_what_it_computes(project: Path) -> None:
    assert [path.stem for path in (project / "macros").glob("*.sql")] == ["pages_heaviest"]
    said = {path.stem: path.read_text() for path in (project / "models").rglob("*.sql")}
    for name, year in (("share_of_vendors", 2021), ("light_pages", 2022), ("clients", 2020)):
        assert f"({{{{ pages_heaviest({year}) }}}}) using (client)" in said[name]


def test_the_rows_are_what_they_were(project: Path) -> None:
    base = duckdb.connect()
    base.execute(ROWS)
    assert_same_rows(base, project, CASE)


def chosen(table: str, *stay: str) -> Library:
    """What becomes of four different queries around such a derived table each."""
    drafts: list[Draft] = []
    for number, around in enumerate(AROUND):
        tree = sqlglot.parse_one(around.format(table.format(2020 + number)), read="duckdb")
        assert isinstance(tree, exp.Query)
        drafts.append(Draft(f"r{number}", tree, (), ()))
    library = choose(drafts, "duckdb")
    assert library.macros == ()
    return with_derived_tables(library, "duckdb", frozenset(stay), Owners(NO_LIMITS))


def test_each_call_says_what_its_copy_has() -> None:
    library = chosen(TABLE)
    assert [macro.name for macro in library.macros] == ["heaviest_rows"]  # of a table without token
    assert [[leaf.text for _, leaf in call.args] for call in library.calls] == [
        ["2020"], ["2021"], ["2022"], ["2023"]
    ]  # fmt: skip


def test_models_that_stay_keep_their_words() -> None:
    library = chosen(TABLE, "r1")
    assert [call.args[0][1].text for call in library.calls] == ["2020", "2022", "2023"]
    assert "2021" in library.models["r1"].sql("duckdb")


def test_columns_of_one_table_are_looked_up_nowhere() -> None:
    plain = "SELECT client, url, bytes, year FROM pages WHERE year = {0} AND bytes > 0"
    assert chosen(plain).macros == ()


def test_what_a_correlated_query_says_stays_where_it_is() -> None:
    lateral = "SELECT a FROM t JOIN LATERAL ({0}) ON TRUE"
    table = TABLE.replace("bytes > 0", "bytes > t.a")
    drafts: list[Draft] = []
    for number in range(3):
        tree = sqlglot.parse_one(
            lateral.format(table.format(2020)) + f" LIMIT {number + 1}", read="duckdb"
        )
        assert isinstance(tree, exp.Query)
        drafts.append(Draft(f"r{number}", tree, (), ()))
    library = Library({draft.name: draft.tree for draft in drafts}, (), ())
    found = with_derived_tables(library, "duckdb", frozenset(), Owners(NO_LIMITS))
    assert found.macros == ()


@pytest.mark.parametrize(("said", "made"), [("h__x__h", 0), ("5", 1)])
def test_a_query_that_hands_a_parameter_on_stays_in_its_macro(said: str, made: int) -> None:
    """The parameter of a macro has a value in that macro only, and is no leaf of the query."""
    table = TABLE.format(2021).replace("bytes > 0", "handed_on")
    trees = [sqlglot.parse_one(around.format(table), read="duckdb") for around in AROUND]
    for number, tree in enumerate(trees):
        for column in [c for c in tree.find_all(exp.Column) if c.name == "handed_on"]:
            column.replace(exp.Var(this=f"call__{number}__call"))
    calls = tuple(MacroCall("rule", (("x", Leaf("number", said)),)) for _ in trees)
    macros = tuple(Macro(f"m{n}", ("x",), tree, "query", "") for n, tree in enumerate(trees))
    found = with_derived_tables(
        Library({}, macros, calls), "duckdb", frozenset(), Owners(NO_LIMITS)
    )
    assert len(found.macros) == len(AROUND) + made


_TICKETS = "SELECT topic, SUM(n) AS late FROM src__shop__tickets__src WHERE topic = '{}' GROUP BY 1"


@pytest.mark.parametrize(
    ("other", "name"),
    [("delivery", "tickets_delivery_late"), ("product", "tickets_late")],
)
def test_a_text_that_only_one_of_two_queries_says_is_not_for_their_name(
    other: str, name: str
) -> None:
    one, two = (sqlglot.parse_one(_TICKETS.format(topic)) for topic in ("delivery", other))
    assert name_of_query(one, two) == name


def test_branches_of_one_union_are_a_loop_and_no_macro_after_one_of_them() -> None:
    branch = ("SELECT '{0}' AS scope, t.topic, SUM(t.x) AS spend, COUNT(*) AS n, MAX(t.z) AS late "
              "FROM s.tickets AS t WHERE t.topic = '{0}' GROUP BY t.topic")  # fmt: skip
    union = " UNION ALL ".join(map(branch.format, ("delivery", "product", "other")))
    tables = "CREATE TABLE s.tickets (id INT, topic TEXT, x INT, y INT, z INT);"
    pile = load([Source("p/t.sql", tables), Source("p/by_topic.sql", union)], "duckdb")
    files = refactor(pile, Request(generated=None)).files
    [model] = [text for path, text in files.items() if path.endswith(".sql")]
    assert model.startswith("{% for scope in ['delivery', 'product', 'other'] %}")
    assert model.count("select") == 1
