"""Flags in T-SQL, which has no words for them: TRUE is a BIT that is 1.

with_bits(tree) -> tree
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

# a condition, where TRUE is 1 = 1; a comparison, where it is 1 (the printer says so)
_CONDITIONS: Final = (exp.Connector, exp.Not, exp.Where, exp.Having, exp.Qualify, exp.Join)
_COMPARED: Final = (exp.EQ, exp.NEQ, exp.Is, exp.In)


def with_bits(tree: exp.Expr) -> exp.Expr:
    """In place: TRUE and FALSE that are values get a type, as `1` is an integer and `(1 = 1)` no
    value at all; x IS NOT TRUE says that x may be NULL, as NOT x = 1 does not."""
    for node in [*tree.find_all(exp.Boolean)]:
        match node.parent:
            case exp.Is(this=exp.Column() as tested, parent=exp.Not() as negated):
                no = exp.EQ(this=tested.copy(), expression=exp.Boolean(this=not node.this))
                null = exp.Is(this=tested.copy(), expression=exp.Null())
                said = exp.Paren(this=exp.Or(this=no, expression=null))
                tree = said if negated is tree else tree
                negated.replace(said)
            case _ if _is_value(node):
                made = exp.Cast(
                    this=exp.Literal.number(int(node.this)), to=exp.DataType.build("BIT")
                )
                tree = made if node is tree else tree
                node.replace(made)
    return tree


def _is_value(node: exp.Boolean) -> bool:
    match node.parent:
        case exp.Paren() | None:
            return False
        case exp.If() as above:
            return node.arg_key != "this" or _is_branch(above)
        case parent:
            return not isinstance(parent, (*_CONDITIONS, *_COMPARED, exp.Values, exp.Tuple))


def _is_branch(node: exp.If) -> bool:
    """Whether it is a WHEN that is compared with a value: CASE x WHEN TRUE."""
    return isinstance(node.parent, exp.Case) and node.parent.this is not None
