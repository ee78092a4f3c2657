"""Queries that differ in parts are one macro, and return the rows that they did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from unwet.lineage.config import Sharing
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.abstract import Unit
from unwet.rewrite.choose import choose
from unwet.rewrite.chosen_later import with_lists
from unwet.rewrite.compose import Draft
from unwet.rewrite.in_step import Candidate, Walk
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.limits import NO_LIMITS, Owners
from unwet.rewrite.placed_calls import arguments, call_node, calls_in, like_which
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Leaf, Survey
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.targets.jinja import call_text, template
from unwet.rewrite.unwrapped import unwrapped
from unwet.rewrite.variants import _aliases, word_for
from unwet.tests.rewrite.small_pile import assert_same_rows

CASE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "variants"
SCHEMA: dict[str, object] = {
    "stays": dict.fromkeys(("person", "region", "provider", "service"), "TEXT")
    | dict.fromkeys(("minutes", "year"), "INTEGER"),
    "regions": {"region": "TEXT", "open": "BOOLEAN"},
    "people": {"person": "TEXT", "age": "INTEGER"},
}
ROWS = """
    CREATE TABLE stays (person TEXT, region TEXT, provider TEXT, service TEXT, minutes INTEGER,
      year INTEGER);
    INSERT INTO stays SELECT 'p' || i % 7, 'r' || i % 3, 'o' || i % 5, 's' || i % 4,
      NULLIF(i % 11, 4), 2021 + i % 4
    FROM range(90) AS t (i);
    CREATE TABLE regions AS SELECT 'r' || i AS region, i <> 1 AS open FROM range(4) AS t (i);
    CREATE TABLE people AS SELECT 'p' || i AS person, 14 + i AS age FROM range(7) AS t (i);
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("variants") / "project"
    result = refactor(load(CASE, "duckdb", SCHEMA), Request(out=out))  # type: ignore[arg-type]
    assert {report.outcome for report in result.verdicts} == {"proved"}
    return out


def model(project: Path, name: str) -> str:
    return (project / "models" / "marts" / f"{name}.sql").read_text()


def test_what_is_computed_otherwise_and_kept_otherwise_is_an_argument(project: Path) -> None:
    longest, median = model(project, "longest_stay"), model(project, "median_stay")
    assert "MAX(s.minutes)" in longest
    assert "MEDIAN(s.minutes)" in median  # its author said t.minutes, the macro has no such alias
    assert "condition=\"s.service <> 's1'\"" in median
    assert "condition" not in longest  # nothing more is asked there
    macro = longest.split("{{ ")[1].split("(")[0]
    assert f"{{{{ {macro}(" in median
    assert f"{{{{ {macro}(" in model(project, "share_of_long_stays")


def _of(picked: str, test: str) -> str:
    return f"""
        WITH picked AS ({picked}),
        base AS (SELECT t.a, t.b, t.c, t.k FROM t WHERE {test})
        SELECT base.c, COUNT(*) AS n, SUM(base.a) AS s,
            MIN(p.a) AS low, MAX(p.a) AS high, COUNT(DISTINCT base.b) AS db
        FROM base JOIN picked AS p ON p.k = base.k
        GROUP BY base.c"""


def test_what_two_differ_in_may_be_within_an_argument_of_a_third(tmp_path: Path) -> None:
    """Of the condition in their inner WITH nothing is in the third one."""
    inner = "WITH z AS (SELECT k, a, b FROM u WHERE {}) SELECT z.k, z.a FROM z WHERE z.b > 0"
    texts = {
        "r_2": _of(inner.format("TRUE"), "COALESCE(t.a, 1) = 1 AND NOT t.a = 0"),
        "r_5": _of("SELECT DISTINCT u.k, u.a FROM u WHERE u.d = 'x'",
                   "(t.a = 1 OR t.b = 0) AND t.k = 0"),
        "r_6": _of(inner.format("u.a < u.k"), "t.b BETWEEN 0 AND 1 AND (t.a = 1 OR t.b = 1)"),
    }  # fmt: skip
    sources = list[Source]()
    for name, text in texts.items():
        sources.append(Source(f"{name}.sql", f"CREATE TABLE {name} AS {text}"))
        (tmp_path / f"{name}.sql").write_text(sources[-1].text)
    schema = {
        "t": {"a": "INTEGER", "b": "INTEGER", "c": "TEXT", "k": "INTEGER"},
        "u": {"a": "INTEGER", "d": "TEXT", "k": "INTEGER", "b": "INTEGER"},
    }
    result = refactor(load(sources, "duckdb", schema), Request(out=tmp_path / "project"))
    assert {report.outcome for report in result.verdicts} == {"proved"}
    base = duckdb.connect()
    base.execute("""
        CREATE TABLE t AS SELECT i % 4 AS a, i % 3 AS b, 'c' || i % 2 AS c, i % 5 AS k
        FROM range(60) AS r (i);
        CREATE TABLE u AS SELECT i % 3 AS a, ['x', 'y', NULL][1 + i % 3] AS d, i % 5 AS k,
            NULLIF(i % 4, 2) AS b
        FROM range(60) AS r (i);""")
    assert_same_rows(base, tmp_path / "project", tmp_path)


