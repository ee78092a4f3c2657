"""Databases from a query alone: it has rows on them, and mistakes in it show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.bags import Runs
from unwet.rewrite.prove.engines import DuckEngine, open_duckdb
from unwet.rewrite.prove.generation import Generator
from unwet.rewrite.prove.guests import hurry
from unwet.rewrite.prove.same_meaning import Meant
from unwet.rewrite.prove.strength import CLOCK, strength
from unwet.rewrite.prove.synthetic import databases as made_databases
from unwet.rewrite.prove.synthetic.database import Database
from unwet.rewrite.prove.synthetic.databases import databases
from unwet.rewrite.prove.synthetic.infer import infer
from unwet.rewrite.prove.synthetic.load import open_synthetic
from unwet.rewrite.prove.synthetic.units import Unit, units


@pytest.fixture(scope="module")
def oracle() -> Iterator[DuckEngine]:
    with open_duckdb(None, seconds=5) as engine:
        hurry(engine)
        yield engine


def _made(query: str, oracle: DuckEngine) -> tuple[Meaning, Unit, tuple[Database, ...]]:
    meaning = Meaning(load(Source("q.sql", query), "duckdb"))
    (unit,) = units(meaning)
    plan = unit.report.definition.plan
    return meaning, unit, databases(plan, unit.inputs, infer(meaning), oracle, CLOCK)


QUERIES = {
    "comparison": "SELECT t.id, t.n FROM t WHERE t.n > 10 AND t.d >= DATE '2020-01-01'",
    "two columns": "SELECT a.id FROM a JOIN b ON a.id = b.id WHERE a.paid < b.due",
    "computed": "WITH x AS (SELECT t.id, date_diff('day', CAST(t.a AS DATE), CAST(t.b AS DATE))"
    " AS n FROM t) SELECT x.id FROM x WHERE x.n < 30",
    "in": "SELECT t.id FROM t WHERE t.c IN ('x', 'y', 'z') AND NOT t.d LIKE 'p%q'",
    "case": "SELECT t.id, CASE WHEN t.n < 5 THEN 'a' WHEN t.n < 9 THEN 'b' ELSE 'c' END AS k"
    " FROM t",
    "default": "SELECT t.id, COALESCE(t.n, 0) AS n, NULLIF(t.c, '') AS c FROM t",
    "having": "SELECT t.g, COUNT(*) AS n FROM t GROUP BY t.g HAVING COUNT(*) > 2",
    "sum": "SELECT t.g, SUM(t.v + 0.0) AS s, COUNT(DISTINCT t.w) AS n FROM t GROUP BY t.g",
    "window": "SELECT y.v, y.at FROM (SELECT t.id, t.v, t.at, ROW_NUMBER() OVER (PARTITION BY t.id"
    " ORDER BY t.at DESC) AS rn FROM t) AS y WHERE y.rn = 1",
    "time window": "SELECT a.id FROM a JOIN b ON a.id = b.id"
    " AND b.at >= a.at - INTERVAL '6 HOURS' AND a.at < TIMESTAMP '2024-05-01 00:00:00'",
    "lowest and highest": "SELECT t.g, MIN(t.n) AS a FROM t GROUP BY t.g"
    " HAVING MIN(t.n) <> MAX(t.n) AND MAX(t.n) > 3",
    "either": "SELECT t.id FROM t WHERE (t.k = 'a' AND t.n BETWEEN 1 AND 5)"
    " OR (t.k = 'b' AND t.n BETWEEN 7 AND 9)",
    "limit": "SELECT t.id FROM t WHERE t.n > 0 ORDER BY t.id LIMIT 20",
    "exists": "SELECT a.id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.id = a.id AND b.n = 3)",
    "not exists": "SELECT a.id FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.id = a.id)",
    "outer join": "SELECT a.id, b.v FROM a LEFT JOIN b ON a.id = b.id AND b.kind = 'x'",
    "union": "SELECT a.id, a.v FROM a WHERE a.n = 1 UNION SELECT b.id, b.v FROM b WHERE b.n = 2",
    "a column of a union that nobody reads": "SELECT u.k, SUM(u.v + 0.0) AS v FROM (SELECT"
    " a.k, a.v, a.w FROM a UNION ALL SELECT b.k, b.v, b.w FROM b) AS u GROUP BY u.k",
    "one row read twice": "SELECT a.id, y.v FROM a LEFT JOIN (SELECT a.id, b.v, ROW_NUMBER() OVER"
    " (PARTITION BY b.id ORDER BY b.v) AS rn FROM a LEFT JOIN b ON a.id = b.id"
    " AND b.charttime >= a.intime - INTERVAL '6' HOUR"
    " AND b.charttime <= a.intime + INTERVAL '1' DAY) AS y"
    " ON a.id = y.id AND y.rn = 1",
    "constants beyond columns": "SELECT t.id FROM t WHERE t.b < t.c"
    " AND t.c >= DATE '1994-01-01' AND t.c < DATE '1994-01-01' + INTERVAL '1' YEAR",
    "computed fractions": "SELECT SUM(t.v * t.w) AS n FROM t WHERE t.w BETWEEN 0.06 - 0.01"
    " AND 0.06 + 0.01 AND t.q < 1 - t.w",
    "distinct": "SELECT DISTINCT t.a, t.b FROM t WHERE t.c IS NOT NULL",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_a_query_has_rows_and_mistakes_in_it_show(query: str, oracle: DuckEngine) -> None:
    meaning, unit, made = _made(query, oracle)
    with closing(Generator(meaning, CLOCK)) as generator:
        found = strength(unit, made, Meant(meaning), apart=generator.apart)
    assert found.failure == ""
    assert len(found.found) <= 1  # nearly all without a search
    assert max(found.rows) > 0
    assert [(each.operator, each.diff) for each in found.survivors] == []
    assert found.valid > 0


def test_a_database_falls_into_the_parts_it_is_made_of(oracle: DuckEngine) -> None:
    made = _made(QUERIES["comparison"], oracle)[2]
    first = made[0]
    assert len(first.parts) > 1
    joined = tuple(row for part in first.parts for row in part.tables["t"].rows)
    assert joined == first.tables["t"].rows
    single = [part for part in first.parts if not part.parts]
    assert all(part.parts or part.rows == 1 for part in single)
    named = first.with_macros(("CREATE MACRO f(x) AS x",))
    assert {part.macros for part in named.parts} == {("CREATE MACRO f(x) AS x",)}


def test_the_same_query_gets_the_same_databases(oracle: DuckEngine) -> None:
    query = QUERIES["window"]
    with open_duckdb(None) as other:
        assert _made(query, oracle)[2] == _made(query, other)[2]


def test_rows_of_different_entities_do_not_meet(oracle: DuckEngine) -> None:
    _, _, made = _made(QUERIES["outer join"], oracle)
    good = next(each for each in made if each.aim == "good")
    ids = [row[0] for row in good.tables["a"].rows]
    assert len(set(ids)) == len(ids) > 1


def test_without_a_plan_there_are_rows_of_every_type(oracle: DuckEngine) -> None:
    meaning, unit, _ = _made(QUERIES["sum"], oracle)
    *_, some, none = databases(None, unit.inputs, infer(meaning), oracle, CLOCK)
    assert Counter(len(table.rows) for table in some.tables.values()) == {8: 1}
    assert none.rows == 0


@pytest.mark.parametrize("name", ["comparison", "two columns", "in", "case", "outer join"])
def test_without_a_plan_the_text_says_what_rows_are_needed(name: str, oracle: DuckEngine) -> None:
    meaning, unit, _ = _made(QUERIES[name], oracle)
    trees = [each.tree for script in unit.scripts for each in script.statements]
    made = databases(None, unit.inputs, infer(meaning), oracle, CLOCK, trees=trees)
    found = strength(unit, made, Meant(meaning))
    assert (found.failure, max(found.rows) > 0) == ("", True)
    assert [(each.operator, each.diff) for each in found.survivors] == []


def _wide(many: int) -> str:
    """Sums over so many windows with a rank, each of which wants rows of its own."""
    ranks = ", ".join(
        f"ROW_NUMBER() OVER (PARTITION BY t.g{n} ORDER BY t.d) AS r{n}" for n in range(many)
    )
    tests = " OR ".join(f"x.r{n} = {n % 20 + 2}" for n in range(many))
    return f"SELECT x.g0, x.v FROM (SELECT t.*, {ranks} FROM t) AS x WHERE x.v > 3 AND ({tests})"


ROWS = {
    "each read of a union from another branch": "WITH y AS (SELECT a.id, a.v, 's' AS k FROM a UNION"
    " ALL SELECT b.id, b.v, 'c' AS k FROM b UNION ALL SELECT w.id, w.v, 'w' AS k FROM w) SELECT"
    " s.id FROM y AS s, y AS c, y AS w WHERE s.k = 's' AND c.k = 'c' AND w.k = 'w'"
    " AND s.id = c.id AND c.id = w.id AND s.v > 3 AND c.v > s.v AND w.v > c.v",
    "the only row of a subquery that is a value": "SELECT d.x FROM d WHERE d.day IN (SELECT e.day"
    " FROM d AS e WHERE e.week = (SELECT f.week FROM d AS f WHERE f.day = DATE '2000-01-03'))"
    " AND d.x > 4 AND d.week > 2",
    "many rows, none of the item": "SELECT i.cat, COUNT(*) AS n FROM s JOIN i ON"
    " s.item_id = i.item_id WHERE i.price > (SELECT 1.2 * AVG(j.price) FROM i AS j"
    " WHERE j.cat = i.cat) GROUP BY i.cat HAVING COUNT(*) >= 10",
    "no partner, three times": "WITH w AS (SELECT a.k, SUM(a.q) AS q FROM a LEFT JOIN ar ON"
    " ar.n = a.n WHERE ar.n IS NULL GROUP BY a.k), c AS (SELECT b.k, SUM(b.q) AS q FROM b LEFT JOIN"
    " br ON br.n = b.n WHERE br.n IS NULL GROUP BY b.k), s AS (SELECT d.k, SUM(d.q) AS q FROM d"
    " LEFT"
    " JOIN dr ON dr.n = d.n WHERE dr.n IS NULL GROUP BY d.k) SELECT s.k FROM s LEFT JOIN w ON"
    " w.k = s.k LEFT JOIN c ON c.k = s.k WHERE COALESCE(w.q, 0) > 0 AND COALESCE(c.q, 0) > 0",
    "sums of one group's rows": "SELECT a.id FROM a JOIN b ON b.id = a.id GROUP BY a.id HAVING"
    " SUM(a.v) > 2 * SUM(b.x + b.y + b.z)",
    "ratios that grow": "WITH t AS (SELECT s.id, s.y, SUM(s.p - s.d) AS v, 's' AS k FROM s GROUP BY"
    " s.id, s.y UNION ALL SELECT w.id, w.y, SUM(w.p - w.d) AS v, 'w' AS k FROM w GROUP BY w.id,"
    " w.y)"
    " SELECT a.id FROM t AS a, t AS b, t AS c, t AS d WHERE a.id = b.id AND a.id = c.id AND"
    " a.id = d.id AND a.k = 's' AND b.k = 's' AND c.k = 'w' AND d.k = 'w' AND a.y = 2001 AND"
    " b.y = 2002 AND c.y = 2001 AND d.y = 2002 AND a.v > 0 AND c.v > 0 AND"
    " CASE WHEN c.v > 0 THEN d.v / c.v ELSE 0.0 END > CASE WHEN a.v > 0 THEN b.v / a.v ELSE 0.0"
    " END",
    "two rows of a group that are summed apart": "SELECT x.w FROM (SELECT t.w, SUM(CASE WHEN"
    " t.d < DATE '2000-05-13' THEN t.q ELSE 0 END) AS b, SUM(CASE WHEN t.d >= DATE '2000-05-13'"
    " THEN t.q ELSE 0 END) AS a FROM t GROUP BY t.w) AS x WHERE x.b > 0 AND x.a / x.b BETWEEN"
    " 0.7 AND 1.5",
    "a month that a query and its subqueries read": "SELECT s.v FROM s JOIN d ON s.dk = d.dk JOIN r"
    " ON r.c = s.c JOIN d AS e ON r.dk = e.dk WHERE d.y = 2000 AND d.m = 5 AND e.seq BETWEEN"
    " (SELECT f.seq + 1 FROM d AS f WHERE f.y = 2000 AND f.m = 5) AND"
    " (SELECT g.seq + 3 FROM d AS g WHERE g.y = 2000 AND g.m = 5)",
    "beginnings that are equal": "SELECT s.name FROM s, (SELECT SUBSTRING(a.zip, 1, 5) AS zip"
    " FROM a"
    " WHERE SUBSTRING(a.zip, 1, 5) IN ('67436', '26121')) AS v"
    " WHERE SUBSTRING(s.zip, 1, 2) = SUBSTRING(v.zip, 1, 2)",
    "a row that is there and one that is not": "SELECT a.id FROM a WHERE a.n > 5 AND EXISTS (SELECT"
    " 1 FROM a AS b WHERE b.id = a.id AND b.kind <> a.kind) AND NOT EXISTS (SELECT 1 FROM a AS c"
    " WHERE c.id = a.id AND c.kind <> a.kind AND c.n <= c.m)",
}


@pytest.mark.parametrize("query", ROWS.values(), ids=ROWS)
def test_the_plainest_row_of_a_query_is_found(query: str, oracle: DuckEngine) -> None:
    _, unit, made = _made(query, oracle)
    good = next(each for each in made if each.aim == "good rows")
    with open_synthetic(good) as engine:
        assert Runs(engine, unit, CLOCK).bag().total() > 0


def test_data_is_bounded_and_has_something_of_everything(
    oracle: DuckEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for fewer rows there are fewer goals, at equal distances, not those at the end."""
    query = _wide(12)
    whole = _made(query, oracle)[2]
    monkeypatch.setattr(made_databases, "ROWS", 60)
    small = _made(query, oracle)[2]
    assert max(each.rows for each in small) < max(each.rows for each in whole)
    for kind in ("good", "near"):
        before, after = (sum(e.rows for e in many if e.aim == kind) for many in (whole, small))
        assert 0 < after <= min(before, 5 * 60)
    assert {each.aim for each in small} >= {"good", "bad", "null", "near", "again"}
    assert _made(query, oracle)[2] == small


def test_a_search_for_data_ends(oracle: DuckEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    query = QUERIES["either"]
    monkeypatch.setattr(made_databases, "EFFORT", 200)
    few = _made(query, oracle)[2]
    monkeypatch.undo()
    assert 0 < sum(each.rows for each in few) < sum(e.rows for e in _made(query, oracle)[2])
