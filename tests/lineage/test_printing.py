"""Parts of statements in the words that their authors have for them."""

import pytest
from sqlglot import exp, parse_one

from unwet.lineage.parse import parse
from unwet.lineage.printing import as_said
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask


def parts(sql: str, dialect: str, *kinds: type[exp.Expr]) -> list[str]:
    """The parts of these kinds, as they are said."""
    [statement] = parse(mask(Source("a.sql", sql, dialect)), dialect).statements
    return [as_said(node, dialect) for node in statement.tree.find_all(*kinds)]


@pytest.mark.parametrize("dialect", ["tsql", "fabric"])
def test_days_between_moments_are_no_casts(dialect: str) -> None:
    sql = "SELECT DATEDIFF(DAY, a, b) AS days FROM t"
    assert parts(sql, dialect, exp.DateDiff) == ["DATEDIFF(DAY, a, b)"]


def test_what_a_difference_is_of_is_said_as_it_was_written() -> None:
    """There is no word for that in T-SQL: the parser puts it around each side of a DATEDIFF."""
    sql = "SELECT DATEDIFF(DAY, a, EOMONTH(b)) AS days FROM t"
    assert parts(sql, "tsql", exp.TimeStrToTime) == ["EOMONTH(b)", "a"]


def test_a_part_says_as_often_as_it_is_read_the_same() -> None:
    said = ["DATEDIFF(DAY, CAST(a AS DATETIME2), b)"]
    for _ in range(3):
        said = parts(f"SELECT {said[0]} AS days FROM t", "tsql", exp.DateDiff)
    assert said == ["DATEDIFF(DAY, CAST(a AS DATETIME2), b)"]


def test_a_truth_that_is_a_value_has_a_type() -> None:
    sql = "SELECT COALESCE(a, TRUE) AS x FROM t"
    assert parts(sql, "databricks", exp.Coalesce) == ["COALESCE(a, TRUE)"]


@pytest.mark.parametrize("dialect", ["tsql", "databricks", "bigquery", "postgres", ""])
def test_the_part_itself_stays_as_it_is(dialect: str) -> None:
    tree = parse_one("SELECT DATEDIFF(DAY, a, b) AS x FROM t", dialect="tsql")
    before = repr(tree)
    [days] = tree.find_all(exp.DateDiff)
    as_said(days, dialect)
    assert repr(tree) == before
