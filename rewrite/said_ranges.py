"""Ranges and values of a column that calls say in a condition are parameters of their own.

A report of a month hands on `n.day >= CAST('2024-05-01' AS DATE) AND n.day < ...`, beside what else
it is about. Where many calls do, the macro says the column, and a call only from when to when:
`first='2024-05-01', before='2024-06-01'`; and so what a column is: `country='AT'`. A call that says
no range has none: the words are a macro that holds then. The parts of an AND may stand in any
order, so that a range is found in whatever order a call says its parts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.common_conditions import conditions_of, conjuncts
from unwet.rewrite.library import (
    HANDED_ON,
    HOLE,
    LINE,
    NO_CONDITION,
    NO_VALUE,
    Library,
    Macro,
    MacroCall,
    called_by,
    calls_made,
    numbers_by_macro,
    numbers_of,
)
from unwet.rewrite.naming import free, free_parameter, snake
from unwet.rewrite.said_once import height
from unwet.rewrite.shapes import Leaf

_FORMS: Final = 5  # ranges of one condition that are looked at
_AT_ONCE: Final = 3  # ranges that are parameters of one macro
_LEAST: Final = 2  # calls of a macro that say a range
_WORDS: Final = 5  # lines of a macro of such words, with its test
_TEST_OF_WORDS: Final = 2  # lines of the test alone
_AROUND: Final = 4  # signs that `height` counts around a call, which has none of them
_VALUE: Final = r"(?:CAST\('[\w.:+-]+' AS \w+\)|(?:DATE )?'[\w.:+-]+')"
_COLUMN: Final = r"[A-Za-z_][\w.]*|\w+\([\w., ]+(?:'\w*')?\)"
_TEST: Final = re.compile(rf"(?P<column>{_COLUMN}) (?P<sign>[<>]=?) (?P<value>{_VALUE})")
_BETWEEN: Final = re.compile(rf"(?P<column>{_COLUMN}) BETWEEN (?P<value>{_VALUE}) AND ({_VALUE})")
_SAME: Final = re.compile(rf"(?P<column>{_COLUMN}) = (?P<value>'[\w.:+-]+')")
_WORD: Final = re.compile(r"[A-Za-z_][\w.]*(?![\w.(])")
_TEXT: Final = re.compile(r"'([^']*)'")
_TOKEN: Final = re.compile(r"(?:ref|src|h|p|call|tail|loop|list)__\w", re.IGNORECASE)
_NAMES: Final = {">=": "first", ">": "after", "<": "before", "<=": "last"}


@dataclass(frozen=True, slots=True)
class _Range:
    """What a condition says of a column: the words with parameters in place of the column and its
    values, those, and what else it says."""

    words: str
    params: tuple[str, ...]
    column: str
    values: tuple[str, ...]
    rest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """The ranges that calls of a macro say of some columns, each in the same words, by the calls'
    numbers; how many lines that saves in them, less those that the macro has more."""

    macro: str
    condition: str
    forms: tuple[Mapping[int, _Range], ...]
    saved: int

    @property
    def words(self) -> set[str]:
        return {next(iter(said.values())).words for said in self.forms}


def with_ranges(
    library: Library, taken: AbstractSet[str], most: int, alone: Collection[str] = frozenset()
) -> Library:
    """The library with such parameters, where that makes it smaller. ``taken``: names that no macro
    may have; ``most``: parameters of a macro; ``alone``: models whose words stay in their order,
    and so those of the macros that they call."""
    shop = _Workshop.of(library, most, called_by(library, alone))
    dear: set[str] = set()  # words whose macro would be more lines than it saves
    while True:
        found = [each for macro in library.macros for each in shop.ranges(macro, dear)]
        saved: Counter[str] = Counter()
        for each in found:
            saved.update(dict.fromkeys(each.words, each.saved))
        lost = {words for words, lines in saved.items() if lines <= shop.cost(words)}
        if not lost:
            break
        dear |= lost
    for each in found:
        for said in each.forms:
            shop.take(each, said, taken)
    return Library(library.models, tuple(shop.macros.values()), tuple(shop.calls))


@dataclass(slots=True)
class _Workshop:
    """What becomes of a library."""

    macros: dict[str, Macro]
    calls: list[MacroCall]
    own: Mapping[str, Sequence[int]]  # the numbers of the calls of each macro
    single: set[int]  # those that are the only ones of their macro in a query
    most: int
    stay: Collection[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, library: Library, most: int, stay: Collection[str]) -> _Workshop:
        own = numbers_by_macro(library.calls, calls_made(library))
        single: set[int] = set()
        for tree in library.trees:
            numbers = numbers_of(tree)
            times = Counter(library.calls[number].macro for number in numbers)
            single.update(n for n in numbers if times[library.calls[n].macro] == 1)
        macros = {macro.name: macro for macro in library.macros}
        return cls(macros, [*library.calls], own, single, most, stay)

    def ranges(self, macro: Macro, dear: AbstractSet[str]) -> list[_Found]:
        """For a condition of a macro the ranges that save most; none in the words that are
        ``dear``."""
        room = self.most - len(macro.params) + macro.uncounted
        if macro.kind != "query" or macro.name in self.stay or room <= 0:
            return []
        best: list[_Found] = []
        for name in conditions_of(macro, self.calls):
            forms: dict[tuple[str, str], dict[int, _Range]] = defaultdict(dict)
            for number in self.own.get(macro.name, ()):
                for said in _ranges(self._text(number, name)):
                    if said.words not in dear:
                        forms[said.words, said.column][number] = said
            often = sorted((form for form in forms if len(forms[form]) >= _LEAST),
                           key=lambda form: (-len(forms[form]), form))[:_FORMS]  # fmt: skip
            for many in range(1, _AT_ONCE + 1):
                for chosen in combinations(often, many):
                    every = tuple(forms[form] for form in chosen)
                    if sum(len(next(iter(each.values())).params) for each in every) <= room:
                        saved = self._saved(macro, name, every)
                        best.append(_Found(macro.name, name, every, saved))
        most = max(best, key=lambda each: each.saved, default=None)
        return [most] if most is not None and most.saved > 0 else []

    def cost(self, words: str) -> int:
        """The lines of a macro of these words, or of the test in it."""
        return _TEST_OF_WORDS if self.words_of(words) else _WORDS

    def words_of(self, words: str) -> str:
        """The name of the macro that has these words; empty if none has."""
        every = (each for each in self.macros.values() if each.kind == "expression")
        names = (each.name for each in every
                 if isinstance(each.tree, exp.Var) and each.tree.name == words)  # fmt: skip
        return next(names, "")

    def _add(self, said: _Range, taken: AbstractSet[str]) -> str:
        """A macro of these words."""
        name = {"last": "through", "before": "within"}.get(said.params[-1], "equals")
        name = free(name, {*taken, *self.macros})
        self.macros[name] = Macro(name, ("column", *said.params), exp.Var(this=said.words),
                                  "expression", "conditions of a column")  # fmt: skip
        return name

    def take(self, found: _Found, said: Mapping[int, _Range], taken: AbstractSet[str]) -> None:
        """In place: a macro's condition is parted in all of its calls."""
        macro, one = self.macros[found.macro], next(iter(said.values()))
        words = self.words_of(one.words) or self._add(one, taken)
        names = _named(one, {*macro.params, *self.macros, *taken})
        held = (Leaf("string", f"h__{name}__h") for name in names)
        inner = (("column", Leaf("condition", one.column)), *zip(one.params, held, strict=True))
        self.calls.append(MacroCall(words, inner))
        own = self.own[macro.name]
        for number in own:
            told = said.get(number) and self._range(number, found.condition, said[number])
            self.calls[number] = _call(self.calls[number], found.condition, names, told)
        without = len(said) < len(own)
        self.macros[macro.name] = _parted(
            macro, found.condition, names, len(self.calls) - 1, without
        )
        if without:
            usual = self.macros[words]
            none = dict.fromkeys(one.params, NO_VALUE.text)
            self.macros[words] = replace(usual, defaults={**usual.defaults, **none})

    def _range(self, number: int, name: str, said: _Range) -> _Range:
        """The same range in what a call says now."""
        every = _ranges(self._text(number, name))
        return next(
            each for each in every if (each.words, each.column) == (said.words, said.column)
        )

    def _text(self, number: int, name: str) -> str:
        """What a call says for a condition, in full."""
        leaf = dict(self.calls[number].args).get(name, NO_CONDITION)
        inner = HANDED_ON.fullmatch(leaf.text)
        if inner is None:
            return leaf.text
        call = self.calls[int(inner[1])]
        macro, values = self.macros[call.macro], dict(call.args)
        if not isinstance(macro.tree, exp.Var) or not {*HOLE.findall(macro.tree.name)} <= {*values}:
            return leaf.text
        return HOLE.sub(lambda hole: values[hole[1]].text, macro.tree.name)

    def _saved(self, macro: Macro, name: str, forms: Sequence[Mapping[int, _Range]]) -> int:
        """Lines of calls that are not needed any more, less those that the macro has more."""
        lines = 0
        for number in {n for said in forms for n in said} & self.single:
            new = self.calls[number]
            text = self._text(number, name)
            for said in forms:
                if number in said:
                    one = said[number]
                    now = next(each for each in _ranges(text)
                               if (each.words, each.column) == (one.words, one.column))  # fmt: skip
                    text = " AND ".join(now.rest) or NO_CONDITION.text
                    new = _call(new, name, _named(one, ()), now)
            lines += self._height(self.calls[number]) - self._height(new)
        head = len(macro.name) + sum(len(each) + 2 for each in macro.params) + 11
        head += sum(len(text) + 3 for text in macro.defaults.values())
        names = [each for said in forms for each in _named(next(iter(said.values())), ())]
        lines -= 2 * (head <= LINE < head + sum(len(each) + 7 for each in names))
        hole = next(v for v in macro.tree.find_all(exp.Var) if v.name == f"h__{name}__h")
        if isinstance(hole.parent, exp.And):
            return lines - len(forms)
        return lines - (len(forms) + 1 if len(forms) > 1 else 0)

    def _height(self, call: MacroCall) -> int:
        signs = len(call.macro) - _AROUND
        for name, leaf in call.args:
            inner = HANDED_ON.fullmatch(leaf.text)
            signs += len(name) + 3 + (self._signs(int(inner[1])) if inner else len(leaf.text) + 2)
        return height(signs)

    def _signs(self, number: int) -> int:
        call = self.calls[number]
        return len(call.macro) + sum(len(leaf.text) + 4 for _, leaf in call.args)


