"""Statements that stand inside strings: bodies of routines, EXECUTE 'text', UNLOAD ('text').

Each body is found with its offset, and keeps its length, so that every place in it is a place of
the source.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from unwet.lineage.lexer import STRING, pieces

_HOLDERS = re.compile(
    r"\s*(?:(?:CREATE|ALTER)\b.*?\b(?:PROC|PROCEDURE|FUNCTION)\b|DO\b|EXEC\b|EXECUTE\b|UNLOAD\b)",
    re.I | re.S,
)
_FOREIGN = re.compile(r"\bLANGUAGE\s+'?(\w+)", re.I)
_OURS = frozenset({"sql", "plpgsql", "plsql", "plpgsql_edb", "nzplsql", "edbspl"})
_STATEMENT = re.compile(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*(?:[(]\s*)*([a-z]+)", re.I | re.S)
_BEGINNINGS = frozenset(
    {"select", "with", "insert", "update", "delete", "merge", "create", "alter", "drop", "truncate"}
    | {"copy", "replace", "values", "declare", "begin", "if", "for", "while", "let"}
)
_QUOTED = re.compile(r"[A-Za-z]{0,2}(''')|[A-Za-z]{0,2}(')|(\$\w*\$)|[A-Za-z]{0,2}(\"\"\")")


_TASK = re.compile(
    r"\s*CREATE\s+(?:OR\s+(?:REPLACE|ALTER)\s+)?TASK\b.*?\bAS\s+"
    r"(?=(?:INSERT|MERGE|UPDATE|DELETE|CREATE|COPY|BEGIN|DECLARE|WITH|SELECT|EXECUTE)\b)",
    re.I | re.S,
)
_REPLACE = re.compile(r"\s*REPLACE\b(?=\s+(?:LOW_PRIORITY\s+|DELAYED\s+)?INTO\b)", re.I)
_UNLOADED = re.compile(r"\s*\)\s*TO\s+'([^']+)'", re.I)


@dataclass(frozen=True, slots=True)
class Body:
    """SQL inside a string of a statement; `start` is its offset in the statement's text.

    `to`: the place that UNLOAD writes the result to, "" for all others.
    """

    start: int
    text: str
    to: str = ""


def bodies(text: str, dialect: str) -> Iterator[Body]:
    """The SQL that a statement carries in strings; nothing for languages other than SQL."""
    if not _HOLDERS.match(text):
        yield from _plain(text)
        return
    language = _FOREIGN.search(_outside(text, dialect))
    if language and language[1].lower() not in _OURS:
        return
    for piece in pieces(text, dialect):
        if piece.kind == STRING and piece.closed:
            body = _inside(text, piece.start, piece.end)
            first = _STATEMENT.match(body.text) if body else None
            if body and first and first[1].lower() in _BEGINNINGS:
                to = _UNLOADED.match(text, piece.end)
                yield replace(body, to=to[1]) if to else body


def _plain(text: str) -> Iterator[Body]:
    """CREATE TASK ... AS statement (Snowflake); REPLACE INTO (MySQL), which inserts."""
    task = _TASK.match(text)
    if task:
        yield Body(task.end(), text[task.end() :])
    elif replaces := _REPLACE.match(text):
        yield Body(0, f"INSERT {text[replaces.end() :]}".rjust(len(text)))


def _outside(text: str, dialect: str) -> str:
    return "".join(text[p.start : p.end] for p in pieces(text, dialect) if p.kind != STRING)


def _inside(text: str, start: int, end: int) -> Body | None:
    """A string without its quotes; doubled quotes in it become single ones and a space."""
    opening = _QUOTED.match(text, start)
    if opening is None:
        return None
    sign = next(group for group in opening.groups() if group)
    inner = text[opening.end() : end - len(sign)]
    if sign == "'":
        inner = _undoubled(inner)
    return Body(opening.end(), inner)


def _undoubled(text: str) -> str:
    """`x = ''DE''` becomes `x =  'DE' `: as long as before."""
    count = iter(range(text.count("''")))
    return re.sub("''", lambda _: " '" if next(count) % 2 == 0 else "' ", text)
