"""Items of one list that differ in words only are a loop, and read as they did."""

from __future__ import annotations

import re

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from unwet.rewrite.library import MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.item_bodies import holes_of, names_of
from unwet.rewrite.targets.item_grids import Grid, grids
from unwet.rewrite.targets.jinja import template
from unwet.rewrite.targets.lexemes import lexemes, middles
from unwet.rewrite.targets.row_grids import row_grids
from unwet.tests.rewrite.targets.test_jinja import rendered

NAMES = ("open_tab", "close_tab", "reload", "print", "zoom_in", "zoom_out", "find", "save_page",
         "undo", "redo", "copy_text", "paste", "select_all", "close_window")  # fmt: skip

MANY = (*NAMES, *(f"{name}_again" for name in NAMES))
ASKED = "'the.user.has.asked.the.browser.to.{0}'"
LINES = r"COUNTIF(a = 'x{0}\n') AS {0}"


def tree(sql: str, dialect: str = "bigquery") -> exp.Expr:
    return sqlglot.parse_one(sql, read=dialect)


def items(item: str, names: tuple[str, ...] = NAMES) -> str:
    return ", ".join(item.format(name) for name in names)


STRUCT = "STRUCT(p.{0}.n, p.{0}.total, p.{0}.values) AS `{0}`"
LOOPS = [
    f"SELECT {items('SUM(n /* of * {0} */) AS {0}')} FROM t",
    f"SELECT day, {items('SUM(p.counter.{0}) AS {0}')}, z FROM t",
    f"SELECT {items('SUM(p.counter.{0}) AS {0}')} FROM t",
    f"SELECT {items('MAX(IF(a = {0!r}, n, 0)) AS {0}_n')}, {items('MIN({0}) AS {0}')} FROM t",
    f"SELECT {items(STRUCT)} FROM t",
    f"SELECT STRUCT({items(STRUCT)}) AS p, 1 AS a FROM t",
    f"SELECT a FROM t WHERE action IN ({items(ASKED, MANY)})",
    f"SELECT * FROM t UNPIVOT(n FOR action IN ({items('times_of_{0}_by_hand', MANY)}))",
    f"SELECT {items('JSON_VALUE(h__column__h, {0!r}) AS {0}')} FROM src__s__t__src",
    f"SELECT {items('COUNTIF(`a {{{{ b` = {0!r}) AS {0}')} FROM t",
    f"SELECT {items('(SELECT MAX(n) FROM u WHERE action = {0!r}) AS {0}')} FROM t",
    "SELECT "
    + ", ".join(
        f"QUANTILES(a_{n}, 10)[{at}] AS a_{n}_{at}th_of_all" for n in NAMES[:5] for at in (1, 5, 9)
    )
    + ", MAX(other) AS odd FROM t",
    "SELECT "
    + ", ".join(
        f"SUM({how}_{n}) / SUM(all_{n}) AS {word}_{n}"
        for n in NAMES[:6]
        for how, word in (("fast", "good"), ("slow", "poor"))
    )
    + " FROM t",
    f"SELECT {items('SUM({0}) AS {0}')}, 7 AS other, {items('SUM({0}_2) AS {0}_2')} FROM t",
]


@pytest.mark.parametrize("sql", LOOPS)
def test_the_loop_says_what_the_items_said(sql: str) -> None:
    text = template(tree(sql), "bigquery", (), tables=True)
    assert "{% for " in text
    assert len(text.splitlines()) < len(tree(sql).sql("bigquery", pretty=True).splitlines())
    meant = sql.replace("h__column__h", "c").replace("src__s__t__src", "s.t")
    assert tree(rendered(text, column="c")) == tree(meant)


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT {items('SUM({0}) AS {0}', NAMES[:4])} FROM t",
        f"SELECT {items('p.{0}')} FROM t",
        f"SELECT {items('{0}')} FROM t",
        f"SELECT {items('{0}(n) AS n', MANY)} FROM t",
        f"SELECT {items('{0} AS {0}')} FROM t",
        f"SELECT {items(LINES)} FROM t",
        f"SELECT {items('SUM(n) AS n')} FROM t",
    ],
)
def test_what_is_short_or_says_more_stays(sql: str) -> None:
    assert "{% for" not in template(tree(sql), "bigquery", (), tables=True)


