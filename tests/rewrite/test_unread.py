"""Columns that nobody reads go, and so does a model that is another one in all that is read."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from unwet.rewrite.sharing import Shared
from unwet.rewrite.unread import (
    all_of,
    columns_read,
    may_lose,
    narrow,
    read_instead,
    reads,
    selecting,
)
from unwet.tests.rewrite.small_world import Worlds
from unwet.tests.rewrite.test_sharing import shared

M = "ref__m__ref"


def read(sql: str) -> exp.Select:
    tree = parse_one(sql, dialect="duckdb")
    assert isinstance(tree, exp.Select)
    return tree


@pytest.mark.parametrize(
    ("reader", "columns"),
    [
        (f"SELECT x.a FROM {M} AS x WHERE x.b > 1 ORDER BY x.c", {"a", "b", "c"}),
        (f"SELECT a FROM {M}", {"a"}),
        (f"SELECT x.a FROM {M} AS x JOIN t USING (k) WHERE t.b = 1", {"a", "k"}),
        (f"SELECT t.a FROM t WHERE t.b IN (SELECT x.c FROM {M} AS x WHERE x.d = t.e)", {"c", "d"}),
        (f"SELECT x.a FROM {M} AS x WHERE EXISTS (SELECT 1 FROM t WHERE t.k = x.b)", {"a", "b"}),
        (f"SELECT COUNT(*) AS n FROM {M} AS x", set()),
        (f"SELECT X.A FROM {M} AS x", {"a"}),
        (f"SELECT x.* FROM {M} AS x", None),
        (f"SELECT * FROM {M}", None),
        (f"SELECT COUNT(x) FROM {M} AS x", None),  # its rows as values
        (f"SELECT x.a FROM {M} AS x NATURAL JOIN t", None),
        (f"SELECT COUNT(x.*) AS n FROM {M} AS x", None),
    ],
)
def test_what_a_query_reads(reader: str, columns: set[str] | None) -> None:
    found = columns_read(M, [read(reader), read("SELECT z.zz FROM other AS z")])
    assert found == (None if columns is None else frozenset(columns))


@pytest.mark.parametrize(
    ("sql", "fine"),
    [
        ("SELECT a, b AS y FROM t", True),
        ("SELECT a, SUM(b) AS y FROM t GROUP BY a", True),
        ("SELECT a, t.b AS y FROM t ORDER BY t.b", True),
        ("SELECT DISTINCT a, b AS y FROM t", False),
        ("SELECT a, b AS y FROM t ORDER BY y", False),
        ("SELECT a, b AS y FROM t ORDER BY 2", False),
        ("SELECT a, SUM(b) AS y FROM t GROUP BY 1", False),
        ("SELECT a, b AS y FROM t GROUP BY ALL", False),
        ("SELECT a, SUM(b) AS y FROM t GROUP BY a HAVING y > 1", False),
        ("SELECT a, b AS y, y + 1 AS z FROM t", False),
        ("SELECT *, b AS y FROM t", False),
        ("SELECT 'x' AS a, COUNT(*) AS y FROM t", False),  # one row
        ("SELECT 'x' AS a, SUM(b) FILTER (WHERE c) + 1 AS y FROM t", False),
        ("SELECT (SELECT MAX(a) FROM u) AS a, COUNT(*) AS y FROM t", False),
        ("SELECT MAX(a) AS a, COUNT(*) AS y FROM t", True),
        ("SELECT a, SUM(b) OVER (PARTITION BY a) AS y FROM t", True),
        ("SELECT a, SUM(b) FILTER (WHERE c) OVER () AS y FROM t", True),
        ("SELECT a, SUM(SUM(b)) OVER () AS y FROM t", False),
        ("SELECT a, UNNEST(b) AS y FROM t", False),  # a row for each element
        ("SELECT a, GENERATE_SUBSCRIPTS(b, 1) AS y FROM t", False),
        ("SELECT a, RANDOM() AS y FROM t", False),
        ("SELECT a, SOUNDEX(b) AS y FROM t", True),
    ],
)
def test_which_outputs_a_query_can_do_without(sql: str, fine: bool) -> None:
    tree = read(sql)
    assert may_lose(tree, [item for item in tree.expressions if item.alias == "y"]) is fine


def test_queries_that_lose_outputs_have_the_rows_that_they_had() -> None:
    worlds = Worlds()
    for sql in (
        "SELECT a AS x, b AS y, COUNT(*) AS n FROM t GROUP BY a, b",
        "SELECT t.a AS x, ROW_NUMBER() OVER (ORDER BY t.a, t.b) AS y FROM t LEFT JOIN u USING (a)",
        "SELECT a AS x, SUM(b) AS y FROM t GROUP BY a HAVING COUNT(*) > 1 ORDER BY a",
        "SELECT MAX(a) AS x, COUNT(*) AS n FROM t",
    ):
        small = selecting(read(sql), ["x"])
        assert small is not None
        assert worlds.difference(f"SELECT x FROM ({sql}) AS q", small.sql("duckdb")) == ""


def test_a_query_without_one_of_the_outputs_selects_none() -> None:
    assert selecting(read("SELECT a FROM t"), ["b"]) is None
    assert selecting(read("SELECT a, b AS a FROM t"), ["a"]) is None
    union = parse_one("SELECT a FROM t UNION ALL SELECT a FROM u")
    assert isinstance(union, exp.Query)
    assert selecting(union, ["a"]) is None


def test_only_what_is_read_is_left() -> None:
    made: dict[str, exp.Query] = {
        "inner": read("SELECT t.a, t.b, t.c AS d FROM t"),
        "outer": read("SELECT q.a, q.b AS e FROM ref__inner__ref AS q WHERE q.a > 1"),
    }
    narrow(made, [read("SELECT o.a FROM ref__outer__ref AS o")])
    assert made["outer"].sql() == "SELECT q.a FROM ref__inner__ref AS q WHERE q.a > 1"
    assert made["inner"].sql() == "SELECT t.a FROM t"


def alike() -> dict[str, exp.Query]:
    """Models that are the same query of other rows."""
    sqls = ["SELECT t.a, t.b, t.c FROM r1 AS t", "SELECT t.a, t.b, t.c FROM r2 AS t WHERE t.a > 1"]
    return {f"m{place}": read(sql) for place, sql in enumerate(sqls)}


def test_models_that_are_alike_lose_a_column_together() -> None:
    made = alike()
    narrow(made, [read("SELECT x.a FROM ref__m0__ref AS x, ref__m1__ref AS y WHERE y.b = x.a")])
    assert [tree.sql() for tree in made.values()] == [
        "SELECT t.a, t.b FROM r1 AS t",
        "SELECT t.a, t.b FROM r2 AS t WHERE t.a > 1",
    ]


@pytest.mark.parametrize(
    "reports",
    [
        ["SELECT x.a, x.b FROM ref__m0__ref AS x", "SELECT y.c FROM ref__m1__ref AS y"],
        ["SELECT x.a FROM ref__m0__ref AS x", "SELECT * FROM ref__m1__ref"],
        [  # a block that says the same, and has what it has
            "SELECT x.a FROM ref__m0__ref AS x",
            "SELECT y.a FROM ref__m1__ref AS y",
            "WITH q AS (SELECT t.a, t.b, t.c FROM r3 AS t) SELECT a FROM q",
        ],
    ],
)
def test_models_that_are_alike_stay_alike(reports: list[str]) -> None:
    made = alike()
    narrow(made, [read(sql) for sql in reports])
    assert made == alike()


def test_one_that_needs_an_output_keeps_it_for_those_that_are_alike() -> None:
    named = "SELECT t.a, t.b AS d FROM r1 AS t", "SELECT t.a, t.b AS d FROM r2 AS t ORDER BY d"
    made = {f"m{place}": read(sql) for place, sql in enumerate(named)}
    narrow(made, [read("SELECT x.a FROM ref__m0__ref AS x, ref__m1__ref AS y WHERE y.a = x.a")])
    assert [*made.values()] == [read(sql) for sql in named]


def test_what_an_output_read_that_has_gone_is_not_read_any_more() -> None:
    made: dict[str, exp.Query] = {
        "m0": read("SELECT t.a, t.b AS d FROM r1 AS t"),
        "inner": read("SELECT u.a, u.b FROM ref__m0__ref AS v, u WHERE v.a = u.a"),
        "m1": read("SELECT t.a, t.b AS d FROM ref__inner__ref AS i, r2 AS t WHERE i.a = t.a"),
    }
    made["m2"] = read("SELECT i.a, i.b AS e FROM ref__inner__ref AS i")
    narrow(made, [read("SELECT x.a FROM ref__m1__ref AS x, ref__m2__ref AS y WHERE y.a = x.a")])
    assert made["m0"].sql() == "SELECT t.a FROM r1 AS t"
    assert made["inner"].sql() == "SELECT u.a FROM ref__m0__ref AS v, u WHERE v.a = u.a"


def test_models_that_lost_columns_have_the_rows_that_they_had() -> None:
    """The law: what reads the narrowed models returns what it returned."""
    worlds = Worlds()
    sqls = (
        "SELECT t.a, t.b AS d, ROW_NUMBER() OVER (PARTITION BY t.a ORDER BY t.b) AS n FROM t",
        "SELECT t.a, t.b AS d, ROW_NUMBER() OVER (PARTITION BY t.a ORDER BY t.b) AS n"
        " FROM t WHERE t.a > 0",
    )
    report = "SELECT x.a, y.d FROM ref__m0__ref AS x JOIN ref__m1__ref AS y ON x.a = y.a"
    made: dict[str, exp.Query] = {f"m{place}": read(sql) for place, sql in enumerate(sqls)}
    narrow(made, [read(report)])
    assert [tree.named_selects for tree in made.values()] == [["a", "d"], ["a", "d"]]

    def whole(texts: list[str]) -> str:
        ctes = (f"ref__m{place}__ref AS ({sql})" for place, sql in enumerate(texts))
        return f"WITH {', '.join(ctes)} {report}"

    new = [tree.sql("duckdb") for tree in made.values()]
    assert worlds.difference(whole([*sqls]), whole(new)) == ""


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        (f"SELECT a, b FROM {M}", (M, ("a", "b"))),
        (f"SELECT q.a FROM {M} AS q", (M, ("a",))),
        (f"SELECT a AS b FROM {M}", ("", ())),
        (f"SELECT a FROM {M} WHERE a > 1", ("", ())),
        (f"SELECT DISTINCT a FROM {M}", ("", ())),
        (f"SELECT * FROM {M}", ("", ())),
        (f"SELECT a FROM (SELECT a FROM {M}) AS q", ("", ())),
        (f"SELECT a FROM {M} TABLESAMPLE (10 PERCENT)", ("", ())),
    ],
)
def test_which_reports_are_columns_of_a_model(sql: str, found: tuple[str, tuple[str, ...]]) -> None:
    assert all_of(read(sql)) == found


def test_another_model_is_read_under_the_same_name() -> None:
    tree = read(f"SELECT {M}.a FROM {M} JOIN t AS q ON q.a = {M}.a")
    read_instead(M, "ref__n__ref", [tree])
    assert tree.sql() == f"SELECT {M}.a FROM ref__n__ref AS {M} JOIN t AS q ON q.a = {M}.a"
    assert reads(tree, "ref__n__ref")
    assert not reads(tree, M)


WIDE = """select i.o_id, o.country, sum(i.qty) as n, sum(i.price) as total, min(i.price) as low,
  max(i.price) as high, count(distinct i.qty) as sizes
