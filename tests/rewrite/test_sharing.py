"""Copies by meaning become one intermediate model; what is not a copy, or trivial, stays."""

import pytest
import sqlglot

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.lineage.tables import Column, Table
from unwet.rewrite.compose import compose
from unwet.rewrite.limits import NO_LIMITS, Limits, Owners
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.script import end_state
from unwet.rewrite.sharing import Shared, Workshop, share

TABLES = {"s.o": ["id", "country", "status", "cents"], "s.i": ["o_id", "qty", "price"]}
TOTALS = """select i.o_id, sum(i.qty) as n, sum(i.price) as total, min(i.price) as low,
max(i.price) as high from s.i i join s.o o on o.id = i.o_id where o.status = 'paid'
group by i.o_id"""
SAME = """select x.o_id, sum(x.qty) as n, sum(x.price) as total, min(x.price) as low,
max(x.price) as high from s.o, s.i as x where 'paid' = s.o.status and x.o_id = s.o.id group by 1"""


NONE = frozenset[str]()


def shared(
    *texts: str, pinned: frozenset[str] = NONE, read: frozenset[str] = NONE,
    makers: frozenset[str] = NONE, macros: bool = True,
) -> Shared:  # fmt: skip
    sources = [Source(f"{i}.sql", text, "duckdb") for i, text in enumerate(texts)]
    pile = load(sources, "duckdb", TABLES)
    state = end_state(pile.scripts, pile.resolved, pile.catalog)
    drafts = tuple(compose(report, {}) for report in state.reports)
    known = {
        f"src__s__{name[2:]}__src": Table(name, tuple(map(Column, columns)), True, "schema")
        for name, columns in TABLES.items()
    }
    return share(
        drafts, known, "duckdb", pinned, Normalizer(), read=read, makers=makers, macros=macros
    )


CTE = f"create table r.a as with totals as ({TOTALS}) select o_id, n from totals where n > 3"
DERIVED = f"create table r.b as select t.total from ({SAME}) as t order by 1"


def test_a_copy_in_other_words_is_written_once() -> None:
    found = shared(CTE, DERIVED)
    (model,) = found.intermediates
    assert model.name == "int_totals"
    assert [draft.refs for draft in found.drafts] == [("int_totals",)] * 2
    assert [o.relation for o in model.outside] == ["s.i", "s.o"]
    assert "WITH" not in found.drafts[0].tree.sql("duckdb")  # its CTE is read by nobody now


def test_pinned_reports_keep_their_copy() -> None:
    assert shared(CTE, DERIVED, pinned=frozenset({"a"})).intermediates == ()


def test_a_different_query_is_no_copy() -> None:
    for change in (("= 'paid'", "<> 'paid'"), ("o.id = i.o_id", "o.id > i.o_id"),
                   ("group by i.o_id", "group by i.o_id, i.qty")):  # fmt: skip
        assert shared(CTE.replace(*change), DERIVED).intermediates == ()


def test_one_table_and_a_filter_is_not_worth_a_model() -> None:
    plain = "select id, country, status, cents from s.o where status = 'paid' and cents > 5"
    one = f"create table r.a as with p as ({plain}) select id from p"
    two = f"create table r.b as with p as ({plain}) select cents, country from p"
    assert shared(one, two).intermediates == ()


BIG = """with totals as ({}), big as (select t.o_id, count(*) as c, sum(t.n) as s, max(t.low) m,
min(t.high) h from totals t join s.o o on o.id = t.o_id group by t.o_id) select {} from big"""


def test_a_block_takes_the_ctes_it_reads_along() -> None:
    one, two = BIG.format(TOTALS, "c"), BIG.format(TOTALS, "s")
    found = shared(f"create table r.a as {one}", f"create table r.b as {two}")
    names = {model.name: model.tree.sql("duckdb") for model in found.intermediates}
    assert "int_big" in names
    assert "WITH totals AS" in names["int_big"] or "ref__int_totals__ref" in names["int_big"]


RECURSIVE = """create table r.{} as
with recursive n as (select 1 as k union all select k + 1 from n where k < 9)
select k, (select count(*) from s.i x join s.i y on x.o_id = y.o_id where x.o_id = n.k) as c from n
"""


def test_correlated_and_recursive_blocks_stay() -> None:
    assert shared(RECURSIVE.format("a"), RECURSIVE.format("b")).intermediates == ()


def models(found: Shared) -> dict[str, str]:
    return {model.name: model.tree.sql("duckdb") for model in found.intermediates}


