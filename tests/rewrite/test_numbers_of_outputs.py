"""Keys that are numbers of outputs, in a project whose dialect knows none."""

from __future__ import annotations

import pytest

from unwet import Source
from unwet.lineage.pile import load
from unwet.rewrite.refactor import Request, refactor

SCHEMA = "create table s.o (id int, customer int, status varchar(20), day date);"
QUERY = "select extract(year from day) as y, status, count(distinct customer) as n from s.o "


@pytest.mark.parametrize("dialect", ["postgres", "snowflake", "bigquery", "databricks"])
def test_tsql_says_the_expression(dialect: str) -> None:
    sources = [Source("schema.sql", SCHEMA, dialect),
               Source("r.sql", f"{QUERY} group by 1, 2", dialect)]  # fmt: skip
    result = refactor(load(sources, dialect), Request(target="views", to_dialect="tsql"))
    assert [(each.outcome, each.reason) for each in result.verdicts] == [("proved", "")]
    [text] = [text for path, text in result.files.items() if path.endswith("/marts/r.sql")]
    keys = " ".join(text.lower().partition("group by")[2].split()).rstrip(";")
    assert keys == "datepart(year, day), status"


def test_a_number_of_tsql_stays_a_constant() -> None:
    sources = [Source("schema.sql", SCHEMA, "tsql"), Source("r.sql", f"{QUERY} group by 1", "tsql")]
    result = refactor(load(sources, "tsql"), Request(target="views"))
    assert [each.outcome for each in result.verdicts] == ["proved"]
    [text] = [text for path, text in result.files.items() if path.endswith("/marts/r.sql")]
    assert text.endswith("GROUP BY\n  1;\n")


@pytest.mark.parametrize("groups", ["rollup (1)", "cube (1, 2)", "grouping sets ((1), (2), ())"])
def test_numbers_in_sets_are_kept(groups: str) -> None:
    sources = [Source("schema.sql", SCHEMA, "postgres"),
               Source("r.sql", f"select status, day, count(*) as n from s.o group by {groups}",
                      "postgres")]  # fmt: skip
    result = refactor(load(sources, "postgres"), Request(target="views", to_dialect="tsql"))
    [verdict] = result.verdicts
    assert (verdict.outcome, "numbers of outputs" in verdict.reason) == ("kept", True)


def test_a_constant_is_no_key_in_tsql() -> None:
    sources = [Source("schema.sql", SCHEMA, "postgres"),
               Source("r.sql", "select 'x' as c, status, count(*) as n from s.o group by 1, 2",
                      "postgres")]  # fmt: skip
    result = refactor(load(sources, "postgres"), Request(target="views", to_dialect="tsql"))
    assert [(each.outcome, each.reason) for each in result.verdicts] == [("proved", "")]
    [text] = [text for path, text in result.files.items() if path.endswith("/marts/r.sql")]
    assert text.endswith("GROUP BY\n  status;\n")
