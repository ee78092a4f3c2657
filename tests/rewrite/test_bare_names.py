"""Names in brackets of SQL Server, for an engine where quotes keep the case of a name."""

import pytest
from sqlglot import parse_one

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.engines.bare_names import without_quotes
from unwet.rewrite.refactor import refactor
from unwet.rewrite.request import Request
from unwet.rewrite.verdicts import Verdict

DDL = """CREATE TABLE [dbo].[Orders] ([Id] [int] NOT NULL, [Status] [nvarchar](20) NULL,
[Order Date] [date] NULL, [User] [nvarchar](20) NULL);"""


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT [Status] AS [S] FROM t", "SELECT Status AS S FROM t"),
        ("SELECT [Order Date] FROM t", 'SELECT "Order Date" FROM t'),
        ("SELECT [User], [Order], [Schema] FROM t", 'SELECT "User", "Order", "Schema" FROM t'),
        ("WITH [A] AS (SELECT 1 AS [x]) SELECT [A].[x] FROM [A]",
         "WITH A AS (SELECT 1 AS x) SELECT A.x FROM A"),
    ],
)  # fmt: skip
def test_what_is_a_plain_word_has_none(sql: str, said: str) -> None:
    tree = parse_one(sql, dialect="tsql")
    without_quotes(tree, "tsql", "snowflake")
    assert tree.sql("postgres") == said


@pytest.mark.parametrize(
    ("source", "target"),
    [("tsql", "tsql"), ("tsql", "duckdb"), ("tsql", "oracle"), ("postgres", "snowflake")],
)
def test_elsewhere_they_stay(source: str, target: str) -> None:
    tree = parse_one('SELECT "Status" FROM t', dialect="postgres")
    without_quotes(tree, source, target)
    assert tree.sql("postgres") == 'SELECT "Status" FROM t'


def verdict(sql: str, target: str) -> Verdict:
    sources = [Source("ddl.sql", DDL, "tsql"), Source("r.sql", sql, "tsql")]
    [found] = refactor(load(sources, "tsql"), Request(to_dialect=target, generated=None)).verdicts
    return found


@pytest.mark.parametrize("target", ["postgres", "snowflake", "databricks"])
def test_such_reports_are_proved(target: str) -> None:
    sql = "SELECT o.[Id], COUNT(*) AS [N] FROM [dbo].[Orders] o WHERE [Status] = 'x' GROUP BY o.Id"
    assert (verdict(sql, target).outcome, verdict(sql, target).reason) == ("proved", "")


def test_of_others_it_is_said_that_their_case_counts() -> None:
    told = verdict("SELECT [Order Date] FROM [dbo].[Orders]", "postgres")
    assert told.outcome == "kept"
    assert told.reason == (
        'not proved: its model is not understood: column "Order Date" is not known so: the case '
        "of names in quotes counts there"
    )
