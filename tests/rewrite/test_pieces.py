"""Parts of queries that are macros: expressions over other columns, and lists of columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from sqlglot import exp, parse_one

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.choose import choose
from unwet.rewrite.library import Macro
from unwet.rewrite.refactor import Request, refactor
from unwet.tests.rewrite.laid_out import flat
from unwet.tests.rewrite.small_pile import models
from unwet.tests.rewrite.test_choose import draft

BANDS = "CASE WHEN {0} < 18 THEN 'a child' WHEN {0} < 30 THEN 'young' WHEN {0} < 65 THEN 'adult' "
BANDS += "WHEN {0} >= 65 THEN 'old' ELSE 'nobody knows' END"
COUNTS = (
    "COUNT(DISTINCT CASE WHEN opened < '2024-01-01' AND (closed IS NULL OR closed > '2024-01-31') "
    "THEN id END) AS open_before, "
    "COUNT(DISTINCT CASE WHEN opened >= '2024-01-01' AND (closed IS NULL OR closed > '2024-01-31') "
    "THEN id END) AS open_new, 'monthly' AS product"
)
SCHEMA: dict[str, object] = {
    "stays": {"id": "INTEGER", "opened": "TEXT", "closed": "TEXT", "ward": "TEXT", "age": "INTEGER",
              "region": "TEXT"}
}  # fmt: skip
REPORTS = {
    "by_ward": f"SELECT ward, {COUNTS} FROM stays GROUP BY ward",
    "by_region": f"SELECT region, ward, {COUNTS} FROM stays WHERE age > 3 GROUP BY region, ward",
    "of_all": f"SELECT 1 AS one, {COUNTS} FROM stays AS s",
    "by_age": f"SELECT {BANDS.format('s.age')} AS age_band, {COUNTS} FROM stays AS s "
    f"GROUP BY {BANDS.format('s.age')}",
    "by_age_2": f"SELECT 2 AS two, {BANDS.format('age')} AS age_band, MAX(ward) AS ward FROM stays "
    f"WHERE region = 'north' GROUP BY {BANDS.format('age')}",
    "by_age_3": f"SELECT id, ward, {BANDS.format('age - 1').replace('age - 1', 'age')} AS age_band "
    "FROM stays WHERE NOT closed IS NULL ORDER BY id",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pieces") / "project"
    sources = [Source(f"{name}.sql", sql) for name, sql in REPORTS.items()]
    result = refactor(load(sources, "duckdb", SCHEMA), Request(out=out))  # type: ignore[arg-type]
    assert {report.outcome for report in result.verdicts} == {"proved"}
    return out


def test_a_list_of_columns_and_an_expression_are_macros(project: Path) -> None:
    macros = {path.stem: path.read_text() for path in (project / "macros").glob("*.sql")}
    assert sorted(macros) == ["age_band", "open_columns"]
    assert macros["open_columns"].count(" as ") == 3
    assert macros["age_band"].startswith("{% macro age_band(age=")
    ward = (project / "models" / "marts" / "by_ward.sql").read_text()
    assert flat(ward).startswith("select ward, {{ open_columns() }} from")


def test_what_is_grouped_by_is_said_once(project: Path) -> None:
    text = (project / "models" / "marts" / "by_age.sql").read_text()
    assert text.count("age_band") == 2  # the macro and the column
    assert text.endswith("group by all\n")


def test_the_rows_are_what_they_were(project: Path) -> None:
    base = duckdb.connect()
    base.execute(
        "CREATE TABLE stays AS SELECT i AS id, '2023-12-' || (10 + i % 20) AS opened, "
        "CASE WHEN i % 3 > 0 THEN '2024-02-' || (10 + i % 9) END AS closed, 'w' || i % 4 AS ward, "
        "CASE WHEN i % 11 > 0 THEN i * 7 % 90 END AS age, "
        "CASE WHEN i % 2 = 0 THEN 'north' END AS region FROM range(200) AS r (i)"
    )
    made = models(project)
    for name, sql in REPORTS.items():
        new, old = base.execute(made[name]).fetchall(), base.execute(sql).fetchall()
        assert sorted(new, key=str) == sorted(old, key=str), name


def test_no_parameter_is_called_like_a_macro() -> None:
    body = BANDS.format("{0}.band") + " AS {1}"
    sql = "SELECT b, " + body + " FROM t AS {0} WHERE b > {2} GROUP BY b"
    drafts = [draft(f"r{i}", sql.format(f"t{i}", f"band_{i}", i)) for i in range(4)]
    drafts += [draft(f"q{i}", f"SELECT {'c, ' * i}{body.format('y', 'band')} FROM u AS y")
               for i in range(2)]  # fmt: skip
    library = choose(drafts, "duckdb")
    names = {macro.name for macro in library.macros}
    assert names
    assert not names & {name for macro in library.macros for name in macro.params}


def test_columns_alone_and_short_expressions_are_no_macros() -> None:
    drafts = [
        draft(f"r{i}", f"SELECT {'ABS(' * i}x{')' * i} AS x, a, b, c, d, e, f + g AS h FROM t")
        for i in range(9)
    ]
    assert choose(drafts, "duckdb").macros == ()


def test_a_short_list_that_very_many_say_is_a_macro_called_after_its_numbers() -> None:
    levels = ", ".join(f"CAST(NULL AS TEXT) AS level_{n}" for n in (2, 3, 4))
    drafts = [draft(f"r{i}", f"SELECT {'ABS(' * i}x{')' * i} AS a, {levels}, b{i} FROM t{i}")
              for i in range(13)]  # fmt: skip
    [macro] = choose(drafts, "duckdb").macros
    assert macro.name == "level_2_to_4"
    assert choose(drafts[:9], "duckdb").macros == ()


def test_a_long_list_of_columns_alone_is_a_macro_where_many_say_it() -> None:
    names = ", ".join(f"{word}_value" for word in "abcdefghi")
    drafts = [draft(f"r{i}", f"SELECT {names}, {'ABS(' * i}x{')' * i} AS y FROM t{i}")
              for i in range(7)]  # fmt: skip
    [macro] = choose(drafts, "duckdb").macros
    assert len(macro.tree.expressions) == 9
    assert choose(drafts[:5], "duckdb").macros == ()


def test_what_is_a_query_or_stands_for_nothing_read_is_left() -> None:
    inner = (
        "(SELECT MAX(x) FROM u WHERE u.k = t.k AND u.day < '2024-01-01' AND u.kind IN ('a', 'b'))"
    )
    drafts = [draft(f"r{i}", f"SELECT {'z, ' * i}COALESCE({inner}, a, b, c, d) AS m FROM t")
              for i in range(6)]  # fmt: skip
    assert all(
        macro.kind not in ("items", "expression") for macro in choose(drafts, "duckdb").macros
    )


OVER = "SUM((SELECT SUM(e.n) FROM UNNEST({0}) AS t(e) WHERE e.kind = '{1}' AND e.n > 0)) AS {2}"
ARRAYS: dict[str, object] = {
    "days": {
        "id": "INTEGER",
        "seen": "STRUCT(kind TEXT, n INTEGER)[]",
        "sold": "STRUCT(kind TEXT, n INTEGER)[]",
    }
}


def test_a_query_over_the_elements_of_an_array_is_a_macro_called_after_these(
    tmp_path: Path,
) -> None:
    said = [("seen", "ad", "ads"), ("sold", "ad", "bought"), ("seen", "link", "links")]
    reports = {
        "one": f"SELECT id, {', '.join(OVER.format(*each) for each in said)} FROM days GROUP BY id",
        "two": f"SELECT {OVER.format('sold', 'link', 'other')}, MAX(id) AS last FROM days",
    }
    sources = [Source(f"{name}.sql", sql) for name, sql in reports.items()]
    out = tmp_path / "project"
    result = refactor(load(sources, "duckdb", ARRAYS), Request(out=out))  # type: ignore[arg-type]
    assert {report.outcome for report in result.verdicts} == {"proved"}
    [macro] = (out / "macros").glob("*.sql")
    assert macro.stem == "sum_n"
    base = duckdb.connect()
    base.execute(
        "CREATE TABLE days AS SELECT i // 2 AS id, [{'kind': 'ad', 'n': i}, {'kind': 'link', 'n': "
        "CASE WHEN i % 3 > 0 THEN i - 2 END}] AS seen, CASE WHEN i % 4 > 0 THEN [{'kind': "
        "CASE WHEN i % 5 > 0 THEN 'link' END, 'n': 7}] END AS sold FROM range(20) AS r (i)"
    )
    made = models(out)
    for name, sql in reports.items():
        new, old = base.execute(made[name]).fetchall(), base.execute(sql).fetchall()
        assert sorted(new, key=str) == sorted(old, key=str), name


@pytest.mark.parametrize(
    "source",
    ["t.list AS e", "UNNEST(t.list) AS e, t.other AS o", "(SELECT * FROM UNNEST(t.list)) AS e",
     "UNNEST(t.list) AS e JOIN u ON u.kind = e.kind"],
)  # fmt: skip
def test_a_query_that_reads_what_may_be_a_relation_is_in_no_macro(source: str) -> None:
    inner = f"(SELECT SUM(e.n) FROM {source} WHERE e.kind = '{{0}}' AND e.n > 0 AND e.m < 9)"
    drafts = [draft(f"r{i}", f"SELECT {'ABS(' * i}z{')' * i} AS z, "
                    f"COALESCE({inner.format(i)}, a, b) AS m FROM t")
              for i in range(6)]  # fmt: skip
    macros = choose(drafts, "bigquery").macros
    parts = [macro for macro in macros if macro.kind in ("items", "expression")]
    assert all(macro.tree.find(exp.Query) is None for macro in parts)


def test_a_name_that_is_an_element_here_and_a_column_there_is_said_by_the_call() -> None:
    inner = "(SELECT SUM(x + 1) FROM UNNEST(list) AS {0} WHERE NOT x IS NULL AND x > 3 AND x < 99)"
    drafts = [draft(f"r{i}", f"SELECT {'z, ' * i}{inner.format(name)} AS m FROM t{i}")
              for i, name in enumerate("xxyyxy")]  # fmt: skip
    library = choose(drafts, "bigquery")
    [macro] = library.macros
    assert macro.kind == "expression"
    assert len(macro.params) == 1
    said = {dict((*call.args, *call.unsaid))[macro.params[0]].text for call in library.calls}
    assert said == {"x", "y"}


def test_a_page_of_nothing_but_columns_is_a_macro_where_three_say_it() -> None:
    names = [f"{word}_value" for word in "abcdefghijkl"]
    drafts = [draft(f"r{i}", f"SELECT {', '.join(names)}, {'ABS(' * i}x{')' * i} AS y FROM t{i}")
              for i in range(3)]  # fmt: skip
    [macro] = choose(drafts, "duckdb").macros
    assert [item.name for item in macro.tree.expressions] == names
    mixed = [draft(f"r{i}", f"SELECT {', '.join(names)}, 1 AS one, {'ABS(' * i}x{')' * i} AS y "
                   f"FROM t{i}") for i in range(3)]  # fmt: skip
    assert len(choose(mixed, "duckdb").macros[0].tree.expressions) == len(names)
    assert choose(drafts[:2], "duckdb").macros == ()


def test_a_whole_page_of_them_is_one_where_two_say_it() -> None:
    def said(many: int) -> tuple[Macro, ...]:
        names = ", ".join(f"{word}_value" for word in "abcdefghijklmnopqr"[:many])
        other = f"SELECT k, {names} FROM t2 JOIN t3 USING (k) WHERE z > 2"
        drafts = [draft("r1", f"SELECT {names}, 1 AS y FROM t1"), draft("r2", other)]
        return choose(drafts, "duckdb").macros

    assert [len(macro.tree.expressions) for macro in said(16)] == [16]
    assert said(15) == ()


def test_a_row_made_of_columns_is_part_of_a_macro() -> None:
    row = "(SELECT AS STRUCT t.metrics.* EXCEPT (jwe, url, text), t.more.name AS {0}) AS metrics"
    said = [f"SELECT {'z, ' * i}{row.format('title')} FROM t" for i in range(6)]
    trees = [parse_one(each, read="bigquery") for each in said]
    drafts = [replace(draft(f"r{i}", "SELECT 1"), tree=each) for i, each in enumerate(trees)
              if isinstance(each, exp.Select)]  # fmt: skip
    [macro] = choose(drafts, "bigquery").macros
    assert macro.kind == "expression"
    assert "EXCEPT (jwe, url, text)" in macro.tree.sql("bigquery")


SETS = """GROUPING SETS ((region, ward), (region, ward, product), (region, ward, age, product),
    (region, age), (product), (product, age), (ward, product, age), (region, ward, age), ())"""
GROUPED = {
    "counts": f"SELECT region, ward, age, product, COUNT(*) AS n FROM {{0}} GROUP BY {SETS}",
    "oldest": f"SELECT MAX(id) AS id, region, ward, age, product FROM {{0}} WHERE id > 3 "
    f"GROUP BY {SETS} ORDER BY 1",
    "least": f"SELECT MIN(id) AS least, product, age FROM {{0}} WHERE age > 1 GROUP BY {SETS} "
    "HAVING MIN(id) > 1",
    "of_ward": f"SELECT SUM(id) AS total FROM {{0}} GROUP BY "
    f"{SETS.replace('region', 'ward').replace('ward, ward', 'ward')}",
}


def test_grouping_sets_are_a_macro_called_after_their_columns(tmp_path: Path) -> None:
    sources = [Source(f"{n}.sql", sql.format("stays")) for n, sql in GROUPED.items()]
    schema = {"stays": {"id": "INTEGER", "region": "TEXT", "ward": "TEXT", "age": "INTEGER",
                        "product": "TEXT"}}  # fmt: skip
    result = refactor(load(sources, "duckdb", schema), Request(out=tmp_path / "p"))
    assert {report.outcome for report in result.verdicts} == {"proved"}
    macro = (tmp_path / "p" / "macros" / "region_grouping_sets.sql").read_text()
    assert macro.count("grouping sets") == 1
    for name in ("counts", "oldest", "least"):
        text = (tmp_path / "p" / "models" / "marts" / f"{name}.sql").read_text()
        assert "group by {{ region_grouping_sets() }}" in flat(text)
    base = duckdb.connect()
    base.execute(
        "CREATE TABLE stays AS SELECT i AS id, CASE WHEN i % 2 = 0 THEN 'north' END AS region, "
        "'w' || i % 4 AS ward, i % 5 AS age, CASE WHEN i % 7 > 0 THEN 'p' || i % 3 END AS product "
        "FROM range(100) AS r (i) UNION ALL SELECT 1, NULL, NULL, NULL, NULL"
    )
    made = models(tmp_path / "p")
    for name, sql in GROUPED.items():
        new, old = base.execute(made[name]).fetchall(), base.execute(sql.format("stays")).fetchall()
        assert sorted(new, key=str) == sorted(old, key=str), name
