"""The bench of generated data: what is counted, what misses a bar, and what is sampled."""

from pathlib import Path

import pytest

from bench.proof import piles, proved, rows, store, table
from bench.proof.scored import Mistake, Pile, Scored, added, sample, score
from bench.proof.types import agreements, of_ddl, wrong
from bench.proof.types import table as types_table
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.meaning import Meaning, meaning_of
from unwet.rewrite.prove.strength import Tally
from unwet.rewrite.prove.synthetic.infer import infer
from unwet.rewrite.prove.synthetic.types import SqlType
from unwet.rewrite.prove.synthetic.units import units


def scored(name: str, rows: tuple[int, ...], **more: object) -> Scored:
    values: dict[str, object] = {
        "unstable": 0, "failure": "" if rows else "no such function", "survivors": (),
        "false_proofs": (), "tallies": {"comparison": Tally(10, 9, 1)}, "making": 0.1,
        "trying": 0.2,
    }  # fmt: skip
    return Scored(name, f"{name}.sql", rows, **{**values, **more})  # type: ignore[arg-type]


def test_files_are_taken_at_equal_distances() -> None:
    files = [Path(str(n)) for n in range(10)]
    assert piles.spread(files, 5) == [Path(str(n)) for n in (0, 2, 4, 6, 8)]
    assert piles.spread(files, 20) == files


def test_another_sample_is_taken_behind_the_first() -> None:
    text = "; ".join(f"create table r{n} as select x from t where x > {n}" for n in range(7))
    every = list(units(Meaning(load([Source("r.sql", text, "duckdb")], "duckdb"))))
    names = [[each.name for each in sample(every, 3, start)] for start in (0, 1, 3)]
    assert names == [["r0", "r2", "r4"], ["r1", "r3", "r5"], ["r3", "r5", "r0"]]
    assert sample(every, 9, 2) == every
    head = table.head(["shop"], 3, 1)
    assert "`python -m bench.proof shop --most 3 --from 1 --write`" in head
    assert "another sample" in head.splitlines()[0]


def test_tallies_are_added_by_operator() -> None:
    sums = added(
        [{"LIMIT": Tally(1, 1, 0)}, {"comparison": Tally(2, 1, 1), "LIMIT": Tally(3, 0, 0)}]
    )
    assert list(sums.items()) == [("comparison", Tally(2, 1, 1)), ("LIMIT", Tally(4, 1, 0))]


def test_a_bar_that_is_missed_is_told() -> None:
    good = [scored(f"r{n}", (3,)) for n in range(40)]
    assert table.misses([Pile("p", good)]) == []
    bad = [*good, scored("x", ()), scored("y", ()), scored("z", (0,))]
    assert [line.partition(":")[0] for line in table.misses([Pile("p", bad)])] == [
        "execute",
        "return rows",
    ]
    weak = [scored("w", (1,), tallies={"LIMIT": Tally(10, 7, 0)})]
    assert [line.partition(":")[0] for line in table.misses([Pile("p", weak)])] == [
        "killed",
        "LIMIT",
    ]


def test_a_false_proof_is_shown_and_fails() -> None:
    fault = Mistake("DISTINCT", "r.sql:3", "-SELECT a\n+SELECT DISTINCT a")
    pile = Pile("p", [scored("r", (1,), false_proofs=(fault,))])
    assert table.misses([pile]) == ["1 false proofs"]
    assert "FALSE PROOF in p, r: DISTINCT at r.sql:3" in table.text([pile])


def test_a_run_that_stops_goes_on(tmp_path: Path) -> None:
    mistake = Mistake("LIMIT", "r.sql:1", "-a\n+b")
    one = scored("a", (1, 2), survivors=(mistake,))
    store.append(tmp_path / "p.jsonl", one)
    pile = store.read(tmp_path / "p.jsonl")
    assert (pile.name, pile.scored) == ("p", [one])
    assert store.read(tmp_path / "none.jsonl").scored == []
    text = "create table a as select x from t; create table b as select x from t where x > 1"
    meaning = Meaning(load([Source("r.sql", text, "duckdb")], "duckdb"))
    told: list[Scored] = []
    found = score("p", meaning, done=pile.scored, tell=told.append)
    assert [each.name for each in told] == ["b"]
    assert [each.name for each in found.scored] == ["a", "b"]