FEW = NAMES[:6]
BASE = "base_{0} AS (SELECT a FROM src__s_{0}_v1__x__src WHERE b = 'of {0}')"
TURNS = BASE + ", sum_{0} AS (SELECT a FROM base_{0})"
LONG_TURNS = ", ".join(
    f"{kind}_{{0}} AS (SELECT {kind} FROM {{0}} WHERE {kind} > 1)" for kind in "abcde"
)
BY_TURNS = "SELECT n, 'a' AS k FROM {0} WHERE a UNION ALL SELECT m, o FROM {0}_more"
PAIRS = "{0}_{1} AS (SELECT a, b FROM src__s_{0}__{1}__src WHERE c = {1!r})"
MORE = [
    f"WITH {items(TURNS, FEW)} SELECT a FROM sum_find",
    f"WITH x AS (SELECT 1 AS a), {items(TURNS, FEW)}, z AS (SELECT 2 AS a) SELECT a FROM z",
    f"SELECT * FROM (WITH {items(TURNS, FEW)} SELECT a FROM sum_find)",
    " UNION ALL ".join(f"SELECT a FROM src__s__{name}__src" for name in FEW),
    f"WITH {items(TURNS, FEW)} " + " UNION ALL ".join(f"SELECT * FROM sum_{n}" for n in FEW),
    "SELECT 0 AS a UNION ALL " + " UNION ALL ".join(f"SELECT n FROM {n}" for n in FEW) + " LIMIT 3",
    f"WITH {items(LONG_TURNS, FEW)} SELECT a FROM a_find",
    " UNION ALL ".join(BY_TURNS.format(name) for name in FEW),
    f"SELECT a FROM t {' '.join(f'FULL JOIN {n} USING (a, b)' for n in NAMES)}",
    f"SELECT a FROM t {' '.join(f'LEFT JOIN {n}_day AS {n} ON {n}.a = t.a' for n in FEW)} WHERE b",
    f"SELECT COALESCE(a, {items('{0}.aggregated.n', MANY)}) AS a FROM t",
    "WITH " + ", ".join(PAIRS.format(a, b) for a, b in zip(FEW, NAMES[5:11], strict=True))
    + " SELECT a FROM open_tab_zoom_out",
]  # fmt: skip


@pytest.mark.parametrize("sql", MORE)
def test_ctes_and_branches_are_loops_too(sql: str) -> None:
    text = template(tree(sql), "bigquery", (), tables=True)
    assert "{% for " in text
    assert len(text.splitlines()) < len(tree(sql).sql("bigquery", pretty=True).splitlines())
    assert tree(rendered(text)) == tree(re.sub(r"src__(\w+?)__(\w+?)__src", r"\1.\2", sql))


SUMS = "SELECT k, SUM(n) AS n FROM {0} WHERE n > 1 GROUP BY k"
LARGEST = "SELECT k, MAX(n) FROM {0} WHERE k IN (SELECT k FROM a) GROUP BY k"


def test_branches_that_are_alike_stand_beside_one_another() -> None:
    said = [one.format(name) for name in "abcd" for one in (SUMS, LARGEST)]
    first = ["SELECT k AS key, n FROM a", said[0], said[1], "SELECT 1, 2", *said[2:]]
    text = template(tree(" UNION ALL ".join(first), "duckdb"), "duckdb", (), tables=True)
    assert text.startswith("SELECT\n  k AS key")
    assert text.count("{% for ") == 2
    by_turns = template(tree(" UNION ALL ".join(said), "duckdb"), "duckdb", (), tables=True)
    assert by_turns.count("{% for ") == 1  # one loop of both is shorter


