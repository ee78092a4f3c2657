"""Templates with holes: filled in again they are their members."""

from __future__ import annotations

from dataclasses import replace

import sqlglot
from sqlglot import exp

from unwet.lineage.config import Sharing
from unwet.rewrite.abstract import (
    BRANCH,
    TABLE_HOLES,
    TABLE_ROWS,
    Family,
    Unit,
    families,
    template,
)
from unwet.rewrite.limits import NO_LIMITS, Owners
from unwet.rewrite.shapes import Leaf, Survey


def unit(name: str, sql: str) -> Unit:
    tree = sqlglot.parse_one(sql, read="duckdb")
    return Unit("whole", name, tree, Survey(tree).shape(tree), name)


def family(*texts: str) -> Family:
    [found] = families([unit(f"r{i}", text) for i, text in enumerate(texts)])
    return found


def filled(made: Family, member: int) -> str:
    """The template with a member's values, as text."""
    values = {f"h__{hole.name}__h": hole.values[member] for hole in made.holes}

    def put(node: exp.Expr) -> exp.Expr:
        leaf = values.get(node.name) if isinstance(node, exp.Identifier | exp.Var) else None
        if isinstance(node, exp.Literal) and node.name in values:
            return exp.Literal.string(values[node.name].text)
        if leaf is None:
            return node
        if leaf.kind == "number":
            return exp.Literal.number(leaf.text)
        return exp.to_identifier(leaf.text, quoted=leaf.quoted)

    return template(made).transform(put).sql("duckdb")


def test_a_template_filled_in_is_its_member() -> None:
    texts = [
        "SELECT a, SUM(b) AS s FROM t WHERE c = 'x' AND d > 1 GROUP BY a",
        "SELECT a, SUM(b) AS s FROM t WHERE c = 'y' AND d > 20 GROUP BY a",
        "SELECT k, SUM(b) AS s FROM u WHERE c = 'z' AND d > 3 GROUP BY k",
    ]
    made = family(*texts)
    assert [filled(made, i) for i in range(3)] == texts


def test_what_varies_together_is_one_hole() -> None:
    made = family("SELECT a FROM t WHERE a = 1", "SELECT b FROM t WHERE b = 2")
    assert [(len(hole.positions), hole.values) for hole in made.holes] == [
        (2, (Leaf("name", "a"), Leaf("name", "b"))),
        (1, (Leaf("number", "1"), Leaf("number", "2"))),
    ]


def test_equal_members_need_no_hole() -> None:
    assert family("SELECT a FROM t", "SELECT A FROM T").holes == ()


def test_a_private_name_that_is_read_elsewhere_is_a_hole() -> None:
    texts = [
        "WITH x AS (SELECT a FROM t) SELECT a FROM x UNION ALL SELECT a FROM z",
        "WITH y AS (SELECT a FROM t) SELECT a FROM z UNION ALL SELECT a FROM y",
    ]
    made = family(*texts)
    assert [filled(made, i) for i in range(2)] == texts


def test_private_names_are_no_holes() -> None:
    made = family(
        "WITH x AS (SELECT a FROM t) SELECT x.a FROM x",
        "WITH y AS (SELECT a FROM t) SELECT y.a FROM y",
    )
    assert made.holes == ()


def test_private_names_that_are_crossed_are_holes() -> None:
    """p and q change places: renaming one for one would join a table to itself."""
    made = family(
        "SELECT p.a, q.a FROM t AS p, t AS q WHERE p.b = 1",
        "SELECT q.a, p.a FROM t AS p, t AS q WHERE p.b = 1",
    )
    assert made.holes != ()


def test_too_many_holes_make_several_families() -> None:
    columns = [[f"{c}{i}" for c in "abcdefgh"] for i in range(2)]
    texts = [f"SELECT {', '.join(names)} FROM t WHERE x = 1" for names in columns]
    found = families([unit(f"r{i}", texts[i % 2]) for i in range(4)])
    assert all(len(each.holes) <= Sharing().max_parameters for each in found)
    assert [len(each.units) for each in found] == [2, 2]


def test_other_shapes_are_no_family() -> None:
    assert families([unit("a", "SELECT a FROM t"), unit("b", "SELECT a FROM t LIMIT 1")]) == []
    assert families([unit("a", "SELECT a FROM t")]) == []
    assert families([]) == []


