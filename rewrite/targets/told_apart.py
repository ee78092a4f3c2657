"""In what things differ whose names differ by a number only.

    within    {{ column }} >= CAST('{{ first }}' AS DATE)
    within_2  {{ column }} >= '{{ first }}'  -> Unlike within: `'first'` for `cast('first' as date)`

Who looks for one of them finds the other, and may take it for the same.

told_apart(texts) -> what is said of each but the first of those that are called alike
unlike(name, old, new) -> the same of one
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Final

NUMBERED: Final = re.compile(r"(?P<stem>.*?[a-z0-9])_(?P<number>[2-9]|[1-9]\d)")
_AROUND: Final = re.compile(
    r"\{#.*?#\}|\{%-?\s*(?:end)?macro\b.*?%\}|\{\{\s*config\(.*?\)\s*\}\}|/\*.*?\*/|--[^\n]*", re.S
)
_TOKEN: Final = re.compile(r"'[^']*'|\w+(?:\.\w+)*|[<>!=]+|[^\w\s]", re.S)
_MARK: Final = re.compile(r"\{\{-?|-?\}\}|\{%-?|-?%\}")  # Jinja's, which a description would obey
_ALIAS: Final = re.compile(r"\b[a-z_]\w*\.(?=[a-z_])", re.I)
_CALL: Final = re.compile(
    r"\b(?!(?:IN|ON|OR|AS|BY|AND|NOT|WHEN|THEN|OVER|WHERE|FROM)\b)(\w+) \(", re.I
)
_GAP: Final = 2  # tokens between two differences that are told as one
_SHOWN: Final = 2  # differences
_LETTERS: Final = 60  # of one side
_ALIKE: Final = 0.4  # below, nothing is gained by naming what differs
_LONGEST: Final = 4_000  # tokens
_OTHER: Final = "most of it is otherwise"


def told_apart(texts: Mapping[str, str]) -> dict[str, str]:
    """``texts``: of macros, or of models, by their names."""
    groups: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for name in texts:
        hit = NUMBERED.fullmatch(name)
        groups[hit["stem"] if hit else name].append((int(hit["number"]) if hit else 1, name))
    found: dict[str, str] = {}
    for members in groups.values():
        (_, first), *others = sorted(members)
        for _, name in others:
            found[name] = unlike(first, texts[first], texts[name])
    return found


def unlike(name: str, old: str, new: str) -> str:
    """What is said of a thing that differs from the old one of that name."""
    return f"Unlike {name}: {_differences(old, new)}."


def unlike_column(name: str, old: str, new: str) -> str:
    """The same of expressions, which may be shown where they have nothing in common."""
    said = _differences(old, new)
    whole = _said(_tokens(old, None), _tokens(new, None))
    return f"Unlike {name}: {whole if said == _OTHER else said}."


def with_differences(files: Mapping[str, str]) -> dict[str, str]:
    """The files in which a macro says in what it differs from one that is called alike."""
    paths = {
        path[len("macros/") : -len(".sql")]: path for path in files if path.startswith("macros/")
    }
    found = {**files}
    for name, said in told_apart({name: files[path] for name, path in paths.items()}).items():
        text = files[paths[name]]
        head, end, rest = text.partition(" #}") if text.startswith("{# ") else ("", "", text)
        about = f"{head}. {said}" if end else f"{{# {said}"
        found[paths[name]] = f"{about} #}}{rest if end else chr(10) + rest}"
    return found


def _differences(old: str, new: str) -> str:
    """First as if a table had one alias everywhere."""
    for without in (_ALIAS, None):
        mine, theirs = (_tokens(text, without) for text in (old, new))
        if max(len(mine), len(theirs)) > _LONGEST:
            return _OTHER
        matcher = SequenceMatcher(None, mine, theirs, autojunk=False)
        if matcher.quick_ratio() < _ALIKE or matcher.ratio() < _ALIKE:
            return _OTHER
        pairs = [_trimmed(mine[a:b], theirs[c:d]) for a, b, c, d in _apart(matcher)]
        told = [pair for pair in pairs if {*pair[0], *pair[1]} - {"(", ")"}] or pairs
        if found := list(dict.fromkeys(_said(*pair) for pair in told)):
            more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            return "; ".join(found[:_SHOWN]) + more
    return "only its parameters are others"


def _tokens(text: str, without: re.Pattern[str] | None) -> list[str]:
    text = _MARK.sub(" ", _AROUND.sub(" ", text))
    return _TOKEN.findall(without.sub("", text) if without is not None else text)


def _apart(matcher: SequenceMatcher[str]) -> list[tuple[int, int, int, int]]:
    """The stretches that differ, those as one between which hardly anything is equal."""
    found: list[tuple[int, int, int, int]] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            continue
        if found and a - found[-1][1] <= _GAP:
            first = found.pop()
            a, c = first[0], first[2]
        found.append((a, b, c, d))
    return found


def _trimmed(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    """Without what both end with: a parenthesis of one may have been taken for another's."""
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return old, new


def _said(old: Sequence[str], new: Sequence[str]) -> str:
    if not old:
        return f"with {_shown(new)}"
    return f"{_shown(new)} for {_shown(old)}" if new else f"without {_shown(old)}"


def _balanced(tokens: Sequence[str]) -> Sequence[str]:
    """Without parentheses at one end whose others are no part of this."""
    while len(tokens) > 1 and tokens[-1] == ")" and tokens.count(")") > tokens.count("("):
        tokens = tokens[:-1]
    while len(tokens) > 1 and tokens[0] == "(" and tokens.count("(") > tokens.count(")"):
        tokens = tokens[1:]
    return tokens


def _shown(tokens: Sequence[str]) -> str:
    text = re.sub(r" ([),])|\( ", lambda hit: hit[1] or "(", " ".join(_balanced(tokens)))
    text = _CALL.sub(r"\1(", text)
    text = re.sub(r"[{}]", "", text)  # a description is a template, too
    text = re.sub(r"'([^']*)'", lambda hit: f"'{hit[1].strip()}'", text)
    return f"`{text if len(text) <= _LETTERS else text[: _LETTERS - 3] + '...'}`"