def _ranges(text: str) -> list[_Range]:
    """The ranges that a condition says, of each column."""
    parts = [part for part in conjuncts(text) if part]
    plain = [part for part in parts if not _TOKEN.search(part)]
    found = [
        _range(parts, (part,), both["column"], ("first", "last"),
               f"BETWEEN {_held(both['value'], 'first')} AND {_held(both[3], 'last')}")
        for part in plain
        if (both := _BETWEEN.fullmatch(part)) is not None
    ]  # fmt: skip
    found += [
        _range(parts, (part,), same["column"], ("value",), f"= {_held(same['value'], 'value')}")
        for part in plain
        if (same := _SAME.fullmatch(part)) is not None
    ]
    tests: dict[str, list[re.Match[str]]] = defaultdict(list)
    for part in plain:
        if (test := _TEST.fullmatch(part)) is not None:
            tests[test["column"]].append(test)
    for column, own in tests.items():
        ends = sorted(own, key=lambda test: test["sign"].startswith("<"))
        if [test["sign"][0] for test in ends] == [">", "<"]:
            params = (_NAMES[ends[0]["sign"]], _NAMES[ends[1]["sign"]])
            low, high = (f"{test['sign']} {_held(test['value'], param)}"
                         for test, param in zip(ends, params, strict=True))  # fmt: skip
            words = f"{low} AND h__column__h {high}"
            found.append(_range(parts, (ends[0][0], ends[1][0]), column, params, words))
    return found