def test_parameter_names_are_different_words() -> None:
    made = family(
        "SELECT 1 AS a, 2 AS b, 'x' AS c FROM t WHERE d = 5 AND e = 'p' AND f > 7",
        "SELECT 3 AS a, 4 AS b, 'y' AS c FROM t WHERE d = 6 AND e = 'q' AND f > 7",
    )
    names = [hole.name for hole in made.holes]
    assert len(set(names)) == len(names) == 5
    assert all(name.isidentifier() for name in names)


def test_a_bound_is_named_after_its_side() -> None:
    text = (
        "SELECT a FROM t WHERE CAST('{0}' AS DATE) <= t.day AND t.day < CAST('{1}' AS DATE) "
        "AND t.size > {2} AND {3} > t.weight"
    )
    made = family(
        text.format("2024-01-01", "2024-02-01", 1, 5), text.format("2024-04-01", "2024-05-01", 2, 6)
    )
    values = {hole.values[0].text: hole.name for hole in made.holes}
    assert values == {
        "2024-01-01": "day_from", "2024-02-01": "day_to", "1": "size_from", "5": "weight_to"
    }  # fmt: skip


def test_a_column_that_a_join_is_by_is_one() -> None:
    text = "SELECT COUNT(*) AS n FROM t JOIN u USING ({0}) WHERE a > 1"
    made = family(text.format("k"), text.format("id"))
    assert [hole.name for hole in made.holes] == ["column"]


def test_rows_of_a_table_may_have_more_columns_than_a_macro_has_parameters() -> None:
    columns = [[f"{c}{i}" for c in "abcdefgh"] for i in range(TABLE_ROWS)]
    texts = [f"SELECT {', '.join(names)} FROM t WHERE x = {i}" for i, names in enumerate(columns)]
    branches = [replace(unit("r", text), label=BRANCH) for text in texts]
    (made,) = families(branches)
    assert len(made.units) == TABLE_ROWS
    assert Sharing().max_parameters < len(made.holes) <= TABLE_HOLES
    assert families(branches[:-1]) == []  # too few rows for a table


def test_a_name_with_a_word_behind_it_is_no_parameter() -> None:
    text = "SELECT day, SUM({0}) AS {0}_total, MAX({1}) AS {1}1 FROM t GROUP BY day"
    made = family(*(text.format(f"{name}s", name) for name in ("order", "ticket", "charge")))
    assert [hole.values[0].text for hole in made.holes] == ["orders", "order1", "order"]
    assert "SUM(h__" in template(made).sql() and "__h_total" in template(made).sql()


RELEASE = """SELECT a.k, MIN(b.x) AS x, MAX(c.y) AS y FROM ref__a_{0}__ref AS a
JOIN ref__b_{0}__ref AS b ON b.k = a.k JOIN ref__c_{1}__ref AS c ON c.k = a.k
JOIN ref__d_{2}__ref AS d ON d.k = a.k WHERE a.p = '{3}' AND b.q = '{4}' GROUP BY a.k"""


def test_relations_of_one_release_are_one_thing_to_say() -> None:
    owners = Owners(replace(NO_LIMITS, sharing=Sharing(max_parameters=3)))

    def made(*rows: tuple[str, ...]) -> list[Family]:
        return families([unit(f"r{n}", RELEASE.format(*row)) for n, row in enumerate(rows)], owners)

    [found] = made(("v4_1", "v4_1", "v4_1", "x", "y"), ("v5", "v5", "v5", "z", "w"))
    assert len(found.holes) == 6  # four relations and two constants
    assert made(("v4_1", "old", "red", "x", "y"), ("v5", "new", "blue", "z", "w")) == []


def test_families_of_one_shape_part_where_their_members_differ_least() -> None:
    """The fewest values are the regions, and reports of one region have nothing else in common."""
    query = (
        "SELECT c{0}, d{0}, SUM(x{0}) AS x, MIN(y{0}) AS y, MAX(z{0}) AS z FROM t{0} "
        "WHERE region = '{1}' AND k{0} > {0} GROUP BY c{0}, d{0}"
    )
    regions = ("de", "fr", "at", "ch", "it")
    units = [unit(f"r{n}{r}", query.format(n, r)) for n in range(7) for r in regions]
    found = families(units)
    assert sorted(len(each.units) for each in found) == [len(regions)] * 7
    assert all([hole.name for hole in each.holes] == ["region"] for each in found)
