"""Which columns of which reports change when a pile says something else."""

from __future__ import annotations

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.decisions.effects import effects
from unwet.rewrite.meaning import Meaning

TABLE = Source("t.sql", "CREATE TABLE s.t (p int, q int)", "duckdb")


def meaning(**views: str) -> Meaning:
    made = [Source(f"{n}.sql", f"CREATE VIEW s.{n} AS {q}", "duckdb") for n, q in views.items()]
    return Meaning(load([TABLE, *made], "duckdb"))


def at(number: int) -> Meaning:
    """A pile in which a1, y1 and z1 themselves depend on a number."""
    return meaning(
        a1=f"SELECT p + {number} AS p, q + {number} AS q FROM s.z1",
        b0="SELECT k FROM s.b1",
        b1="SELECT k FROM s.y1",
        y1=f"SELECT p + {number} AS k FROM s.t",
        z1=f"SELECT p, q FROM s.t WHERE p > {number}",
    )


def test_changes_are_followed_to_the_end_although_columns_become_rows_on_the_way() -> None:
    """a1 goes from two columns to all rows while b1 gets its one: their number stays the same,
    and b0 has yet to hear of it."""
    before, after = at(1), at(2)
    assert effects(before.state, after.state, before.normalizer) == {
        "a1": {"*"}, "b0": {"k"}, "b1": {"k"}, "y1": {"k"}, "z1": {"*"},
    }  # fmt: skip


def test_what_says_the_same_in_other_words_does_not_change() -> None:
    one = meaning(v="SELECT p FROM s.t WHERE p > 1 AND q = 2", w="SELECT p FROM s.v")
    two = meaning(v="SELECT t.p FROM s.t AS t WHERE 2 = q AND p > 1", w="SELECT p FROM s.v")
    assert effects(one.state, two.state, one.normalizer) == {}