@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_law_branches_have_the_same_rows_in_any_order(data: st.DataObject) -> None:
    kinds = (SUMS, LARGEST, "SELECT k AS key, n FROM {0}", "SELECT k + 1, n FROM {0} LIMIT 0")
    branch = st.tuples(st.sampled_from(kinds), st.sampled_from("abcde"))
    said = data.draw(st.lists(branch, min_size=3, max_size=12))
    word = data.draw(st.sampled_from((" UNION ALL ", " UNION ")))
    sql = word.join(f"({one.format(name)})" if "LIMIT" in one else one.format(name)
                    for one, name in said)  # fmt: skip
    text = rendered(template(tree(sql, "duckdb"), "duckdb", (), tables=True))
    with duckdb.connect() as base:
        for at, name in enumerate("abcde"):
            base.execute(
                f"CREATE TABLE {name} AS SELECT i % 3 AS k, i * {at} AS n FROM range(5) r(i)"
            )
        old, new = base.sql(sql), base.sql(text)
        assert old.columns == new.columns
        assert sorted(old.fetchall()) == sorted(new.fetchall())


@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_rows_of_two_tables_are_two_loops_that_say_the_same(data: st.DataObject) -> None:
    one = data.draw(st.lists(st.sampled_from(NAMES), min_size=4, max_size=6, unique=True))
    other = data.draw(st.lists(st.integers(1, 99), min_size=3, max_size=5, unique=True))
    turned = data.draw(st.booleans())
    rows = [
        f"SUM(IF({a} > {b}, p_{a}_{b}, {a}_of_all)) AS {f'n_{b}_of_{a}' if turned else f'{a}_{b}'}"
        for a in one
        for b in other
    ]
    if data.draw(st.booleans()):
        rows.insert(data.draw(st.integers(0, len(rows))), "MAX(IF(odd > 1, one, two)) AS odd")
    sql = f"SELECT {', '.join(rows)} FROM t"
    text = template(tree(sql), "bigquery", (), tables=True)
    assert tree(rendered(text)) == tree(sql)
    if "odd" not in sql:
        assert text.count("{% for ") == 2


def test_a_row_that_is_not_of_the_grid_is_said_beside_it() -> None:
    rows = [f"QUANTILES({n}, 9)[{at}] AS {n}_{word}" for n in (*FEW, "last")
            for at, word in ((1, "low"), (5, "mid"), (8, "high"))]  # fmt: skip
    rows[-1] = rows[-1].replace("last_high", "lst_highs")
    sql = f"SELECT {', '.join(rows)} FROM t"
    text = template(tree(sql), "bigquery", (), tables=True)
    assert f"{{% for name in {[*FEW]} %}}" in text
    assert "AS lst_highs" in text
    assert tree(rendered(text)) == tree(sql)


def test_grids_of_rows() -> None:
    whole = [tuple("aabbcc"), tuple("121212"), ("1_a", "2_a", "1_b", "2_b", "1_c", "2_c")]
    assert list(row_grids(whole)) == [(0, 6, 2)]
    assert list(row_grids([("x", *column, "y", "z") for column in whole])) == [(1, 7, 2)]
    assert list(row_grids([("a", "a", "a", "b", "b", "b"), ("1", "2", "3") * 2])) == [(0, 6, 3)]
    assert list(row_grids([("a", "a", "a", "b", "b", "b"), ("1", "2", "3", "1", "2", "4")])) == []
    assert list(row_grids([("a", "b") * 2])) == []
    assert list(row_grids([])) == []


def test_comments_vary_as_names_do() -> None:
    item = "{0} /* rows of {0} */ AS (SELECT a, b FROM u_{0} WHERE c = 2 AND d = 3)"
    text = template(
        tree(f"WITH {items(item, FEW)} SELECT a FROM undo"), "bigquery", (), tables=True
    )
    assert "/* rows of {{ name }} */" in text
    assert [f"/* rows of {name} */" in rendered(text) for name in FEW] == [True] * len(FEW)


def test_a_name_that_others_make_is_not_said() -> None:
    text = template(tree(MORE[-1]), "bigquery", (), tables=True)
    assert "('open_tab', 'zoom_out')," in text
    assert "{{ source('s_' ~ " in text
    assert text.count("open_tab_zoom_out") == 1


