"""Another model is tried only where its tables and constants allow it; what is read decides."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlglot import exp, parse_one

from unwet.lineage.tables import Catalog, Table
from unwet.rewrite.algebra import Plan, Rel
from unwet.rewrite.lower import Env, Lowerer, trim
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.one_instead import Places, Words, branches_that_read
from unwet.rewrite.rereading import resolved
from unwet.rewrite.stars import made_table

T = "select t.a, t.b, t.c from t"
ONE = "select q.a from ref__one__ref as q"
DISTINCT = "select distinct q.a from ref__one__ref as q"


class Shelf:
    """Models that stand in one another in the order in which they are said, and who is asked."""

    def __init__(self, reports: Mapping[str, str], made: Mapping[str, str]) -> None:
        self.asked: list[str] = []
        self.tables: dict[str, Table] = {
            "t": made_table("t", ("a", "b", "c"), ()),
            "u": made_table("u", ("a", "d"), ()),
        }
        self.plans: dict[str, Plan] = {}
        self.made = {name: tree(sql) for name, sql in made.items()}
        for name, query in self.made.items():
            plan, token = self.plan(query), f"ref__{name}__ref"
            self.plans[token] = plan
            self.tables[token] = made_table(token, plan.names, ())
        reading = {name: tree(sql) for name, sql in reports.items()}
        self.places = Places(reading, self.made, self.plans, self.rows)

    def plan(self, query: exp.Query) -> Plan:
        catalog = Catalog(self.tables)
        found = resolved(query, catalog, "duckdb")
        assert found is not None
        plan = Lowerer(Env(catalog, self.plans), found).plan(found)
        return Plan(plan.names, Normalizer().run(trim(plan))[0])

    def rows(self, host: str, query: exp.Query) -> Rel | None:
        self.asked.append(host)
        return self.plan(query).rel


def tree(sql: str) -> exp.Query:
    found = parse_one(sql, dialect="duckdb")
    assert isinstance(found, exp.Query)
    return found


@pytest.mark.parametrize(
    ("one", "other", "reader"),
    [
        (f"{T} where b > 1", f"{T} where b > 1", ONE),
        (f"{T} where b > 1", "select a, b * 2 as b, c from t where b > 1", ONE),
        (T, "select t.a, u.d from t left join u on u.a = t.a", f"{DISTINCT} where q.a > 1"),
        (f"{T} where b > 1", "select a, b, c from t", f"{ONE} where q.b > 1"),
        (T, f"{T} where b > 1", f"{ONE} where q.b > 1"),
    ],
)  # fmt: skip
def test_a_model_of_the_same_rows_is_read_in_its_place(one: str, other: str, reader: str) -> None:
    shelf = Shelf({"r": reader}, {"one": one, "other": other})
    assert shelf.places.instead_of("one") == "other"
    assert len(shelf.asked) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{T} where b > 1", f"{T} where b > 2"),
        (f"{T} where b > 1", T),
        (T, f"{T} where b > 1"),
        (T, "select u.a from u"),
        (T, "select t.a from t join u on u.a = t.a"),
    ],
)
def test_other_words_are_other_rows_and_nobody_is_read_again(one: str, other: str) -> None:
    shelf = Shelf({"r": ONE}, {"one": one, "other": other})
    assert shelf.places.instead_of("one") is None
    assert shelf.asked == ["r"]  # as it is


def test_the_same_words_may_be_other_rows() -> None:
    shelf = Shelf({"r": ONE}, {"one": f"{T} where b > 1", "other": f"{T} where c > 1"})
    assert shelf.places.instead_of("one") is None
    assert shelf.asked == ["r", "r"]


def test_all_readers_have_to_keep_their_rows() -> None:
    made = {"one": f"{T} where b > 1", "other": "select a, b + 1 as b, c from t where b > 1"}
    two = "select max(q.b) as m from ref__one__ref as q group by q.a"
    assert Shelf({"r": ONE, "s": two}, made).places.instead_of("one") is None


def test_a_model_is_not_read_in_the_place_of_what_it_reads() -> None:
    made = {"one": T, "between": "select q.a from ref__one__ref as q",
            "other": "select q.a from ref__between__ref as q"}  # fmt: skip
    assert Shelf({"r": ONE}, made).places.instead_of("one") is None


@pytest.mark.parametrize(
    "reader", ["select * from ref__one__ref", "select count(q) from ref__one__ref as q"]
)
def test_who_reads_all_columns_goes_on_reading_them(reader: str) -> None:
    shelf = Shelf({"r": reader}, {"one": T, "other": T})
    assert shelf.places.instead_of("one") is None
    assert shelf.asked == []


def test_words_are_tables_and_constants() -> None:
    shelf = Shelf({}, {"m": "select t.a, 'x' as k, u.d from t left join (select a, max(d) as d "
                            "from u where d <> 7 group by a) as u on u.a = t.a and u.d > 5 "
                            "where t.b in (select c from t where a = 3)"})  # fmt: skip
    words, rel = Words(), shelf.plans["ref__m__ref"].rel
    assert words.of(rel) == {"t", "u", "x", "7", "5", "3"}
    assert words.asked(rel) == {"t", "3"}


WORDS = range(12)


def many(union: str = "union all", of: str = "count(*) as n") -> str:
    return f" {union} ".join(f"select '{n}' as lab, {of} from ref__m{n}__ref as q" for n in WORDS)


def of_words(say: str = "select a, b, c from t where b = {n}") -> dict[str, str]:
    return {f"m{n}": say.format(n=n) for n in WORDS}


@pytest.mark.parametrize("reader", [
    many(),
    many("union"),
    f"select v.lab, sum(v.n) as n from ({many()}) as v group by v.lab",
    f"with v as ({many()}) select v.lab, max(v.n) as n from v group by v.lab",
])  # fmt: skip
def test_of_many_queries_those_are_asked_that_read_the_model(reader: str) -> None:
    """The whole has all words, so that each model would be asked in the place of each other."""
    shelf = Shelf({"r": reader}, of_words())
    assert [shelf.places.instead_of(name) for name in shelf.made] == [None] * len(WORDS)
    assert len(shelf.asked) <= 3 * len(WORDS)


@pytest.mark.parametrize("reader", [
    many(),
    many("union"),
    f"select v.lab, sum(v.n) as n from ({many()}) as v group by v.lab",
])  # fmt: skip
def test_one_of_many_queries_may_read_another_model(reader: str) -> None:
    made = {**of_words(), "other": "select a, b, c + 1 as d from t where 3 = b"}
    assert Shelf({"r": reader}, made).places.instead_of("m3") == "other"


def test_two_of_many_queries_have_to_keep_their_rows() -> None:
    made = {**of_words(), "other": "select a, b, c + 1 as c from t where b = 3"}
    assert Shelf({"r": many()}, made).places.instead_of("m3") == "other"
    two = f"{many()} union all select 'x', max(q.c) from ref__m3__ref as q"
    assert Shelf({"r": two}, made).places.instead_of("m3") is None


A, B, ONES = "SELECT q.a FROM a AS q", "SELECT q.b FROM b AS q", "SELECT q.c FROM one AS q"
ALL = f"{A} UNION ALL {B} UNION ALL {B} UNION ALL {B} UNION ALL {B}"
LEFT = f"{A} UNION ALL {ONES}"


@pytest.mark.parametrize(
    ("query", "left"),
    [
        (f"{ALL} UNION ALL {ONES}", LEFT),
        (f"{ALL} UNION ALL {ONES} UNION ALL {B} UNION {B}", LEFT),
        (f"{ONES} UNION ALL {ALL}", ONES),
        (f"{ALL} UNION {ONES} UNION ALL {ONES}", f"{A} UNION {ONES} UNION ALL {ONES}"),
        (f"{ALL} UNION ALL {ONES} UNION ALL {B} LIMIT 1", f"{LEFT} UNION ALL {B} LIMIT 1"),
        (f"WITH w AS ({ALL} UNION {ONES}) SELECT a FROM w",
         f"WITH w AS ({A} UNION {ONES}) SELECT a FROM w"),
        (f"SELECT v.a FROM ({ALL} UNION ALL {ONES}) AS v", f"SELECT v.a FROM ({LEFT}) AS v"),
        (f"{ALL} UNION ALL ({ALL} UNION ALL {ONES})", f"{A} UNION ALL ({LEFT})"),
        (f"({ALL}) UNION ALL {B} UNION ALL {ONES}", None),  # the first side is most of it
        (f"{A} UNION ALL {ONES}", None),
        (f"{ALL} EXCEPT {ONES}", None),
        (ALL, None),
    ],
)  # fmt: skip
def test_what_is_left_of_many_queries(query: str, left: str | None) -> None:
    before = tree(query)
    found = branches_that_read(before, "ONE")
    assert (None if found is None else found.sql("duckdb")) == left
    assert before == tree(query)
