"""DELETE without FROM, and words between the two that are no table."""

from __future__ import annotations

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor

MADE = "CREATE TABLE rep.r (k INT, n INT);\nINSERT INTO rep.r SELECT k, n FROM shop.p;\n"


def said(change: str, dialect: str) -> tuple[str, str]:
    """The verdict of rep.r, and why."""
    pile = load([Source("r.sql", MADE + change, dialect)], dialect)
    verdicts = {each.name: each for each in refactor(pile, Request()).verdicts}
    return verdicts["r"].outcome, verdicts["r"].reason


@pytest.mark.parametrize(
    ("change", "dialect"),
    [
        ("DELETE rep.r WHERE n > 1", "bigquery"),
        ("DELETE rep.r AS x WHERE x.n > 1", "bigquery"),
        ("DELETE rep.r WHERE n > 1", "tsql"),
        ("DELETE rep.r x WHERE x.n > 1", "oracle"),
        ("DELETE rep.r WHERE n > 1", "snowflake"),
    ],
)
def test_from_may_be_left_out(change: str, dialect: str) -> None:
    assert said(change, dialect) == ("proved", "")


@pytest.mark.parametrize(
    ("change", "dialect", "why"),
    [
        ("DELETE TOP (5) FROM rep.r WHERE n > 1", "tsql", "DELETE with limit is not followed"),
        ("DELETE TOP (@n) FROM rep.r", "tsql", "DELETE with limit is not followed"),
        ("DELETE TOP (5) PERCENT FROM rep.r", "tsql", "may write to it"),
        ("UPDATE TOP (5) rep.r SET n = 0", "tsql", "may write to it"),
        ("DELETE FROM x FROM rep.r AS x WHERE x.n > 1", "tsql", "may write to it"),
        ("WITH x AS (SELECT * FROM rep.r) DELETE x WHERE n > 1", "tsql", "DELETE with"),
        ("DELETE quick FROM rep.r AS quick JOIN raw.u ON u.n = quick.n", "tsql", "DELETE with"),
        ("DELETE QUICK x FROM rep.r AS x JOIN raw.u ON u.n = x.n", "mysql", "DELETE with"),
    ],
)
def test_what_takes_other_rows_is_a_reason(change: str, dialect: str, why: str) -> None:
    outcome, reason = said(change, dialect)
    assert outcome == "kept" and why in reason, reason


@pytest.mark.parametrize("word", ["LOW_PRIORITY", "QUICK", "LOW_PRIORITY QUICK"])
def test_when_it_is_done_is_no_table(word: str) -> None:
    pile = load([Source("r.sql", f"DELETE {word} FROM rep.r WHERE n > 1", "mysql")], "mysql")
    [resolved] = pile.resolved
    assert resolved.target == "rep.r" and not resolved.more
