"""A macro whose only call hands on what its own caller says, in the words of that caller.

    {% macro beds(product, rows) %} SELECT '{{ product }}' AS product, n FROM {{ rows }}
    {{ beds(product, rows=lda_data) }}  ->  SELECT '{{ product }}' AS product, n FROM {{ lda_data }}

in_words_of_caller(macro, call, calls) -> the macro without parameters; None where it is more
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from unwet.lineage.trees import copied, texts
from unwet.rewrite.library import HOLE, LISTED, Macro, MacroCall, numbers_in, with_told
from unwet.rewrite.optional_tests import optional_tests


def in_words_of_caller(macro: Macro, call: MacroCall, calls: list[MacroCall]) -> Macro | None:
    """Calls in its words are added to the ``calls``. None, too, where a parameter decides what is
    there at all."""
    names = _names(macro, call)
    decides = macro.rows or macro.optional[0] or macro.scoped[0] or macro.unless
    if names is None or decides or macro.kind == "look_up" or any(optional_tests(macro.tree)):
        return None
    words = _Words(names, calls)
    tree = copied(macro.tree)
    for node in tree.walk():
        for key, value in node.args.items():
            if isinstance(value, str):
                node.args[key] = words.put(value)
        if node.comments:
            node.comments = [words.put(each) for each in node.comments]
    known = {*names.values()}
    strange = any(found not in known for text in texts(tree) for found in _told_in(text))
    return None if strange else replace(macro, params=(), defaults={}, tree=tree)


def _names(macro: Macro, call: MacroCall) -> dict[str, str] | None:
    """By parameter: that of the caller, which it is."""
    said = dict((*call.unsaid, *call.args))
    found: dict[str, str] = {}
    for name in macro.params:
        text = said[name].text if name in said else ""
        whole = HOLE.fullmatch(text) or LISTED.fullmatch(text)
        if whole is None or said[name].quoted:
            return None
        found[name] = whole[1]
    return found


def _told_in(text: str) -> list[str]:
    return [*HOLE.findall(text), *LISTED.findall(text)]


class _Words:
    """Texts, and the calls in them, with a parameter of the caller for each of the macro."""

    def __init__(self, names: Mapping[str, str], calls: list[MacroCall]) -> None:
        self._names = names
        self._calls = calls

    def put(self, text: str) -> str:
        """A text in these words."""
        new = with_told(text, self._told)
        for number in numbers_in(new):
            call = self._calls[number]
            args = tuple(
                (name, replace(leaf, text=self.put(leaf.text))) for name, leaf in call.args
            )
            unsaid = tuple((n, replace(leaf, text=self.put(leaf.text))) for n, leaf in call.unsaid)
            if (args, unsaid) != (call.args, call.unsaid):
                self._calls.append(replace(call, args=args, unsaid=unsaid))
                for kind in ("call", "tail"):
                    new = new.replace(
                        f"{kind}__{number}__{kind}", f"{kind}__{len(self._calls) - 1}__{kind}"
                    )
        return new

    def _told(self, name: str) -> str | None:
        own = self._names.get(name.lower())
        return f"h__{own}__h" if own is not None else None