def test_the_rows_are_what_they_were(project: Path) -> None:
    base = duckdb.connect()
    base.execute(ROWS)
    assert_same_rows(base, project, CASE)


LONG = (
    "SELECT a, COUNT(*) AS n, SUM(b) AS s, MIN(c) AS lo, {} AS hi, MAX(d) AS d, MAX(e) AS e, "
    "MAX(f) AS f FROM t AS {} WHERE x = 1 AND y = 2 GROUP BY a HAVING COUNT(*) > 1"
)


def drafts(*queries: str) -> list[Draft]:
    trees = [sqlglot.parse_one(query, read="duckdb") for query in queries]
    return [Draft(f"r{n}", tree, (), ()) for n, tree in enumerate(trees)]  # type: ignore[arg-type]


YOUNG = "SELECT k, SUM(w), MIN(w), MAX(w), 1, 2, 3 FROM u JOIN v USING (k) WHERE n = {} GROUP BY k"
OLD = "SELECT k, AVG(w), 1, COUNT(*), 2, 3 FROM u WHERE n IN (SELECT m FROM p WHERE l = {})"


def test_a_call_of_another_macro_is_an_argument() -> None:
    outer = f"WITH one AS ({{}}), two AS ({{}}) {LONG.format('MAX(g)', 't')} AND a IN (1, 2)"
    reports = [outer.format(*(part.format(n) for n in numbers))
               for part, numbers in ((YOUNG, (1, 2)), (OLD, (3, 4)))]  # fmt: skip
    library = choose(drafts(*reports), "duckdb")
    [whole] = [macro for macro in library.macros if len(macro.params) == 2]
    a, b = whole.params
    calls = [library.calls[int(tree.name[6:-6])] for tree in library.models.values()]
    assert [call_text(call, "duckdb", library.calls) for call in calls] == [
        f"{{{{ r0_rows({a}=one_rows(1), {b}=one_rows(2)) }}}}",
        f"{{{{ r0_rows({a}=one(3), {b}=one(4)) }}}}",
    ]
    text = template(whole.tree, "duckdb", library.calls)
    assert (
        " ".join(text.split())
        .lower()
        .startswith(f"with one as ( {{{{ {a} }}}} ), two as ( {{{{ {b} }}}} ) select")
    )


def test_a_call_in_a_union_is_measured_in_every_dialect() -> None:
    word = word_for(call_node("part", (("n", Leaf("number", "5")),)), "part", "tsql")
    union = exp.Union(this=sqlglot.parse_one("SELECT a FROM t"), expression=word, distinct=False)
    assert tree_lines(union, "tsql") > 4


LISTED = """SELECT a, {} FROM t JOIN u ON t.k = u.k JOIN v ON v.k = u.k LEFT JOIN w ON w.k = v.k
WHERE x = 1 AND y = 2 AND z IN (3, 4) AND t.w > u.w GROUP BY ALL HAVING COUNT(*) > 1 ORDER BY {}"""


def listed(*queries: str) -> Library:
    chosen = choose(drafts(*queries), "duckdb")
    assert all(isinstance(tree, exp.Select) for tree in chosen.models.values())
    return with_lists(chosen, "duckdb", frozenset(), Owners(NO_LIMITS))


def said(*queries: str) -> list[str]:
    """How the models of these queries call their macro."""
    library = listed(*queries)
    calls = [library.calls[int(tree.name[6:-6])] for tree in library.models.values()]
    return [call_text(call, "duckdb", library.calls) for call in calls]


def test_columns_that_one_has_more_are_an_argument() -> None:
    assert said(LISTED.format("b, MAX(c) AS c", "a"), LISTED.format("MAX(c) AS c", "a")) == [
        "{{ r0_rows(columns='a, b') }}", "{{ r0_rows(columns='a') }}"
    ]  # fmt: skip


