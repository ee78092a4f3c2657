"""Of families that want one query those are taken that save most together."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from unwet.rewrite.abstract import Family, Unit
from unwet.rewrite.exact_choice import SMALL, conflicts, most_saving, without_worse
from unwet.rewrite.shapes import Survey

_GRAPHS = st.integers(1, 9).flatmap(
    lambda size: st.tuples(
        st.lists(st.integers(1, 40), min_size=size, max_size=size),
        st.sets(st.sampled_from([*combinations(range(size), 2), (0, 0)])),
    )
)


def _graph(size: int, edges: set[tuple[int, int]]) -> nx.Graph[int]:
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(size))
    graph.add_edges_from((a, b) for a, b in edges if a != b)
    return graph


@given(_GRAPHS)
def test_no_set_without_a_conflict_saves_more(
    drawn: tuple[list[int], set[tuple[int, int]]],
) -> None:
    saved, edges = drawn
    graph = _graph(len(saved), edges)
    chosen = most_saving(graph, saved)
    assert not graph.subgraph(chosen).edges
    every = (
        nodes
        for many in range(len(saved) + 1)
        for nodes in combinations(range(len(saved)), many)
        if not graph.subgraph(nodes).edges
    )
    assert sum(saved[n] for n in chosen) == max(sum(saved[n] for n in nodes) for nodes in every)


def test_what_comes_first_stays_where_others_save_as_much() -> None:
    path = _graph(3, {(0, 1), (0, 2)})
    assert most_saving(path, [10, 5, 5]) == {0}
    assert most_saving(path, [9, 5, 5]) == {1, 2}


QUERIES = [sqlglot.parse_one(f"SELECT a, b FROM t WHERE c = {n}", read="duckdb") for n in range(6)]


def unit(node: exp.Expr, skip: int = 0, stop: int = 0) -> Unit:
    return Unit(
        "items" if stop else "block",
        "host",
        node,
        Survey(node).shape(node),
        "label",
        skip=skip,
        stop=stop,
    )


def family(*queries: int) -> Family:
    return Family(tuple(unit(QUERIES[n]) for n in queries), ())


def test_two_that_save_more_together_are_taken_instead_of_the_best() -> None:
    best, left, right, other = family(0, 1), family(0, 2), family(1, 3), family(4, 5)
    found = [(10, best), (8, left), (7, right), (5, other)]
    assert without_worse(found) == [(8, left), (7, right), (5, other)]
    assert without_worse([(16, best), *found[1:]]) == [(16, best), (5, other)]


def test_of_two_the_best_comes_first_and_the_other_waits() -> None:
    found = [(10, family(0, 1)), (8, family(0, 2))]
    assert without_worse(found) == found


def test_where_many_meet_the_best_come_first() -> None:
    many = [(10, family(0, 1))] * (SMALL + 1)
    assert without_worse(many) == many


def test_what_is_around_another_query_is_no_conflict() -> None:
    tree = sqlglot.parse_one("SELECT a FROM (SELECT a FROM t) AS x", read="duckdb")
    inner = next(node for node in tree.find_all(exp.Select) if node is not tree)
    around, inside = Family((unit(tree),), ()), Family((unit(inner),), ())
    assert not conflicts([around, inside]).edges


def test_items_of_one_query_conflict_where_they_overlap() -> None:
    tree = sqlglot.parse_one("SELECT a, b, c, d FROM t", read="duckdb")
    runs = [Family((unit(tree, *ends),), ()) for ends in ((0, 2), (1, 3), (2, 4))]
    assert {*conflicts(runs).edges} == {(0, 1), (1, 2)}
