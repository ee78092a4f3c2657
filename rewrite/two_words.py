"""A table of which calls say the schema and the name, as two words, where nothing else is the same.

    {{ pings(source('fenix_stable', 'crash_v1')) }}  ->  {{ pings('fenix', 'crash') }}

where the macro has `table=source(origin ~ '_stable', name ~ '_v1')`. A call that reads something
else still says it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from unwet.rewrite.library import NO_VALUE, Macro, MacroCall
from unwet.rewrite.naming import free_parameter
from unwet.rewrite.origins import (
    ORIGIN,
    WORD,
    Calls,
    Relation,
    Together,
    all_or_none,
    enough,
    open_parameters,
    relations_read,
)
from unwet.rewrite.said_less import LEAST, Change, with_defaults, without_idle
from unwet.rewrite.shapes import Leaf

_NAME: Final = "name"
_USUAL: Final = 9 / 10  # of the names, for a word with which they end to be said by the macro


@dataclass(frozen=True, slots=True)
class _Ends:
    """What the macro says of the names: the words with which they end."""

    schema: str
    table: str

    def words(self, read: Relation) -> tuple[str, str] | None:
        """The two words of a table; None where it ends otherwise."""
        schema, table = read.name.removesuffix(self.schema), read.table.removesuffix(self.table)
        ends = schema + self.schema == read.name and table + self.table == read.table
        return (
            (schema, table) if ends and WORD.fullmatch(schema) and WORD.fullmatch(table) else None
        )


def of_two_words(
    macro: Macro, calls: Calls, together: Together, hidden: Collection[str]
) -> Change | None:
    """The macro with parameters for the schema and the name of the table that calls read.
    ``hidden``: names that a parameter would hide."""
    read = {name: _tables(calls, name) for name in open_parameters(macro)}
    parameter = max(read, key=lambda name: len(read[name]), default="")
    tables = read.get(parameter, {})
    if not enough(tables, calls, len({*tables.values()})):
        return None
    ends = _Ends(_end([each.name for each in tables.values()]),
                 _end([each.table for each in tables.values()]))  # fmt: skip
    words = {number: said for number, each in tables.items() if (said := ends.words(each))}
    fit = all_or_none({parameter: {*words}}, calls, together)[parameter]
    if not enough(fit, calls, LEAST):
        return None
    origin = free_parameter(ORIGIN, {*macro.params, *hidden})
    name = free_parameter(_NAME, {*macro.params, *hidden, origin})
    made = without_idle(calls, {number: {parameter} if number in fit else () for number in calls})
    for number, call in made.items():
        made[number] = _said(call, (origin, name), words[number] if number in fit else None)
    none = {} if len(fit) == len(calls) else dict.fromkeys((origin, name), NO_VALUE.text)
    text = f"src__h__{origin}__h{ends.schema}__h__{name}__h{ends.table}__src"
    wider = replace(macro, params=(origin, name, *macro.params))
    return Change(with_defaults(wider, {**none, parameter: text}), made)


def _said(call: MacroCall, names: tuple[str, str], words: tuple[str, str] | None) -> MacroCall:
    """The call with the two words in front, without their names where it says nothing else."""
    if words is None:
        return replace(call, unsaid=(*call.unsaid, *((name, NO_VALUE) for name in names)))
    said = tuple((name, Leaf("string", word)) for name, word in zip(names, words, strict=True))
    return replace(call, args=(*said, *call.args), bare=not call.args)


def _tables(calls: Calls, name: str) -> Mapping[int, Relation]:
    read = relations_read(calls, name)
    return {number: each for number, each in read.items() if each.table}


def _end(names: Collection[str]) -> str:
    """The words with which nearly all of these names end, behind another one."""
    left, end = [name.split("_") for name in names], ""
    while True:
        last = Counter(words[-1] for words in left if len(words) > 1)
        word, times = min(last.items(), key=lambda each: (-each[1], each[0]), default=("", 0))
        if times < _USUAL * len(names) or not word:
            return end
        end = f"_{word}{end}"
        left = [words[:-1] for words in left if words[-1] == word and len(words) > 1]
