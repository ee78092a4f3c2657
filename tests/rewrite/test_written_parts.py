"""A query that only one copy has is a block of its model, which its call hands on."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.library import MacroCall
from unwet.rewrite.placed_calls import call_node
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.written_parts import bound_calls, is_marked, letters, marked, may_be_handed_on
from unwet.tests.rewrite.small_pile import models
from unwet.tests.rewrite.test_variants import ROWS, SCHEMA

REPORT = """
    CREATE TABLE {name} AS
    SELECT s.region, s.provider, COUNT(*) AS stays, COUNT(DISTINCT s.person) AS persons,
      SUM(s.minutes) AS minutes, MIN(s.minutes) AS shortest, MAX(s.minutes) AS longest,
      MIN(s.year) AS first_year, MAX(s.year) AS last_year, SUM(s.minutes) / 60 AS hours,
      COUNT(s.minutes) AS timed, MIN(s.service) AS service, MAX(s.service) AS other_service
    FROM stays AS s JOIN ({picked}) AS picked ON picked.person = s.person
    WHERE s.minutes > 1 AND s.year >= 2021
    GROUP BY s.region, s.provider HAVING COUNT(*) > 1"""
PICKED = {
    "grown_ups": "SELECT p.person FROM people AS p WHERE p.age > 17",
    "travellers": """SELECT t.person FROM stays AS t JOIN regions AS r ON r.region = t.region
        WHERE r.open GROUP BY t.person HAVING COUNT(DISTINCT t.region) > 1""",
    "no_teens": """SELECT p.person FROM people AS p WHERE p.age < 16
        UNION ALL SELECT p.person FROM people AS p WHERE p.age > 18""",
}


def test_each_copy_hands_on_its_own_query(tmp_path: Path) -> None:
    texts = {name: REPORT.format(name=name, picked=query) for name, query in PICKED.items()}
    pile = load([Source(f"{name}.sql", text, "duckdb") for name, text in texts.items()],
                schema=SCHEMA)  # type: ignore[arg-type]  # fmt: skip
    result = refactor(pile, Request(out=tmp_path / "project"))
    assert [(v.outcome, v.name) for v in result.verdicts] == [("proved", n) for n in sorted(texts)]
    assert len([*(tmp_path / "project" / "macros").glob("*.sql")]) == result.macros == 1
    for name in texts:
        model = (tmp_path / "project" / "models" / "marts" / f"{name}.sql").read_text("utf-8")
        assert re.search(r"^{% set (\w+) %}\n    select.*^{% endset %}\n.*\(\1\)", model,
                         re.DOTALL | re.MULTILINE)  # fmt: skip
    base = duckdb.connect()
    base.execute(ROWS)
    made = models(tmp_path / "project")
    for name, text in texts.items():
        base.execute(text)
        assert base.sql(f"SELECT COUNT(*) FROM {name}").fetchall() != [(0,)]
        for one, other in ((name, f"({made[name]})"), (f"({made[name]})", name)):
            assert base.sql(f"FROM {one} EXCEPT ALL FROM {other}").fetchall() == []


CALLS = (
    MacroCall("m", (("a", Leaf("number", "1")),)),
    MacroCall("m", (("a", Leaf("number", "h__a__h")),)),
    MacroCall("n", (("q", Leaf("condition", "call__1__call")),)),
    MacroCall("n", (("q", Leaf("condition", "call__0__call")),)),
)


def test_calls_that_hand_on_a_parameter() -> None:
    assert bound_calls(CALLS) == {1, 2}


@pytest.mark.parametrize(
    ("query", "may"),
    [
        ("SELECT * FROM (SELECT a FROM t) AS x", True),
        ("SELECT * FROM u JOIN (SELECT a FROM t UNION ALL SELECT b FROM t) AS x ON TRUE", True),
        ("WITH x AS (SELECT a FROM t) SELECT * FROM x", True),
        ("SELECT * FROM (SELECT a FROM call__0__call) AS x", True),
        ("SELECT * FROM (SELECT a FROM call__3__call) AS x", True),
        ("SELECT * FROM (SELECT a FROM call__1__call) AS x", False),
        ("SELECT * FROM (SELECT a FROM call__2__call) AS x", False),
        ("SELECT * FROM (SELECT a FROM t WHERE b = 'h__b__h') AS x", False),
        ("SELECT * FROM (SELECT a FROM t WHERE b = h__b__h) AS x", False),
        ("SELECT * FROM (SELECT a FROM tail__0__tail) AS x", False),
        ("SELECT * FROM u CROSS JOIN LATERAL (SELECT u.a) AS x", False),
        ("SELECT * FROM u WHERE u.a IN (SELECT a FROM t)", False),
        ("SELECT (SELECT MAX(a) FROM t) AS a", False),
    ],
)
def test_which_queries_may_be_handed_on(query: str, may: bool) -> None:
    tree = sqlglot.parse_one(query, read="duckdb")
    inner = [node for node in tree.walk() if isinstance(node, exp.Query) and node is not tree]
    found = [node for node in inner if may_be_handed_on(node, bound_calls(CALLS))]
    assert bool(found) is may


def test_a_query_is_called_by_a_short_word() -> None:
    one, same, other = (sqlglot.parse_one(f"SELECT {c} AS a FROM t WHERE b = 1") for c in "aac")
    assert isinstance(one, exp.Query) and isinstance(same, exp.Query)
    assert isinstance(other, exp.Query)
    word = marked(one)
    assert word == marked(same) != marked(other)
    assert is_marked(word) and not is_marked("a = 1")
    assert letters(word) < 30 and letters("a = 1") == 5


def test_a_query_with_a_call_as_a_branch_is_called_by_a_word_too() -> None:
    query = sqlglot.parse_one("SELECT a FROM (SELECT 1 AS a UNION ALL SELECT 2) AS x")
    branch = next(node for node in query.find_all(exp.Union)).expression
    branch.replace(call_node("ones", (("a", Leaf("number", "1")),)))
    assert isinstance(query, exp.Query) and is_marked(marked(query))
    with pytest.raises(OptimizeError):  # which is why it has no dialect
        query.sql(dialect="tsql")
