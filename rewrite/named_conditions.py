"""Conditions that stand in many places in the same words are a macro without parameters.

A rule of the business (which vendors count, which customers are real) is said by report after
report: in queries, and in what they hand on to macros. Its words are written once, in parentheses,
so that they mean the same beside any others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.library import (
    Library,
    Macro,
    MacroCall,
    called_by,
    calls_made,
    calls_within,
    numbers_of,
)
from unwet.rewrite.naming import free_macro, snake
from unwet.rewrite.said_once import height
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.sizes import tree_lines

_LEAST: Final = 4  # places that say the same words
_LEAST_LONG: Final = 2  # of a condition that nobody reads at a glance
_AROUND: Final = 3  # the macro's first and last line, and one more name to know
_SHORTEST: Final = 40  # signs: a shorter condition is read faster than it is looked up
_LONG: Final = 200  # signs
_LONGEST: Final = 400  # signs
_LINE: Final = 98  # signs of a condition that is one line
_RUN: Final = 4  # conditions beside one another that are looked for among more of them
_CHAINS: Final = (exp.And, exp.Or)
_TOKEN: Final = re.compile(r"(?:ref|src|h|p|call|tail|loop|list)__\w", re.IGNORECASE)
_CONNECTED: Final = re.compile(r"\s(?:AND|OR)\s", re.IGNORECASE)
_TEXT: Final = re.compile(r"'[^']*'")
_QUOTE: Final = re.compile(r"(?<![\s(])''|''(?![\s,)]|\Z)")  # in a text; not one without words
_LETTER: Final = re.compile(r"\w")
_SIGN: Final = re.compile(r"(?:(?:AND|OR) )?(?:NOT )?\(", re.IGNORECASE)
_NOT: Final = re.compile(r"\bNOT\b", re.IGNORECASE)
_NOT_ALL: Final = re.compile(r"\bNOT\s*\(", re.IGNORECASE)
_COMPARED: Final = re.compile(r"(<>|!=|>=|<=|>|<)\s*(?:CAST\()?\Z")
_WORD: Final = {">=": "from_", ">": "after_", "<=": "until_", "<": "before_"}
_WORDS: Final = 4  # of a constant, in a name

Trees = dict[str, exp.Expr]


def with_named_conditions(
    library: Library, dialect: str, taken: AbstractSet[str], alone: Collection[str] = frozenset()
) -> Library:
    """The library with macros for such conditions, where that makes it smaller. ``taken``: names
    that no macro may have; ``alone``: models that keep their words, and so do the macros that they
    call."""
    shop = _Workshop.of(library, dialect, alone)
    for text in shop.candidates():
        params = (name for macro in shop.macros for name in macro.params)
        names = {*taken, *(macro.name for macro in shop.macros), *params}
        shop.take(text, free_macro(_name(text), names))
    models = {name: shop.trees.get(name, tree) for name, tree in library.models.items()}
    macros = (replace(each, tree=shop.trees.get(each.name, each.tree)) for each in shop.macros)
    return Library(models, tuple(macros), tuple(shop.calls))


@dataclass(slots=True)
class _Workshop:
    """What becomes of a library; the trees and calls in which nothing changes are left out."""

    dialect: str
    trees: Trees
    handed: Sequence[int]
    calls: list[MacroCall]
    macros: list[Macro]

    @classmethod
    def of(cls, library: Library, dialect: str, alone: Collection[str]) -> _Workshop:
        stay = {*alone, *called_by(library, alone)}
        every = [*library.models.items(), *((macro.name, macro.tree) for macro in library.macros)]
        own = [number for name, tree in every if name in stay for number in numbers_of(tree)]
        kept = calls_within(own, library.calls)
        trees = {name: tree for name, tree in every if name not in stay}
        handed = [number for number in calls_made(library) if number not in kept]
        return cls(dialect, trees, handed, [*library.calls], [*library.macros])

    def candidates(self) -> list[str]:
        """What is said often enough, what has most signs in all first."""
        counts = Counter(text for tree in self.trees.values() for text in _said(tree, self.dialect))
        said = [leaf for number in self.handed for _, leaf in self.calls[number].args]
        counts.update(_bare(leaf.text) for leaf in said if leaf.kind == "condition")
        found = (
            text for text, times in counts.items() if times >= _least(text) and _may_be_named(text)
        )
        return sorted(found, key=lambda text: (-counts[text] * len(text), text))

    def take(self, text: str, name: str) -> None:
        """Names a condition, if that pays."""
        word = f"call__{len(self.calls)}__call"
        changed, times = dict[str, exp.Expr](), 0
        for host, tree in self.trees.items():
            new, many = _with_word(tree, text, word, self.dialect)
            if many:
                changed[host], times = new, times + many
        saved = sum(self._lines(self.trees[host]) - self._lines(new)
                    for host, new in changed.items())  # fmt: skip
        leaf, shorter = Leaf("condition", word), dict[int, MacroCall]()
        for number in self.handed:
            call = self.calls[number]
            new_args = tuple((n, leaf if _is(v, text) else v) for n, v in call.args)
            if new_args != call.args:
                shorter[number] = replace(call, args=new_args)
                saved += height(_signs(call, {})) - height(_signs(shorter[number], {word: name}))
                times += 1
        words = _in_parentheses(text)
        if times < _least(text) or saved <= words.count("\n") + 1 + _AROUND:
            return
        self.trees.update(changed)
        for number, call in shorter.items():
            self.calls[number] = call
        self.calls.append(MacroCall(name, ()))
        self._say_usual(text, word)
        self.macros.append(Macro(name, (), exp.Var(this=words), "expression",
                                 f"{times} conditions that are the same"))  # fmt: skip

    def _say_usual(self, text: str, word: str) -> None:
        """In place of what parameters are where a call says nothing, too."""
        usual = {macro.name: {n: word for n, said in macro.defaults.items() if _bare(said) == text}
                 for macro in self.macros if macro.name in self.trees}  # fmt: skip
        for at, macro in enumerate(self.macros):
            if own := usual.get(macro.name):
                self.macros[at] = replace(macro, defaults={**macro.defaults, **own})
        for number, call in enumerate(self.calls):
            if own := usual.get(call.macro):
                unsaid = tuple((n, Leaf("condition", own[n]) if n in own and _is(v, text) else v)
                               for n, v in call.unsaid)  # fmt: skip
                self.calls[number] = replace(call, unsaid=unsaid)

    def _lines(self, tree: exp.Expr) -> int:
        return tree_lines(tree, self.dialect)


def _least(text: str) -> int:
    """In how many places it has to stand."""
    return _LEAST if len(text) < _LONG else _LEAST_LONG


def _is(leaf: Leaf, text: str) -> bool:
    return leaf.kind == "condition" and _bare(leaf.text) == text


def _signs(call: MacroCall, names: Mapping[str, str]) -> int:
    said = (len(name) + len(names.get(leaf.text, leaf.text)) + 5 for name, leaf in call.args)
    return len(call.macro) + sum(said)


def _bare(text: str) -> str:
    """A condition without the parentheses around it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for at, sign in enumerate(_TEXT.sub(lambda hit: "x" * len(hit[0]), text)):
        depth += (sign == "(") - (sign == ")")
        if not depth and at < len(text) - 1:
            return text
    return _bare(text[1:-1])