from s.i i join s.o o on o.id = i.o_id where o.status = 'paid' group by i.o_id, o.country"""


def test_a_model_between_reports_has_the_columns_that_they_read() -> None:
    one = f"create table r.a as with t as ({WIDE}) select country, sum(n) as n from t group by 1"
    two = f"create table r.b as with t as ({WIDE}) select country, max(n) as m from t group by 1"
    (model,) = shared(one, two).intermediates
    assert model.tree.named_selects == ["country", "n"]


def test_a_report_of_all_that_is_read_of_a_model_is_that_model() -> None:
    base = f"create table r.base as select country, n from ({WIDE}) as t"
    one = f"create table r.a as with t as ({WIDE}) select country, sum(n) as n from t group by 1"
    two = f"create table r.b as with t as ({WIDE}) select country, max(n) as m from t group by 1"
    found = shared(base, one, two, makers=frozenset({"base"}))
    assert found.intermediates == ()
    assert {d.name: d.refs for d in found.drafts} == {"base": (), "a": ("base",), "b": ("base",)}
    alone = shared(base, one, two)
    assert len(alone.intermediates) == 1


NET = """select o.id, o.country, o.cents - x.back as net, o.cents * 2 as gross, o.status, x.back
from s.o o join (select i.o_id, min(i.price) as low from s.i i group by i.o_id) k on k.o_id = o.id
left join (select i.o_id, sum(i.price) as back, count(*) as n from s.i i {kept} group by i.o_id) x
on x.o_id = o.id where o.status = 'paid'"""
COUNTED = """create table r.{name} as select {taken} from (
select t.country, count(distinct t.id) as c, {more} from ({net}) as t group by t.country) as q"""
SUMMED = """create table r.{name} as
select t.country, {more} as s from ({net}) as t group by t.country"""


def nets(taken: str) -> list[str]:
    """Two reports of nets after some refunds, of which they take as much, and two after all."""
    some, every = NET.format(kept="where i.qty > 1"), NET.format(kept="")
    return [
        COUNTED.format(name="a", net=some, taken=taken, more="sum(t.net) as s"),
        COUNTED.format(name="b", net=some, taken=taken, more="max(t.net) as s"),
        SUMMED.format(name="c", net=every, more="sum(t.net + t.gross)"),
        SUMMED.format(name="d", net=every, more="max(t.net + t.gross)"),
    ]


def of_some(found: Shared) -> list[str]:
    """The models that are made of the refunds after which some nets are."""
    return [draft.name for draft in found.intermediates if "qty > 1" in draft.tree.sql()]


def test_a_model_that_is_another_one_in_all_that_is_taken_is_not_made() -> None:
    found = shared(*nets("country, c"))
    assert of_some(found) == []
    assert len({draft.refs for draft in found.drafts}) == 1


def test_a_model_of_other_rows_stays() -> None:
    assert len(of_some(shared(*nets("country, c, s")))) == 1
