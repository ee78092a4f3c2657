"""Calls of macros while trees are under work: nodes whose arguments are leaves like any others, so
that queries which call one macro with other arguments have one shape.

When the work is done, ``numbered`` puts a word in each one's place and tells the calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import found_in
from unwet.rewrite.library import LINE, Macro, MacroCall
from unwet.rewrite.shapes import CONDITION, HOLE, LIST, Leaf, as_leaf

Said = tuple[tuple[str, Leaf], ...]  # parameters and what a call says for them

_CALL: Final = "call__"
_TAIL: Final = "tail__"
_SIGNS: Final = 6  # between a parameter's name and what it is, and around that
_LIKE: Final = "like"  # note on a call: which others were of one macro with it


def call_node(macro: str, said: Said, tail: bool = False, like: str = "") -> exp.Anonymous:
    """A call with all arguments, also those that are the default; ``like`` some others."""
    args = [exp.Kwarg(this=exp.Var(this=name), expression=_node(leaf, name)) for name, leaf in said]
    node = exp.Anonymous(this=(_TAIL if tail else _CALL) + macro, expressions=args)
    if like:
        node.meta[_LIKE] = like
    return node


def like_which(node: exp.Expr) -> str:
    """What a call is noted to be like."""
    return str(node._meta.get(_LIKE, "")) if node._meta is not None else ""


def numbered(
    tree: exp.Expr, defaults: Mapping[str, Mapping[str, str]], calls: list[MacroCall]
) -> exp.Expr:
    """In place but for the root: words in place of the calls, which are added to ``calls``.
    ``defaults``: by macro, what its parameters are where a call says nothing."""
    for node in list(calls_in(tree)):
        kind, macro = node.name[: len(_CALL)], node.name[len(_CALL) :]
        usual = defaults.get(macro, {})
        values = tuple(arguments(node))
        said = tuple(each for each in values if usual.get(each[0]) != each[1].text)
        unsaid = tuple(each for each in values if each not in said)
        calls.append(MacroCall(macro, said, unsaid, like_which(node)))
        word = exp.Var(this=f"{kind}{len(calls) - 1}__{kind[:-2]}")
        if node is tree:
            tree = word
        else:
            node.replace(word)
    return tree


def more_lines(tree: exp.Expr) -> int:
    """How many lines more than one the calls in a tree take, about."""
    many = 0
    for node in calls_in(tree):
        many += call_height(len(node.name) + _letters(arguments(node))) - 1
    return many


def call_height(letters: int) -> int:
    """The lines of a call of so many letters, wrapped."""
    return 1 + max(0, letters - 1) // LINE


def defaults_of(macros: Sequence[Macro]) -> dict[str, Mapping[str, str]]:
    """What parameters are where a call says nothing."""
    return {macro.name: macro.defaults for macro in macros}


def height_of(call: MacroCall) -> int:
    """The lines of a call, about."""
    return call_height(letters_of(call))


def letters_of(call: MacroCall) -> int:
    """How long a call is, about: what it says, and its macro's name."""
    return _letters(call.args) + len(call.macro)


def _letters(said: Iterable[tuple[str, Leaf]]) -> int:
    return sum(len(name) + len(leaf.text) + _SIGNS for name, leaf in said)


def is_call(node: exp.Expr) -> bool:
    """Whether a node is a call that stands for a whole query."""
    name = node.this if isinstance(node, exp.Anonymous) else None
    return isinstance(name, str) and name.startswith(_CALL)


def is_placed(node: exp.Expr) -> bool:
    """Whether a node is a call, that of a tail, too."""
    name = node.this if isinstance(node, exp.Anonymous) else None
    return isinstance(name, str) and name.startswith((_CALL, _TAIL))


def calls_in(tree: exp.Expr) -> Iterator[exp.Anonymous]:
    """The calls in a tree, tails, too."""
    yield from filter(is_placed, found_in(tree, exp.Anonymous))


def arguments(node: exp.Expr) -> Iterator[tuple[str, Leaf]]:
    """What a call says, by parameter."""
    for each in node.expressions:
        leaf = as_leaf(each.expression)
        assert leaf is not None
        yield each.this.name, leaf


def _node(leaf: Leaf, param: str) -> exp.Expr:
    """What is that leaf in a tree."""
    match leaf.kind:
        case "name":
            return exp.Identifier(this=leaf.text, quoted=leaf.quoted)
        case "string":
            return exp.Literal.string(leaf.text)
        case "number" if not leaf.text.startswith("h__"):
            return exp.Literal(this=leaf.text, is_string=False)
        case "number":
            return exp.Var(this=leaf.text)
        case "condition" | "list" | "names":
            word = exp.Var(this=leaf.text)
            note = LIST if leaf.kind == "list" else CONDITION
            word.meta.update({note: leaf.text, HOLE: param})
            return word
