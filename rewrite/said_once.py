"""Conditions that many calls hand on are macros of their own, so that a call fits one line.

A month of a column is said in the same words by every report of a month: the words are written
once, and a call says which column, and from when to when.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.rewrite.library import LINE, Library, Macro, MacroCall
from unwet.rewrite.naming import free, free_macro
from unwet.rewrite.shapes import Leaf

_LEAST: Final = 4  # calls that say the same words
_AROUND: Final = 4  # the macro's lines, and one more name to know
_COLUMN: Final = re.compile(r"(?<![\w.'])[a-z_]\w*\.[a-z_]\w*(?![\w.(])", re.IGNORECASE)
_TEXT: Final = re.compile(r"'(?:[^'\\]|'')*'")
_TOKEN: Final = re.compile(r"(ref|src|h|p|call|tail|loop)__\w+?__\1", re.IGNORECASE)
_CALL: Final = 10  # signs around the arguments of a call


@dataclass(frozen=True, slots=True)
class _Said:
    """A condition of one column: its words around the column and its texts, and those."""

    words: tuple[str, ...]
    column: str
    values: tuple[str, ...]


def said_once(library: Library, taken: AbstractSet[str]) -> Library:
    """The library with macros for the words of conditions, where that makes it smaller. ``taken``:
    names that no macro may have."""
    found: dict[tuple[str, ...], list[tuple[int, str, _Said]]] = defaultdict(list)
    for number, call in enumerate(library.calls):
        for name, leaf in call.args:
            said = _said(leaf)
            if said is not None:
                found[said.words].append((number, name, said))
    calls, macros = list(library.calls), list(library.macros)
    for words in sorted(found, key=lambda each: (-len(found[each]), each)):
        uses = found[words]
        if len(uses) < _LEAST:
            continue
        every = [said for _, _, said in uses]
        fixed = _fixed(every)
        varying = _params(words, fixed)
        name = free_macro(_name(every, varying), {*taken, *(macro.name for macro in macros)})
        if _saved(calls, uses, name, fixed) <= _AROUND:
            continue
        params = ["column", *varying]
        macros.append(Macro(name, tuple(params), _tree(words, fixed), "expression",
                            f"{len(uses)} conditions of a column"))  # fmt: skip
        for number, argument, said in uses:
            leaves = _leaves(params, said, fixed)
            calls.append(MacroCall(name, leaves))
            token = Leaf("condition", f"call__{len(calls) - 1}__call")
            args = tuple((n, token if n == argument else v) for n, v in calls[number].args)
            calls[number] = replace(calls[number], args=args)
    return Library(library.models, tuple(macros), tuple(calls))


def _said(leaf: Leaf) -> _Said | None:
    """What is said of one column with two texts or more."""
    if leaf.kind != "condition" or "\\" in leaf.text or _TOKEN.search(leaf.text):
        return None  # what a backslash means in a text is another thing in each dialect
    texts = _TEXT.findall(leaf.text)
    bare = _TEXT.sub("''", leaf.text)
    columns = set(_COLUMN.findall(bare))
    if len(columns) != 1 or len(texts) < 2 or any("''" in text[1:-1] for text in texts):
        return None
    [column] = columns
    words = tuple(_TEXT.split(_COLUMN.sub("\0", leaf.text)))
    return _Said(words, column, tuple(text[1:-1] for text in texts))


def _fixed(uses: Sequence[_Said]) -> Mapping[int, str]:
    """The texts that are the same in all uses, by their places."""
    columns = zip(*(said.values for said in uses), strict=True)
    return {at: values[0] for at, values in enumerate(columns) if len({*values}) == 1}


def _params(words: Sequence[str], fixed: Mapping[int, str]) -> list[str]:
    """A name for each text that varies: where a range begins and ends, by what stands before."""
    names: list[str] = []
    for at in range(len(words) - 1):
        if at not in fixed:
            names.append(free(_side(words, at), names))
    return names


def _side(words: Sequence[str], at: int) -> str:
    before = "".join(words[: at + 1])
    signs = re.findall(r"[<>]=?|BETWEEN|=", before)
    match signs[-1] if signs else "":
        case ">=" | ">" | "BETWEEN":
            return "first" if "AND" not in before.rpartition("BETWEEN")[2] else "last"
        case "<=":
            return "last"
        case "<":
            return "before"
        case _:
            return "value"


def _tree(words: Sequence[str], fixed: Mapping[int, str]) -> exp.Var:
    params = iter(_params(words, fixed))
    text = words[0]
    for at, after in enumerate(words[1:]):
        text += f"'{fixed[at] if at in fixed else f'h__{next(params)}__h'}'{after}"
    return exp.Var(this=text.replace("\0", "h__column__h"))


def _leaves(
    params: Iterable[str], said: _Said, fixed: Mapping[int, str]
) -> tuple[tuple[str, Leaf], ...]:
    values = [text for at, text in enumerate(said.values) if at not in fixed]
    every = [Leaf("condition", said.column), *(Leaf("string", text) for text in values)]
    return tuple(zip(params, every, strict=True))


def _name(uses: Sequence[_Said], params: Sequence[str]) -> str:
    """A word for a range; else after the column that most uses are about."""
    ranges = {"first before": "within", "first last": "through"}
    if (known := ranges.get(" ".join(params))) is not None:
        return known
    counts = Counter(said.column.rpartition(".")[2].lower() for said in uses)
    column = min(counts, key=lambda each: (-counts[each], each))
    return f"{column}_condition"


def _saved(
    calls: Sequence[MacroCall], uses: Sequence[tuple[int, str, _Said]], name: str,
    fixed: Mapping[int, str],
) -> int:  # fmt: skip
    """Lines of the calls that are not needed any more."""
    saved = 0
    for number, argument, said in uses:
        call = calls[number]
        long = sum(len(n) + len(leaf.text) + 5 for n, leaf in call.args) + len(call.macro)
        texts = [text for at, text in enumerate(said.values) if at not in fixed]
        short = len(name) + len(said.column) + sum(len(text) + 4 for text in texts) + 4
        old = next(len(leaf.text) + 2 for n, leaf in call.args if n == argument)
        saved += height(long) - height(long - old + short)
    return saved


def height(signs: int) -> int:
    """The lines of a call of so many signs."""
    return 1 if signs + _CALL <= LINE else 2 + (signs + LINE - 5) // (LINE - 4)
