"""Statements that a project runs beside its queries: which of them surely change no rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unwet.rewrite.prove.made_functions import makes_function, makes_schema
from unwet.rewrite.prove.sandbox import TemplateFailure

_HARMLESS = re.compile(
    r"\s*(?:grant|revoke|analyze|analyse|vacuum|comment\s+on|create\s+(?:unique\s+)?index)\b"
    r"[^;{@]*(?:(?:\{\{\s*this\s*\}\}|@this_model)[^;{@]*)?;?\s*",
    re.IGNORECASE,
)
_RUNS = re.compile(r"\b(?:run_query|statement|set_sql_header|adapter\s*\.)")
_WRITES = re.compile(r"\b(?:insert|delete|update|merge|drop|truncate|alter|create)\b", re.I)

_MACRO = re.compile(r"\{%-?\s*(?:macro|materialization|test)\s+(\w+)")
_ANY = frozenset({"context", "builtins", "dispatch"})  # what is called has no name in the text


def is_harmless(hook: object) -> bool:
    """Whether a hook, or each of several, changes no rows."""
    match hook:
        case None | "" | [] | False:
            return True
        case str():
            return _HARMLESS.fullmatch(hook) is not None
        case dict():
            return is_harmless(hook.get("sql"))
        case list() | tuple():
            return all(map(is_harmless, hook))
        case _:
            return False


@dataclass(frozen=True, slots=True)
class OnStart:
    """What a project runs before its models: the statements that make ``functions``, and why others
    may change rows."""

    functions: tuple[str, ...] = ()
    doubt: str = ""


def on_start(hooks: object, expanded: Callable[[str], str], name: str) -> OnStart:
    """``expanded``: what a template says; raises TemplateFailure. ``name``: of the setting."""
    functions: list[str] = []
    for hook in hooks if isinstance(hooks, list) else [hooks]:
        if is_harmless(hook):
            continue
        try:
            said = expanded(hook).strip() if isinstance(hook, str) else ""
        except TemplateFailure as failure:
            return OnStart(doubt=f"what {name} runs is not known: {failure.message}")
        if makes_function(said):
            functions.append(said)
        elif not makes_schema(said) and (not said or not is_harmless(said)):
            return OnStart(doubt=f"{name} may change rows")
    return OnStart(tuple(functions))


def writes(text: str) -> bool:
    """Whether a template may run a statement by itself that changes rows."""
    return bool(_RUNS.search(text) and _WRITES.search(text))


def calls_of(texts: Mapping[Path, str], macros: Mapping[Path, str]) -> dict[Path, Sequence[str]]:
    """Of each file its text, and those of all macro files that it may call, and that these may."""
    made = {path: {*_MACRO.findall(text)} for path, text in macros.items()}
    named = {
        path: {*names, *(n.rpartition("__")[2] for n in names)} for path, names in made.items()
    }
    found: dict[Path, Sequence[str]] = {}
    for path, text in texts.items():
        reached, waiting = [text], [text]
        left = {other: macros[other] for other in macros if other != path}
        while waiting:
            words = {*re.findall(r"\w+", waiting.pop())}
            new = [other for other in left if words & named[other] or words & _ANY]
            texts_of = [left.pop(other) for other in new]
            reached += texts_of
            waiting += texts_of
        found[path] = reached
    return found