def _in_parentheses(text: str) -> str:
    """A condition in a line, or each of its tests in one."""
    if len(text) <= _LINE:
        return f"({text})"
    return "\n".join(["(", *(f"  {line}" for line in _broken(text)), ")"])


def _broken(text: str) -> Iterator[str]:
    """The lines of a condition: its tests, and what is in the parentheses of a long one."""
    for test in _tests(text):
        sign, bare = _SIGN.match(test), ""
        if sign is not None and len(test) > _LINE:
            bare = _bare(test[sign.end() - 1 :])
        if sign is not None and f"{sign[0]}{bare})" == test:
            yield sign[0]
            yield from (f"  {line}" for line in _broken(bare))
            yield ")"
        else:
            yield test


def _tests(text: str) -> list[str]:
    """The tests of a condition, each but the first with AND or OR in front."""
    lines, depth, start = [], 0, 0
    bare = _TEXT.sub(lambda hit: "x" * len(hit[0]), text)
    for at, sign in enumerate(bare):
        depth += (sign == "(") - (sign == ")")
        if not depth and _CONNECTED.match(bare, at):
            lines.append(text[start:at])
            start = at + 1
    return [*lines, text[start:]]


def _may_be_named(text: str) -> bool:
    """Whether it is a rule: several tests with constants, which mean the same everywhere."""
    plain = (
        "\\" not in text
        and "\n" not in text
        and not _QUOTE.search(text)
        and not _TOKEN.search(text)
    )
    fits = _SHORTEST <= len(text) <= _LONGEST
    return plain and fits and bool(_CONNECTED.search(_TEXT.sub("", text))) and len(
        {*_TEXT.findall(text)}) > 1  # fmt: skip


