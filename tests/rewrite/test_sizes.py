"""The counting rule."""

from __future__ import annotations

import sqlglot

from unwet.lineage.parse import parse
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.sizes import (
    Size,
    code_lines,
    parameter_lines,
    part_size,
    pile_size,
    project_size,
    tree_lines,
    tree_nodes,
)

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
    call = MacroCall("m", (("x", Leaf("number", "1")), ("y", Leaf("string", "2"))))
    library = Library({"r": tree}, (Macro("m", ("x", "y"), tree, "query"),), (call,))
    files = {
        "models/marts/r.sql": "select a\nfrom t\n",
        "macros/m.sql": "{% macro m(x, y) %}\nselect a\nfrom t\n{% endmacro %}\n",
        "legacy/k.sql": "select b\n",
        "models/marts.yml": "version: 2\n",
        "MIGRATION.md": "# x\n",
    }
    size = project_size(library, files)
    assert size == Size(6, 2 * tree_nodes(tree) + 5 + 3, 2)


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
