"""What forbids that a macro says what two did: conditions on a merge, before it is counted.

stays_as_it_is(found, ...) -> whether what keeps its words would keep them
is_template(macro, made, found, ...) -> whether the macro says enough itself
is_told(place, params, names, ...) -> whether a call says a relation that has another name now
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from sqlglot import exp

from unwet.rewrite.alternatives import NO_ALTERNATIVE
from unwet.rewrite.library import (
    HOLE,
    NO_CONDITION,
    Macro,
    MacroCall,
    calls_within,
    numbers_of,
    says_one_of,
    texts_said,
)
from unwet.rewrite.merged_calls import still_said
from unwet.rewrite.side_by_side import Aligned, own_words

_WORDS: Final = 3  # names and constants of its own that a macro has beside its new parameters
_GROUPED_WORDS: Final = 1  # of one that groups, is a macro already, and has one parameter more


def stays_as_it_is(found: Aligned, mine: bool, theirs: bool, is_macro: bool) -> bool:
    """Whether what has to stay as it is would be the same text: parameters are what stood in
    their places, but a condition that is always true is only nothing in a WHERE. ``mine``,
    ``theirs``: whether the first one, and what is taken, has to; ``is_macro``: what is taken."""
    either = mine or theirs
    if ((found.added or found.optional) and either) or (found.renamed and theirs):
        return False
    if found.moved and is_macro and either:
        return False
    if (found.regrouped and theirs) or (found.by_all and either):
        return False
    if either and any(NO_ALTERNATIVE in (each.mine, each.other) for each in found.new):
        return False
    if theirs and NO_ALTERNATIVE in found.said.values():
        return False
    if found.tree.find(exp.Having) is None:
        return True
    empty = mine and any(each.mine == NO_CONDITION for each in found.new)
    return not empty and not (theirs and NO_CONDITION in found.said.values())


def is_template(macro: Macro, made: Macro, found: Aligned, more: int, is_new: bool) -> bool:
    """Whether what a macro becomes says enough itself, with so many parameters ``more``;
    ``is_new``: it was a model, or a query in one."""
    if still_said(made.tree, {*macro.params} - {*made.params}, found.calls):
        return False
    texts_more = sum(each.mine.kind == "condition" for each in found.new)
    if texts_more > 1 and is_new:
        return False  # two models that say other columns of other rows are two
    grouped = not is_new and made.tree.args.get("group") is not None
    least = _GROUPED_WORDS if grouped and more <= 1 else _WORDS
    return own_words(made.tree, found.calls) >= least + more


def is_told(
    place: str,
    params: Iterable[str],
    names: AbstractSet[str],
    macros: Mapping[str, Macro],
    own: Mapping[str, Sequence[int]],
    calls: Sequence[MacroCall],
) -> bool:
    """Whether a call says one of these ``names`` for one of the ``params`` of a macro or a model,
    or for what hands that on. ``own``: the numbers of the calls, by macro."""
    waiting = [(place, each) for each in params]
    seen = set(waiting)
    while waiting:
        called, name = waiting.pop()
        for number in own.get(called, ()):
            call = calls[number]
            text = dict((*call.unsaid, *call.args)).get(name, NO_CONDITION).text
            if says_one_of(text, names, calls):
                return True
            handed = {hole for each in texts_said(text, calls) for hole in HOLE.findall(each)}
            for around in _callers(number, macros, calls) if handed else ():
                new = {(around, hole) for hole in handed} - seen
                seen |= new
                waiting += sorted(new)
    return False


def _callers(number: int, macros: Mapping[str, Macro], calls: Sequence[MacroCall]) -> list[str]:
    """The macros in which a call stands."""
    return [
        name
        for name, macro in macros.items()
        if number in calls_within(numbers_of(macro.tree), calls)
    ]
