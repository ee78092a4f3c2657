"""Blocks that are known again: by the tree and by what is known of the relations that it reads."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp, parse_one

from unwet.lineage.tables import Catalog
from unwet.rewrite.algebra import Plan, Scan
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.rereading import resolved
from unwet.rewrite.scanned import Meanings, Scans
from unwet.rewrite.stars import made_table

SAID = "with c as (select t.a, sum(t.b) as b from t group by t.a) select c.a from c where c.b > 1"


class _Counted(Normalizer):
    """One that counts what it is asked."""

    asked = 0

    def run(self, rel):  # type: ignore[no-untyped-def]
        self.asked += 1
        return super().run(rel)


class _Shelf:
    def __init__(self) -> None:
        self.scans, self.normalizer = Scans(), _Counted()

    def of(
        self, sql: str, names: tuple[str, ...] = ("a", "b"), plans: Mapping[str, Plan] = {}
    ) -> Meanings | None:
        catalog = Catalog({"t": made_table("t", names), "u": made_table("u", ("a",))})
        tree = parse_one(sql, dialect="duckdb")
        assert isinstance(tree, exp.Query)
        query = resolved(tree, catalog, "duckdb")
        assert query is not None
        return self.scans.of(query, catalog, plans, self.normalizer)


def test_a_tree_that_says_the_same_is_looked_at_once() -> None:
    shelf = _Shelf()
    found = shelf.of(SAID)
    asked = shelf.normalizer.asked
    assert found is not None
    assert [block.names for block in found if block is not None] == [("a",), ("a", "b")]
    assert shelf.of(SAID) is found
    assert shelf.normalizer.asked == asked


def test_another_constant_is_another_tree() -> None:
    shelf = _Shelf()
    one, other = shelf.of(SAID), shelf.of(SAID.replace("> 1", "> 2"))
    assert one is not None and other is not None
    assert one[0] is not None and other[0] is not None
    assert one[0].rel != other[0].rel
    assert one[0].shape == other[0].shape


def test_what_is_known_of_a_relation_counts() -> None:
    shelf = _Shelf()
    one, other = shelf.of("select * from t"), shelf.of("select * from t", ("a",))
    assert one is not None and other is not None
    assert one[0] is not None and other[0] is not None
    assert (one[0].names, other[0].names) == (("a", "b"), ("a",))


def test_what_stands_behind_a_relation_counts() -> None:
    shelf = _Shelf()
    plan = Plan(("a", "b"), Scan("u", ("a", "c")))
    one, other = shelf.of("select t.a from t"), shelf.of("select t.a from t", plans={"t": plan})
    assert one is not None and other is not None
    assert one[0] is not None and other[0] is not None
    assert one[0].rel != other[0].rel
    unrelated = shelf.of("select t.a from t", plans={"u": plan})
    assert unrelated is one


def test_what_is_not_understood_has_no_blocks() -> None:
    shelf = _Shelf()
    assert (
        shelf.of("with recursive c as (select 1 as a union all select c.a from c) from c") is None
    )