def _range(
    parts: Sequence[str], own: Sequence[str], column: str, params: tuple[str, ...], words: str
) -> _Range:
    """A range that some parts of a condition are; ``words``: what is said behind the column."""
    ends = (part[len(column) :] for part in own)
    values = tuple(text for part in ends for text in _TEXT.findall(part))
    rest = tuple(part for part in parts if part not in own)
    return _Range(f"h__column__h {words}", params, column, values, rest)


def _named(said: _Range, hidden: Collection[str]) -> list[str]:
    """Names for the parameters: a value is called after its column."""
    if said.params != ("value",):
        return [free_parameter(each, hidden) for each in said.params]
    names = _WORD.findall(_TEXT.sub("", said.column)) or said.params
    word = snake(names[0].rpartition(".")[2])
    name = free_parameter(word, hidden)
    return [name if name == word else free_parameter(f"of_{word}", hidden)]


def _held(value: str, param: str) -> str:
    return _TEXT.sub(f"'h__{param}__h'", value)


def _call(call: MacroCall, name: str, params: Sequence[str], said: _Range | None) -> MacroCall:
    """The call, which says the range beside the condition, or none."""
    if said is None:
        return replace(call, unsaid=(*call.unsaid, *((each, NO_VALUE) for each in params)))
    condition = Leaf("condition", " AND ".join(said.rest) or NO_CONDITION.text)
    idle = condition == NO_CONDITION
    told = [(param, Leaf("string", text)) for param, text in zip(params, said.values, strict=True)]
    own = told if idle else [(name, condition), *told]
    args = [new for arg in call.args for new in (own if arg[0] == name else [arg])]
    unsaid = (*call.unsaid, (name, condition)) if idle else call.unsaid
    return replace(call, args=tuple(args), unsaid=unsaid, named=True)


def _parted(macro: Macro, name: str, params: Sequence[str], number: int, open_: bool) -> Macro:
    """The macro with the range in front of its condition; ``open_``: some calls have none."""
    tree = copied(macro.tree)
    for hole in [v for v in tree.find_all(exp.Var) if v.name == f"h__{name}__h"]:
        word = exp.Var(this=f"call__{number}__call")
        hole.replace(exp.And(this=word, expression=hole.copy()))
    at = macro.params.index(name) + 1
    own = (*macro.params[:at], *params, *macro.params[at:])
    none = dict.fromkeys(params, NO_VALUE.text) if open_ else {}
    defaults = {**macro.defaults, name: NO_CONDITION.text, **none}
    return replace(macro, tree=tree, params=own, defaults=defaults)
