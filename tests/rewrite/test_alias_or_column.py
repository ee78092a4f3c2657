"""A name that is an alias of the select list, and a column of a table that nobody declares."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.meaning import meaning_of
from unwet.rewrite.normal import normalize_plan
from unwet.rewrite.prove.projects import render_project
from unwet.rewrite.refactor import Request, Result, refactor

ROWS = "CREATE TABLE t AS SELECT * FROM (VALUES (1, 5), (5, 1), (NULL, 2), (2, NULL)) AS v(a, b)"
SEEN = "SELECT t.b, COUNT(*) AS n FROM t GROUP BY t.b"


def refactored(out: Path, *scripts: str) -> Result:
    sources = [Source(f"{'abcdef'[at]}.sql", text) for at, text in enumerate(scripts)]
    return refactor(load(sources, "duckdb"), Request(out=out, generated=None, force=True))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT t.a AS b, t.a + 1 AS c, COUNT(*) OVER () AS n FROM t WHERE {0} > 1",
        "SELECT t.a AS b, {0} + 1 AS c, COUNT(*) OVER () AS n FROM t WHERE t.a > 0",
        "SELECT a AS b, SUM(b) AS s, a + 1 AS c, COUNT(*) AS n FROM t WHERE {0} > 1 GROUP BY a",
    ],
)
def test_a_column_that_others_read_is_one(tmp_path: Path, query: str) -> None:
    """DuckDB: where there is a column of that name, it is meant. Two reports, of which one said the
    alias and one what it stands for, were one macro."""
    scripts = [query.format("b"), SEEN, query.format("a")]
    result = refactored(tmp_path, *scripts)
    assert {each.outcome for each in result.verdicts} == {"proved"}
    assert not [said for said in result.assumptions if "has no column" in said]
    with duckdb.connect() as base:
        base.execute(ROWS)
        for model in render_project(tmp_path).models:
            old = base.sql(scripts["abc".index(model.name)]).fetchall()
            assert sorted(map(repr, base.sql(model.sql).fetchall())) == sorted(map(repr, old))
        first, _, third = (sorted(map(repr, base.sql(each).fetchall())) for each in scripts)
        assert first != third


def test_what_nobody_reads_is_the_alias(tmp_path: Path) -> None:
    query = "SELECT t.a AS b, t.a + 1 AS c FROM t WHERE {0} > 1"
    result = refactored(tmp_path, query.format("b"), query.format("t.a"))
    assert {each.outcome for each in result.verdicts} == {"proved"}
    [said] = [each for each in result.assumptions if "has no column" in each]
    assert said == "t has no column b: the alias is meant where a query reads that name"


ITEM = "SELECT p.k, e.x, COUNT(*) AS n FROM d.pages AS p, UNNEST(p.items) AS e GROUP BY {0}"


@pytest.mark.parametrize(
    ("others", "keys", "same"),
    [
        ((), "k, x", True),
        (("SELECT p.x FROM d.pages AS p",), "k, x", True),  # as e.x would not be grouped
        ((), "k, UPPER(x)", False),
        ((), "k, y", False),
    ],
)
def test_a_path_of_bigquery_is_called_by_its_last_word(
    others: tuple[str, ...], keys: str, same: bool
) -> None:
    texts = (ITEM.format(keys), ITEM.format("p.k, e.x"), *others)
    sources = [Source(f"{'abc'[at]}.sql", text, "bigquery") for at, text in enumerate(texts)]
    state = meaning_of(load(sources, "bigquery")).state
    found = [each.definition.plan for each in state.reports[:2]]
    assert found[0] is not None and found[1] is not None
    assert (normalize_plan(found[0])[0].rel == normalize_plan(found[1])[0].rel) == same
