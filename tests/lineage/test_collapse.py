"""Temporary tables read through: their sources feed their readers."""

from unwet.lineage.collapse import without
from unwet.lineage.pile import load
from unwet.lineage.sources import Source


def shown(sql: str, dialect: str = "tsql") -> list[str]:
    pile = load(Source("a.sql", sql), dialect)
    graph = without(pile.graph, pile.temporary)
    return [f"{e.source} -> {e.target} {e.type} {e.subtype} {e.certainty}" for e in graph.edges]


def test_a_value_through_two_temporary_tables() -> None:
    sql = """
        select s.a + 1 as x, s.k into #one from s where s.b > 0
        select sum(x) as y, k into #two from #one group by k
        insert into t (z) select y from #two
    """
    found = shown(sql)
    assert "s.a -> t.z DIRECT AGGREGATION certain" in found
    assert "s.b -> t.z INDIRECT FILTER certain" in found
    assert "s.k -> t.z INDIRECT GROUP_BY certain" in found
    assert not [line for line in found if "#" in line]


def test_an_unknown_star_passes_unknown_columns_on() -> None:
    found = shown("select * into #one from s; insert into t (z) select a from #one")
    assert found == ["s.* -> t.z DIRECT IDENTITY inferred"]


def test_counted_rows_are_those_of_the_source() -> None:
    found = shown(
        "select s.a into #one from s where s.b = 1; select count(*) as n into t from #one"
    )
    assert "s.* -> t.n INDIRECT GROUP_BY certain" in found
    assert "s.b -> t.n INDIRECT FILTER certain" in found


def test_a_temporary_table_that_feeds_itself_ends() -> None:
    sql = "select s.a into #one from s; insert into #one (a) select #one.a + 1 from #one;"
    assert shown(sql + "insert into t (z) select a from #one") == [
        "s.a -> t.z DIRECT IDENTITY certain",
        "s.a -> t.z DIRECT TRANSFORMATION certain",
    ]


def test_temporary_tables_that_feed_each_other_lose_nothing() -> None:
    sql = """
        create table #a (x int); create table #b (x int);
        insert into #a select x from s1; insert into #b select x from s2;
        insert into #a select x from #b; insert into #b select x from #a;
        insert into t (x) select x from #b; insert into u (x) select x from #a
    """
    assert shown(sql) == [
        f"{source}.x -> {target}.x DIRECT IDENTITY inferred"
        for source in ("s1", "s2")
        for target in ("t", "u")
    ]


def test_the_places_are_those_of_the_first_reading() -> None:
    sql = "select s.a as x into #one from s;\ninsert into t (z) select x from #one"
    pile = load(Source("a.sql", sql), "tsql")
    (edge,) = without(pile.graph, pile.temporary).edges
    assert [str(span) for span in edge.spans] == ["a.sql:1:8"]


def test_a_graph_without_temporary_tables_stays_the_same() -> None:
    pile = load(Source("a.sql", "insert into t (z) select a from s"), "tsql")
    assert without(pile.graph, pile.temporary) is pile.graph
