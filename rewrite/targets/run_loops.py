"""Items that are said of one column after the other, and branches of one relation or constant after
the other, as a loop over a parameter's words.

{% for column in columns %}
  SUM(t.{{ column }}) AS {{ column }}_total,
{% endfor %}
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import found_in
from unwet.rewrite.branch_runs import branch_run, is_branch_run
from unwet.rewrite.item_runs import NAME, is_run, run
from unwet.rewrite.library import HOLE
from unwet.rewrite.naming import free_parameter
from unwet.rewrite.targets.item_bodies import ItemLevel, ItemLoop
from unwet.rewrite.targets.item_loops import Placed
from unwet.rewrite.unions import spelled

_LIST_NAME: Final = re.compile(r"s(_\d+)?$")
_WIDE: Final = "_" * 90  # makes the list too long for one line


def over_names(
    tree: exp.Expr, dialect: str, printed: Callable[[exp.Expr], str]
) -> tuple[Placed, ...]:
    """In place: words in place of such items and branches, and the loops that they are."""
    found: list[Placed] = []
    taken = {name for var in tree.find_all(exp.Var, exp.Identifier, exp.Literal)
             for name in HOLE.findall(var.name)}  # fmt: skip

    def loop_over(names: str, said: exp.Expr) -> tuple[ItemLoop, str]:
        hole = HOLE.fullmatch(names)
        assert hole is not None
        one = free_parameter(_LIST_NAME.sub(r"\1", hole[1]), taken)
        body = printed(_with_tables(said.copy(), one)).replace(NAME, f"{{{{ {one} }}}}")
        return ItemLoop((ItemLevel((one,), ()),), body), hole[1]

    for node in [each for each in found_in(tree, exp.Anonymous) if is_run(each)]:
        loop, param = loop_over(*run(node))
        word = f"run_{len(found)}{_WIDE}"
        found.append(Placed(loop, rf"{word}(,?)", over=param))
        node.replace(exp.column(word))
    for query in [each for each in found_in(tree, exp.Select) if is_branch_run(each)]:
        names, between, branch = branch_run(query)
        loop, param = loop_over(names, branch)
        word = f"run_{len(found)}{_WIDE}"
        # T-SQL's printer gives each output of a derived table a name
        pattern = rf"SELECT\s+{word}()(?:\s+AS\s+{word})?"
        found.append(Placed(loop, pattern, spelled(between, dialect), over=param))
        query.set("expressions", [exp.column(word)])
    return tuple(found)


def _with_tables(tree: exp.Expr, one: str) -> exp.Expr:
    """In place: the word for the table in the name of a source, where it is in a tag already."""
    for name in tree.find_all(exp.Identifier):
        if name.name.startswith("src__"):
            name.set("this", name.name.replace(NAME, f"h__{one}__h"))
    return tree
