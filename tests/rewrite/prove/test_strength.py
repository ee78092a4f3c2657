"""How much a set of databases shows of one report's mistakes."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.generation import Generator
from unwet.rewrite.prove.mutants import sites
from unwet.rewrite.prove.same_meaning import Meant
from unwet.rewrite.prove.strength import CLOCK, Limits, Strength, Tally, sampled, strength
from unwet.rewrite.prove.synthetic.database import Cell, Database, Table
from unwet.rewrite.prove.synthetic.units import units

Rows = Sequence[tuple[Cell, ...]]
QUERY = "select a, count(*) as n from s.t where b >= 10 group by a"


def database(rows: Rows) -> Database:
    return Database({"s.t": Table((("a", "VARCHAR"), ("b", "BIGINT")), tuple(rows))})


def scored(text: str, *rows: Rows, limits: Limits | None = None) -> Strength:
    meaning = Meaning(load([Source("r.sql", text, "duckdb")], "duckdb"))
    (unit,) = units(meaning)
    many = [database(each) for each in rows]
    return strength(unit, many, Meant(meaning), limits=limits, proofs=True)


def survivors(found: Strength) -> set[str]:
    return {each.operator for each in found.survivors}


def test_a_boundary_is_seen_only_by_a_row_on_it() -> None:
    blind = scored(QUERY, [("x", "11"), ("x", "3"), ("y", "12")])
    assert "comparison" in survivors(blind)
    seeing = scored(QUERY, [("x", "10"), ("x", "3"), ("y", "12")])
    assert "comparison" not in survivors(seeing)
    assert seeing.killed > blind.killed
    assert seeing.operators["comparison"].killed == seeing.operators["comparison"].valid == 1


def test_what_one_database_does_not_show_another_may() -> None:
    rows = [("x", "11"), ("x", "3"), ("y", "12")], [("x", "10")]
    assert scored(QUERY, *rows).killed > scored(QUERY, rows[0]).killed
    assert scored(QUERY, *rows).rows == (2, 1)


def test_a_mutant_that_does_not_run_is_not_valid() -> None:
    text = "select sum(b) as s, max(a) as m from s.t"
    found = scored(text, [("x", "10"), ("y", "9")])  # there is no SUM of a text
    assert found.operators["other column"].valid == found.operators["other column"].killed == 1
    assert len([s for s in found.survivors if s.operator == "other column"]) == 0


def test_what_the_dialect_has_no_words_for_is_counted_apart() -> None:
    query = "SELECT t.k, ARRAY_AGG(t.x ORDER BY t.y DESC) AS a FROM t GROUP BY t.k"
    found = dict[str, Tally]()
    for dialect in ("bigquery", "duckdb"):
        meaning = Meaning(load(Source("q.sql", query, dialect), dialect))
        (unit,) = units(meaning)
        rows = (("1", "a", None), ("1", "b", "2"))
        columns = (("k", "BIGINT"), ("x", "VARCHAR"), ("y", "BIGINT"))
        data = Database({"t": Table(columns, rows)}, "NULLs")
        found[dialect] = strength(unit, [data], Meant(meaning)).operators["NULLS FIRST"]
    assert found == {"bigquery": Tally(refused=1), "duckdb": Tally(1, 1)}


def test_a_mutant_means_the_same_where_only_the_names_tell_whose_columns_are_whose() -> None:
    query = (
        "select t_a, n from (select t_a, count(u_p) as n from tabs, u where t_k = u_k "
        "group by t_a) as q order by n, t_a limit 3"
    )
    meaning = Meaning(load([Source("r.sql", query, "duckdb")], "duckdb"))
    (unit,) = units(meaning)
    with closing(Generator(meaning, CLOCK)) as generator:
        many = generator.databases(unit)
        meant = Meant(meaning), Meant(meaning, generator.catalog)
        found = [strength(unit, many, each).operators["NULLS FIRST"] for each in meant]
    assert [each.equivalent for each in found] == [1, 1]  # a column of one of two is one value


def test_keys_that_are_never_null_as_they_are_written_need_no_plan() -> None:
    query = (
        "select grouping(a) + grouping(b) as l, a, rank() over (order by count(*)) as r, "
        "sum(b) as n from s.t group by rollup (a, b) order by l desc, a, r, n limit 3"
    )
    found = scored(query, [("x", "1"), ("x", "2"), ("y", None)]).operators["NULLS FIRST"]
    assert found.equivalent == 2 + 1  # and the COUNT that it is ranked by
    assert found.valid == 2


def test_a_mutant_that_means_the_same_is_counted_apart() -> None:
    text = "select distinct a, b from (select distinct a, b from s.t where b < 9) as q"
    found = scored(text, [("x", "10"), (None, "1"), (None, "1")])
    assert found.operators["DISTINCT"].equivalent >= 1  # in the subquery nobody sees it
    assert found.operators["DISTINCT"].killed == 0
    assert not found.false_proofs


def test_a_false_proof_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unwet.rewrite.prove.same_meaning.proves", lambda *_: True)
    found = scored(QUERY, [("x", "10"), ("x", "3"), ("y", "12")])
    assert found.false_proofs
    shown = next(each for each in found.false_proofs if each.operator == "comparison")
    assert (shown.at.path, shown.at.line) == ("r.sql", 1)
    assert [line.strip("-+ ") for line in shown.diff.splitlines() if line[0] in "-+"] == [
        "b >= 10",
        "b > 10",
    ]


def test_a_false_proof_that_no_given_data_shows_is_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("unwet.rewrite.prove.same_meaning.proves", lambda *_: True)
    meaning = Meaning(load([Source("r.sql", QUERY, "duckdb")], "duckdb"))
    (unit,) = units(meaning)
    blind = [database([("x", "11"), ("x", "3"), ("y", "12")])]
    with closing(Generator(meaning, CLOCK)) as generator:
        found = strength(unit, blind, Meant(meaning), proofs=True, apart=generator.apart)
    assert "comparison" in {each.operator for each in found.same}
    assert "comparison" in {each.operator for each in found.false_proofs}


def test_what_the_data_does_not_show_is_looked_for() -> None:
    meaning = Meaning(load([Source("r.sql", QUERY, "duckdb")], "duckdb"))
    (unit,) = units(meaning)
    blind = [database([("x", "11"), ("x", "3"), ("y", "12")])]
    with closing(Generator(meaning, CLOCK)) as generator:
        found = strength(unit, blind, Meant(meaning), apart=generator.apart)
    assert found.killed == found.valid > strength(unit, blind, Meant(meaning)).killed
    assert found.found
    assert not found.survivors


def test_rows_that_depend_on_the_order_kill_nothing() -> None:
    text = "select a, row_number() over (order by 1) as n from s.t"
    found = scored(text, [("x", "1"), ("y", "2"), ("z", "3"), ("u", "4")])
    assert found.unstable == 1
    assert (found.rows, found.valid) == ((), 0)


def test_what_does_not_run_says_why() -> None:
    found = scored("select nobody(a) as x from s.t", [("x", "1")])
    assert "nobody" in found.failure
    assert found.rows == ()
    assert "rand" in scored("select random() as x from s.t", [("x", "1")]).failure


def test_any_statement_of_a_unit_may_be_changed() -> None:
    text = (
        "create temp table tmp as select a, b from s.t where b > 5; "
        "create table r.a (a text, n bigint); "
        "insert into r.a select a, sum(b) from tmp group by a"
    )
    found = scored(text, [("x", "5"), ("x", "7"), ("y", "6"), ("y", "1"), ("x", "8")])
    assert found.rows == (2,)
    assert found.operators["comparison"].killed == 1
    assert found.operators["aggregate"].killed == 1


def test_a_sample_is_the_same_each_time_and_has_something_of_everything() -> None:
    meaning = Meaning(
        load([Source("r.sql", QUERY + " and a <> 'q' and b < 90", "duckdb")], "duckdb")
    )
    (unit,) = units(meaning)
    (statement,) = unit.scripts[0].statements
    everything = [(statement, site) for site in sites(statement.tree)]
    limits = Limits(most=9, each=2)
    chosen = [site for _, site in sampled(everything, limits)]
    assert chosen == [site for _, site in sampled(everything, limits)]
    assert len(chosen) == 9
    assert {s.operator for s in chosen} == {s.operator for _, s in everything}


def test_what_is_in_no_order_as_a_whole_is_looked_at_in_parts() -> None:
    text = (
        "select a, b from (select a, b, row_number() over (order by 1) as n from s.t) as q "
        "where n = 1 and b >= 10"
    )
    parts = (database([("x", "10")]), database([("y", "3")]))
    whole = Database(database([("x", "10"), ("y", "3")]).tables, "both")
    meaning = Meaning(load([Source("r.sql", text, "duckdb")], "duckdb"))
    (unit,) = units(meaning)
    blind = strength(unit, [whole], Meant(meaning))
    assert (blind.rows, blind.unstable, blind.valid) == ((), 1, 0)
    seeing = strength(unit, [replace(whole, parts=parts)], Meant(meaning))
    assert (seeing.rows, seeing.unstable) == ((1, 0), 1)
    assert seeing.operators["comparison"].killed == 1


def test_nulls_of_a_named_window_are_refused_where_those_of_one_in_place_are() -> None:
    query = (
        "select t.k, sum(t.x) over w as s from t "
        "window w as (partition by t.k order by t.x rows between 1 preceding and current row)"
    )
    meaning = Meaning(load(Source("q.sql", query, "bigquery"), "bigquery"))
    (unit,) = units(meaning)
    columns = (("k", "BIGINT"), ("x", "BIGINT"))
    data = Database({"t": Table(columns, (("1", "3"), ("1", None), ("1", "2")))}, "NULLs")
    found = strength(unit, [data], Meant(meaning)).operators
    assert found["NULLS FIRST"].refused + found["NULLS FIRST"].killed == 1


def test_which_rows_are_cut_off_is_open_but_not_how_many() -> None:
    """Three rows tie for two places: none of the three is sure to be there, two of them are."""
    rows = [("x", "9"), ("y", "9"), ("z", "9")]
    open_ = scored("select a from s.t order by b limit 2", rows, [("x", "9")])
    assert open_.unstable == 1
    assert (open_.operators["WITH TIES"], open_.operators["LIMIT"]) == (Tally(1, 1), Tally(1, 1))
    # how many there are to choose from depends on the order of the input as well
    ranked = "select a, row_number() over (order by b) as n from s.t"
    text = f"select a from ({ranked}) as q where a < 'y' or n = 1 order by n limit 2"
    doubtful = scored(text, [("x", "9"), ("y", "9"), ("w", "9")], [("x", "9")])
    assert doubtful.unstable == 1
    assert doubtful.operators["WITH TIES"] == Tally(1, 0)
