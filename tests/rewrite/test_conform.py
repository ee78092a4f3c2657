"""Reports that differ in constants only get one wording; anything else is left alone."""

from collections.abc import Mapping

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.compose import Draft, compose
from unwet.rewrite.conform import conform
from unwet.rewrite.normal import normalize
from unwet.rewrite.script import end_state

SCHEMA = {"s.o": ["id", "country", "status", "cents"], "s.i": ["o_id", "qty"]}
ONE = """create table r.de as select o.id, sum(i.qty) as n from s.o o join s.i i on i.o_id = o.id
where o.country = 'DE' and o.cents > 5 group by o.id"""
OTHER = """create table r.at as select x.id, sum(items.qty) as n from s.i items, s.o as x
where 5 < x.cents and x.country = 'AT' and x.id = items.o_id group by x.id"""


def drafts(*texts: str) -> tuple[tuple[Draft, ...], Mapping[str, object]]:
    sources = [Source(f"{i}.sql", text, "duckdb") for i, text in enumerate(texts)]
    pile = load(sources, "duckdb", SCHEMA)
    state = end_state(pile.scripts, pile.resolved, pile.catalog)
    plans = {r.name: r.definition.plan for r in state.reports}
    normal = {name: normalize(plan.rel)[0] for name, plan in plans.items() if plan is not None}
    return tuple(compose(report, {}) for report in state.reports), normal


def words(draft: Draft) -> str:
    return draft.tree.sql("duckdb")


def test_another_wording_gives_way_and_keeps_its_constants() -> None:
    made, normal = drafts(ONE, OTHER)
    at, de = conform(made, normal, frozenset())  # type: ignore[arg-type]
    assert at == made[0]
    assert words(de) == words(at).replace("'AT'", "'DE'") != words(made[1])


def test_pinned_reports_keep_their_words() -> None:
    made, normal = drafts(ONE, OTHER)
    assert conform(made, normal, frozenset({"at", "de"})) == made  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        ("5 < x.cents", "5 <= x.cents"),
        ("x.country = 'AT' and", ""),
        ("sum(items.qty)", "max(items.qty)"),
        ("as n", "as m"),
    ],
)
def test_what_differs_in_more_than_constants_is_left_alone(change: tuple[str, str]) -> None:
    made, normal = drafts(ONE, OTHER.replace(*change))
    assert conform(made, normal, frozenset()) == made  # type: ignore[arg-type]


def test_one_constant_that_would_stand_for_two_is_left_alone() -> None:
    one = "create table r.a as select o.id from s.o o where o.cents > 5 or o.id > 5"
    two = "create table r.b as select x.id from s.o x where (x.id > 7) or (x.cents > 6)"
    made, normal = drafts(one, two)
    assert conform(made, normal, frozenset()) == made  # type: ignore[arg-type]


def test_the_wording_of_most_reports_wins() -> None:
    third = ONE.replace("r.de", "r.fr").replace("'DE'", "'FR'")
    made, normal = drafts(ONE, OTHER, third)
    at, de, fr = conform(made, normal, frozenset())  # type: ignore[arg-type]
    assert (de, fr) == (made[1], made[2])
    assert words(at) == words(de).replace("'DE'", "'AT'")
