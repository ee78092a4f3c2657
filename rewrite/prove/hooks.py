"""Statements that a project runs beside its queries: which of them surely change no rows."""

from __future__ import annotations

import re

_HARMLESS = re.compile(
    r"\s*(?:grant|revoke|analyze|analyse|vacuum|comment\s+on|create\s+(?:unique\s+)?index)\b"
    r"[^;{@]*(?:(?:\{\{\s*this\s*\}\}|@this_model)[^;{@]*)?;?\s*",
    re.IGNORECASE,
)
_RUNS = re.compile(r"\b(?:run_query|statement|set_sql_header|adapter\s*\.)")
_WRITES = re.compile(r"\b(?:insert|delete|update|merge|drop|truncate|alter|create)\b", re.I)


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


def writes(text: str) -> bool:
    """Whether a template may run a statement by itself that changes rows."""
    return bool(_RUNS.search(text) and _WRITES.search(text))
