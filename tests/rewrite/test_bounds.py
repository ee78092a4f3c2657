"""Chains that double at every link come back, in few steps, as small plans with the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.algebra import Join, Opaque, Rel, Scan, SetOp, walk
from unwet.rewrite.meaning import meaning_of
from unwet.rewrite.normal import STEP_LIMIT, normalize
from unwet.rewrite.plan_sql import to_sql
from unwet.rewrite.rules import bounds
from unwet.rewrite.rules.joins import flatten_inner_joins
from unwet.rewrite.rules.sets import flatten_union_all
from unwet.tests.rewrite.small_world import Worlds, plan_of

T = Scan("t", ("a", "b"))
FILE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "chains" / "links.sql"


def links() -> dict[str, str]:
    """Title -> one link."""
    found = {}
    for block in FILE.read_text(encoding="utf-8").split("\n\n")[1:]:
        title, _, sql = block.strip().partition("\n")
        found[title.removeprefix("-- ")] = sql.rstrip(";")
    return found


def chain(link: str, length: int) -> str:
    """A query of so many links over the table t."""
    ctes = ["c0 as (select a, b from t)"]
    ctes += [f"c{i} as ({link.replace('below', f'c{i - 1}')})" for i in range(1, length + 1)]
    return f"with {', '.join(ctes)} select a, b from c{length}"


def size(rel: Rel) -> int:
    """Distinct relations, subqueries' included."""
    return sum(1 for _ in walk(rel))


@pytest.mark.parametrize("title", links())
def test_a_long_chain_takes_few_steps(title: str) -> None:
    plan = plan_of(chain(links()[title], 40))
    normal, steps = normalize(plan.rel)
    assert STEP_LIMIT not in {step.rule for step in steps}
    assert len(steps) < 10_000
    assert size(plan.rel) < 400
    nodes = size(normal)  # a failed assertion must not print the plan as a tree
    assert nodes < 600


@pytest.mark.parametrize("title", links())
def test_a_chain_beyond_the_bounds_has_the_same_rows(
    title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MOST_INPUTS", 3)
    monkeypatch.setattr(bounds, "MOST_BRANCHES", 3)
    sql = chain(links()[title], 2)
    plan = plan_of(sql)
    normal, steps = normalize(plan.rel)
    assert steps
    assert normalize(normal)[0] == normal
    names = ", ".join(plan.names)
    after = f"select * from ({to_sql(normal)}) as q({names})"
    assert Worlds().difference(sql, after) == ""


def test_below_the_bounds_joins_and_unions_are_flat() -> None:
    joined = plan_of(chain(links()["joined with itself"], 5)).rel
    united = plan_of(chain(links()["united with itself"], 5)).rel
    for rel in map(lambda rel: normalize(rel)[0], (joined, united)):
        widest = max(len(getattr(node, "inputs", ())) for node in walk(rel))
        assert widest == 2**5


def test_what_would_be_too_wide_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_INPUTS", 3)
    monkeypatch.setattr(bounds, "MOST_BRANCHES", 3)
    two, pair = Join("inner", (T, T)), SetOp("union_all", (T, T))
    assert flatten_inner_joins(Join("inner", (two, T))) == Join("inner", (T, T, T))
    assert flatten_inner_joins(Join("inner", (two, two))) is None
    assert flatten_union_all(SetOp("union_all", (pair, T))) == SetOp("union_all", (T, T, T))
    assert flatten_union_all(SetOp("union_all", (pair, pair))) is None


def test_aliases_of_aliases_that_double_are_not_written_out() -> None:
    for links, understood in ((5, True), (60, False)):
        items = ", ".join(["a AS c0", *(f"c{i} + c{i} AS c{i + 1}" for i in range(links))])
        pile = load(Source("a.sql", f"CREATE TABLE t AS SELECT {items} FROM s"), "snowflake")
        (report,) = meaning_of(pile).state.reports
        assert report.definition.plan is not None
        assert isinstance(report.definition.plan.rel, Opaque) is not understood


def test_comments_that_are_never_closed_hide_nothing() -> None:
    text = (
        "CREATE TABLE t AS SELECT a FROM s;\n" + "/* " * 50_000 + "; INSERT INTO t SELECT b FROM u"
    )
    pile = load(Source("a.sql", text), "postgres")
    reports = meaning_of(pile).state.reports
    assert [report.definition.problem != "" for report in reports if report.name == "t"] == [True]
