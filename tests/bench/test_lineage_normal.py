"""Names and edges in one form: what tools write differently is equal, what differs stays so."""

import pytest

from bench.lineage.case import Case, Edge, Tables
from bench.lineage.normal import agreed, normal, normal_tables, relation


def case(sql: str = "SELECT a FROM s", **more: object) -> Case:
    return Case("x#1", str(more.pop("origin", "x")), sql, **more)  # type: ignore[arg-type]


def edges(*texts: str) -> frozenset[Edge]:
    found = []
    for text in texts:
        source, _, target = text.partition(" -> ")
        sr, _, sc = source.rpartition(".")
        tr, _, tc = target.rpartition(".")
        found.append(Edge(sr, sc, tr, tc))
    return frozenset(found)


@pytest.mark.parametrize(
    ("name", "default", "plain"),
    [
        ('<default>."T"', "", "t"),
        ("[DBO].`t`", "", "dbo.t"),
        ("db.sch.t", "db.sch", "t"),
        ("db.other.t", "db.sch", "other.t"),
        ("other.sch.t", "db.sch", "other.sch.t"),
    ],
)
def test_relation_names(name: str, default: str, plain: str) -> None:
    assert relation(case(default_schema=default), name) == plain


def test_shards_of_bigquery_are_one_table() -> None:
    for name in ("p.d.t_20230101", "p.d.t_2023*", "p.d.t_*", "p.d.t_yyyymmdd"):
        assert relation(case(dialect="bigquery"), name) == "p.d.t_yyyymmdd"
    assert relation(case(), "t_20230101") == "t_20230101"


@pytest.mark.parametrize(
    "name", ["a + b", "A+B", '"s"."a" + "s"."b"', "_col_1", "_0", "f1_", "?column?"]
)
def test_an_unnamed_output_is_its_position(name: str) -> None:
    asked = case("INSERT INTO t SELECT c, a + b FROM s")
    assert normal(asked, [Edge("s", "a", "t", name)]) == edges("s.a -> t.#1")


def test_a_named_output_keeps_its_name() -> None:
    asked = case("SELECT a AS _col_1, a + b FROM s")
    assert normal(asked, edges("s.a -> _col_1")) == edges("s.a -> _col_1")


def test_row_counts_and_subqueries_are_left_out() -> None:
    said = edges("s.* -> t.cnt", "s.* -> t.*", "(q.a -> t.a")
    assert normal(case(), said) == edges("s.* -> t.*")


def test_a_script_is_judged_from_first_source_to_last_target() -> None:
    asked = case("CREATE TABLE m AS SELECT a FROM s; INSERT INTO t SELECT a, b FROM m")
    said = edges("s.a -> m.a", "m.a -> t.a", "m.b -> t.b")
    assert normal(asked, said) == edges("s.a -> t.a", "m.b -> t.b")
    assert normal(asked, edges("s.a -> t.a", "m.b -> t.b")) == edges("s.a -> t.a", "m.b -> t.b")


def test_one_statement_keeps_what_is_read_and_written() -> None:
    said = edges("t.b -> t.a", "t.a -> t.c")
    assert normal(case("UPDATE t SET a = b, c = a"), said) == said


def test_a_circle_is_kept() -> None:
    asked = case("CREATE TABLE a1 AS SELECT x FROM b1; INSERT INTO b1 SELECT x FROM a1")
    said = edges("b1.x -> a1.x", "a1.x -> b1.x")
    assert normal(asked, said) == said


def test_only_asked_outputs_of_the_result_count() -> None:
    asked = case("SELECT a, b FROM s", outputs=("A",))
    assert normal(asked, edges("s.a -> a", "s.b -> b", "s.a -> v.a")) == edges("s.a -> a")


def test_openlineage_names_no_target_relation() -> None:
    asked = case("INSERT INTO t SELECT a FROM s", origin="openlineage")
    assert normal(asked, edges("s.a -> t.a")) == edges("s.a -> a")


def test_open_sources() -> None:
    said = edges("s1|s2.a -> t.a", "?.z -> t.z")
    assert agreed(edges("?.a -> t.a"), said) == edges("?.a -> t.a")
    assert agreed(edges("s1.a -> t.a", "s2.a -> t.a"), said) == edges("s1.a -> t.a", "s2.a -> t.a")
    assert agreed(edges("s1.a -> t.a"), said) == edges("s1.a -> t.a", "s2.a -> t.a")
    assert agreed(edges("s1.b -> t.b"), said) == frozenset()


def test_both_candidates_without_a_mark_are_as_good_as_unknown() -> None:
    said = edges("s1.a -> t.a", "s2.a -> t.a")
    assert agreed(edges("?.a -> t.a"), said) == edges("?.a -> t.a")
    assert agreed(edges("?.a -> t.a"), edges("s1.a -> t.a")) == edges("s1.a -> t.a")


def test_relations() -> None:
    said = Tables(frozenset({"<default>.S", ""}), frozenset({"T"}))
    assert normal_tables(case(), said) == Tables(frozenset({"s"}), frozenset({"t"}))


def test_relations_in_between_are_none_of_a_script() -> None:
    said = Tables(frozenset({"s", "m"}), frozenset({"m", "t"}))
    script = case("CREATE TABLE m AS SELECT a FROM s; INSERT INTO t SELECT a FROM m")
    assert normal_tables(script, said) == Tables(frozenset({"s"}), frozenset({"t"}))
    one = Tables(frozenset({"t"}), frozenset({"t"}))
    assert normal_tables(case("INSERT INTO t SELECT a FROM t"), one) == one