def query(found: Shared, name: str) -> str:
    return next(draft.tree.sql("duckdb") for draft in found.drafts if draft.name == name)


WIDE = """create table r.{name} as with totals as (
select i.o_id, sum(i.qty) as n, {columns} from s.i i join s.o o on o.id = i.o_id
where o.status = 'paid' and o.country is not null group by i.o_id)
select {read} from totals where n > 3"""


def test_copies_with_other_columns_share_one_model_that_has_them_all() -> None:
    found = shared(
        WIDE.format(name="a", columns="sum(i.price) as total, min(i.price) as low", read="low"),
        WIDE.format(name="b", columns="sum(i.price) as total, max(i.price) as high", read="high"),
    )
    [(name, model)] = models(found).items()
    assert name == "int_totals"
    for column in ("AS n", "AS low", "AS high"):
        assert column in model
    assert "AS total" not in model  # which nobody reads
    assert [draft.refs for draft in found.drafts] == [("int_totals",)] * 2
    assert "WITH" not in query(found, "a") + query(found, "b")


def test_a_column_stands_in_words_as_bare_as_those_beside_it() -> None:
    body = "with t as (select o_id, {} from s.i where qty > 1 group by o_id) select {} from t"
    many = "sum(qty * price) as total, min(price) as low, max(price) as high, sum(qty) as n"
    found = shared(
        "create table r.a as " + body.format(many, "o_id, total, low, high, n"),
        "create table r.b as " + body.format(f"{many}, sum(price - qty) as net", "o_id, net, n"),
        "create table r.c as " + body.format(f"{many}, avg(price / qty) as mean", "o_id, mean"),
    )
    [text] = (model.lower() for model in models(found).values())
    assert "sum(price - qty) as net" in text and "avg(price / qty) as mean" in text
    assert "s__i__src." not in text


def test_a_column_that_is_made_in_another_way_is_another_column() -> None:
    """Nobody's rows are changed: the outlier reads its own."""
    usual = "sum(i.price) as total, min(i.price) as low, max(i.price) as high"
    odd = usual.replace("sum(i.price)", "sum(coalesce(i.price, 0))")
    found = shared(
        WIDE.format(name="a", columns=usual, read="total, low"),
        WIDE.format(name="b", columns=usual, read="total, high"),
        WIDE.format(name="c", columns=odd, read="o_id, total"),
    )
    [model] = models(found).values()
    assert "SUM(i.price) AS total" in model and "SUM(COALESCE(i.price, 0)) AS total_2" in model
    assert query(found, "c").startswith("SELECT o_id, total_2 AS total FROM")
    assert "total_2" not in query(found, "a") + query(found, "b")


def test_of_two_columns_of_one_name_that_which_more_read_has_it_alone() -> None:
    """What copies have and do not read came with what they were copied from."""
    usual = "sum(i.price) as total, min(i.price) as low, max(i.price) as high"
    odd = usual.replace("sum(i.price)", "sum(coalesce(i.price, 0))")
    found = shared(
        WIDE.format(name="a", columns=odd, read="total"),
        WIDE.format(name="b", columns=odd, read="count(*), max(low)"),
        WIDE.format(name="c", columns=odd, read="high"),
        WIDE.format(name="d", columns=usual, read="o_id, total"),
        WIDE.format(name="e", columns=usual, read="total, high"),
    )
    [model] = models(found).values()
    assert "SUM(i.price) AS total" in model and "SUM(COALESCE(i.price, 0)) AS total_2" in model
    assert query(found, "a").startswith("SELECT total_2 AS total FROM")


def test_the_name_that_most_authors_use_is_the_name_of_the_column() -> None:
    columns = "sum(i.price) as {}, min(i.price) as low, max(i.price) as high"
    found = shared(
        WIDE.format(name="a", columns=columns.format("summe"), read="totals.summe as x"),
        WIDE.format(name="b", columns=columns.format("total"), read="total"),
        WIDE.format(name="c", columns=columns.format("total"), read="total, low"),
    )
    [model] = models(found).values()
    assert "SUM(i.price) AS total" in model
    assert query(found, "a").startswith("SELECT totals.total AS x FROM")


def test_who_reads_all_columns_gets_its_own_only() -> None:
    columns = "sum(i.price) as total, min(i.price) as low"
    found = shared(
        WIDE.format(name="a", columns=columns, read="*"),
        WIDE.format(name="b", columns=columns + ", max(i.price) as high", read="total, high"),
    )
    assert "int_totals" in models(found)
    assert query(found, "a").startswith(
        "WITH totals AS (SELECT o_id, n, total, low FROM ref__int_totals__ref)"
    )