def test_a_list_of_two_loops_stands_once() -> None:
    lists = f"WITH {items(BASE, NAMES)}, {items('sum_{0} AS (SELECT a, 1 FROM base_{0})', NAMES)}"
    sql = f"{lists} SELECT {items('SUM({0}) AS {0}')} FROM base_find"
    text = template(tree(sql.replace("sum_undo AS", "other AS")), "bigquery", (), tables=True)
    [(name, said)] = re.findall(r"{% set (\w+) = (\[[^]]*\]) %}", text)
    assert text.count(f" in {name} %}}") == 2 and said.count(",") == len(NAMES) - 1
    assert tree(rendered(text)) == tree(
        re.sub(r"src__(\w+?)__(\w+?)__src", r"\1.\2", sql.replace("sum_undo AS", "other AS"))
    )


def test_calls_of_a_loop_say_its_names() -> None:
    names = [f"panel_{name}" for name in NAMES]
    calls = [MacroCall("m", (("a", Leaf("string", n)), ("n", Leaf("number", "7")))) for n in names]
    sql = f"SELECT {', '.join(f'call__{at}__call AS {n}' for at, n in enumerate(names))} FROM t"
    words = tree(sql).transform(
        lambda node: exp.Var(this=node.name) if node.name.startswith("call__")
        and isinstance(node, exp.Column) else node
    )  # fmt: skip
    text = template(words, "bigquery", calls, tables=True)
    assert "{{ m(a='panel_' ~ name, n=7) }} AS panel_{{ name }}" in text
    said = rendered(text, m=lambda a, n: f"f('{a}', {n})")
    assert tree(said) == tree(
        "SELECT " + ", ".join(f"f('{n}', 7) AS {n}" for n in names) + " FROM t"
    )


def test_names_are_those_of_outputs_columns_and_tables() -> None:
    branch = (
        "SELECT CAST({0} AS DECIMAL(9, 2)) AS analysis_id, n FROM src__s__{1}__src WHERE year = {2}"
    )
    tables = ("visits", "orders", "drugs", "claims")
    branches = [branch.format(at, tables[at % 4], 2000 + at // 4) for at in range(40)]
    text = template(tree(" UNION ALL ".join(branches)), "bigquery", (), tables=True)
    assert text.startswith("{% for analysis_id, table, year in [")


PARTS = "SAFE_DIVIDE(COUNT(IF(is_good({0}, {1}, {2}), n, NULL)), COUNT({0} + {1} + {2})) AS pct_{3}"
RATED = [("fast_lcp", "avg_lcp", "slow_lcp", "lcp"), ("fast_fid", "avg_fid", "slow_fid", "fid"),
         ("small_cls", "medium_cls", "large_cls", "cls")]  # fmt: skip


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ([PARTS.format(*each) for each in RATED], "fast, avg, slow, name"),
        # most values of two places begin alike
        ([PARTS.format(*(f"v_{word}" for word in each[:3]), each[3]) for each in RATED],
         "fast, avg, slow, name"),
        ([f"SUM(IF({a} IS NULL OR {a} > 0, {a}, {b})) AS of_{c}" for a, b, c in
          (("abs_x", "abs_y", "q"), ("abs_p", "abs_r", "s"), ("rest_k", "least", "t"))],
         "column_2, column, name"),
        # a name of all is no word of another kind, nor is a number
        ([f"SUM({a}.amount + {a}.tax + {a}.rest + {n}) AS sum_of_{a}_and_of_others" for a, n in
          (("orders", 7), ("visits", 8), ("claims", 9), ("drugs", 12))], "name, number"),
        ([f"SUM(IF(id = {a} OR id = {b} OR id = {c}, n, 0)) AS n_{d}" for a, b, c, d in
          ((1, 22, 33, "a"), (4, 55, 66, "b"), (7, 88, 99, "c"), (5, 44, 11, "e"))],
         "number_3, number_2, number, name"),
        ([f"LEFT JOIN t AS {a} ON {a}.id = t.{b}" for a, b in
          (("cd", "mhs_one"), ("cto", "mhs_two"), ("cr", "three"))], "name, mhs"),
    ],
)  # fmt: skip
def test_names_are_what_values_begin_with_or_where_they_stand(items: list[str], names: str) -> None:
    lexed = [tuple(lexemes(item)) for item in items]
    found, _ = names_of(holes_of(lexed), lexed[0])
    assert ", ".join(found) == names


