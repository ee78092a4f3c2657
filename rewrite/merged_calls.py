"""The calls of two macros, or of queries that are to be one, as calls of the one that does what
both did.

taken_in(macro, found, ...) -> the macro with its new parameters
Uses(...).move(...) -> whether all calls of both can be calls of that one, which they are then
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.rewrite.library import Macro, MacroCall, texts_within
from unwet.rewrite.moved_calls import moved
from unwet.rewrite.naming import free_parameter
from unwet.rewrite.qualifiers import renamed_in
from unwet.rewrite.saying import New
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.side_by_side import Aligned, has_parameters
from unwet.rewrite.source_tables import table_name

_NAMED: Final = re.compile(r"(?:h|list)__(\w+?)__(?:h|list)(?![a-z])")


@dataclass(frozen=True, slots=True)
class Uses:
    """All calls, with the numbers of those of the first one and of the second one; ``models``: of
    those that what is no macro yet will be; ``like``: the second one, where it is a macro."""

    calls: list[MacroCall]
    models: Mapping[str, int]
    mine: Sequence[int]
    theirs: Sequence[int]
    like: str

    @property
    def every(self) -> tuple[int, ...]:
        """Those of both."""
        return (*self.theirs, *self.mine)

    @property
    def told(self) -> list[int]:
        """Those that there are already."""
        return [n for n in self.every if n not in self.models.values()]

    def say(self, words: AbstractSet[str], names: Mapping[str, str]) -> bool:
        """In place: calls of the second one say relations by the ``names`` that the first one has
        for them; whether they can. ``words``: the parameters that do."""
        for n in self.theirs if words else ():
            call = renamed_in(self.calls[n], words, names)
            if call is None:
                return False
            self.calls[n] = call
        return True

    def move(self, macro: Macro, made: Macro, found: Aligned, new: Mapping[str, New]) -> bool:
        """In place: the calls of both are calls of the one; whether they can be."""
        others = {**found.said, **{n: each.other for n, each in new.items()}}
        own = {n: Leaf("condition", f"h__{n}__h") for n in macro.params}
        own |= {n: each.mine for n, each in new.items()}
        for numbers, said, was in ((self.theirs, others, self.like), (self.mine, own, "")):
            for n in numbers:
                call = moved(self.calls[n], made, said, was, self.calls)
                if call is None:
                    return False
                self.calls[n] = call
        return True


def taken_in(macro: Macro, found: Aligned, hidden: Collection[str]) -> tuple[Macro, dict[str, New]]:
    """The macro with its new parameters, and these by name. What both macros have a parameter for
    beside others may be in these: such a parameter goes."""
    params, more = [name for name in macro.params if name in found.said], dict[str, New]()
    for new in found.new:
        wanted = f"{new.word}_value" if new.word in hidden else new.word
        name = free_parameter(wanted, {*params, *macro.params, *hidden})
        params.append(name)
        more[name] = new
        for put in new.puts:
            put(name)
    usual = {n: new.mine.text for n, new in more.items()
             if not has_parameters(new.mine, found.calls)}  # fmt: skip
    defaults = {n: text for n, text in {**macro.defaults, **usual}.items() if n in params}
    return replace(macro, tree=found.tree, params=tuple(params), defaults=defaults), more


def counted(macro: Macro, calls: Sequence[MacroCall]) -> int:
    """How many parameters it has in the end: those for which each call says the same table, of
    other schemas, become one (`same_tables`)."""
    said = [dict((*call.args, *call.unsaid)) for call in calls]
    tables = [tuple(table_name(each[name].text) for each in said) for name in macro.params]
    return len({own if all(own) else at for at, own in enumerate(tables)})


def still_said(tree: exp.Expr, names: Collection[str], calls: Sequence[MacroCall]) -> bool:
    """Whether a parameter of these is somewhere in the tree, or in what it hands on."""
    if not names:
        return False
    said = {name for text in texts_within(tree, calls) for name in _NAMED.findall(text)}
    return not said.isdisjoint(names)