def test_a_name_without_its_table_keeps_its_meaning_beside_more_columns() -> None:
    """`cents` is a column of s.o only, until the model has one of that name."""
    columns = "sum(i.price) as total, min(i.price) as low"
    read = "cents, total, low from s.o o join totals on totals.o_id = o.id -- "
    found = shared(
        WIDE.format(name="a", columns=columns, read=read),
        WIDE.format(name="b", columns=columns + ", max(i.price) as cents", read="total, cents"),
    )
    assert "AS cents" in models(found)["int_totals"]
    assert "totals AS (SELECT o_id, n, total, low FROM" in query(found, "a")


ROWS = """create table r.{name} as with latest as (
select o.id, o.country, {columns}, row_number() over (partition by o.id order by o.cents) as rn
from s.o o), good as (select {read}, id from latest where rn = 1 and country = '{country}')
select {read}, count(*) as c from good group by {read}"""


def test_what_is_inside_comes_first() -> None:
    found = shared(
        ROWS.format(name="a", columns="o.status", read="status", country="AT"),
        ROWS.format(name="b", columns="o.status, o.cents", read="cents", country="DE"),
        ROWS.format(name="c", columns="o.cents", read="cents", country="FR"),
    )
    assert list(models(found)) == ["int_latest"]
    assert "AT" in query(found, "a") and "DE" in query(found, "b")


def test_a_union_gets_a_column_in_each_branch() -> None:
    union = """create table r.{name} as with both as (
    select i.o_id as id, i.qty as n, {one} from s.i i where i.price > 5
    union all select o.id, o.cents, {two} from s.o o where o.status <> 'bad')
    select sum(n) as n, {read} from both group by {read}"""
    found = shared(
        union.format(name="a", one="'i' as src", two="'o'", read="src"),
        union.format(name="b", one="'i' as src, i.price as p", two="'o', o.cents", read="p"),
    )
    [model] = models(found).values()
    assert model.count("price AS p") == 1 and model.count("'o'") == 1
    assert "ref__int_both__ref" in query(found, "a")


def test_the_branches_of_a_union_call_a_column_by_one_name() -> None:
    """Who reads them by name would take the price of one for that of another."""
    union = """create table r.{name} as with both as (
    select i.o_id, i.qty, i.price * {one} as p from s.i i join s.o o on o.id = i.o_id
    union all select o.id, o.cents, o.cents * {two} as p from s.o o where o.status <> 'bad')
    select o_id, sum({read}) as total from both group by o_id"""
    found = shared(
        union.format(name="a", one="2", two="3", read="p"),
        union.format(name="b", one="5", two="7", read="p + qty"),
        union.format(name="c", one="5", two="7", read="p * qty"),
    )
    (model,) = found.intermediates
    branches = [model.tree.this, model.tree.expression]
    names = [[item.alias_or_name for item in branch.expressions[2:]] for branch in branches]
    assert sorted(names[0]) == ["p", "p_2"]
    assert names[0] == names[1]
    by_name = dict(zip(names[1], branches[1].expressions[2:], strict=True))
    assert by_name["p"].this.sql() == "o.cents * 7"  # what most say


def test_branches_lose_the_parentheses_that_they_had_for_ctes() -> None:
    columns = "sum(i.price) as total, min(i.price) as low"
    one = WIDE.format(name="a", columns=columns, read="low")
    insert = one.replace("create table r.a as", "insert into r.a").replace("n > 3", "n < 3")
    found = shared(f"{one};\n{insert}", WIDE.format(name="b", columns=columns, read="total"))
    assert list(models(found)) == ["int_totals"]
    assert "UNION ALL SELECT low FROM" in query(found, "a")
    assert "(SELECT" not in query(found, "a")


def test_nothing_is_taken_out_of_a_query_that_is_compared_as_a_text() -> None:
    sets = "select t.total, count(*) as n from ({}) as t group by grouping sets ((t.total), ())"
    found = shared(sets.format(TOTALS), sets.format(SAME), CTE, DERIVED)
    assert [draft.refs for draft in found.drafts] == [("int_totals",), ("int_totals",), (), ()]


