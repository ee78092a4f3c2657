"""Lists of one constant, which are that constant: ``day IN ('2024')`` is ``day = '2024'``.

    {{ visits(days=["'2024'"]) }}  ->  {{ visits(day='2024') }}

where the macro has ``day IN ({{ days | join(', ') }})``, and every call says one text. Generators
write such lists, and authors whose list had more in it once. A parameter that is a list means
something in its place only, so that a macro with one is never one with others.

``x IN (c)`` is ``x = c``, for each of true, false and NULL. Not in Spark's dialects, which find one
type for what is in a list otherwise than for what is compared: a date is a text there. What follows
NOT, and is no text in quotes or number, stays as it is.

with_lone_values(library, ...) -> the library with such conditions
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.library import (
    LISTED,
    Library,
    Macro,
    MacroCall,
    called_by,
    calls_made,
    numbers_by_macro,
    says_all,
    texts_within,
)
from unwet.rewrite.lists_of_spark import SPARK
from unwet.rewrite.naming import free_parameter, snake
from unwet.rewrite.shapes import Leaf

_TEXT: Final = re.compile(r"'([\w .:/-]+)'", re.ASCII)  # nothing that an engine escapes
_DEFAULT: Final = "value"


def with_lone_values(library: Library, dialect: str, stay: AbstractSet[str]) -> Library:
    """``stay``: models that keep their words, and so do the macros that they call."""
    if dialect in SPARK:
        return library
    closed = frozenset({*stay, *called_by(library, stay)})
    models = {name: tree if name in closed else _plainly(tree)
              for name, tree in library.models.items()}  # fmt: skip
    calls, numbers = [*library.calls], numbers_by_macro(library.calls, calls_made(library))
    macros = []
    for macro in library.macros:
        made = macro
        if macro.name not in closed:
            made, own = replace(macro, tree=_plainly(macro.tree)), numbers.get(macro.name, ())
            for name in _lone(made, [calls[at] for at in own], library.calls):
                made = _of_one(made, name, own, calls)
        macros.append(made)
    return replace(library, models=models, macros=tuple(macros), calls=tuple(calls))


def _plainly(tree: exp.Expr) -> exp.Expr:
    """The tree, or a copy in which no constant is a list."""
    if not any(map(_is_lone, tree.find_all(exp.In))):
        return tree
    tree = copied(tree)
    for test in [*tree.find_all(exp.In)]:
        if _is_lone(test):
            _say(test, test.expressions[0])
    return tree


def _is_lone(test: exp.In) -> bool:
    """Whether what is tested is one of one constant."""
    [*values] = test.expressions
    return _may_be_equal(test) and len(values) == 1 and isinstance(values[0], exp.Literal)


def _may_be_equal(test: exp.In) -> bool:
    said = {name for name, value in test.args.items() if value}
    return said == {"this", "expressions"} and isinstance(test.this, exp.Column) and not (
        isinstance(test.parent, exp.Not | exp.Pivot) or test.comments
    )  # fmt: skip


def _say(test: exp.In, value: exp.Expr) -> None:
    """In place: the one value that it is."""
    test.replace(exp.EQ(this=test.this, expression=value))


def _lone(macro: Macro, own: Sequence[MacroCall], calls: Sequence[MacroCall]) -> Mapping[str, str]:
    """The lists that are one text in every call, with what they are called then."""
    if macro.kind != "query" or macro.uncounted or macro.rows or not own:
        return {}
    if not says_all(macro, own):
        return {}
    whole = texts_within(macro.tree, calls)
    count = Counter(name for text in whole for name in LISTED.findall(text))
    found: dict[str, str] = {}
    for test in macro.tree.find_all(exp.In):
        values = test.expressions
        hit = LISTED.fullmatch(values[0].name) if len(values) == 1 else None
        if hit is None or count[hit[1]] != 1 or not _may_be_equal(test):
            continue
        said = [dict((*call.args, *call.unsaid))[hit[1]] for call in own]
        if hit[1] not in macro.defaults and all(map(_is_text, said)):
            found[hit[1]] = test.this.name
    return found


def _is_text(leaf: Leaf) -> bool:
    return leaf.kind == "list" and _TEXT.fullmatch(leaf.text) is not None


def _of_one(macro: Macro, name: str, own: Sequence[int], calls: list[MacroCall]) -> Macro:
    """The macro with a text for a list, which its calls say (in place)."""
    tree = copied(macro.tree)
    test = next(each for each in tree.find_all(exp.In)
                if [v.name for v in each.expressions] == [f"list__{name}__list"])  # fmt: skip
    wanted = snake(test.this.name) or _DEFAULT
    label = free_parameter(wanted, {*macro.params} - {name})
    _say(test, exp.Literal.string(f"h__{label}__h"))
    params = tuple(label if each == name else each for each in macro.params)
    for at in own:
        call = calls[at]
        args = tuple((label, _one(leaf)) if each == name else (each, leaf)
                     for each, leaf in call.args)  # fmt: skip
        calls[at] = replace(call, args=args)
    return replace(macro, tree=tree, params=params)


def _one(leaf: Leaf) -> Leaf:
    return Leaf("string", leaf.text[1:-1])
