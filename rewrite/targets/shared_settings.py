"""What a model has set, where its folder does not say it, stands at its head; or in a macro that
only models of these settings call.

    {% macro daily(app) %}
    {{ config(materialized='table', enabled=(var('day', none) is not none)) }}

    SELECT .. FROM {{ source(app, 'pings') }} WHERE day = {{ var('day') }}

Dbt takes a setting from wherever `config()` is called while it parses a model, also from within a
macro (tried with 1.11). So a macro sets nothing that any of those who call it does not have, and
only models call it, at a place that is always reached.

with_settings(files, folders) -> the files, and what folders say then
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import PurePosixPath
from typing import Final

from unwet.rewrite.targets.dbt_folders import Folders
from unwet.rewrite.targets.made_macros import HEAD

_LEAST: Final = 2  # models that say for themselves what their macro can say once
_MODELS: Final = "models/"
_MACROS: Final = "macros/"
_CALL: Final = re.compile(r"^ *\{\{ (\w+)\(", re.MULTILINE)
_BLOCK: Final = re.compile(
    r"\{% (?:if|macro|call|filter|for (?!\w+(?:, \w+)* in \[(?!\s*\]))|for (?P<list>.*?)%\})",
    re.DOTALL,
)
_IF: Final = re.compile(r"\bif\b")
_CALLED: Final = re.compile(r"(\w+)\(")


def with_settings(files: Mapping[str, str], folders: Folders) -> tuple[dict[str, str], Folders]:
    """``files``: all that may call a macro, by their paths, models without their settings. The
    macro that spares most models a word of their own goes first."""
    shared = {macro: names for macro, names in _callers(files).items()
              if len({folders.models[name] for name in names}) == 1}  # fmt: skip
    held: dict[str, frozenset[str]] = {}
    apart: set[str] = set()
    while True:
        folders = folders.without(apart)
        own = {name for name in folders.models if name not in apart and folders.own(name)}
        more = _chosen({macro: shared[macro] for macro in shared.keys() - held.keys()}, own)
        if not more:
            break
        held |= more
        apart = apart.union(*more.values())
    said = {f"{_MACROS}{macro}.sql": _head(*(folders.own(name) for name in names))
            for macro, names in held.items()}  # fmt: skip
    found = {path: _below_its_head(text, said[path]) if path in said else text
             for path, text in files.items()}  # fmt: skip
    for path in filter(_is_model, found):
        if (name := PurePosixPath(path).stem) not in apart:
            found[path] = _head(folders.own(name)) + found[path]
    return found, folders


def _chosen(
    shared: Mapping[str, frozenset[str]], own: Collection[str]
) -> dict[str, frozenset[str]]:
    """The macros that spare enough models a word of their own. ``own``: models that have one."""
    left, found = {*own}, {}
    for macro, names in sorted(shared.items(), key=lambda e: (-len(e[1] & {*own}), e[0])):
        if len(names & left) >= _LEAST:
            found[macro] = names
            left -= names
    return found


def _head(*settings: Collection[str]) -> str:
    """What any of these models has to say; the same of each setting. The settings first: sqlfmt
    puts them into one line with a short query right behind them."""
    said = dict.fromkeys(each for own in settings for each in own)
    return f"{{{{ config({', '.join(sorted(said, reverse=True))}) }}}}\n\n" if said else ""


def _below_its_head(text: str, said: str) -> str:
    """A macro that says something first."""
    head = HEAD.match(text)
    assert head, text[:80]
    return head.group() + said + text[head.end() :]


def _is_model(path: str) -> bool:
    return path.startswith(_MODELS) and path.endswith(".sql")


def _callers(files: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """By macro the models that call it whatever they are given, themselves or through macros of
    which that is true, where nothing else calls it."""
    users: dict[str, set[str]] = defaultdict(set)
    always: dict[str, set[str]] = defaultdict(set)
    macros = {f"{_MACROS}{m[1]}.sql": m[1] for path, text in files.items()
              if (m := HEAD.match(text)) and path == f"{_MACROS}{m[1]}.sql"}  # fmt: skip
    for path, text in files.items():
        for name in {*_CALLED.findall(text)} - {macros.get(path)}:
            users[name].add(path)
        if _is_model(path) or path in macros:
            for name in _always_called(text):
                always[name].add(path)

    @cache
    def models(macro: str) -> frozenset[str]:
        if always[macro] != users[macro]:
            return frozenset()
        found = [models(macros[at]) if at in macros else {PurePosixPath(at).stem}
                 for at in always[macro]]  # fmt: skip
        return frozenset().union(*found) if all(found) else frozenset()

    return {name: found for name in macros.values() if (found := models(name))}


def _always_called(text: str) -> Iterator[str]:
    """Macros that a template calls before anything begins that may not be reached; a loop over what
    stands there is."""
    head = HEAD.match(text)
    start = head.end() if head else 0
    blocks = (block.start() for block in _BLOCK.finditer(text, start)
              if block["list"] is None or _IF.search(block["list"]))  # fmt: skip
    for call in _CALL.finditer(text, start, next(blocks, len(text))):
        yield call[1]