def test_no_loop_where_nobody_asks_for_one() -> None:
    assert "{% for" not in template(tree(LOOPS[0]), "bigquery", ())


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT {items('SUM(x.{0}) AS {0}')} FROM t GROUP BY a QUALIFY ROW_NUMBER() OVER () = 1",
        f"SELECT DISTINCT ON (a) {items('x.{0} + 1 AS {0}')} FROM t",
    ],
)
def test_no_loop_where_the_printer_writes_the_items_twice(sql: str) -> None:
    assert "{% for" not in template(tree(sql, "duckdb"), "postgres", (), tables=True)


def test_values_are_without_what_all_begin_and_end_with() -> None:
    assert middles(["use_tab_n", "use_window_n"]) == ("use_", ("tab", "window"), "_n")
    assert middles(["tab", "tables"]) == ("", ("tab", "tables"), "")
    assert middles(["use_tab", "use_tab_bar"]) == ("use_", ("tab", "tab_bar"), "")
    assert middles(["a.b", "a.c"]) == ("a.", ("b", "c"), "")
    assert middles(["", "b"]) == ("", ("", "b"), "")


def test_every_combination_of_two_lists_is_two_loops() -> None:
    asked = [f"use_{part}_{name}_n" for part in ("doc", "page", "worker") for name in NAMES]
    alone = [f"use_{name}_n" for name in ("all_tabs", "windows")]
    said = [f"SUM(c.{name}) AS {name}" for name in (*asked, *alone)]
    for items in (said, [*said[-2:], *said[:-2]]):
        sql = f"SELECT {', '.join(items)} FROM t"
        text = template(tree(sql), "bigquery", (), tables=True)
        assert "{% for part in ['doc', 'page', 'worker'] %}" in text
        assert text.count("open_tab") == 1
        assert tree(rendered(text)) == tree(sql)


def test_grids() -> None:
    names = ["x", *(f"{a}_{b}" for a in ("p_q", "p_r", "s") for b in "abcde"), "s_f", "y"]
    assert list(grids(names)) == [Grid(1, 16, ("p_q_", "p_r_", "s_"), tuple("abcde"))]
    swapped = [f"{a}_{b}" for a in "abcde" for b in ("p", "q_r", "s")]
    assert list(grids(swapped)) == [Grid(0, 15, ("a_", "b_", "c_", "d_", "e_"), ("p", "q_r", "s"))]
    assert list(grids(["a_b", "a_c", "d_b", "d_c"])) == []


@given(st.text("ab_.'\"`{}\\ (\n1", max_size=20))
def test_words_together_are_the_text(text: str) -> None:
    assert "".join(word.text for word in lexemes(text)) == text


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.from_regex(r"[a-c]{1,2}(_[a-c]{1,2}){0,2}", fullmatch=True), min_size=9, unique=True
    ),
    st.sampled_from(
        ["SUM(v.{0}) AS {0}", "'{0} it''s' = v AS x_{0}_y", "IF({0} > 1, {0}, -1) AS n_{0}"]
    ),
    st.integers(0, 9),
)
def test_any_names_come_back(names: list[str], item: str, odd: int) -> None:
    said = [item.format(name) for name in names]
    said.insert(odd, "MAX(odd) AS odd")
    sql = f"SELECT {', '.join(said)} FROM t"
    text = template(tree(sql, "duckdb"), "duckdb", (), tables=True)
    written = tree(sql, "duckdb").sql("duckdb")
    assert tree(rendered(text), "duckdb") == tree(written, "duckdb")


def test_ctes_are_a_loop_in_a_dialect_that_names_what_has_no_name() -> None:
    ctes = ", ".join(f"{word} AS (SELECT DISTINCT id FROM s.{word}_rows)" for word in FEW)
    text = template(tree(f"WITH {ctes} SELECT * FROM {FEW[0]}", "tsql"), "tsql", (), tables=True)
    assert "{% for " in text
    assert "items_" not in text
    printed = tree(rendered(text), "tsql")
    assert [cte.alias for cte in printed.find_all(exp.CTE)] == [*FEW]


def branches_of(*pairs: tuple[str, str]) -> str:
    return " UNION ALL ".join(
        f"SELECT '{scope}' AS scope, t.month, t.n, t.total FROM ref__{model}__ref AS t"
        for scope, model in pairs
    )


