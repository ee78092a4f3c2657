"""Texts made to take forever: each ends, in an answer or a finding, and its neighbours stay whole.

No time is asserted: without the guards these run for minutes, hours or years.
"""

import pytest

from unwet import Source
from unwet.lineage.graph import Graph
from unwet.lineage.pile import Pile, load

BEFORE = "CREATE TABLE before_it AS SELECT a FROM source_a;\n"
AFTER = "\n;\nCREATE TABLE after_it AS SELECT b FROM source_b;\n"


def pile_of(sql: str, dialect: str) -> Pile:
    return load(Source("a.sql", BEFORE + sql + AFTER), dialect)


def graph_of(sql: str, dialect: str) -> Graph:
    return pile_of(sql, dialect).graph


def flows(graph: Graph) -> set[str]:
    return {f"{e.source} -> {e.target}" for e in graph.edges if e.type == "DIRECT"}


def nested(opening: str, depth: int) -> str:
    closing = "".join({"(": ")", "[": "]"}[c] for c in reversed(opening) if c in "([")
    return f"CREATE TABLE deep AS SELECT {opening * depth}x{closing * depth} AS y FROM base"


# --- text that is searched by patterns

TRAPS = {
    "comments before nothing": ("EXECUTE '" + "/* x */ " * 60 + "1'", "postgres"),
    "spaces after AS": ("CREATE TABLE x zzz yyy AS" + " " * 100_000 + "q", "hive"),
    "a name of many parts": ("CREATE TABLE " + "a." * 50_000 + "a zzz", "hive"),
    "a stream of many parts": ("CREATE STREAM " + "a." * 50_000 + "a ON z", "snowflake"),
    "a long new name": ("RENAME TABLE " + "a" * 200_000, "mysql"),
    "a long name exchanged": ("EXCHANGE TABLES " + "a" * 200_000, "clickhouse"),
    "a default never closed": ("{DEFAULT @x = " + " " * 200_000, "postgres"),
    "spaces in a tag": ("{% if a" + " " * 200_000 + "b %} SELECT 1 {% endif %}", "postgres"),
    "tags in tags": ("{% " * 100_000 + " %}", "postgres"),
    "quotes in a condition": ("SELECT 1 WHERE {" + "'a' b' " * 9_000 + "}?{1}:{2}", "tsql"),
    "nots in a condition": ("SELECT 1 WHERE {" + "!" * 9_000 + "@x}?{1=1}:{1=2}", "tsql"),
    "brackets in a condition": ("SELECT 1 WHERE {" + "(" * 9_000 + "@x}?{1=1}:{1=2}", "tsql"),
}


@pytest.mark.parametrize(("sql", "dialect"), TRAPS.values(), ids=TRAPS)
def test_patterns_end(sql: str, dialect: str) -> None:
    found = flows(graph_of(sql, dialect))
    assert {"source_a.a -> before_it.a", "source_b.b -> after_it.b"} <= found


# --- what the parser reads twice, as a type and as a function


@pytest.mark.parametrize(
    ("opening", "depth", "dialect"),
    [
        ("date(", 60, "postgres"),
        ("struct(", 60, "bigquery"),
        ("array[", 60, "postgres"),
        ("binary(", 30, "mysql"),
        ("coalesce(date(", 60, "snowflake"),
    ],
)
def test_doubling_brackets_are_a_finding(opening: str, depth: int, dialect: str) -> None:
    pile = pile_of(nested(opening, depth), dialect)
    assert {"source_a.a -> before_it.a", "source_b.b -> after_it.b"} <= flows(pile.graph)
    told = [f for f in pile.findings if "nested too deeply" in f.message]
    assert [(f.code, f.at.line) for f in told] == [("PARSE", 2)]


@pytest.mark.parametrize("opening", ["date(", "struct(", "array[", "coalesce(", "(", "timestamp("])
def test_what_people_nest_is_read(opening: str) -> None:
    graph = graph_of(nested(opening, 9), "spark")
    assert "base.x -> deep.y" in flows(graph)


def test_a_thousand_subscripts() -> None:
    many = pile_of("CREATE TABLE deep AS SELECT x" + "[1]" * 5_000 + " AS y FROM base", "postgres")
    assert "source_b.b -> after_it.b" in flows(many.graph)
    assert any("nested too deeply" in f.message for f in many.findings)


# --- and what the patterns are for still works


@pytest.mark.parametrize(
    ("sql", "dialect", "edge"),
    [
        ('CREATE STREAM "S" ON TABLE "t"', "snowflake", "t.* -> s.*"),
        ("EXECUTE '/* a */ -- b\n /* c */ INSERT INTO u (y) SELECT x FROM t'", "postgres",
         "t.x -> u.y"),
        ("RENAME TABLE a1 TO b1,c1 TO d1; CREATE TABLE z AS SELECT d1.x FROM d1", "mysql",
         "d1.x -> z.x"),
        ("{DEFAULT @s = 'a b' }\nCREATE TABLE z AS SELECT x FROM t {@s == 'a b'}?{WHERE y}", "tsql",
         "t.x -> z.x"),
    ],
)  # fmt: skip
def test_patterns_still_find(sql: str, dialect: str, edge: str) -> None:
    assert edge in flows(graph_of(sql, dialect))
