"""A table of which calls say the schema and the name, as two words, where nothing else is the same.

    {{ pings(source('fenix_stable', 'crash_v1')) }}  ->  {{ pings('fenix', 'crash') }}

where the macro has `table=source(origin ~ '_stable', name ~ '_v1')`. A call that reads something
else still says it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
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
    words_of,
)
from unwet.rewrite.said_less import LEAST, Change, with_defaults, without_idle
from unwet.rewrite.shapes import Leaf

_NAME: Final = "name"
_REPORT: Final = "report"
_GAP: Final = "\0"  # where a name has the word that is said already
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
    if any(call.bare for call in calls.values()):
        return None  # its first parameters stay the first ones
    read = {name: _tables(calls, name) for name in open_parameters(macro)}
    parameter = max(read, key=lambda name: len(read[name]), default="")
    tables = read.get(parameter, {})
    schemas = {each.name for each in tables.values()}
    if len(schemas) == 1 or not enough(tables, calls, len({*tables.values()})):
        return None  # a schema that never varies is no word of a call
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


def beside_a_word(
    macro: Macro, calls: Calls, together: Together, hidden: Collection[str]
) -> Change | None:
    """The macro with a parameter for the other word in the name of a relation, where calls say the
    one already: `rows(app='fenix', pings=ref('crash_fenix'))` reads `ref(report ~ '_' ~ app)`, and
    a call that says no more than both needs no names."""
    best: tuple[str, _Beside, dict[int, str]] = "", _Beside("", "", ""), {}
    for parameter in open_parameters(macro):
        votes: dict[_Beside, dict[int, str]] = defaultdict(dict)
        read = relations_read(calls, parameter)
        end = _end([each.table for each in read.values() if each.table])
        for number, relation in read.items():
            for told, word in words_of(calls[number]):
                for form, left in _forms(relation, told, word, end):
                    votes[form][number] = left
        for form in sorted(votes):
            if len(votes[form]) > len(best[2]):
                best = parameter, form, votes[form]
    parameter, form, words = best
    if not enough(words, calls, len({*words.values()})):
        return None
    fit = all_or_none({parameter: {*words}}, calls, together)[parameter]
    if not enough(fit, calls, LEAST):
        return None
    name = free_parameter(_REPORT, {*macro.params, *hidden})
    made = without_idle(calls, {number: {parameter} if number in fit else () for number in calls})
    for number, call in made.items():
        if number in fit:
            args = ((name, Leaf("string", words[number])), *call.args)
            first = len(fit) == len(calls) and [form.told] == [n for n, _ in call.args]
            made[number] = replace(call, args=args, bare=first and macro.params[0] == form.told)
        else:
            made[number] = replace(call, unsaid=(*call.unsaid, (name, NO_VALUE)))
    none = {} if len(fit) == len(calls) else {name: NO_VALUE.text}
    wider = replace(macro, params=(name, *macro.params))
    return Change(with_defaults(wider, {**none, parameter: form.text(name)}), made)


@dataclass(frozen=True, slots=True, order=True)
class _Beside:
    """How a relation is called: after the word that ``told`` says, and another one."""

    told: str
    before: str  # of the other word in the name
    after: str

    def text(self, name: str) -> str:
        """The token, parameters in its gaps."""
        told = f"h__{self.told}__h"
        return (self.before + f"h__{name}__h" + self.after).replace(_GAP, told)


def _forms(read: Relation, told: str, word: str, end: str) -> Iterator[tuple[_Beside, str]]:
    """How the relation may be called after that word, and the other word then."""
    if read.table:
        left = read.table.removesuffix(end)
        if f"{read.name}_".startswith(f"{word}_") and WORD.fullmatch(left):
            schema = _GAP + read.name[len(word) :]
            yield _Beside(told, f"src__{schema}__", f"{end}__src"), left
    elif read.name.endswith(f"_{word}"):
        yield _Beside(told, "ref__", f"_{_GAP}__ref"), read.name[: -len(word) - 1]
    elif read.name.startswith(f"{word}_"):
        yield _Beside(told, f"ref__{_GAP}_", "__ref"), read.name[len(word) + 1 :]


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
