"""The column graph: closures, depth, circles, names, and the public networkx form."""

import networkx
import pytest

from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.errors import UsageError
from unwet.lineage.graph import Graph
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


def test_columns_by_the_end_of_their_name() -> None:
    assert CHAIN.column("B.X") == node("b.x")
    assert graph("db.s.a > t.b").column("s.a") == node("db.s.a")


def test_unknown_and_ambiguous_names_are_explained() -> None:
    with pytest.raises(UsageError, match=r"no column a\.xx") as caught:
        CHAIN.column("a.xx")
    assert "did you mean a.x" in caught.value.help
    with pytest.raises(UsageError, match="more than one column") as caught:
        CHAIN.column("x")
    assert "a.x, b.x, c.x, d.x" in caught.value.help


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
