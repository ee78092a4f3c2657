"""Lists of columns that are short, and said as one argument or two: the argument says them itself.

    {% set value %}
    COUNT(*) AS n,
    {{ shares() }}
    {% endset %}
    {{ vitals(value=value) }}  ->  {{ vitals(value='COUNT(*) AS n, ' ~ shares()) }}

A list that nobody can say in a line is a macro of its own, or a block of the template. What it says
may have become the call of another macro since, and then it is short. The text is what the macro
writes; one with a comment, or a loop, stays.

with_short_lists(library, dialect) -> the library without such macros
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.lineage.printing import as_said
from unwet.rewrite.library import (
    HANDED_ON,
    Library,
    Macro,
    MacroCall,
    calls_made,
    numbers_by_macro,
    numbers_in,
    numbers_of,
)
from unwet.rewrite.placed_calls import is_placed
from unwet.rewrite.shapes import ITEM, Leaf

_ONCE: Final = 120  # letters of a list that is said once
_TWICE: Final = 100
_SIGNS: Final = 6  # of a call beside its name and its arguments
_TOKEN: Final = re.compile(r"(?:h|list|tail|loop)__\w", re.IGNORECASE)


def with_short_lists(library: Library, dialect: str) -> Library:
    """The calls of such macros, which nothing makes any more, are still in it, so that the others
    keep their numbers."""
    made = calls_made(library)
    uses = Counter(n for at in made for _, leaf in library.calls[at].args
                   for n in numbers_in(leaf.text))  # fmt: skip
    usual = Counter(n for m in library.macros for text in m.defaults.values()
                    for n in numbers_in(text))  # fmt: skip
    usual.update(n for tree in library.trees for n in numbers_of(tree))
    own = numbers_by_macro(library.calls, made)
    texts: dict[str, str] = {}
    gone: set[str] = set()
    for macro in library.macros:
        numbers = own.get(macro.name, ())
        text = _text(macro, library, dialect) if len(numbers) == 1 else None
        if text is None or usual[numbers[0]] or not _is_short(text, uses[numbers[0]], library):
            continue
        word = f"call__{numbers[0]}__call"
        if _said_whole(library, made, word) == uses[numbers[0]]:
            texts[word] = text
            gone.add(macro.name)
    if not texts:
        return library
    calls = tuple(_saying(call, texts) for call in library.calls)
    macros = tuple(macro for macro in library.macros if macro.name not in gone)
    return replace(library, macros=macros, calls=calls)


def _text(macro: Macro, library: Library, dialect: str) -> str | None:
    """A list of columns as one text; None where it cannot be."""
    tree = macro.tree
    if macro.kind != "items" or macro.params or macro.rows or not isinstance(tree, exp.Select):
        return None
    if any(node.comments or is_placed(node) for node in tree.walk()):
        return None
    text = ", ".join(as_said(item, dialect) for item in tree.expressions)
    plain = "\n" not in text and ITEM not in text and not _TOKEN.search(text)
    return text if plain and len(tree.expressions) > 1 else None


def _is_short(text: str, uses: int, library: Library) -> bool:
    """Whether an argument may say it: once, or in two places."""

    def said(found: re.Match[str]) -> str:
        call = library.calls[int(found[1])]
        letters = (len(name) + len(leaf.text) for name, leaf in call.args)
        return "x" * (len(call.macro) + sum(letters) + _SIGNS)

    letters = len(HANDED_ON.sub(said, text))
    return letters <= {1: _ONCE, 2: _TWICE}.get(uses, 0)


def _said_whole(library: Library, made: list[int], word: str) -> int:
    """How many arguments are such a call, and nothing else."""
    said = (leaf for at in made for _, leaf in library.calls[at].args)
    return sum(leaf == Leaf("condition", word) for leaf in said)


def _saying(call: MacroCall, texts: dict[str, str]) -> MacroCall:
    if not any(leaf.text in texts for _, leaf in (*call.args, *call.unsaid)):
        return call
    args, unsaid = (
        tuple((n, replace(leaf, text=texts.get(leaf.text, leaf.text))) for n, leaf in said)
        for said in (call.args, call.unsaid)
    )
    return replace(call, args=args, unsaid=unsaid)