def test_copies_read_a_report_that_has_all_their_columns() -> None:
    found = shared(f"create table r.c as {SAME}", CTE, DERIVED, read=frozenset({"c"}))
    assert found.intermediates == ()
    refs = {draft.name: draft.refs for draft in found.drafts}
    assert refs == {"a": ("c",), "b": ("c",), "c": ()}


def test_a_report_with_fewer_columns_takes_them_of_the_model() -> None:
    few = SAME.replace(", min(x.price) as low,\nmax(x.price) as high", "")
    wide = CTE.replace("select o_id, n", "select o_id, n, low")
    found = shared(f"create table r.c as {few}", wide, DERIVED, read=frozenset({"c"}))
    (model,) = found.intermediates
    assert {draft.refs for draft in found.drafts} == {(model.name,)}
    (own,) = [draft.tree.sql("duckdb") for draft in found.drafts if draft.name == "c"]
    assert own == f"SELECT o_id, n, total FROM ref__{model.name}__ref"


def test_a_report_that_takes_its_rows_of_the_model_has_them_in_its_own_order() -> None:
    few = SAME.replace(", min(x.price) as low,\nmax(x.price) as high", "")
    wide = CTE.replace("select o_id, n", "select o_id, n, low")
    sorted_by = {"total desc, n": " ORDER BY total DESC, n", "max(x.price)": ""}
    for order, said in sorted_by.items():
        whole = f"create table r.c as {few} order by {order}"
        found = shared(whole, wide, DERIVED, read=frozenset({"c"}))
        (model,) = found.intermediates
        assert query(found, "c") == f"SELECT o_id, n, total FROM ref__{model.name}__ref{said}"


def test_a_report_that_says_its_rows_in_a_cte_is_read_by_others_and_not_by_itself() -> None:
    whole = f"create table r.c as with totals as ({SAME}) select '1' as kind, * from totals"
    found = shared(whole, CTE, DERIVED, read=frozenset({"c"}))
    assert found.intermediates == ()
    refs = {draft.name: draft.refs for draft in found.drafts}
    assert refs == {"a": ("c",), "b": ("c",), "c": ()}
    assert query(found, "c").startswith("WITH totals AS (SELECT x.o_id, ")


def test_what_nobody_reads_is_no_model_for_others() -> None:
    found = shared(f"create table r.c as {SAME}", CTE, DERIVED, read=frozenset())
    assert {draft.name: draft.refs for draft in found.drafts}["c"] == ()
    assert len(found.intermediates) == 1


LATEST = """create table r.{name} as with latest as (
select x.*, row_number() over (partition by x.{key} order by x.{by} desc) as rn,
count(*) over (partition by x.{key}) as n, min(x.{by}) over (partition by x.{key}) as low,
max(x.{by}) over (partition by x.{key}) as high from (select {columns} from {table}) as x
) select {key}, n, low, high from latest where rn = 1"""


def test_one_name_for_the_rows_of_several_tables_says_which() -> None:
    orders = {"key": "id", "by": "cents", "columns": "id, country, status, cents", "table": "s.o"}
    items = {"key": "o_id", "by": "price", "columns": "o_id, qty, price", "table": "s.i"}
    texts = [LATEST.format(name=n, **orders) for n in "abc"]
    texts += [LATEST.format(name=n, **items) for n in "def"]
    names = sorted(model.name for model in shared(*texts).intermediates)
    assert names == ["int_latest_i", "int_latest_o"]


def test_the_name_of_a_report_is_no_name_for_a_model_of_others() -> None:
    few = SAME.replace(", min(x.price) as low,\nmax(x.price) as high", "")
    texts = [text.replace("totals", "c") for text in (CTE, CTE.replace("r.a", "r.d"))]
    derived = DERIVED.replace("t.total", "totals.total, totals.low").replace("as t ", "as totals ")
    found = shared(f"create table r.c as {few}", *texts, derived, read=frozenset({"c"}))
    assert [model.name for model in found.intermediates] == ["int_totals"]


def test_a_report_whose_rows_another_author_has_under_a_name_is_read() -> None:
    whole = f"create table r.t as {TOTALS}"
    found = shared(whole, DERIVED, makers=frozenset({"t", "b"}))
    assert found.intermediates == ()
    assert {draft.name: draft.refs for draft in found.drafts} == {"t": (), "b": ("t",)}
    alone = shared(whole, DERIVED)  # nobody says that it makes a table
    assert {draft.refs for draft in alone.drafts} == {()}


