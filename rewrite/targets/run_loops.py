"""Items that are said of one column after the other, as a loop over a parameter's names.

{% for column in columns %}
  SUM(t.{{ column }}) AS {{ column }}_total,
{% endfor %}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlglot import exp

from unwet.rewrite.item_runs import NAME, is_run, run
from unwet.rewrite.library import HOLE
from unwet.rewrite.naming import free
from unwet.rewrite.targets.item_bodies import ItemLevel, ItemLoop
from unwet.rewrite.targets.item_loops import Placed

_WIDE: Final = "_" * 90  # makes the list too long for one line


def over_names(tree: exp.Expr, printed: Callable[[exp.Expr], str]) -> tuple[Placed, ...]:
    """In place: words in place of such items, and the loops that they are."""
    found: list[Placed] = []
    taken = {name for var in tree.find_all(exp.Var, exp.Identifier, exp.Literal)
             for name in HOLE.findall(var.name)}  # fmt: skip
    for node in [each for each in tree.find_all(exp.Anonymous) if is_run(each)]:
        names, item = run(node)
        param = HOLE.fullmatch(names)
        assert param is not None
        one = free(param[1].replace("columns", "column"), taken)
        body = printed(item.copy()).replace(NAME, f"{{{{ {one} }}}}")
        word = f"run_{len(found)}{_WIDE}"
        loop = ItemLoop((ItemLevel((one,), ()),), body)
        found.append(Placed(loop, rf"{word}(,?)", over=param[1]))
        node.replace(exp.column(word))
    return tuple(found)
