"""Where two plans part, in words."""

from __future__ import annotations

import pytest

from unwet.rewrite.algebra import expressions
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.explain import first_difference
from unwet.rewrite.prove.judge import difference, proves
from unwet.rewrite.prove.phrases import spoken
from unwet.tests.rewrite.small_world import plan_of


def parted(left: str, right: str) -> tuple[str, str]:
    found = first_difference(plan_of(left).rel, plan_of(right).rel)
    return spoken(found[0]), spoken(found[1])


def test_the_smallest_pair_that_differs() -> None:
    assert parted("SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b = 2") == ("1", "2")
    assert parted("SELECT a FROM t WHERE c = 'x'", "SELECT a FROM t WHERE c = 'y'") == (
        "'x'",
        "'y'",
    )
    assert parted("SELECT a + 1 AS x FROM t", "SELECT a - 1 AS x FROM t") == (
        "column_1 + 1",
        "column_1 - 1",
    )


def test_two_differences_are_told_together() -> None:
    left, right = parted("SELECT a + 1 AS x FROM t", "SELECT b + 2 AS x FROM t")
    assert (left, right) == ("column_1 + 1", "column_2 + 2")


def test_other_tables_and_other_kinds_of_nodes() -> None:
    assert parted("SELECT t.a FROM t", "SELECT u.a FROM u")[0] == "t"
    left, right = parted("SELECT a FROM t", "SELECT DISTINCT a FROM t")
    assert (left, right) == ("SELECT a", "DISTINCT")


def test_settings_are_said() -> None:
    left, right = parted(
        "SELECT CAST(a AS INT) AS x FROM t", "SELECT CAST(a AS BIGINT) AS x FROM t"
    )
    assert (left, right) == ("CAST(column_1 AS INT)", "CAST(column_1 AS BIGINT)")


def test_deep_plans_are_cut() -> None:
    deep = "SELECT " + "ABS(" * 19 + "a" + ")" * 19 + " AS x FROM t"
    expr = expressions(plan_of(deep).rel)[0]
    assert spoken(expr) == "..."


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("a FROM t WHERE b >= 3", "a FROM t WHERE b > 3", "3 <= b against 3 < b"),
        ("a FROM t WHERE b >= 3", "a FROM t", "3 <= b is missing"),
        (
            "SUM(a) AS x, COUNT(*) AS y, MAX(b) AS z FROM t",
            "SUM(a + 0.5) AS x, COUNT(b) AS y, MAX(b) AS z FROM t",
            "COUNT(*) against COUNT(b)",
        ),
        (
            "SUM(a) AS x, COUNT(*) AS y FROM t",
            "SUM(a + 0.5) AS x, 2 * COUNT(*) AS y FROM t",
            "SUM(a) against SUM(a + 0.5)",
        ),
        ("a FROM t", "a FROM t WHERE c = 'x'", "c = 'x' is new"),
        ("SUM(b) AS s FROM t", "MAX(b) AS s FROM t", "SUM(b) against MAX(b)"),
        ("COUNT(DISTINCT b) AS n FROM t", "COUNT(b) AS n FROM t",
         "COUNT(DISTINCT b) against COUNT(b)"),
        ("a - b AS d FROM t", "b - a AS d FROM t", "a - b against b - a"),
        ("a, b FROM t", "b AS a, a AS b FROM t", "SELECT a, b against SELECT b, a"),
        ("t.a FROM t LEFT JOIN u ON u.a = t.a", "t.a FROM t JOIN u ON u.a = t.a",
         "LEFT JOIN ON a = a against JOIN ON a = a"),
        ("t.a FROM t LEFT JOIN u ON u.a = t.a WHERE u.k IS NULL",
         "t.a FROM t LEFT JOIN u ON u.a = t.a AND u.k IS NULL", "LEFT JOIN"),
        ("a FROM t UNION ALL SELECT a FROM u", "a FROM t",
         "u is missing"),
        ("a FROM t ORDER BY b LIMIT 3", "a FROM t ORDER BY b DESC LIMIT 3",
         "ORDER BY b LIMIT 3 against ORDER BY b DESC LIMIT 3"),
        ("a FROM t GROUP BY a, c", "a FROM t GROUP BY a", "GROUP BY "),
        ("t.a FROM t", "u.a FROM u", "t against u"),
        ("CAST(a AS INT) AS x FROM t", "CAST(a AS BIGINT) AS x FROM t",
         "CAST(a AS INT) against CAST(a AS BIGINT)"),
        ("ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) AS n FROM t",
         "ROW_NUMBER() OVER (PARTITION BY c ORDER BY b) AS n FROM t", "PARTITION BY a"),
        (
            "COALESCE(SUM(a), 0) AS x, SUM(b) AS y, SUM(COALESCE(a, 0)) AS z FROM t",
            "SUM(COALESCE(a, 0)) AS x, SUM(b) AS y, SUM(COALESCE(a, 0)) AS z FROM t",
            "COALESCE(SUM(a), 0) against SUM(COALESCE(a, 0))",
        ),
        (
            "a * 2 AS x, b * 2 AS y FROM t",
            "a * 2 AS x, b * 2 + 1 AS y FROM t",
            "b * 2 against b * 2 + 1",
        ),
        ("a + b AS x FROM (SELECT a, b * 2 AS b FROM t) AS q",
         "a - b AS x FROM (SELECT a, b * 2 AS b FROM t) AS q", "b * 2"),
    ],
)  # fmt: skip
def test_two_plans_part_in_words_of_sql(old: str, new: str, said: str) -> None:
    found = difference(plan_of(f"SELECT {old}"), plan_of(f"SELECT {new}"), Normalizer())
    told = found.removeprefix("not proved: ")
    assert told != found
    assert told == said or (" against " not in said and said in told), told


