"""Macros that say the same but for one word, wherever that stands, are one macro of that word.

    {% macro logins_sync() %}
    STRUCT(m.logins_sync_uid, m.logins_sync_at)           {{ logins_sync() }}

    {% macro sync(name) %}
    STRUCT(m.{{ name }}_sync_uid, m.{{ name }}_sync_at)   {{ sync('logins') }}

Words are parts of names, between underscores. Those that have parameters already stay.

with_words_handed(files, taken) -> the files, without these macros, and the macros instead
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from unwet.rewrite.naming import free_macro, shared_words
from unwet.rewrite.targets.made_macros import (
    TAG,
    MadeMacro,
    comment_of,
    macro_file,
    words_in_tags,
)

_LEAST_SAVED: Final = 5  # lines
_MACRO: Final = re.compile(r"\{% macro (\w+)\(\) %\}\n(.*)\n\{% endmacro %\}\n", re.DOTALL)
_TEXT: Final = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_TAG: Final = re.compile(rf"\{{[{{%](?:{_TEXT}|[^'\"])*?[%}}]\}}")
_PART: Final = re.compile(rf"{_TAG.pattern}|[A-Za-z]+|\d+|\s+|.", re.DOTALL)
_IN_TAG: Final = re.compile(rf"{_TEXT}|\w+|\s+|.", re.DOTALL)
_PARAM: Final = "name"
_Shape = tuple[str, ...]


def with_words_handed(
    files: Mapping[str, str], taken: Collection[str]
) -> tuple[dict[str, str], tuple[MadeMacro, ...]]:
    """``taken``: names of models and macros. The families that save most go first."""
    found, names, made = dict(files), {*taken, *words_in_tags(files.values())}, {}
    called = _called_only(files)
    while (family := _best(found, called)) is not None:
        shape, words = family
        name = free_macro(shared_words([*words], f"{min(words)}_of"), names)
        names.add(name)
        calls = {macro: f"{name}('{word}')" for macro, word in words.items()}
        rest = {path: text for path, text in found.items() if not _is_of(path, words)}
        found = {path: _calling(text, calls) for path, text in rest.items()}
        found[f"macros/{name}.sql"] = macro_file(name, "".join(shape), [_PARAM])
        made[name] = comment_of(sorted(words.values()), "differ by")
    said = tuple(MadeMacro(name, about, found.pop(f"macros/{name}.sql"), (_PARAM,))
                 for name, about in made.items())  # fmt: skip
    return found, said


def _is_of(path: str, macros: Collection[str]) -> bool:
    return path.startswith("macros/") and path.removeprefix("macros/")[:-4] in macros


def _called_only(files: Mapping[str, str]) -> set[str]:
    """Macros without parameters whose name is nothing but called, in tags."""
    heads = (_MACRO.fullmatch(text) for text in files.values())
    names = {hit[1] for hit in heads if hit}
    said, called = Counter[str](), Counter[str]()
    for path, text in files.items():
        own = path.rpartition("/")[2].removesuffix(".sql")
        for tag in TAG.findall(text):
            said.update(word for word in re.findall(r"\w+", re.sub(_TEXT, "", tag)) if word != own)
        for tag in _TAG.findall(text):
            bare = re.sub(_TEXT, "''", tag)
            called.update(hit for hit in re.findall(r"\b(\w+)\(\)", bare) if hit != own)
    return {name for name in names if said[name] == called[name]}


def _best(
    files: Mapping[str, str], called: Collection[str]
) -> tuple[_Shape, dict[str, str]] | None:
    """What macros say without their word, and the word of each of them."""
    families: dict[_Shape, dict[str, str]] = defaultdict(dict)
    for path, text in files.items():
        hit = _MACRO.fullmatch(text) if path.startswith("macros/") else None
        if hit is not None and hit[1] in called and _is_of(path, [hit[1]]):
            for word, shape in _without_a_word(hit[2]):
                families[shape].setdefault(hit[1], word)
    best, most = None, _LEAST_SAVED - 1
    for shape, words in families.items():
        lines = "".join(shape).count("\n") + 3
        saved = (len(words) - 1) * lines
        if len({*words.values()}) == len(words) > 1 and saved > most:
            best, most = (shape, words), saved
    return best


def _without_a_word(body: str) -> Iterator[tuple[str, _Shape]]:
    """The body with a parameter for a word, for each of its words."""
    if re.search(rf"\b{_PARAM}\b|--|/\*", body):
        return
    parts = _PART.findall(body)
    said = [_IN_TAG.findall(part) if part[:2] in ("{{", "{%") else [part] for part in parts]
    words = {word.strip("'") for part in said for word in part}
    for word in sorted(word for word in words if re.fullmatch(r"[a-z]{3,}", word)):
        shape = tuple(_handed(part, word) for part in said)
        if f"{{{{ {_PARAM} }}}}" in shape:
            yield word, shape


def _handed(part: Sequence[str], word: str) -> str:
    if len(part) == 1:
        return f"{{{{ {_PARAM} }}}}" if part[0] == word else part[0]
    return "".join(_PARAM if token == f"'{word}'" else token for token in part)


def _calling(text: str, calls: Mapping[str, str]) -> str:
    """A template with other calls in its tags."""
    called = re.compile(rf"{_TEXT}|\b({'|'.join(map(re.escape, calls))})\(\)")

    def tag(found: re.Match[str]) -> str:
        return called.sub(lambda hit: calls[hit[1]] if hit[1] else hit[0], found[0])

    return _TAG.sub(tag, text)