def test_another_order_is_an_argument() -> None:
    one, other = LISTED.format("MAX(c) AS c", "a, c"), LISTED.format("MAX(c) AS c", "c DESC")
    assert said(one, other) == [
        "{{ r0_rows(sorted_by='a, c') }}",
        "{{ r0_rows(sorted_by='c DESC') }}",
    ]


def test_a_long_list_of_columns_is_a_macro_whose_call_is_an_argument() -> None:
    sums = ", ".join(f"SUM(c{n}) / COUNT(DISTINCT d{n}) AS ratio_{n}" for n in range(5))
    most = ", ".join(f"MAX(c{n}) - MIN(c{n}) AS span_of_c{n}" for n in range(7))
    library = listed(LISTED.format(sums, "a"), LISTED.format(most, "a"))
    macros = {macro.name: macro for macro in library.macros}
    [around] = macros.keys() - {"ratio_0_to_4", "span_columns"}  # called after what it computes
    assert macros["ratio_0_to_4"].tree.sql("duckdb") == f"SELECT {sums}"
    assert macros[around].tree.sql("duckdb").startswith("SELECT a, h__columns__h FROM")


@pytest.mark.parametrize(("columns", "shared"), [(6, False), (12, True)])
def test_what_is_around_a_list_has_to_save_lines_however_little_it_says(
    columns: int, shared: bool
) -> None:
    keys = ", ".join(f"k{n}" for n in range(columns))
    sums = ", ".join(f"SUM(c{n}) / COUNT(DISTINCT d{n}) AS ratio_{n}" for n in range(5))
    most = ", ".join(f"MAX(c{n}) - MIN(c{n}) AS span_of_c{n}" for n in range(7))
    made = listed(*(f"SELECT {keys}, {each} FROM t GROUP BY ALL" for each in (sums, most)))
    assert bool(made.macros) == shared


def test_a_list_with_a_query_is_no_argument() -> None:
    more = LISTED.format("(SELECT MAX(z) FROM w) AS b, MAX(c) AS c", "a")
    assert listed(more, LISTED.format("MAX(c) AS c", "a")).macros == ()


def test_a_query_is_no_text() -> None:
    one, other = LONG.format("(SELECT MAX(z) FROM u)", "t"), LONG.format("MAX(g)", "t")
    assert choose(drafts(one, other), "duckdb").macros == ()


def test_a_long_text_is_no_argument() -> None:
    terms = " + ".join(f"g{n} * {n}" for n in range(12))
    assert (
        choose(drafts(LONG.format(terms, "t"), LONG.format("MAX(g)", "t")), "duckdb").macros == ()
    )


def test_a_short_one_is() -> None:
    library = choose(
        drafts(LONG.format("MEDIAN(g)", "t"), LONG.format("MAX(g) + 1", "t")), "duckdb"
    )
    [macro] = library.macros
    assert [[leaf.text for _, leaf in call.args] for call in library.calls] == [
        ["MEDIAN(g)"], ["MAX(g) + 1"]
    ]  # fmt: skip
    assert macro.params == ("hi",)


def test_callers_of_a_macro_that_only_calls_another_one_call_that() -> None:
    def text(*args: tuple[str, str]) -> tuple[tuple[str, Leaf], ...]:
        return tuple((name, Leaf("string", said)) for name, said in args)

    more = "more", Leaf("condition", "b")
    handed = Leaf("condition", "t.a = 'h__year__h' AND call__0__call")
    hosts: dict[str, exp.Expr] = {
        "whole": call_node("thin", text(("year", "2024"))),
        "inside": sqlglot.parse_one("SELECT 1 UNION ALL SELECT 2"),
        "thin": call_node(
            "thick", (*text(("day", "h__year__h")), ("more", Leaf("condition", "b")))
        ),
        "odd": call_node("thick", (*text(("day", "x")), ("more", handed))),
    }
    hosts["inside"].this.replace(call_node("thin", text(("year", "2025"))))
    macros = [Macro(name, ("year",), hosts[name], "query") for name in ("thin", "odd")]
    calls = [MacroCall("thin", text(("year", "2026")))]
    assert list(unwrapped(hosts, macros, calls)) == [
        ("thin", {"whole", "inside"}), ("odd", set())  # nobody calls the odd one
    ]  # fmt: skip
    said = [dict(arguments(node)) for name in ("whole", "inside") for node in calls_in(hosts[name])]
    assert [each["day"].text for each in said] == ["2024", "2025"]
    assert calls == [MacroCall("thick", (*text(("day", "2026")), more))]
    assert like_which(hosts["whole"]) == "thin"


