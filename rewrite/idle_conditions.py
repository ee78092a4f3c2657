"""Conditions that ask nothing, where no copy asks anything in that place."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from unwet.lineage.trees import drop_test
from unwet.rewrite.library import NO_CONDITION, MacroCall
from unwet.rewrite.shapes import CONDITION, Leaf


def drop_idle_conditions(tree: exp.Expr) -> None:
    """In place: a hole that no condition stands in goes, where nothing became a parameter."""
    for node in list(tree.find_all(exp.Boolean)):
        if node._meta is not None and CONDITION in node._meta:
            drop_test(node)


def without_idle_conditions(call: MacroCall, dialect: str) -> MacroCall:
    """The call without what is always true at the end of its conditions: ``p AND TRUE`` is p, and
    so it is behind an OR, as AND binds closer."""
    true = exp.true().sql(dialect)
    args = tuple((name, _without(leaf, true)) for name, leaf in call.args)
    return call if args == call.args else replace(call, args=args)


def _without(leaf: Leaf, true: str) -> Leaf:
    if leaf.kind != "condition":
        return leaf
    text = leaf.text
    if "BETWEEN" in text.upper():
        return leaf  # whose AND is another one
    while text.endswith(f" AND {true}"):
        text = text.removesuffix(f" AND {true}")
    return NO_CONDITION if text == true else replace(leaf, text=text)
