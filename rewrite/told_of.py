"""What is said of a query before it is one of a family: its name, and whether it is worth one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlglot import exp

from unwet.rewrite.abstract import BRANCH, Family

DIFFER: Final = "that differ in their arguments only"
SAME: Final = "that are the same"
_SHOWN: Final = 4


def is_trivial(tree: exp.Expr) -> bool:
    """Columns of one table and a filter: nobody wants to look up what that is."""
    said = {name for name, value in tree.args.items() if value}
    if not isinstance(tree, exp.Select) or not said <= {"expressions", "from_", "where"}:
        return False
    source = tree.args.get("from_")
    bare = all(isinstance(item.unalias(), exp.Column) for item in tree.expressions)
    return bare and source is not None and isinstance(source.this, exp.Table)


def wrapped(tree: exp.Expr) -> exp.Expr | None:
    """The query that a model takes some columns of and does nothing else with."""
    source = tree.args.get("from_")
    inner = source.this if source is not None else None
    bare = {"expressions", "from_"} == {k for k, v in tree.args.items() if v}
    bare = bare and all(isinstance(e.unalias(), exp.Column | exp.Star) for e in tree.expressions)
    return inner.this if bare and isinstance(inner, exp.Subquery) else None


def is_branch(node: exp.Subquery) -> bool:
    """(WITH a AS (...) SELECT ...) in a UNION: a branch that needs its parentheses."""
    bare = all(key == "this" for key, value in node.args.items() if value)
    return bare and isinstance(node.parent, exp.SetOperation) and bool(node.this.args.get("with_"))


def label_of(node: exp.Expr) -> str:
    """The author's name of a block, its alias; "part" for a branch of a set operation; empty
    for queries that no macro call can stand for."""
    parent = node.parent
    match parent:
        case exp.CTE():
            return parent.alias
        case exp.Subquery() if isinstance(parent.parent, (exp.From, exp.Join)):
            return parent.alias
        case exp.SetOperation() if isinstance(node, exp.Select | exp.Subquery):
            return BRANCH
        case _:
            return ""


def comment_of(family: Family) -> str:
    """What the macro stands for, in a line."""
    shown = listed([*dict.fromkeys(unit.host for unit in family.units)], len(family.units))
    alike = DIFFER if family.holes else SAME
    what = {"expression": "expressions", "items": "lists of columns"}.get(family.units[0].kind)
    own = set.intersection(*({cte.alias for cte in unit.own} for unit in family.units))
    reads = f", which have {' and '.join(sorted(own))} in front of them," if own else ""
    return f"{len(family.units)} {what or 'queries'}{reads} {alike}: {shown}"


def two_queries_of(hosts: Sequence[str]) -> str:
    """What a macro stands for that says what is the same in two queries."""
    return f"2 queries {DIFFER}: {listed([*dict.fromkeys(hosts)], 2)}"


def listed(hosts: Sequence[str], many: int) -> str:
    """Where so many queries stand, as far as a line has room for that."""
    shown = ", ".join(hosts[:_SHOWN]) + (", ..." if len(hosts) > _SHOWN else "")
    return f"all in {shown}" if len(hosts) == 1 < many else shown
