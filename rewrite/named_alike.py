"""Names of models that differ in one word, which says of which report they are, are that word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Final

from unwet.rewrite.library import NO_VALUE, Macro, MacroCall
from unwet.rewrite.naming import free_parameter
from unwet.rewrite.origins import Calls, Together, all_or_none, enough, open_parameters
from unwet.rewrite.said_less import LEAST, SHARE, Change, with_defaults, without_idle
from unwet.rewrite.shapes import Leaf

_WORDS: Final = 3  # words of a name that say which report it is, at most
_WORD: Final = "report"
_REF: Final = ("ref__", "__ref")
_GAP: Final = "\0"  # where a name has the word of its report


def named_alike(
    macro: Macro, calls: Mapping[int, MacroCall], hidden: Collection[str]
) -> Change | None:
    """The macro with a parameter for the word that names of models have in common; None where they
    have none in most calls. ``hidden``: names that the parameter would hide."""
    names = {number: _models(macro, call) for number, call in calls.items()}
    patterns = _patterns(names.values(), len(calls))
    if len(patterns) < 2:
        return None
    words = {number: _word_of(said, patterns) for number, said in names.items()}
    parameter = free_parameter(_WORD, {*macro.params, *hidden})
    idle = {number: {name for name, pattern in patterns.items() if words[number]
                     if said.get(name) == pattern.replace(_GAP, words[number])}
            for number, said in names.items()}  # fmt: skip
    made = without_idle(calls, idle)
    for number, call in made.items():
        if idle[number]:
            told = (parameter, _as_leaf(words[number]))
            made[number] = replace(call, args=(told, *call.args))
        else:
            made[number] = replace(call, unsaid=(*call.unsaid, (parameter, NO_VALUE)))
    follow = {name: _REF[0] + pattern.replace(_GAP, f"h__{parameter}__h") + _REF[1]
              for name, pattern in patterns.items()}  # fmt: skip
    none = {} if all(idle.values()) else {parameter: NO_VALUE.text}
    wider = replace(macro, params=(parameter, *macro.params))
    return Change(with_defaults(wider, {**none, **follow}), made)


def of_one_word(
    macro: Macro, calls: Calls, together: Together, hidden: Collection[str]
) -> Change | None:
    """The macro with a parameter for the word in which the models differ that calls read for one of
    its parameters; None where most calls read others."""
    if any(call.bare for call in calls.values()):
        return None  # its first parameters stay the first ones
    read = {number: _models(macro, call) for number, call in calls.items()}
    names = {name: {number: own[name] for number, own in read.items() if name in own}
             for name in open_parameters(macro)}  # fmt: skip
    name = max(names, key=lambda each: sum(map(len, names[each].values())), default="")
    found = _between([*names.get(name, {}).values()])
    if found is None:
        return None
    start, end = found
    words = {number: model[len(start) : len(model) - len(end)]
             for number, model in names[name].items()}  # fmt: skip
    if any(word.count("_") >= _WORDS for word in words.values()):
        return None
    fit = all_or_none({name: {*words}}, calls, together)[name]
    if not enough(fit, calls, len({words[number] for number in fit})):
        return None
    parameter = free_parameter(_WORD, {*macro.params, *hidden})
    made = without_idle(calls, {number: {name} if number in fit else () for number in calls})
    for number, call in made.items():
        if number in fit:
            made[number] = replace(call, args=((parameter, _as_leaf(words[number])), *call.args))
        else:
            made[number] = replace(call, unsaid=(*call.unsaid, (parameter, NO_VALUE)))
    none = {} if len(fit) == len(calls) else {parameter: NO_VALUE.text}
    wider = replace(macro, params=(parameter, *macro.params))
    text = f"{_REF[0]}{start}h__{parameter}__h{end}{_REF[1]}"
    return Change(with_defaults(wider, {**none, name: text}), made)


def _between(names: Sequence[str]) -> tuple[str, str] | None:
    """What all names begin and end with, in whole words; None where that is nothing, or all of
    one."""
    split = [name.split("_") for name in names]
    most = min(map(len, split), default=1) - 1
    start = _same_words(split, most)
    end = _same_words([words[::-1] for words in split], most - start)
    if not start + end:
        return None
    first = split[0]
    return (
        "".join(f"{word}_" for word in first[:start]),
        "".join(f"_{word}" for word in first[len(first) - end :]),
    )


def _same_words(split: Sequence[Sequence[str]], most: int) -> int:
    """How many of the first words are the same in all, at most."""
    pairs = zip(*split, strict=False)
    same = [*takewhile(lambda words: len({*words}) == 1, pairs)]
    return min(len(same), most)


def _models(macro: Macro, call: MacroCall) -> dict[str, str]:
    """The models that a call hands on, by the parameter."""
    start, end = _REF
    return {
        name: leaf.text[len(start) : -len(end)]
        for name, leaf in call.args
        if name not in macro.defaults and leaf.kind == "name" and not leaf.quoted
        if leaf.text.startswith(start) and leaf.text.endswith(end) and _GAP not in leaf.text
    }


def _patterns(said: Collection[Mapping[str, str]], many: int) -> dict[str, str]:
    """By parameter, the name with a gap that fits most calls with a word of each call's own."""
    words: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    times: dict[str, Counter[str]] = defaultdict(Counter)
    for names in said:
        runs = Counter(run for name in names.values() for run in {*_runs(name)})
        for name, model in names.items():
            for run in {*_runs(model)}:
                if runs[run] >= 2:
                    pattern = _without(model, run)
                    words[name][pattern].add(run)
                    times[name][pattern] += 1
    found: dict[str, str] = {}
    for name, patterns in words.items():
        best = min(patterns, key=lambda each: (-len(patterns[each]), -len(each), each))
        if len(patterns[best]) >= LEAST and times[name][best] >= SHARE * many:
            found[name] = best
    return found


def _runs(name: str) -> Iterator[str]:
    """The words of a name, and those that stand behind one another."""
    words = name.split("_")
    for start in range(len(words)):
        for end in range(start + 1, min(start + _WORDS, len(words)) + 1):
            if all(words[start:end]):
                yield "_".join(words[start:end])


def _without(name: str, run: str) -> str:
    """The name with gaps for these words."""
    marked = f"_{name}_".replace("_", "__").replace(f"_{run.replace('_', '__')}_", f"_{_GAP}_")
    return marked.replace("__", "_")[1:-1]


def _word_of(names: Mapping[str, str], patterns: Mapping[str, str]) -> str:
    """The word with which most of the patterns are the names; empty where none is."""
    votes = Counter(
        run
        for name, pattern in patterns.items()
        if name in names
        for run in {*_runs(names[name])}
        if pattern.replace(_GAP, run) == names[name]
    )
    return min(votes, key=lambda each: (-votes[each], len(each), each)) if votes else ""


def _as_leaf(word: str) -> Leaf:
    whole = word.isascii() and word.isdigit() and (word == "0" or word[0] != "0")
    return Leaf("number" if whole and len(word) < 18 else "string", word)
