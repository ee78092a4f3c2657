"""Long outputs in which a query differs from what a macro says are macros of their own.

    {{ rows(app='fenix', metrics=health_metrics()) }}

A call that is an argument is read; forty lines of a STRUCT as a text are not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import texts
from unwet.rewrite.library import HOLE, Macro, MacroCall, texts_within
from unwet.rewrite.naming import free_macro
from unwet.rewrite.shapes import Leaf

STEM: Final = re.compile(r"(?:_rows|_part|_\d+)+\Z")  # what says nothing behind a name


def part_word(text: str) -> str:
    """What stands for an output of this text until it is a macro; no text but one has it."""
    return f"part__{blake2b(text.encode(), digest_size=12).hexdigest()}__part"


def may_be_part(node: exp.Expr, relations: Collection[str]) -> bool:
    """Whether it says the same wherever it stands: it names none of these ``relations``, and has
    no query or list of the macro around in it."""
    if node.find(exp.Query) or any("list__" in text for text in texts(node)):
        return False
    return all(column.table.lower() not in relations for column in node.find_all(exp.Column))


def part_macro(
    node: exp.Expr, host: str, output: str, taken: Collection[str], calls: Sequence[MacroCall]
) -> Macro:
    """The macro for an ``output`` of a ``host``, with the parameters that stand in it, and in what
    the ``calls`` in it say."""
    name = free_macro(f"{STEM.sub('', host)}_{output}", taken)
    params = tuple(dict.fromkeys(HOLE.findall(" ".join(texts_within(node, calls)))))
    return Macro(name, params, node, "expression", "A part that a call hands on")


def part_call(macro: Macro) -> MacroCall:
    """The call of such a macro where its parameters are those of what is around."""
    args = tuple((name, Leaf("condition", f"h__{name}__h")) for name in macro.params)
    return MacroCall(macro.name, args, named=True)


def put(leaf: Leaf, words: Mapping[str, str]) -> Leaf:
    """The leaf with another text, where there is one for its own."""
    return Leaf(leaf.kind, words[leaf.text]) if leaf.text in words else leaf