def test_two_reports_that_say_the_same_do_not_read_each_other() -> None:
    same = (f"create table r.t as {TOTALS}", f"create table r.u as {SAME}")
    found = shared(*same, makers=frozenset({"t", "u"}))
    assert [draft.refs for draft in found.drafts] == [(), ()]


def test_a_report_whose_rows_nobody_has_a_name_for_is_not_read() -> None:
    inside = DERIVED.replace(") as t order", ") as every order").replace("t.total", "every.total")
    found = shared(f"create table r.t as {TOTALS}", inside, makers=frozenset({"t"}))
    assert {draft.refs for draft in found.drafts} == {()}


def test_a_star_over_all_columns_of_the_model_reads_the_model_itself() -> None:
    star = f"create table r.a as with t as ({TOTALS}) select *, n * 2 as twice from t where n > 3"
    found = shared(star, f"create table r.c as {SAME}", DERIVED, read=frozenset({"c"}))
    assert query(found, "a") == "SELECT *, n * 2 AS twice FROM ref__c__ref WHERE n > 3"


USING = """create table r.a as select {read} from ({first}) as t
join (select id as o_id, {second} from s.o) as x using (o_id)"""


def using(read: str, first: str = TOTALS, second: str = "cents") -> str:
    one = USING.format(read=read, first=first, second=second)
    return query(shared(one, f"create table r.c as {SAME}", DERIVED, read=frozenset({"c"})), "a")


def test_a_join_by_columns_that_are_still_called_so_reads_the_model_itself() -> None:
    assert using("o_id, n, cents").startswith("SELECT o_id, n, cents FROM ref__c__ref AS t JOIN (")


def test_a_column_called_otherwise_is_not_read_where_another_table_has_its_name() -> None:
    renamed = TOTALS.replace("as total", "as amount")
    assert using("o_id, amount, cents", renamed).startswith(
        "SELECT o_id, total AS amount, cents FROM ref__c__ref AS t JOIN ("
    )
    assert using("amount", renamed, "cents as total").startswith(
        "SELECT amount FROM (SELECT o_id, n, total AS amount, low, high FROM ref__c__ref) AS t"
    )


def test_two_tables_that_nobody_has_named_do_not_get_one_name() -> None:
    twice = f"create table r.b as select x.n, x.low from ({TOTALS}) join ({SAME}) x using (o_id)"
    both = f"create table r.a as select o_id from ({TOTALS}) join ({SAME}) using (o_id)"
    found = shared(twice, both, f"create table r.c as {SAME}", read=frozenset({"c"}))
    assert "FROM ref__c__ref JOIN ref__c__ref AS x USING (o_id)" in query(found, "b")
    assert query(found, "a").count("(SELECT o_id, n, total, low, high FROM ref__c__ref)") == 1


def test_columns_that_are_made_of_the_same_are_read_by_their_own_names() -> None:
    """What a report is to its readers is its name: nobody sees there that n and m are the same."""
    twice = SAME.replace("sum(x.qty) as n", "sum(x.qty) as n, sum(x.qty) as m")
    copy = f"create table r.a as with totals as ({twice}) select n, m, low from totals"
    found = shared(f"create table r.c as {twice}", copy, read=frozenset({"c"}))
    assert query(found, "a") == "SELECT n, m, low FROM ref__c__ref"


def test_a_star_is_written_out_only_where_the_model_has_other_columns() -> None:
    text = f"create table r.a as with totals as ({TOTALS}) select distinct * from totals"
    found = shared(f"create table r.c as {SAME}", text, read=frozenset({"c"}))
    assert query(found, "a") == "SELECT DISTINCT * FROM ref__c__ref"
    other = f"create table r.c as {SAME.replace('max(', '0 as more, max(')}"
    assert "o_id, n, total, low, high" in query(shared(other, text, read=frozenset({"c"})), "a")


SUMS = """select {0}, sum({1}) as total, min({1}) as least, max({1}) as most, count(*) as n
from s.{2} group by {0}"""
OF_ORDERS, OF_ITEMS = SUMS.format("country", "cents", "o"), SUMS.format("o_id", "qty", "i")


def test_what_others_say_of_other_tables_is_no_model_of_one_of_these() -> None:
    """One macro says it of both; two models would be one for each table."""
    orders = [f"create table r.{n} as select total from ({OF_ORDERS}) where n > 3" for n in "abc"]
    items = f"create table r.d as select most from ({OF_ITEMS}) where n > 3"
    assert len(shared(*orders).intermediates) == 1
    assert shared(*orders, items).intermediates == ()
    assert len(shared(*orders, items, macros=False).intermediates) == 1


