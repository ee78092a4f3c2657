"""Relations of which a call tells no more than whose they are follow from one word.

    {{ daily(table=source('fenix_stable', 'pings'), old=source('fenix_derived', 'daily')) }}
 -> {{ daily(origin='fenix') }}

where the macro has `table=source(origin ~ '_stable', 'pings')` and so on. Where a call says
the word already, as a text of its own (`app='fenix'`), that is what it follows from. Calls that one
query makes are rows of a table: they all do so or none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from unwet.rewrite.library import NO_VALUE, Macro, MacroCall
from unwet.rewrite.naming import free_parameter
from unwet.rewrite.said_less import LEAST, SHARE, Change, with_defaults, without_idle
from unwet.rewrite.shapes import Leaf

Calls = Mapping[int, MacroCall]
Together = Iterable[Collection[int]]  # the numbers of the calls that one query makes

ORIGIN: Final = "origin"
_GAP: Final = "\0"  # where a name has the word
_TOKEN: Final = re.compile(r"(ref|src)__(\w+?)__\1", re.ASCII)
WORD: Final = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*", re.ASCII)  # prints as it is, and ends so


@dataclass(frozen=True, slots=True)
class Relation:
    """What an argument reads: a model, or a table of a schema."""

    kind: str
    name: str  # of the model, or of the schema
    table: str = ""

    def pattern(self, word: str) -> Relation:
        """With gaps for the word; the same where its name does not have it."""
        marked = f"_{self.name}_".replace("_", "__").replace(
            f"_{word.replace('_', '__')}_", f"_{_GAP}_"
        )
        return replace(self, name=marked.replace("__", "_")[1:-1])

    def text(self, parameter: str) -> str:
        """The token of a pattern, the parameter in its gap."""
        name = self.name.replace(_GAP, f"h__{parameter}__h")
        return f"{self.kind}__{name}{f'__{self.table}' if self.table else ''}__{self.kind}"


def named_after(macro: Macro, calls: Calls, together: Together) -> Change | None:
    """The macro in which relations are called after a text that calls say, too."""
    follow: dict[str, tuple[str, Relation]] = {}
    fit: dict[str, set[int]] = {}
    for name in open_parameters(macro):
        votes: Counter[tuple[str, Relation]] = Counter()
        read = relations_read(calls, name)
        for number, relation in read.items():
            for told, word in words_of(calls[number]):
                if (pattern := relation.pattern(word)) != relation:
                    votes[told, pattern] += 1
        if not votes:
            continue
        told, pattern = min(votes, key=lambda each: (-votes[each], each[0], each[1].name))
        known = {number: dict(words_of(calls[number])).get(told) for number in read}
        same = {n for n, word in known.items() if word and read[n].pattern(word) == pattern}
        if enough(same, calls, len({known[n] for n in same})):
            follow[name], fit[name] = (told, pattern), same
    fit = all_or_none(fit, calls, together)
    follow = {name: each for name, each in follow.items() if enough(fit[name], calls, LEAST)}
    if not follow:
        return None
    idle = {number: {name for name in follow if number in fit[name]} for number in calls}
    texts = {name: pattern.text(told) for name, (told, pattern) in follow.items()}
    return Change(with_defaults(macro, texts), without_idle(calls, idle))


def of_one_origin(
    macro: Macro, calls: Calls, together: Together, hidden: Collection[str]
) -> Change | None:
    """The macro with a parameter for the word in the names of schemas. ``hidden``: names that the
    parameter would hide."""
    read = {name: relations_read(calls, name) for name in open_parameters(macro)}
    words = _origins(read.values())
    if not enough(words, calls, len({*words.values()})):
        return None
    follow: dict[str, Relation] = {}
    fit: dict[str, set[int]] = {}
    for name, relations in read.items():
        votes = Counter(r.pattern(words[n]) for n, r in relations.items() if n in words)
        patterns = [each for each in votes if _GAP in each.name]
        if patterns:
            best = min(patterns, key=lambda each: (-votes[each], each.kind, each.name, each.table))
            follow[name] = best
            fit[name] = {n for n in relations.keys() & words.keys()
                         if relations[n].pattern(words[n]) == best}  # fmt: skip
    fit = all_or_none(fit, calls, together)
    follow = {name: each for name, each in follow.items() if enough(fit[name], calls, LEAST)}
    if not follow:
        return None
    parameter = free_parameter(ORIGIN, {*macro.params, *hidden})
    idle = {number: {name for name in follow if number in fit[name]} for number in calls}
    made = without_idle(calls, idle)
    for number, call in made.items():
        if idle[number]:
            told = (parameter, Leaf("string", words[number]))
            made[number] = replace(call, args=(told, *call.args))
        else:
            made[number] = replace(call, unsaid=(*call.unsaid, (parameter, NO_VALUE)))
    none = {} if all(idle.values()) else {parameter: NO_VALUE.text}
    texts = {name: pattern.text(parameter) for name, pattern in follow.items()}
    wider = replace(macro, params=(parameter, *macro.params))
    return Change(with_defaults(wider, {**none, **texts}), made)


def is_relation(text: str) -> bool:
    """Whether a text stands for one model or table, in whose name a parameter may be."""
    return _TOKEN.fullmatch(text) is not None


def open_parameters(macro: Macro) -> list[str]:
    """Those that every call says."""
    return [name for name in macro.params if name not in macro.defaults]


def enough(fit: Collection[int], calls: Calls, words: int) -> bool:
    """Whether most calls do so, and not all for the same word."""
    return len(fit) >= max(LEAST, SHARE * len(calls)) and words > 1


def all_or_none(
    fit: Mapping[str, set[int]], calls: Calls, together: Together
) -> dict[str, set[int]]:
    """The calls, by parameter, without those that stand with one in a query that is not there."""
    left = {name: set(numbers) for name, numbers in fit.items()}
    for group in together:
        own = calls.keys() & {*group}
        if len(own) > 1 and any(not own <= numbers for numbers in left.values()):
            for numbers in left.values():
                numbers -= own
    return left


def relations_read(calls: Calls, name: str) -> dict[int, Relation]:
    """What the calls that say one relation there read."""
    found: dict[int, Relation] = {}
    for number, call in calls.items():
        leaf = dict(call.args).get(name)
        relation = _relation(leaf) if leaf is not None else None
        if relation is not None:
            found[number] = relation
    return found


def _relation(leaf: Leaf) -> Relation | None:
    hit = _TOKEN.fullmatch(leaf.text)
    if hit is None or leaf.kind != "name" or leaf.quoted:
        return None
    kind, name = hit.groups()
    schema, _, table = name.partition("__") if kind == "src" else (name, "", "")
    plain = WORD.fullmatch(schema) and "__" not in table and bool(table) == (kind == "src")
    return Relation(kind, schema, table) if plain else None


def words_of(call: MacroCall) -> Iterator[tuple[str, str]]:
    """The texts that a call says, of one word or several."""
    return ((name, leaf.text) for name, leaf in call.args
            if leaf.kind == "string" and WORD.fullmatch(leaf.text))  # fmt: skip


def _origins(read: Iterable[Mapping[int, Relation]]) -> dict[int, str]:
    """The word of each call: the schema of the table that most calls read, without the words with
    which the schemas of all of these end."""
    best: dict[int, str] = {}
    for relations in read:
        tables = Counter(each.table for each in relations.values() if each.table)
        if not tables:
            continue
        table = min(tables, key=lambda each: (-tables[each], each))
        schemas = {n: each.name for n, each in relations.items() if each.table == table}
        if len(schemas) > len(best):
            best = _without_end(schemas)
    return best


def _without_end(names: Mapping[int, str]) -> dict[int, str]:
    """The names without the last words that are the same in all; something is left of each."""
    split = {number: name.split("_") for number, name in names.items()}
    while len({words[-1] for words in split.values()}) == 1 < min(map(len, split.values())):
        split = {number: words[:-1] for number, words in split.items()}
    return {number: "_".join(words) for number, words in split.items()}
