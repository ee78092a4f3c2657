"""Random piles of small scripts that make, read, hide, break and circle around a few names."""

from hypothesis import strategies as st

from unwet.lineage.sources import Source

NAMES = ("a", "b", "c", "s.a", "s.b", "r.a", "d.s.b", "t", "#t", "{{ p }}.a", "@q.b", "${e}")
COLUMNS = ("x", "y", "z", "*", "m.*", "m.x", "n.y", "{{ k }}", "count(*)", "x + y AS w",
           "(select max(x) from {third}) as v", "case when n.x > 1 then y end as u")  # fmt: skip
QUERIES = (
    "select {cols} from {one} as m",
    "select {cols} from {one} m join {other} n using (x)",
    "select {cols} from {one} m, {other} n where m.x in (select y from {third})",
    "select x, y from {one} union all select x, z from {other}",
    "with a as (select * from {one}) select {cols} from a m join {other} n on m.x = n.x",
)
STATEMENTS = (
    "create view {name} as {query}",
    "create table {name} as {query}",
    "create temp table {name} as {query}",
    "create table {name} (x int, y text)",
    "create table {name} (x int not null, z text, primary key (x))",
    "create temporary table {name} (x int) as {query}",
    "alter table {name} add column z int",
    "alter table {one} rename to {name}",
    "insert into {name} {query}",
    "insert into {name} (x, y) {query}",
    "update {name} set x = (select y from {one})",
    "delete from {name} where x in (select x from {one})",
    "drop table {name}",
    "truncate table {name}",
    "execute immediate 'create table {name} as select x, y from {one}'",
    "exec('select x into {name} from {one}')",
    "select {cols} into {name} from {one} m join {other} n on m.x = n.x",
    "select from where ({one}",
    "{query}",
    "{query}",
    "merge into {name} g using {one} h on g.x = h.x when matched then update set y = h.z",
)
DIALECTS = ("postgres", "tsql", "bigquery", "duckdb", "snowflake", "")
PATHS = ("a.sql", "b.sql", "s/a.sql", "s/b.sql", "c.sql", "t.sql", "e.sql")


@st.composite
def statements(draw: st.DrawFn) -> str:
    """One statement."""
    name, one, other, third = (draw(st.sampled_from(NAMES)) for _ in range(4))
    names = {"name": name, "one": one, "other": other, "third": third}
    columns = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=3))
    cols = ", ".join(_filled(each, names) for each in columns)
    query = _filled(draw(st.sampled_from(QUERIES)), {**names, "cols": cols})
    return _filled(draw(st.sampled_from(STATEMENTS)), {**names, "cols": cols, "query": query})


@st.composite
def piles(draw: st.DrawFn) -> tuple[tuple[Source, ...], str]:
    """Sources in the order of their pile, some of one path; and a default schema."""
    dialect = draw(st.sampled_from(DIALECTS))
    scripts = st.lists(statements(), max_size=4).map(";\n".join)
    files = draw(st.lists(st.tuples(st.sampled_from(PATHS), scripts), min_size=2, max_size=7))
    sources = tuple(Source(path, text, dialect) for path, text in files)
    return sources, draw(st.sampled_from(("", "s")))


def _filled(text: str, parts: dict[str, str]) -> str:
    """`text` with parts put in; other braces are placeholders of SQL."""
    for name, part in parts.items():
        text = text.replace("{" + name + "}", part)
    return text
