"""A condition that one of two queries lets more rows through with is a parameter behind an OR:

    WHERE (kind = 'a' OR app = 'x') AND n > 1
    WHERE kind = 'b' AND n > 1

    WHERE (kind = '{{ kind }}' OR {{ alternative }}) AND n > 1      {# FALSE, where there is none #}

p OR FALSE is p for each of true, false and NULL. The conditions of an OR may stand in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.shapes import Leaf

NO_ALTERNATIVE: Final = Leaf("condition", "FALSE")


def alternatives(test: exp.Expr) -> list[exp.Expr]:
    """The conditions of which one is enough, through all parentheses."""
    found, stack = list[exp.Expr](), [test]
    while stack:
        inner = stack.pop().unnest()
        if isinstance(inner, exp.Or):
            stack += [inner.right, inner.left]
        else:
            found.append(inner)
    return found


def or_else(kept: Sequence[exp.Expr], name: str) -> exp.Or:
    """One of the conditions, or what a parameter says."""
    made: exp.Expr = copied(kept[0])
    for test in kept[1:]:
        made = exp.Or(this=made, expression=copied(test))
    return exp.Or(this=made, expression=exp.Var(this=f"h__{name}__h"))
