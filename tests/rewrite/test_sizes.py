"""The counting rule."""

from __future__ import annotations

import sqlglot

from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.sizes import Size, code_lines, pile_size, project_size, tree_lines, tree_nodes


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


def test_a_project_counts_models_macros_and_kept_scripts_only() -> None:
    tree = sqlglot.parse_one("select a from t")
    call = MacroCall("m", (("x", Leaf("number", "1")), ("y", Leaf("string", "2"))))
    library = Library({"r": tree}, (Macro("m", ("x", "y"), tree, False),), (call,))
    files = {
        "models/marts/r.sql": "select a\nfrom t\n",
        "macros/m.sql": "{% macro m(x, y) %}\nselect a\nfrom t\n{% endmacro %}\n",
        "legacy/k.sql": "select b\n",
        "models/marts.yml": "version: 2\n",
        "MIGRATION.md": "# x\n",
    }
    size = project_size(library, files)
    assert size == Size(7, 2 * tree_nodes(tree) + 5 + 3 + 2, 3)
