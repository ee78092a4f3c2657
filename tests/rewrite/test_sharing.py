"""Copies by meaning become one intermediate model; what is not a copy, or trivial, stays."""

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.lineage.tables import Column, Table
from unwet.rewrite.compose import compose
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.script import end_state
from unwet.rewrite.sharing import Shared, share

TABLES = {"s.o": ["id", "country", "status", "cents"], "s.i": ["o_id", "qty", "price"]}
TOTALS = """select i.o_id, sum(i.qty) as n, sum(i.price) as total, min(i.price) as low,
max(i.price) as high from s.i i join s.o o on o.id = i.o_id where o.status = 'paid'
group by i.o_id"""
SAME = """select x.o_id, sum(x.qty) as n, sum(x.price) as total, min(x.price) as low,
max(x.price) as high from s.o, s.i as x where 'paid' = s.o.status and x.o_id = s.o.id group by 1"""


def shared(*texts: str, pinned: frozenset[str] = frozenset()) -> Shared:
    sources = [Source(f"{i}.sql", text, "duckdb") for i, text in enumerate(texts)]
    pile = load(sources, "duckdb", TABLES)
    state = end_state(pile.scripts, pile.resolved, pile.catalog)
    drafts = tuple(compose(report, {}) for report in state.reports)
    known = {
        f"src__s__{name[2:]}__src": Table(name, tuple(map(Column, columns)), True, "schema")
        for name, columns in TABLES.items()
    }
    return share(drafts, known, "duckdb", pinned, Normalizer())


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