MADE = {
    "in small letters": (
        branches_of(*((each, f"mrr_{each.lower()}") for each in ("AT", "FR", "CH", "NL"))),
        "{% for scope in ['AT', 'FR', 'CH', 'NL'] %}",
        "{{ ref('mrr_' ~ scope | lower) }}",
    ),
    "with other signs": (
        branches_of(*((f"2024-0{n}-01", f"paid_2024_0{n}_net") for n in (1, 2, 4, 7))),
        "{% for scope in ['01', '02', '04', '07'] %}",
        "{{ ref('paid_2024_' ~ scope ~ '_net') }}",
    ),
    "with other signs between": (
        branches_of(*((day, f"paid_{day.replace('-', '_')}") for day in (
            "2023-11", "2024-02", "2024-03", "2025-01"))),
        "{% for scope in ['2023-11', '2024-02', '2024-03', '2025-01'] %}",
        "{{ ref('paid_' ~ scope | replace('-', '_')) }}",
    ),
    "not all of them": (
        branches_of(("AT", "mrr_at"), ("FR", "mrr_fr"), ("CH", "mrr_ch"), ("NL", "abo_nl")),
        "('AT', 'mrr_at'),",
        "{{ ref(name) }}",
    ),
    "the other way round": (
        branches_of(("at", "AT"), ("fr", "FR"), ("ch", "CH"), ("nl", "NL")),
        "{% for name in ['AT', 'FR', 'CH', 'NL'] %}",
        "'{{ name | lower }}' AS scope",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MADE)
def test_a_value_that_is_another_one_in_other_letters_is_not_said(case: str) -> None:
    sql, head, said = MADE[case]
    text = template(tree(sql), "bigquery", (), tables=True)
    assert head in text and said in text
    assert tree(rendered(text)) == tree(re.sub(r"ref__(\w+?)__ref", r"ref.\1", sql))


def test_a_text_with_a_tag_in_it_is_one_word() -> None:
    """Behind the tag the text goes on: its end begins no other one."""
    text = "a = '{{ var(\"m\") }}' AND b.c = 'x' /* it's */ AND '{{ p }}-{{ q }} d' = \"{{ e }}\" f"
    words = lexemes(text)
    assert "".join(word.text for word in words) == text
    assert [word.text for word in words if word.kind == "string"] == ["'x'"]
    names = {word.text for word in words if word.kind == "name"}
    assert {"a", "b", "c", "f", "it", "s"} <= names and "d" not in names


PARAMS = ("all_tabs", "all_links", "pages_open", "pages_shut", "old_tabs", "old_links")


@pytest.mark.parametrize(
    ("sql", "head"),
    [
        (
            " UNION ALL ".join(f"SELECT * FROM h__{n}__h" for n in PARAMS),
            "{% for relation in [all_tabs, all_links, pages_open, pages_shut,",
        ),
        (
            " UNION ALL ".join(
                f"SELECT a, 'tabs {n}' AS t FROM h__{n}__h WHERE h__relation__h" for n in PARAMS
            ),
            "{% for value, relation_2 in [",
        ),
        (
            " UNION ALL ".join(f"SELECT '{n}' AS a, b FROM h__{n}__h AS {n}" for n in PARAMS),
            "('all_tabs', all_tabs),",
        ),
        (
            "SELECT " + ", ".join(
                f"CASE WHEN a > {at} AND b > {at} AND c > {at} AND length(name) > {at} "
                f"THEN h__{n}__h ELSE h__relation__h END AS {n}" for at, n in enumerate(PARAMS)
            ) + " FROM t",
            "{% for number, value, name in [",
        ),
    ],
)  # fmt: skip
def test_parameters_vary_as_wholes(sql: str, head: str) -> None:
    text = template(tree(sql), "bigquery", (), tables=True)
    assert head in text
    assert text.count("{% for ") == 1
    given = {name: f"t_{at}" for at, name in enumerate((*PARAMS, "relation"))}
    meant = re.sub(r"h__(\w+?)__h", lambda found: given[found[1]], sql)
    assert tree(rendered(text, **given)) == tree(meant)
