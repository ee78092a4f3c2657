"""What names mean: inputs, levels, aliases, certainty, and shared queries."""

from collections.abc import Iterator

import pytest
from sqlglot import exp

from unwet.lineage.parse import parse
from unwet.lineage.resolve import Query, Ref, Resolved, is_parameter, resolve
from unwet.lineage.sources import Source
from unwet.lineage.tables import Catalog, Column, Table
from unwet.lineage.templating import mask


def table(name: str, *columns: str, closed: bool = True) -> Table:
    return Table(name, tuple(Column(each) for each in columns), closed, "ddl")


CATALOG = Catalog(
    {t.name: t for t in (table("db.s", "a", "b", "k"), table("t", "x", "k"), table("u", "k", "z"))}
)


def resolved(sql: str, dialect: str = "") -> Resolved:
    (statement,) = parse(mask(Source("q.sql", sql, dialect)), dialect).statements
    return resolve(statement, CATALOG)


def query(sql: str, dialect: str = "") -> Query:
    found = resolved(sql, dialect).query
    assert found is not None
    return found


def columns(node: exp.Expr) -> Iterator[exp.Column]:
    return node.find_all(exp.Column)


def meaning(sql: str, clause: str, dialect: str = "") -> Ref:
    """What the last column of a clause means."""
    whole = query(sql, dialect)
    part = whole.node.args[clause]
    return whole.find(list(columns(part))[-1], clause)


@pytest.mark.parametrize(
    ("sql", "kind", "target", "temp"),
    [
        ("select 1", "query", None, False),
        ("create table m as select 1 as x", "ctas", "m", False),
        ("create temp table m as select 1 as x", "ctas", "m", True),
        ("create view v as select 1 as x", "view", "v", False),
        ("create table m (x int)", "create_table", "m", False),
        ("insert into m select 1", "insert", "m", False),
        ("update t set x = 1", "update", "t", False),
        ("delete from t", "delete", "t", False),
        ("merge into t using u on t.k = u.k when matched then update set x = u.z",
         "merge", "t", False),
        ("drop table t", "drop", "t", False),
        ("truncate table t", "truncate", "t", False),
        ("grant select on t to x", "other", None, False),
    ],
)  # fmt: skip
def test_kinds_and_targets(sql: str, kind: str, target: str | None, temp: bool) -> None:
    found = resolved(sql)
    assert (found.kind, found.target, found.temp) == (kind, target, temp)


def test_select_into_a_temp_table_keeps_its_sign() -> None:
    found = resolved("select a into #tmp from db.s", "tsql")
    assert (found.kind, found.target, found.temp) == ("select_into", "#tmp", True)


def test_a_cte_read_twice_is_one_query() -> None:
    whole = query("with c as (select k from t) select c.k from c join c as d on c.k = d.k")
    assert whole.inputs[0].query is whole.inputs[1].query is whole.ctes["c"]


def test_a_correlated_column_has_a_level() -> None:
    whole = query("select k from t where exists (select 1 from u where u.k = x)")
    subquery = whole.node.args["where"].find(exp.Exists).this
    inner = whole.nested(subquery)
    assert whole.nested(subquery) is inner
    refs = [inner.find(each, "where") for each in columns(inner.node.args["where"])]
    assert [(r.column, r.level, r.certainty) for r in refs] == [
        ("k", 0, "certain"),
        ("x", 1, "certain"),
    ]


def test_several_candidates_are_ambiguous() -> None:
    ref = meaning("select 1 from t, u where k > 0", "where")
    assert (ref.input, ref.certainty) == (None, "ambiguous")
    assert [each.relation for each in ref.candidates] == ["t", "u"]


def test_one_open_input_is_inferred_and_closed_ones_are_left_out() -> None:
    ref = meaning("select 1 from t, nowhere where q > 0", "where")
    assert ref.input is not None
    assert (ref.input.relation, ref.certainty) == ("nowhere", "inferred")


def test_a_column_that_a_closed_table_lacks_is_unknown() -> None:
    ref = meaning("select 1 from t where t.q > 0", "where")
    assert ref.input is not None
    assert (ref.input.relation, ref.column, ref.certainty) == ("t", "q", "unknown")


@pytest.mark.parametrize(
    ("dialect", "is_alias"), [("bigquery", True), ("postgres", False), ("tsql", False)]
)
def test_group_by_and_aliases(dialect: str, is_alias: bool) -> None:
    ref = meaning("select x + 1 as k, count(x) as n from t group by k", "group", dialect)
    assert (ref.alias is not None) is is_alias


def test_order_by_means_the_output_first() -> None:
    assert meaning("select x + 1 as k from t order by k", "order").alias is not None


def test_names_compare_without_case_unless_quoted() -> None:
    assert [o.name for o in query('select "A", A from "T"', "postgres").outputs] == ["A", "a"]
    assert meaning("select 1 from T where T.X > 0", "where").certainty == "certain"
    assert meaning('select 1 from t where "X" > 0', "where", "snowflake").certainty == "certain"


def test_a_full_join_merges_its_using_column() -> None:
    ref = query("select k from t full join u using (k)", "postgres")
    found = ref.find(next(columns(ref.node)), "select")
    assert [each.input.relation for each in found.merged if each.input] == ["t", "u"]


def test_a_right_join_takes_its_using_column_from_the_right() -> None:
    whole = query("select k from t right join u using (k)", "postgres")
    ref = whole.find(next(columns(whole.node)))
    assert ref.input is not None and ref.input.relation == "u"


def test_placeholders_in_column_position_are_parameters() -> None:
    whole = query("select k from t where x = @limit", "tsql")
    token = next(each for each in columns(whole.node) if is_parameter(each))
    ref = whole.find(token, "where")
    assert (ref.input, ref.certainty, ref.column) == (None, "certain", "p__limit__p")


def test_an_unknown_star_leaves_the_query_incomplete() -> None:
    whole = query("select *, 1 as one from nowhere")
    assert not whole.complete
    assert [output.name for output in whole.outputs] == ["one"]
    assert [each.input.relation for each in whole.open] == ["nowhere"]


def test_a_parenthesised_join_is_marked() -> None:
    whole = query("select 1 from t left join (u join db.s on u.k = s.k) on t.k = u.k")
    assert [each.group is not None for each in whole.inputs] == [False, True, True]


@pytest.mark.parametrize("shape", ["select k from ({}) x", "select k from t where k in ({})"])
def test_three_hundred_levels(shape: str) -> None:
    sql = "select k from t"
    for _ in range(300):
        sql = shape.format(sql)
    assert [output.name for output in query(sql).outputs] == ["k"]


def test_thousands_of_union_branches() -> None:
    whole = query(" union all ".join(["select k from t"] * 3000))
    assert whole.kind == "setop"
    assert len(whole.branches) == 2
