"""Walks that are known again are those of trees that nobody has changed since."""

from __future__ import annotations

from sqlglot import parse_one

from unwet.rewrite.abstract import Unit
from unwet.rewrite.in_step import Candidate, How, Tried, Walks
from unwet.rewrite.shapes import Survey

HOW = How("duckdb", lists=False, own=False)
ONE = """select a.id, sum(a.x) as x, max(a.y) as y, min(a.z) as z, count(a.v) as v from t as a
join u as b on a.id = b.id where a.x > 1 and a.y < 2 group by a.id order by a.id"""


def candidate(sql: str, host: str) -> Candidate:
    tree = parse_one(sql, dialect="duckdb")
    survey = Survey(tree)
    return Candidate([Unit("whole", host, tree, survey.shape(tree), host)], survey)


def again(known: Candidate) -> Candidate:
    """The same tree in the next round, after somebody has looked at it anew."""
    return Candidate(known.units, Survey(known.node))


def same(one: Tried, other: Tried) -> bool:
    return (one.done, one.cost, one.differences) == (other.done, other.cost, other.differences)


def test_a_walk_is_taken_once() -> None:
    walks = Walks()
    one, other = candidate(ONE, "one"), candidate(ONE.replace("a.y < 2", "a.y is null"), "other")
    tried = walks.tried(one, other, HOW)
    assert tried.done and tried.cost
    assert walks.tried(Candidate(one.units, one.survey), other, HOW) is tried
    walk = walks.walk(one, other, HOW)
    walks.forget()
    assert (walk.cuts, walk.sites) == (tried.cuts, tried.sites)
    assert walks.walk(one, other, HOW).nodes == walk.nodes


def test_another_way_to_walk_is_another_walk() -> None:
    walks = Walks()
    one, other = candidate(ONE, "one"), candidate(ONE.replace("a.id, sum", "a.id, 5, sum"), "other")
    assert not walks.tried(one, other, HOW).done
    assert walks.tried(one, other, HOW._replace(lists=True)).done


def test_a_tree_that_has_changed_is_walked_anew() -> None:
    walks = Walks()
    one, other = candidate(ONE, "one"), candidate(ONE.replace("a.y < 2", "a.y is null"), "other")
    tried = walks.tried(one, other, HOW)
    other.node.set("where", one.node.args["where"].copy())
    made = again(other)
    found = walks.tried(one, made, HOW)
    assert found is not tried and found.cost == 0
    assert same(found, Walks().tried(one, made, HOW))


def test_what_is_known_of_other_trees_goes() -> None:
    walks = Walks()
    one, other = candidate(ONE, "one"), candidate(ONE.replace("> 1", "is null"), "other")
    tried = walks.tried(one, other, HOW)
    walks.only([one.survey, other.survey])
    assert walks.tried(one, other, HOW) is tried
    walks.only([one.survey])
    assert walks.tried(one, other, HOW) is not tried
