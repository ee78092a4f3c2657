"""The column graph: closures, depth, circles, names, and the public networkx form."""

from pathlib import Path

import networkx
import pytest

from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.errors import UsageError
from unwet.lineage.graph import Graph, Kinds
from unwet.lineage.pile import trace
from unwet.lineage.sources import Source


def node(name: str) -> ColumnId:
    relation, _, column = name.rpartition(".")
    return ColumnId(relation, column)


def graph(*pairs: str, type_: str = "DIRECT") -> Graph:
    ends = (pair.split(" > ") for pair in pairs)
    return Graph(Edge(node(a), node(b), type_, "IDENTITY", "certain") for a, b in ends)


CHAIN = graph("a.x > b.x", "b.x > c.x", "c.x > d.x")


def test_upstream_and_downstream() -> None:
    assert CHAIN.upstream(node("c.x")) == (node("a.x"), node("b.x"))
    assert CHAIN.downstream(node("c.x")) == (node("d.x"),)
    assert CHAIN.upstream(node("no.where")) == ()


def test_depth() -> None:
    assert CHAIN.upstream(node("d.x"), depth=1) == (node("c.x"),)
    assert [str(e.source) for e in CHAIN.around(node("c.x"), depth=1).edges] == ["b.x", "c.x"]


def test_around_one_side() -> None:
    up = CHAIN.around(node("c.x"), upstream=True, downstream=False)
    assert [str(e.source) for e in up.edges] == ["a.x", "b.x"]


def test_indirect_edges_only_on_request() -> None:
    indirect = graph("a.x > b.x", type_="INDIRECT")
    assert indirect.upstream(node("b.x")) == ()
    assert indirect.upstream(node("b.x"), kinds="all") == (node("a.x"),)


def test_circles() -> None:
    circular = graph("a.x > b.x", "b.x > a.x", "b.x > c.x", "d.x > d.x", "e.x > a.x")
    assert circular.cycles() == ((node("a.x"), node("b.x")), (node("d.x"),))
    assert circular.upstream(node("a.x")) == (node("a.x"), node("b.x"), node("e.x"))


def test_a_circle_of_ten_thousand() -> None:
    size = 10_000
    ring = graph(*(f"t.c{i} > t.c{(i + 1) % size}" for i in range(size)))
    assert [len(circle) for circle in ring.cycles()] == [size]


def test_a_star_feeds_the_columns_read_from_its_table() -> None:
    found = trace(
        [
            Source("a.sql", "insert into n select * from z"),
            Source("b.sql", "insert into m select n.q from n"),
        ]
    )
    assert found.upstream(node("m.q")) == (node("n.*"), node("n.q"), node("z.*"))


def test_equal_edges_become_one_with_all_places() -> None:
    found = trace(
        Source("a.sql", "insert into t select s.a from s;\ninsert into t select s.a from s")
    )
    (edge,) = found.edges
    assert [span.line for span in edge.spans] == [1, 2]


def test_networkx_form() -> None:
    public = CHAIN.to_networkx()
    assert networkx.ancestors(public, node("c.x")) == {node("a.x"), node("b.x")}
    (data,) = public.get_edge_data(node("a.x"), node("b.x")).values()
    assert data == {"type": "DIRECT", "subtype": "IDENTITY", "certainty": "certain", "spans": ()}


# --- closures of real SQL, against networkx on the spread edges

SHOP = Path(__file__).resolve().parents[2] / "fixtures" / "shop"


@pytest.fixture(scope="module")
def shop() -> Graph:
    return trace([str(SHOP / "pile" / "crm"), str(SHOP / "schema.sql")], "duckdb")


@pytest.mark.parametrize("kinds", ["direct", "all"])
def test_closures_are_those_of_the_spread_edges(shop: Graph, kinds: Kinds) -> None:
    public = networkx.DiGraph()
    public.add_nodes_from(shop.nodes)
    public.add_edges_from((e.source, e.target) for e in shop.of_kinds(kinds))
    circles = {each for circle in shop.cycles(kinds) for each in circle}
    most = 0
    for start in shop.nodes:
        up, down = set(shop.upstream(start, kinds=kinds)), set(shop.downstream(start, kinds=kinds))
        itself = {start} & circles
        assert up == networkx.ancestors(public, start) | itself
        assert down == networkx.descendants(public, start) | itself
        most = max(most, len(up), len(down))
    assert most > 10


@pytest.mark.parametrize("kinds", ["direct", "all"])
@pytest.mark.parametrize("depth", [None, 1, 2])
def test_the_part_around_a_column_has_the_edges_of_its_closure(
    shop: Graph, kinds: Kinds, depth: int | None
) -> None:
    every = shop.of_kinds(kinds)
    for start in shop.nodes[::7]:
        fed = {start, *shop.upstream(start, None if depth is None else depth - 1, kinds)}
        feeds = {start, *shop.downstream(start, None if depth is None else depth - 1, kinds)}
        near = shop.around(start, depth=depth, kinds=kinds)
        wanted = [e for e in every if e.target in fed or e.source in feeds]
        assert list(near.of_kinds(kinds)) == wanted


def test_impact_goes_through_conditions() -> None:
    found = trace(
        [
            Source("a.sql", "create table m as select s.a, s.b from s where s.c > 0"),
            Source("b.sql", "create table n as select m.a as x from m"),
        ]
    )
    assert found.downstream(node("s.c")) == ()
    assert [str(each) for each in found.impact(node("s.c"))] == ["m.a", "m.b", "n.x"]
    assert [str(each) for each in found.impact(node("s.c"), depth=1)] == ["m.a", "m.b"]
    assert [str(each) for each in found.upstream(node("n.x"), kinds="all")] == ["m.a", "s.a", "s.c"]


def test_a_row_that_decides_about_itself_is_a_circle() -> None:
    found = trace(
        Source(
            "a.sql", "insert into t(a, b) select u.a, u.b from u where u.a in (select t.a from t)"
        )
    )
    assert found.cycles() == ()
    assert found.cycles("all") == ((node("t.a"),),)


def test_around_several_columns() -> None:
    two = CHAIN.around([node("b.x"), node("d.x")], downstream=False, depth=1)
    assert [str(e.target) for e in two.edges] == ["b.x", "d.x"]
    assert CHAIN.upstream([node("b.x"), node("d.x")], depth=1) == (node("a.x"), node("c.x"))


def test_a_part_keeps_only_its_own_unresolved_names() -> None:
    found = trace(
        Source("a.sql", "insert into t select x from a, b;\ninsert into u select a.y from a")
    )
    assert len(found.unresolved) == 1
    assert found.around(node("u.y")).unresolved == ()
    (name,) = [each for each in found.nodes if each.relation == "t"]
    assert found.around(name).unresolved == found.unresolved


def test_a_column_may_be_given_by_name() -> None:
    assert CHAIN.upstream("C.x") == CHAIN.upstream(node("c.x")) != ()
    assert CHAIN.impact("a") == CHAIN.impact(node("a.x")) != ()  # all columns of a table
    assert CHAIN.around("b.x", depth=1).edges == CHAIN.around(node("b.x"), depth=1).edges
    with pytest.raises(UsageError, match="no column or table"):
        CHAIN.downstream("q.x")