@pytest.mark.parametrize(
    ("sql", "dialect", "said"),
    [
        ("a ->> '$.x'", "duckdb", "what becomes of a text that is no JSON"),
        ("FIRST_VALUE(a) OVER (ORDER BY b)", "snowflake", "which rows its window has"),
    ],
)
def test_what_is_written_alike_parts_in_words(sql: str, dialect: str, said: str) -> None:
    old = plan_of(f"SELECT {sql.replace('$.', '')} AS x FROM t", "postgres")
    new = plan_of(f"SELECT {sql} AS x FROM t", dialect)
    told = difference(old, new, Normalizer(), dialect)
    assert told.endswith(f"though it is written alike: {said}")


def test_what_parts_deep_down_is_shown() -> None:
    deep = "SELECT POWER(ABS(ABS(ABS(ABS({0})))), ABS(ABS(ABS(ABS({1}))))) AS x FROM t"
    old, new = plan_of(deep.format("t.a", "t.b")), plan_of(deep.format("t.b", "t.a"))
    said = difference(old, new, Normalizer()).removeprefix("not proved: ")
    one, other = said.split(" against ")
    assert one.index("a)") == other.index("b)")


def test_equal_meaning_is_told_without_words() -> None:
    old = plan_of("SELECT a FROM t WHERE b >= 3")
    assert proves(old, plan_of("SELECT a FROM t WHERE NOT 3 > b"), Normalizer())
    assert not proves(old, plan_of("SELECT a FROM t WHERE b > 3"), Normalizer())
    assert not proves(old, plan_of("SELECT a AS b FROM t WHERE b >= 3"), Normalizer())


def test_sql_that_nobody_understands_is_told_in_its_own_words() -> None:
    query = (
        "SELECT p.a FROM (SELECT a, b, c FROM t WHERE {0}) AS s PIVOT (SUM(c) FOR b IN (1, {1})) "
        "AS p"
    )
    old, new = (plan_of(query.format("a > 1", n), "tsql") for n in (2, 3))
    said = difference(old, new, Normalizer(), "tsql").removeprefix("not proved: ")
    assert said == "... FOR b IN (1, 2)) AS p against ... FOR b IN (1, 3)) AS p"
    old, new = (plan_of(query.format(test, 2), "tsql") for test in ("a > 1", "a > 2"))
    said = difference(old, new, Normalizer(), "tsql").removeprefix("not proved: ")
    one, other = said.split(" against ")
    assert one.startswith("... t WHERE a > 1) AS s") and "a > 2" in other
