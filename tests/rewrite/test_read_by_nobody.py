"""CTEs and their outputs that nobody reads go; both sides are run."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite import read_by_nobody
from unwet.rewrite.compose import Draft, Outside
from unwet.rewrite.library import Library, Macro, MacroCall, MacroKind
from unwet.rewrite.read_by_nobody import never_read, read_only, without_unread
from unwet.rewrite.refactor import Request, refactor
from unwet.tests.rewrite.small_world import WORLDS, Worlds, bag

GOES = [
    ("WITH x AS (SELECT a, b FROM t), y AS (SELECT k FROM u) SELECT a, b FROM x",
     "WITH x AS (SELECT a, b FROM t) SELECT a, b FROM x"),
    ("WITH y AS (SELECT k FROM u), z AS (SELECT k FROM y) SELECT a FROM t", "SELECT a FROM t"),
    ("WITH x AS (SELECT a, b, c FROM t WHERE c = 'a') SELECT x.a FROM x WHERE x.b > 1",
     "WITH x AS (SELECT a, b FROM t WHERE c = 'a') SELECT x.a FROM x WHERE x.b > 1"),
    ("WITH x AS (SELECT a, b, c FROM t), y AS (SELECT x.a, x.b FROM x) SELECT y.a FROM y",
     "WITH x AS (SELECT a FROM t), y AS (SELECT x.a FROM x) SELECT y.a FROM y"),
    ("WITH x AS (SELECT a, SUM(b) AS s, COUNT(*) AS n FROM t GROUP BY a) SELECT x.n FROM x",
     "WITH x AS (SELECT COUNT(*) AS n FROM t GROUP BY a) SELECT x.n FROM x"),
    ("WITH x AS (SELECT a, b FROM t) SELECT x.a FROM x UNION ALL SELECT u.a FROM u",
     "WITH x AS (SELECT a FROM t) SELECT x.a FROM x UNION ALL SELECT u.a FROM u"),
    ("SELECT q.a FROM (WITH x AS (SELECT a, b FROM t) SELECT x.a FROM x) AS q",
     "SELECT q.a FROM (WITH x AS (SELECT a FROM t) SELECT x.a FROM x) AS q"),
    ("WITH x AS (SELECT a, b, c FROM t) SELECT u.d FROM u "
     "WHERE EXISTS (SELECT 1 FROM x WHERE x.a = u.a)",
     "WITH x AS (SELECT a FROM t) SELECT u.d FROM u "
     "WHERE EXISTS (SELECT 1 FROM x WHERE x.a = u.a)"),
    ("WITH x AS (SELECT a, b, MAX(c) OVER (PARTITION BY b) AS m FROM t ORDER BY a, b LIMIT 3) "
     "SELECT COUNT(*) AS n, MAX(x.b) AS b FROM x",
     "WITH x AS (SELECT b FROM t ORDER BY a, b LIMIT 3) "
     "SELECT COUNT(*) AS n, MAX(x.b) AS b FROM x"),
    ("SELECT x.a FROM (SELECT a, b, c FROM t) AS x WHERE x.b > 1",
     "SELECT x.a FROM (SELECT a, b FROM t) AS x WHERE x.b > 1"),
    ("SELECT d, b FROM (SELECT a, b, c FROM t) JOIN (SELECT a, d, k FROM u) USING (a)",
     "SELECT d, b FROM (SELECT a, b FROM t) JOIN (SELECT a, d FROM u) USING (a)"),
    ("SELECT y.a FROM (SELECT x.a, x.b FROM (SELECT a, b, c FROM t) AS x) AS y",
     "SELECT y.a FROM (SELECT x.a FROM (SELECT a FROM t) AS x) AS y"),
    ("SELECT u.d FROM u WHERE EXISTS (SELECT 1 FROM (SELECT a, b FROM t) AS x WHERE x.a = u.a)",
     "SELECT u.d FROM u WHERE EXISTS (SELECT 1 FROM (SELECT a FROM t) AS x WHERE x.a = u.a)"),
]  # fmt: skip
STAYS = [
    "SELECT * FROM (SELECT a, b FROM t) AS x",
    "SELECT COUNT(x) AS n FROM (SELECT a, b FROM t) AS x",
    "SELECT x.a FROM (SELECT DISTINCT a, b FROM t) AS x",
    "SELECT d FROM (SELECT a, b FROM t) NATURAL JOIN u",
    "SELECT x.p FROM (SELECT a, b FROM t) AS x(p, q)",
    "SELECT x.a FROM (SELECT a, b FROM t UNION SELECT a, k FROM u) AS x",
    "SELECT u.d FROM u WHERE u.a IN (SELECT a FROM (SELECT a, b FROM t) AS x WHERE b > u.k)",
    "SELECT one FROM (SELECT COUNT(*) AS n, 1 AS one FROM t)",
    "WITH x AS (SELECT a, b FROM t) SELECT * FROM x",
    "WITH x AS (SELECT a, b FROM t) SELECT x.* FROM x",
    "WITH x AS (SELECT a, b FROM t) SELECT COUNT(x) AS n FROM x",
    "WITH x AS (SELECT a, b FROM t) SELECT d FROM x NATURAL JOIN u",
    "WITH x AS (SELECT a, b FROM t) SELECT x.b FROM x JOIN u USING (a)",
    "WITH x AS (SELECT DISTINCT a, b FROM t) SELECT x.a FROM x",
    "WITH x AS (SELECT a, b FROM t UNION SELECT a, k FROM u) SELECT x.a FROM x",
    "WITH x AS (SELECT a, SUM(b) AS s FROM t GROUP BY 1) SELECT x.s FROM x",
    "WITH x AS (SELECT a, SUM(b) AS s FROM t GROUP BY ALL) SELECT x.s FROM x",
    "WITH x AS (SELECT a, b + 1 AS y FROM t ORDER BY y, a LIMIT 2) SELECT x.a FROM x",
    "WITH x AS (SELECT a, UNNEST([1, 2]) AS y FROM t) SELECT x.a FROM x",
    "WITH x AS (SELECT COUNT(*) AS n, 1 AS one FROM t) SELECT x.one FROM x",
    "WITH x AS (SELECT a, b, COUNT(*) AS n FROM t GROUP BY ROLLUP (1, 2)) SELECT x.b, x.n FROM x",
    "WITH x AS (SELECT a, COUNT(*) AS n FROM t GROUP BY GROUPING SETS ((1), ())) SELECT x.n FROM x",
    "WITH x AS (SELECT a, b FROM t ORDER BY ALL LIMIT 2) SELECT x.b FROM x",
    "WITH x AS (SELECT {'f': a} AS y, b FROM t) SELECT y.f, b FROM x",
    "WITH x AS (SELECT {'f': a} AS y, b FROM t) SELECT x.y.f, x.b FROM x",
    "WITH x AS (SELECT a, b FROM t) SELECT d, x.b FROM (x JOIN u USING (a))",
    "WITH x AS (SELECT a, b FROM t) SELECT d, b FROM (x NATURAL JOIN u)",
    "WITH x AS (SELECT a, b FROM t) SELECT y.b FROM x AS y(p)",
    "WITH x AS (SELECT u.a, t.b FROM t JOIN u ON t.a = u.a ORDER BY a, b LIMIT 1) SELECT b FROM x",
    "WITH x(a, z) AS (SELECT a, b FROM t) SELECT x.a FROM x",
    "WITH x AS (SELECT a, b FROM t) SELECT u.d FROM u WHERE EXISTS "
    "(SELECT 1 FROM x WHERE u.a = b AND x.a = 1)",
    "WITH x AS (SELECT a, b FROM t) SELECT x.a FROM x WHERE 1 IN (SELECT k FROM u WHERE k = b)",
    "WITH x AS (SELECT a FROM t) SELECT q.a, q.k FROM (WITH x AS (SELECT a, k FROM u) "
    "SELECT x.a, x.k FROM x) AS q JOIN x ON x.a = q.a",
    "WITH RECURSIVE r AS (SELECT 1 AS i, 2 AS j UNION ALL SELECT i + 1, j FROM r WHERE i < 3) "
    "SELECT r.i FROM r",
]  # fmt: skip


def lean(sql: str, kind: MacroKind | None = None) -> str:
    """The query as a model, or as a macro of that kind."""
    tree = parse_one(sql, dialect="duckdb")
    if kind is None:
        found: exp.Expr = without_unread(Library({"m": tree}, (), ()), frozenset()).models["m"]
    else:
        macros = (Macro("m", (), tree, kind),)
        found = without_unread(Library({}, macros, ()), frozenset()).macros[0].tree
    assert tree.sql(dialect="duckdb") == parse_one(sql, dialect="duckdb").sql(dialect="duckdb")
    return found.sql(dialect="duckdb")


def spelled(sql: str) -> str:
    return parse_one(sql, dialect="duckdb").sql(dialect="duckdb")


@pytest.mark.parametrize(("written", "left"), GOES)
def test_what_nobody_reads_goes_and_the_rows_stay(written: str, left: str) -> None:
    assert lean(written) == lean(written, "query") == spelled(left)
    worlds = Worlds()
    for world in range(WORLDS):
        assert bag(worlds.rows(written, world)[1]) == bag(worlds.rows(left, world)[1])


@pytest.mark.parametrize("written", STAYS)
def test_what_may_be_read_or_be_other_rows_stays(written: str) -> None:
    assert lean(written) == spelled(written)
    Worlds().rows(written, 0)  # it is a query


@pytest.mark.parametrize(
    "written",
    [
        "WITH x AS (SELECT a, b FROM t) SELECT h__column__h FROM x",
        "WITH x AS (SELECT a, b FROM t) SELECT x.a FROM x WHERE h__condition__h",
        "WITH x AS (SELECT a, b FROM t) SELECT x.a FROM x WHERE x.a = call__1__call",
        "WITH x AS (SELECT a, b FROM t) SELECT x.a FROM x WHERE x.a IN (list__1__list)",
        "WITH y AS (INSERT INTO t VALUES (1) RETURNING a) SELECT a FROM u",
    ],
)
def test_what_a_call_or_an_argument_may_read_stays(written: str) -> None:
    tree = parse_one(written, dialect="postgres")
    macros = (Macro("m", ("column",), tree, "query"),)
    made = without_unread(Library({"m": tree}, macros, ()), frozenset())
    assert made.models["m"] is tree is made.macros[0].tree


def test_a_text_that_is_a_parameter_reads_nothing() -> None:
    written = "WITH x AS (SELECT a, b, c FROM t) SELECT x.a FROM x WHERE x.c = 'h__c__h'"
    assert lean(written, "query") == (
        "WITH x AS (SELECT a, c FROM t) SELECT x.a FROM x WHERE x.c = 'h__c__h'"
    )


def test_parts_of_queries_stay_as_do_models_that_keep_their_words() -> None:
    written = GOES[0][0]
    assert lean(written, "tail") == lean(written, "items") == spelled(written)
    tree = parse_one(written)
    assert without_unread(Library({"m": tree}, (), ()), {"m"}).models["m"] is tree


def test_a_macro_that_such_a_model_calls_keeps_them_too() -> None:
    macro = Macro("m", (), parse_one(GOES[0][0]), "query")
    models: dict[str, exp.Expr] = {name: exp.Var(this="call__0__call") for name in "ab"}
    library = Library(models, (macro,), (MacroCall("m", ()),))
    assert without_unread(library, frozenset()).macros[0].tree != macro.tree
    assert without_unread(library, {"b"}).macros[0].tree == macro.tree


NEVER = [
    (["WITH x AS (SELECT a, b, c FROM t) SELECT x.a FROM x",
      "WITH x AS (SELECT a, b, c FROM t WHERE b > 1) SELECT x.a, x.b FROM x"],
     ["WITH x AS (SELECT a, b FROM t) SELECT x.a FROM x",
      "WITH x AS (SELECT a, b FROM t WHERE b > 1) SELECT x.a, x.b FROM x"]),
    (["SELECT x.a FROM (SELECT a, b + 1 AS n, c FROM t) AS x",
      "SELECT a, b + 1 AS n FROM t", "SELECT y.k FROM (SELECT k, c FROM u) AS y"],
     ["SELECT x.a FROM (SELECT a, b + 1 AS n FROM t) AS x",
      "SELECT a, b + 1 AS n FROM t", "SELECT y.k FROM (SELECT k FROM u) AS y"]),
    (["WITH x AS (SELECT a, b + 1 AS n FROM t), y AS (SELECT x.a, x.n FROM x) SELECT y.a FROM y"],
     ["WITH x AS (SELECT a FROM t), y AS (SELECT x.a FROM x) SELECT y.a FROM y"]),
]  # fmt: skip


@pytest.mark.parametrize(("written", "left"), NEVER)
def test_what_some_copy_reads_stays_in_all(written: list[str], left: list[str]) -> None:
    trees = [parse_one(sql, dialect="duckdb") for sql in written]
    drafts = [Draft(f"m{n}", tree, (), ()) for n, tree in enumerate(trees)]  # type: ignore[arg-type]
    found = never_read(drafts, frozenset())
    assert [each.tree.sql(dialect="duckdb") for each in found] == [*map(spelled, left)]
    assert [tree.sql(dialect="duckdb") for tree in trees] == [*map(spelled, written)]


def test_large_piles_are_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    trees = [parse_one(sql, dialect="duckdb") for sql in NEVER[0][0]]
    drafts = [Draft(f"m{n}", tree, (), ()) for n, tree in enumerate(trees)]  # type: ignore[arg-type]
    assert [*never_read(drafts, frozenset())] != drafts
    monkeypatch.setattr(read_by_nobody, "_MOST_COPIED", 3)
    assert [*never_read(drafts, frozenset())] == drafts


def test_what_a_model_reads_that_keeps_its_words_stays_in_all() -> None:
    trees = [parse_one(sql, dialect="duckdb") for sql in (NEVER[0][0][0], NEVER[0][0][0])]
    drafts = [Draft(f"m{n}", tree, (), ()) for n, tree in enumerate(trees)]  # type: ignore[arg-type]
    assert [*never_read(drafts, {"m1"})] == drafts


def test_what_only_such_a_cte_reads_is_no_source_of_the_model() -> None:
    tree = parse_one(
        "WITH y AS (SELECT k FROM src__s__u__src, ref__v__ref) SELECT a FROM src__s__t__src"
    )
    outside = (Outside("s.t", "s", "t"), Outside("s.u", "s", "u"))
    assert isinstance(tree, exp.Query)
    draft = Draft("m", tree, outside, ("v",))
    old = Library({"m": tree}, (), ())
    ((left,), _, ()) = read_only([draft], old, [], frozenset())
    assert (left.outside, left.refs) == (outside[:1], ())
    (kept, _, between) = read_only([draft], old, [draft], {"m"})
    assert kept == between == (draft,)


@pytest.mark.parametrize("target", ["dbt", "sqlmesh", "views"])
def test_a_project_has_none_and_is_proved(target: str) -> None:
    sql = (
        "WITH base AS (SELECT id, name, zip FROM shop.customers WHERE zip <> ''),"
        " never AS (SELECT id FROM shop.orders)"
        " SELECT b.name, COUNT(*) AS n FROM base AS b GROUP BY b.name"
    )
    schema = {
        "shop.customers": {"id": "INT", "name": "TEXT", "zip": "TEXT"},
        "shop.orders": {"id": "INT"},
    }
    result = refactor(load([Source("a.sql", sql)], "duckdb", schema), Request(target=target))
    assert [each.outcome for each in result.verdicts] == ["proved"]
    text = " ".join(" ".join(result.files.values()).lower().split())
    assert "never" not in text.split("replaces")[-1]
    assert "select name from" in text
    assert "orders" not in text