def test_rows_of_piles_are_put_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, is_one in (("tpc_h", True), ("shop", False)):
        one = rows.Ran("a", "a.sql", 1, is_one, seconds=2.0)
        store.append(tmp_path / f"{name}.rows.jsonl", one)
    assert rows.main(["--collect", "--details", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "| shop | 1 | 100.0 | 0.0 | 2 |\n| tpc_h | 1 | 100.0 | 100.0 | 2 |" in shown
    assert "| all | 2 | 100.0 | 50.0 | 4 |" in shown


def test_what_is_proved_is_run() -> None:
    text = "create table a as select x from t where x > 1 and y = 'u'"
    meaning = Meaning(load([Source("r.sql", text, "duckdb")], "duckdb"))
    found = proved.proved("p", meaning)
    assert found.outcomes == {"identical": 1}
    assert "| p | 1 | 1 | 0 | 0 | 0 |" in proved.text([found])
    found.false.append("a: the rows differ")
    assert "FALSE PROOF in p, a: the rows differ" in proved.text([found])


def test_what_is_proved_is_run_where_a_placeholder_is_a_schema() -> None:
    text = "select a, count(*) as n into @out.r from @cdm.t where b > 2 group by a"
    found = proved.proved("p", Meaning(load([Source("r.sql", text, "tsql")], "tsql")))
    assert found.outcomes == {"identical": 1}


def test_a_pile_is_scored() -> None:
    text = "select a, count(*) as n from s.t where b >= @least group by a"
    pile = score("p", Meaning(load([Source("r.sql", text, "bigquery")], "bigquery")))
    (one,) = pile.scored
    assert one.executes and one.returns
    assert one.tallies["comparison"] == Tally(1, 1, 0)
    assert pile.false_proofs == 0
    assert "| p | 1 | 100.0 | 100.0 |" in table.text([pile])
    assert table.survivors(pile).startswith("# p: survivors")


def test_types_agree_exactly_closely_or_not() -> None:
    ddl = {
        "t": {
            "a": SqlType("integer", evidence="declared"),
            "b": SqlType("double", evidence="declared"),
            "c": SqlType("text", evidence="declared"),
            "unread": SqlType("text", evidence="declared"),
        }
    }
    sql = "SELECT t.other FROM s.t AS t WHERE t.a = 1 AND t.b = 2 AND t.c IS TRUE"
    inferred = infer(meaning_of(load([Source("q.sql", sql)])))
    assert agreements(inferred, ddl) == {
        ("used", "same"): 1,
        ("used", "close"): 1,
        ("used", "other"): 1,
    }
    assert list(wrong(inferred, ddl)) == ["s.t.c: BOOLEAN (used), but VARCHAR"]
    assert "| t | 3 | 33.3 % | 66.7 % | 0 | - | - | 0 | - | - |" in types_table(
        {"t": agreements(inferred, ddl)}
    )


def test_declared_types_are_read_from_ddl(tmp_path: Path) -> None:
    file = tmp_path / "ddl.sql"
    file.write_text("CREATE TABLE s.t (a BIGINT, b VARCHAR(3), c NUMERIC(9, 2));")
    assert {c: k.kind for c, k in of_ddl([file], "postgres")["t"].items()} == {
        "a": "integer",
        "b": "text",
        "c": "decimal",
    }


def test_whether_reports_run_and_return_rows_is_counted() -> None:
    sources = [
        Source("a.sql", "create table r.a as select t.id from s.t where t.n > 5", "duckdb"),
        Source("b.sql", "create table r.b as select t.id from s.t where 1 = 2", "duckdb"),
        Source("c.sql", "create table r.c as select random() as x from s.t", "duckdb"),
        Source("d.sql", "create table r.d as select (select t.n from s.t where t.n > 5) as n",
               "duckdb"),
    ]  # fmt: skip
    ran = list[rows.Ran]()
    found = rows.measured("p", Meaning(load(sources, "duckdb")), tell=ran.append)
    again = rows.measured("p", Meaning(load(sources, "duckdb")), tell=ran.append, done=ran[:3])
    assert [each.name for each in ran] == ["a", "b", "c", "d", "d"]
    assert again.ran[:3] == found.ran[:3]
    assert {each.name: (each.times > 0, each.has_rows) for each in found.ran} == {
        "a": (True, True), "b": (True, False), "c": (False, False), "d": (True, True),
    }  # fmt: skip
    assert (found.executing, found.returning) == (3, 2)
    shown = rows.text([found])
    assert "| p | 4 | 75.0 | 50.0 |" in shown
    assert "- not reached: return rows: 50.0 %, wanted 95 %" in shown
    told = rows.without(found)
    assert "2 reports without rows" in told
    assert f"- b (b.sql): {rows.NONE}" in told and "- c (c.sql): uses rand" in told
    assert [
        each.name for each in rows.measured("p", Meaning(load(sources, "duckdb")), "b").ran
    ] == ["b"]