def test_a_name_of_which_a_parameter_is_a_part_is_said_whole() -> None:
    name = ("column", Leaf("name", "title"))
    hosts: dict[str, exp.Expr] = {
        "model": call_node("thin", (name,)),
        "thin": call_node("thick", (("label", Leaf("name", "h__column__h_length")),)),
    }
    macros = [Macro("thin", ("column",), hosts["thin"], "query")]
    assert list(unwrapped(hosts, macros, [])) == [("thin", {"model"})]
    assert dict(arguments(hosts["model"])) == {"label": Leaf("name", "title_length")}


def test_a_value_with_a_quote_does_not_go_into_a_text() -> None:
    handed = Leaf("condition", "t.a = 'h__year__h'")
    hosts: dict[str, exp.Expr] = {
        "whole": call_node("thin", (("year", Leaf("string", "it's")),)),
        "thin": call_node("thick", (("more", handed),)),
    }
    assert list(unwrapped(hosts, [Macro("thin", ("year",), hosts["thin"], "query")], [])) == []
    assert hosts["whole"].this == "call__thin"


def test_two_that_part_from_a_third_only_say_what_differs_between_them() -> None:
    """Two of their parts are of one shape, with the same constant: that is one argument."""
    texts = [
        LONG.format(high, "t").replace("MAX(e)", f"MAX(e) * {n}").replace("MAX(f)", f"MIN(f) - {n}")
        for high, n in (("MAX(g) + 1", 1), ("MEDIAN(g)", 2))
    ]
    third = LONG.format("AVG(g)", "t").replace("MAX(e)", "AVG(e) / 7").replace("y = 2", "y = 3")
    owners = Owners(replace(NO_LIMITS, sharing=Sharing(max_parameters=2)))
    library = choose(drafts(*texts, third.replace("MAX(f)", "AVG(f)")), "duckdb", owners=owners)
    [macro] = library.macros
    assert len(macro.params) == 2
    assert library.models["r2"].find(exp.Avg) is not None


@pytest.mark.parametrize(
    ("alias", "its", "wanted"),
    [("o", "x", {"x": "o"}), ("h__rows__h", "x", {}), ("o", "h__rows__h", {})],
)
def test_a_parameter_is_nobody_elses_alias(alias: str, its: str, wanted: dict[str, str]) -> None:
    """Whoever calls a macro of which an alias is a parameter may say that name for others, too."""
    leader, other = (
        sqlglot.parse_one(f"SELECT {name}.k FROM t AS {name}") for name in (alias, its)
    )
    nodes = {id(one): its for one, its in zip(leader.walk(), other.walk(), strict=True)}
    assert _aliases(leader.walk(), nodes) == wanted


def test_a_call_that_is_the_query_is_no_item_of_a_select() -> None:
    columns = ", ".join(f"MAX(t.x{n}) AS x{n}" for n in range(12))
    found: list[Candidate] = []
    for call in ("call__1__call", "call__2__call"):
        read = sqlglot.parse_one(f"WITH a AS (SELECT {columns} FROM t) SELECT 1")
        tree = exp.Select(expressions=[exp.Var(this=call)], with_=read.args["with_"])
        survey = Survey(tree)
        unit = Unit("whole", call, tree, survey.shape(tree), call)
        found.append(Candidate([unit], survey))
    for lists in (False, True):
        assert not Walk(found[0], found[1], "duckdb", lists, own=True).done
        assert Walk(found[0], found[0], "duckdb", lists, own=True).done


@pytest.mark.parametrize(
    ("path", "said"),
    [(r"'$[\'p.q\']'", r"'$[\'p.q\']'"), ("'$.plain'", ".plain")],
)
def test_a_path_into_json_that_has_quotes_is_an_argument_as_a_whole(path: str, said: str) -> None:
    """A part of it would be written without the signs that a quote needs in the text."""
    query = LONG.format("MAX(JSON_EXTRACT(g, {}))", "t")
    trees = [sqlglot.parse_one(query.format(each), read="bigquery") for each in (path, "'$.other'")]
    library = choose([Draft(f"r{n}", tree, (), ()) for n, tree in enumerate(trees)], "bigquery")  # type: ignore[arg-type]
    assert len(library.macros) == 1
    assert dict(library.calls[0].args)["hi"].text == said
