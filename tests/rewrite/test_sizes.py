"""The counting rule."""

from __future__ import annotations

import re

import pytest
import sqlglot

from unwet.lineage.parse import parse
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.sizes import (
    Size,
    code_lines,
    parameter_lines,
    part_size,
    pile_size,
    tree_lines,
    tree_nodes,
    words,
)
from unwet.rewrite.written_size import project_size, written_nodes

KEPT = Source("x/k.sql", "create table k as select 1 as a; update k set a = 2 where a = 1")


def test_comments_and_blank_lines_are_not_counted() -> None:
    assert code_lines("-- x\n\nselect 1 -- one\n/* a\nb */\nfrom t\n{# no\nno #}\n") == 2
    assert code_lines("") == 0


def test_formatting_does_not_matter() -> None:
    one = sqlglot.parse_one("select a, b from t where a = 1")
    other = sqlglot.parse_one("select\n  a,\n\n  b\nfrom t -- t\nwhere a=1")
    assert tree_lines(one, "duckdb") == tree_lines(other, "duckdb") == 6
    assert tree_nodes(one) == tree_nodes(other)


def test_a_pile_is_the_sum_of_its_statements_and_of_what_was_lost() -> None:
    script = parse(mask(Source("a.sql", "select a from t; select b from u;", "duckdb")), "duckdb")
    one = pile_size(script.statements[:1], (), 1)
    both = pile_size(script.statements, (), 1)
    assert both == one + Size(one.lines, one.nodes, 0)
    lost = pile_size(script.statements, ["select from\n\n-- x\nwhere 'a b' = 1"], 1)
    assert lost == both + Size(2, 6, 0)


def test_a_tree_that_cannot_be_printed_still_counts() -> None:
    tree = sqlglot.parse_one("SELECT APPROX_QUANTILES(x, 2)[OFFSET(1)] FROM t", read="bigquery")
    assert tree_lines(tree, "mysql") > 0


def test_a_project_counts_models_and_macros_only() -> None:
    tree = sqlglot.parse_one("select a from t")
    files = {
        "models/marts/r.sql": "select a\nfrom t\n",
        "macros/m.sql": "{% macro m(x, y) %}\nselect a\nfrom t\n{% endmacro %}\n",
        "legacy/k.sql": "select b\n",
        "models/marts.yml": "version: 2\n",
        "MIGRATION.md": "# x\n",
    }
    size = project_size(files, "duckdb")
    assert size == Size(6, 2 * tree_nodes(tree) + 4, 2)  # macro, m, x, y


def test_a_call_is_a_node_and_two_for_each_argument_and_a_text_in_it_its_words() -> None:
    plain = written_nodes("select a from t", "duckdb")
    assert written_nodes("{{ m(x=1, y='DE') }}", "duckdb") == 1 + 2 + 2
    assert written_nodes("{{ m(x='a = 1 and b') }}", "duckdb") == 1 + 1 + 5
    assert written_nodes("select a from {{ ref('t') }}", "duckdb") == plain + 1
    assert (
        written_nodes("{{ config(materialized='table') }} select a from t", "duckdb") == plain + 3
    )


def test_a_loop_counts_once_and_each_of_its_rows() -> None:
    body = "select {{ b }} as b from {{ ref(a) }}\n{% if not loop.last %}union all{% endif %}\n"
    once = written_nodes(body, "duckdb")
    rows = ["('x', 1)", "('y', 2)", "('z', 3)"]
    counted = [
        written_nodes(f"{{% for a, b in [{', '.join(rows[:n])}] %}}{body}{{% endfor %}}", "duckdb")
        for n in (1, 2, 3)
    ]
    assert counted == [once + 3 + 2 * n for n in (1, 2, 3)]  # for, a, b


def test_what_is_written_for_a_loop_of_many_is_less_than_its_branches() -> None:
    """The trees of the library have every branch; nobody reads these."""
    scripts = [Source(f"x/{n}.sql", f"insert into r select {n} as n, a, b from t{n} where a > {n}")
               for n in range(40)]  # fmt: skip
    made = Source("x/-.sql", "create table r (n int, a int, b int)")
    result = refactor(load([made, *scripts]), Request())
    text = result.files["models/marts/r.sql"]
    assert "{% for " in text
    printed = 40 * written_nodes("select 1 as n, a, b from t where a > 1 union all", "duckdb")
    assert result.after.nodes < printed / 2
    assert result.after.nodes >= 40  # a value of each row


@pytest.mark.parametrize(
    "part",
    [
        "sum(a) as a, max(b) as b,",  # items of a list
        "x as (select a from t), y as (select b from u),",  # queries of a WITH
        "x as (select a from t) select a from x",  # the end of one
        "a = 1 and b is null",  # a condition
        "with x as (select a from t), {{ m() }}",  # the rest is a macro's
        "with x as ({{ m() }}) {{ rows_of(relation='x') }}",
        "select a from t union all {{ m() }}",
    ],
)
def test_a_part_of_a_query_has_a_tree_too(part: str) -> None:
    """A text that no reading makes a tree of has its words, which are fewer."""
    assert written_nodes(part, "duckdb") > words(re.sub(r"\{\{.*?\}\}", "m", part))
    assert written_nodes(part + " ]", "duckdb") <= words(part) + 1  # it has none


def test_blocks_that_have_a_name_are_read_like_queries() -> None:
    query = "select a from t where a = 1"
    text = f"{{% set rows %}}\n{query}\n{{% endset %}}\n{{{{ m(rows=rows) }}}}"
    assert written_nodes(text, "duckdb") == written_nodes(query, "duckdb") + 2 + 3


def test_what_stays_is_counted_like_the_pile_it_is_a_part_of() -> None:
    one_line = "select a, b, c from t where a = 1 and b = 2 union all select a, b, c from u"
    pile = load([Source("x/a.sql", one_line), Source("x/b.sql.j2", "select a from"), KEPT])
    parts = [part_size(pile, {source.path}) for source in pile.sources]
    assert all(part.lines and part.nodes and part.files == 1 for part in parts)
    assert part_size(pile, {s.path for s in pile.sources}) == sum(parts, Size())
    assert parts[0].lines > 10


def test_a_kept_script_weighs_as_much_as_before_however_it_is_written() -> None:
    result = refactor(load([KEPT]), Request())
    assert [v.outcome for v in result.verdicts] == ["kept"]
    assert result.after == result.before
    assert result.after.lines > 3


def test_rows_of_loops_are_parameters() -> None:
    loop = "{% for a, b in [\n    (1, 2),\n    (3, 4),\n] %}\n{{ m(a=a, b=b) }}\n{% endfor %}\n"
    files = {"models/marts/a.sql": loop + loop, "legacy/b.sql": loop}
    assert parameter_lines(files) == 4
    assert parameter_lines({"a.sql": "{% for a in [1, 2] %}\n{{ a }}\n{% endfor %}"}) == 0


def test_rows_beside_a_list_that_has_a_name_count() -> None:
    body = "{{ a }}\n{% for b in ['b'] %}\n{{ b }}\n{% endfor %}\n{% endfor %}\n"
    for head, many in (
        ("{% for a in names + [\n    'x',\n    'y'\n] %}\n", 2),
        ("{% for a in [\n    'x',\n    'y'\n] + names %}\n", 2),
        ("{% for a in [\n    'x',\n    'y'\n]\n    + names\n    + others %}\n", 2),
        ("{% for a in names + ['x', 'y'] %}\n", 0),
    ):
        assert parameter_lines({"a.sql": head + body + head + body}) == 2 * many
