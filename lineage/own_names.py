"""Columns of a derived table keep their own name without saying it twice, in T-SQL.

    SELECT x.a FROM (SELECT t.a FROM t) AS x    and not    (SELECT t.a AS a FROM t) AS x

T-SQL wants a name for each column of a CTE or a derived table, and the parser's printer gives one
to all; a column has one already. Here such a column says a name that is taken out of the text.
"""

from __future__ import annotations

import re
from typing import Final

from sqlglot import exp

# characters that no text in public has (Unicode, "Private Use Area")
_OPEN, _CLOSE = "\ue5a1", "\ue5a2"
_MARK: Final = re.compile(rf"\s+AS {_OPEN}\w+{_CLOSE}")
_PLAIN: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def with_own_names(tree: exp.Expr) -> exp.Expr:
    """Gives columns their own names between marks, in place; ``without_marks`` takes both out of
    the text."""
    for inner in list(tree.find_all(exp.Select)):
        above = inner.parent
        if isinstance(above, exp.CTE | exp.Subquery) and above.alias:
            for item in inner.expressions:
                if isinstance(item, exp.Column) and _is_plain(item.this):
                    name = exp.Identifier(this=f"{_OPEN}{item.name}{_CLOSE}", quoted=False)
                    item.replace(exp.Alias(this=item.copy(), alias=name))
    return tree


def _is_plain(name: exp.Expr) -> bool:
    """Whether a name needs no quotes in any text."""
    return isinstance(name, exp.Identifier) and bool(_PLAIN.fullmatch(name.name))


def without_marks(text: str) -> str:
    """The text of a tree that ``with_own_names`` has seen."""
    return _MARK.sub("", text)
