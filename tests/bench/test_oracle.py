"""The oracle sees what a change of one column does, and what the lineage lacks."""

import duckdb

from bench.oracle.influence import Script, missing, observe
from bench.oracle.world import World, read


def world() -> World:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE s (k INTEGER, a VARCHAR, b VARCHAR)")
    connection.execute("INSERT INTO s VALUES (1, 'x', 'p'), (2, 'y', 'q'), (3, NULL, 'p')")
    return read(connection)


def test_values_and_conditions_are_told_apart() -> None:
    seen = observe(world(), Script("q", "SELECT a AS n FROM s WHERE b = 'p'", ""))
    assert (seen.outputs, seen.rows) == (("n",), 2)
    assert seen.influences == {("s", "a"): {"n"}, ("s", "b"): {"n"}}
    assert seen.marked == {("s", "a"): {"n"}}


def test_what_a_script_makes_is_undone() -> None:
    here = world()
    script = Script("t", "CREATE TABLE t AS SELECT upper(a) AS u, k FROM s", "t", ("t",))
    for _ in range(2):
        seen = observe(here, script)
        assert seen.influences == {("s", "a"): {"u"}, ("s", "k"): {"k"}}
    assert set(here.tables) == {"s"}
    assert here.connection.execute("SELECT count(*) FROM s WHERE a = 'x'").fetchall() == [(1,)]


def test_a_script_that_does_not_run_says_why() -> None:
    seen = observe(world(), Script("q", "SELECT nothing FROM s", ""))
    assert "nothing" in seen.error


def test_what_was_seen_and_is_no_edge_is_missing() -> None:
    seen = observe(world(), Script("q", "SELECT a AS n FROM s WHERE b = 'p'", ""))
    complete = {"n": [("s", "a"), ("s", "b")]}
    assert missing(seen, complete, {"n": [("s", "a")]}) == []
    assert missing(seen, {"n": [("s", "a")]}, {"n": []}) == [
        (("s", "b"), "n", "influence"),
        (("s", "a"), "n", "value"),
    ]
