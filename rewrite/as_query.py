"""The query that a call of a macro is, as if nobody had made a macro of it.

as_query(macro, call, dialect) -> a tree, or None where a macro is more than its parameters
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.errors import SqlglotError

from unwet.lineage.trees import conjuncts, copied
from unwet.rewrite.library import HANDED_ON, HOLE, NO_VALUE, Macro, MacroCall, numbers_of
from unwet.rewrite.optional_tests import optional_tests
from unwet.rewrite.shapes import Leaf

_WORDS = (exp.Identifier, exp.Literal, exp.Var)


def as_query(macro: Macro, call: MacroCall, dialect: str) -> exp.Select | None:
    """None, too, where an argument is a call, or nothing that can be read by itself."""
    said = dict((*call.unsaid, *call.args))
    plain = macro.kind == "query" and not (macro.optional[0] or macro.scoped[0] or macro.rows)
    if not plain or numbers_of(macro.tree) or {*said} != {*macro.params}:
        return None
    if any(HANDED_ON.search(leaf.text) or HOLE.search(leaf.text) for leaf in said.values()):
        return None
    tree = copied(macro.tree)
    for test, name in [*optional_tests(tree)]:
        test.replace(exp.true() if said[name] == NO_VALUE else test.expressions[0])
    for node in [*tree.walk()]:
        hit = HOLE.search(node.name) if isinstance(node, _WORDS) else None
        if hit is None:
            continue
        leaf = said.get(hit[1])  # what is no parameter's token says nothing
        new = _filled(node, leaf, dialect) if leaf is not None else None
        if new is None:
            return None
        if new is not node:
            node.replace(new)
    _without_true(tree)
    return tree if isinstance(tree, exp.Select) else None


def _filled(node: exp.Expr, leaf: Leaf, dialect: str) -> exp.Expr | None:
    """A word with what a parameter stands for in it."""
    if not isinstance(node, exp.Var):
        node.set("this", HOLE.sub(lambda _: leaf.text, node.name))
        if isinstance(node, exp.Identifier):
            node.set("quoted", leaf.quoted)
        return node
    if not HOLE.fullmatch(node.name):
        return None
    try:
        made: exp.Expr = exp.maybe_parse(leaf.text, dialect=dialect or None)
    except SqlglotError:
        return None
    inside = isinstance(node.parent, exp.Binary | exp.Unary) and isinstance(made, exp.Binary)
    return exp.Paren(this=made) if inside and isinstance(made, exp.Or) else made


def _without_true(tree: exp.Expr) -> None:
    """In place: a condition that nothing is asked in is none."""
    where = tree.args.get("where")
    if where is None:
        return
    every = [*conjuncts(where.this)]
    asked = [each for each in every if not (isinstance(each, exp.Boolean) and each.this)]
    if len(asked) < len(every):
        tree.set("where", exp.Where(this=exp.and_(*asked, copy=False)) if asked else None)