def test_what_an_author_has_a_name_for_is_a_model_whatever_others_say() -> None:
    orders = [f"create table r.{n} as with sums as ({OF_ORDERS}) select total from sums where n > 3"
              for n in "abc"]  # fmt: skip
    items = f"create table r.d as select most from ({OF_ITEMS}) where n > 3"
    assert [model.name for model in shared(*orders, items).intermediates] == ["int_sums"]


@pytest.mark.parametrize(("named", "others", "models"), [(1, 4, 0), (1, 3, 1), (2, 4, 1)])
def test_a_name_that_few_authors_have_is_none_where_more_say_it_of_other_tables(
    named: int, others: int, models: int
) -> None:
    bare = "create table r.{} as select total from ({}) where n > 3"
    said = "create table r.{} as with sums as ({}) select total from sums where n > 3"
    paid = OF_ORDERS.replace("group by", "where cents > 0 group by")
    orders = [(said if at < named else bare).format(f"o{at}", paid) for at in range(3)]
    sold = [OF_ITEMS.replace("group by", f"where qty > {at} group by") for at in range(others)]
    items = [bare.format(f"i{at}", text) for at, text in enumerate(sold)]
    assert len(shared(*orders, *items).intermediates) == models


@pytest.mark.parametrize(("first", "second", "models"), [(9, 9, 0), (9, 8, 8), (8, 8, 8)])
def test_what_each_report_says_of_many_tables_is_no_model_for_each_of_them(
    first: int, second: int, models: int
) -> None:
    """Two reports that go over the same tables have a loop over them, whatever its CTEs are called;
    a report with few of them reads models, and so does the other then."""

    def report(name: str, many: int) -> str:
        sold = [OF_ITEMS.replace("group by", f"where qty > {n} group by") for n in range(many)]
        ctes = ", ".join(f"sold_{n} as ({text})" for n, text in enumerate(sold))
        every = " union all ".join(f"select total, most from sold_{n}" for n in range(many))
        return f"create table r.{name} as with {ctes} {every}"

    found = shared(report("a", first), report("b", second))
    assert len(found.intermediates) == models


def test_a_large_query_is_a_model_whatever_others_say() -> None:
    columns = ", ".join(f"max({{1}} + {n}) as m{n}" for n in range(12))
    many = SUMS.replace("count(*) as n", f"count(*) as n, {columns}")
    orders, items = many.format("country", "cents", "o"), many.format("o_id", "qty", "i")
    made = [f"create table r.{n} as select total from ({orders}) where n > 3" for n in "abc"]
    one = f"create table r.d as select most from ({items}) where n > 3"
    assert len(shared(*made, one).intermediates) == 1


def test_a_name_loses_its_number_when_the_other_model_has_gone() -> None:
    shop = Workshop("duckdb", {}, Normalizer(), Owners(NO_LIMITS))
    shop.taken = {"a", "int_totals", "int_totals_2", "int_totals_3", "int_days_2"}
    shop.wanted = {"int_totals": ("int_totals", b"1"), "int_totals_2": ("int_totals", b"2"),
                   "int_totals_3": ("int_totals", b"3"), "int_days_2": ("int_days_2", b"4"),
                   "int_a_2": ("int_a", b"5")}  # fmt: skip
    shop.made = {name: sqlglot.select("1 as x") for name in
                 ("int_totals_2", "int_totals_3", "int_days_2")}  # fmt: skip
    both = sqlglot.select("*").from_("ref__int_totals_2__ref").join("ref__int_totals_3__ref")
    shop.trees = {"a": both}
    shop.owners.note("int_totals_2", ["a"])
    shop.number()
    assert list(shop.made) == ["int_totals", "int_totals_2", "int_days_2"]
    assert shop.trees["a"].sql() == ("SELECT * FROM ref__int_totals__ref, ref__int_totals_2__ref")
    assert shop.owners.of(["int_totals"]) == {"a"}


def test_what_is_forbidden_is_what_would_have_that_name_at_the_end() -> None:
    owners = Owners(Limits(forbidden=frozenset({"int_totals"})))
    shop = Workshop("duckdb", {}, Normalizer(), owners)
    shop.wanted = {"int_totals": ("int_totals", b"1"), "int_totals_2": ("int_totals", b"2")}
    shop.made = {"int_totals_2": sqlglot.select("1 as x")}
    shop.number()
    assert shop.refused()
    assert owners.refused == {"int_totals": b"2"}
