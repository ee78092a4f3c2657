"""A whole pile: the public call, evidence from elsewhere, and SQL that makes no sense."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unwet.lineage.columns import edges
from unwet.lineage.errors import PathNotFound, UnknownDialect
from unwet.lineage.pile import load, trace
from unwet.lineage.sources import Source

SQL = """with c as (select a, sum(b) over (partition by k order by z) as w from s join t using (k))
select c.*, case when exists (select 1 from u where u.a = c.a) then (select max(x) from v) end q
into #m from c left join (values (1, 2)) d(a, b) on c.a = d.a where w > 0 group by 1 order by a;
merge into t using (select * from #m) m on t.a = m.a when matched then update set b = m.q
when not matched then insert (a, b) values (m.a, m.w);
insert into n (x, y) select * from (select a from t union select b from s except select 1) z"""
WORDS = ["(", ")", ",", ".", "*", "select", "from", "join", "on", "union all", "with", "as",
         "where", "group by", "order by", "case", "when", "end", "'", '"', "a", "s", "x.y", "@p",
         "1", ";",
         "lateral", "unnest(a)", "using (a)", "over ()", "exists", "in", "values"]  # fmt: skip

EDITS = st.tuples(st.integers(0, len(SQL)), st.integers(0, 12), st.sampled_from(WORDS))


def test_trace_takes_sources_and_a_schema() -> None:
    graph = trace(
        Source("q.sql", "create table m as select * from t"), schema={"db.t": {"a": "INT"}}
    )
    (edge,) = graph.edges
    assert (edge.source.relation, edge.source.column) == ("db.t", "a")
    assert (edge.target.relation, edge.target.column) == ("m", "a")
    assert (edge.type, edge.subtype, edge.certainty) == ("DIRECT", "IDENTITY", "certain")
    assert str(edge.spans[0]) == "q.sql:1:26"


def test_a_file_that_is_one_query_hints_at_the_relation_of_its_name() -> None:
    graph = trace(
        [
            Source("d/bg.sql", "select lactate from raw"),
            Source("e.sql", "create table m as select lactate from x.stays, x.bg"),
        ]
    )
    (edge,) = [e for e in graph.edges if e.target.relation == "m"]
    assert (edge.source.relation, edge.certainty) == ("x.bg", "inferred")
    assert edge.evidence[0].path == "d/bg.sql"


def test_one_bad_statement_loses_only_itself() -> None:
    pile = load(Source("q.sql", "create table m as select s.a from s;\nselect from where;\n"))
    assert [str(e.target) for e in pile.graph.edges] == ["m.a"]
    assert "PARSE" in {finding.code for finding in pile.findings}


def test_edges_of_one_statement() -> None:
    pile = load(Source("q.sql", "insert into n select s.a from s where s.b > 0"))
    found = edges(pile.resolved[0], pile.catalog)
    assert [(str(e.source), e.type) for e in found] == [("s.a", "DIRECT"), ("s.b", "INDIRECT")]


def test_uses_become_open_tables_of_the_catalog() -> None:
    pile = load(Source("q.sql", "select s.a from s where s.b > 0"))
    table = pile.catalog.get("s")
    assert table is not None and not table.closed
    assert table.names == ("a", "b")
    assert [str(column.seen) for column in table.columns] == ["q.sql:1:8", "q.sql:1:25"]


def test_wrong_use_is_an_error() -> None:
    with pytest.raises(PathNotFound):
        trace("no/such/folder")
    with pytest.raises(UnknownDialect):
        trace(Source("q.sql", "select 1"), dialect="postgress")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(SQL)), st.integers(0, 12), st.sampled_from(WORDS)), max_size=6
    ),
    st.sampled_from(["tsql", "bigquery", "snowflake", "postgres", "duckdb", "spark", ""]),
)
def test_mangled_sql_never_crashes(edits: list[tuple[int, int, str]], dialect: str) -> None:
    text = SQL
    for at, cut, word in edits:
        text = f"{text[:at]} {word} {text[at + cut :]}"
    pile = load(Source("q.sql", text), dialect)
    assert all(e.spans for e in pile.graph.edges)
    assert all(1 <= span.line <= text.count("\n") + 1 for e in pile.graph.edges for span in e.spans)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25))
def test_word_salad_never_crashes(words: list[str]) -> None:
    pile = load(Source("q.sql", "select a " + " ".join(words)), "duckdb")
    assert pile.graph.cycles() is not None


@pytest.mark.parametrize("before", ["", "select 'never closed\n;\n\n"])
def test_views_of_the_information_schema_have_places(before: str) -> None:
    sql = f"{before}select count(*) as n\nfrom `p.d.INFORMATION_SCHEMA.PARTITIONS`"
    (edge,) = trace(Source("q.sql", sql), "bigquery").edges
    assert (str(edge.target), edge.subtype) == ("n", "GROUP_BY")
    assert edge.spans[0].line == sql.count("\n") + 1  # though the parser gives that name no end


def test_a_list_of_names_may_be_longer_than_what_is_known() -> None:
    graph = trace(Source("q.sql", "select d.x, d.y from (select p, * from t) d(x, y)"))
    assert [f"{e.source} -> {e.target}" for e in graph.edges] == ["t.* -> y", "t.p -> x"]