def _name(text: str) -> str:
    """After the first constant: a name for what it is, or is not, or what it is after. A text
    without words is none."""
    first = next((found for found in _TEXT.finditer(text) if _LETTER.search(found[0])), None)
    first = first or _TEXT.search(text)
    if first is None:
        return "is_so"
    before = text[: first.start()]
    sign = found[1] if (found := _COMPARED.search(before)) is not None else ""
    said = "_".join(word for word in snake(first[0]).split("_")[:_WORDS] if word)
    negated = _is_denied(before) != (sign in ("<>", "!="))
    return f"is_{'not_' * negated}{_WORD.get(sign, '')}{said or 'so'}"


def _is_denied(before: str) -> bool:
    """Whether a NOT is about what comes behind these words: in the same test, or around it."""
    around = (before[found.end() :] for found in _NOT_ALL.finditer(before))
    is_within = any(each.count("(") >= each.count(")") for each in around)
    return is_within or _NOT.search(_CONNECTED.split(before)[-1]) is not None


# --- in a tree -----------------------------------------------------------------------------------


def _chains(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The chains of conditions, the outer ones first."""
    for node in tree.find_all(*_CHAINS):
        if type(node.parent) is not type(node) and not any(each.comments for each in node.walk()):
            yield node


def _runs(chain: exp.Expr, dialect: str) -> Iterator[tuple[str, int, int]]:
    """The texts of its conditions beside one another, and where they begin and end."""
    texts = [each.sql(dialect=dialect or None) for each in chain.flatten(unnest=False)]
    between = " AND " if isinstance(chain, exp.And) else " OR "
    for many in {len(texts), *range(2, min(_RUN, len(texts)) + 1)}:
        for start in range(len(texts) - many + 1):
            yield between.join(texts[start : start + many]), start, start + many


def _said(tree: exp.Expr, dialect: str) -> Iterator[str]:
    for chain in _chains(tree):
        for text, _, _ in _runs(chain, dialect):
            yield text


def _with_word(tree: exp.Expr, text: str, word: str, dialect: str) -> tuple[exp.Expr, int]:
    """The tree with the word wherever the condition stood, and how often; the same tree where it
    does not."""
    if not any(text == said for said in _said(tree, dialect)):
        return tree, 0
    new, times = copied(tree), 0
    for chain in [*_chains(new)]:
        for said, start, stop in _runs(chain, dialect):
            if said == text:
                _put(chain, start, stop, word)
                times += 1
                break
    return new, times


def _put(chain: exp.Expr, start: int, stop: int, word: str) -> None:
    """In place: the word for some of the conditions of a chain."""
    tests = [*chain.flatten(unnest=False)]
    left = [*tests[:start], exp.Var(this=word), *tests[stop:]]
    around = chain.parent if len(left) == 1 and isinstance(chain.parent, exp.Paren) else chain
    kind = type(chain)
    around.replace(reduce(lambda one, two: kind(this=one, expression=two), left))
