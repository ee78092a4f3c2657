"""Statements that stand inside strings: bodies of routines, EXECUTE 'text', UNLOAD ('text').

Each body is found with its offset, and keeps its length, so that every place in it is a place of
the source.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from unwet.lineage.lexer import STRING, pieces

_MAKES = re.compile(r"\s*(?:CREATE|ALTER)\b", re.I)
_ROUTINE = re.compile(r"PROC|FUNCTION")
_HOLDERS = re.compile(
    r"\s*(?:(?:CREATE|ALTER)\s+(?:DEFINER\s*=\s*\S+\s+|\w+\s+){0,4}?"
    r"(?:PROC|PROCEDURE|FUNCTION)\b|DO\b|EXEC\b|EXECUTE\b|UNLOAD\b)",
    re.I | re.S,
)
_FOREIGN = re.compile(r"\bLANGUAGE\s+'?(\w+)", re.I)
_OURS = frozenset({"sql", "plpgsql", "plsql", "plpgsql_edb", "nzplsql", "edbspl"})
# (atomic: many comments could be taken apart in as many ways as there are subsets of them)
_STATEMENT = re.compile(r"\s*+(?:--[^\n]*\n\s*+|/\*.*?\*/\s*+)*+(?:[(]\s*+)*+([a-z]+)", re.I | re.S)
_JOINED = re.compile(r"\s*(?:\|\||\+)")
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
_NAME = r"((?:[\w$#]+|\"[^\"]+\"|`[^`]+`)(?:\.(?:[\w$#]+|\"[^\"]+\"|`[^`]+`))*+)"
_STREAM = re.compile(
    rf"\s*CREATE\s+(?:OR\s+REPLACE\s+)?STREAM\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}\s.*?"
    rf"\bON\s+(?:TABLE|VIEW|EXTERNAL\s+TABLE)\s+{_NAME}",
    re.I | re.S,
)
_APPEND = re.compile(rf"\s*ALTER\s+TABLE\s+{_NAME}\s+APPEND\s+FROM\s+{_NAME}", re.I)
_CLONE = re.compile(
    rf"\s*CREATE\s+(?:OR\s+REPLACE\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}\s+"
    rf"(?:DEEP|SHALLOW)\s+CLONE\s+{_NAME}",
    re.I,
)
_PHYSICAL = re.compile(
    rf"(\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:\w+\s+){{0,3}}?(?:TABLE|VIEW)\s+{_NAME}"
    r"(?:\s*\((?:[^()']|\([^()']*\))*\))?)"
    r"(?!\w).*?\s(AS\b[(\s]*+(?:SELECT|WITH)\b)",
    re.I | re.S,
)
_LOOP = re.compile(r"\s*FOR\s+(\w+)\s+IN\s+(?=\(?\s*(?:SELECT|WITH)\b)", re.I)
_DO = re.compile(r"\b(?:LOOP|DO)\s*$", re.I)
_UNLOADED = re.compile(r"\s*\)\s*TO\s+'([^']+)'", re.I)


@dataclass(frozen=True, slots=True)
class Body:
    """SQL inside a string of a statement; `start` is its offset in the statement's text.

    `to`: the place that UNLOAD writes the result to, "" for all others.
    """

    start: int
    text: str
    to: str = ""


def _holds_statements(text: str) -> bool:
    if _MAKES.match(text) and not _ROUTINE.search(text.upper()):
        return False  # most of all texts; looking for both at once is slow
    return _HOLDERS.match(text) is not None


def bodies(text: str, dialect: str) -> Iterator[Body]:
    """The SQL that a statement carries in strings; nothing for languages other than SQL."""
    if not _holds_statements(text):
        yield from _plain(text)
        return
    language = _FOREIGN.search(_outside(text, dialect))
    if language and language[1].lower() not in _OURS:
        return
    for piece in pieces(text, dialect):
        if piece.kind == STRING and piece.closed and not _is_fragment(text, piece.start, piece.end):
            body = _inside(text, piece.start, piece.end)
            first = _STATEMENT.match(body.text) if body else None
            if body and first and first[1].lower() in _BEGINNINGS:
                to = _UNLOADED.match(text, piece.end)
                yield replace(body, to=to[1]) if to else body


def _is_fragment(text: str, start: int, end: int) -> bool:
    """Whether a string is only a part of the text that is made: 'select ' || a || ' from t'."""
    before = text[max(start - 100, 0) : start].rstrip()
    return before.endswith(("||", "+")) or _JOINED.match(text, end) is not None


def _plain(text: str) -> Iterator[Body]:
    """What the parser keeps as text although it moves rows: CREATE TASK and CREATE STREAM
    (Snowflake), REPLACE INTO (MySQL), ALTER TABLE APPEND (Redshift), CLONE (Databricks)."""
    task = _TASK.match(text)
    if task:
        yield Body(task.end(), text[task.end() :])
    elif replaces := _REPLACE.match(text):
        yield Body(0, f"INSERT {text[replaces.end() :]}".rjust(len(text)))
    elif stream := _STREAM.match(text):
        yield Body(0, f"CREATE VIEW {stream[1]} AS SELECT * FROM {stream[2]}")
    elif appended := _APPEND.match(text):
        yield Body(0, f"INSERT INTO {appended[1]} SELECT * FROM {appended[2]}")
    elif cloned := _CLONE.match(text):
        yield Body(0, f"CREATE TABLE {cloned[1]} AS SELECT * FROM {cloned[2]}")


def recovered(text: str) -> Body | None:
    """CREATE TABLE t ... AS query whose physical properties no parser knows: without them."""
    made = _PHYSICAL.match(text)
    if made is None:
        return None
    gap = " " * (made.start(3) - made.end(1))
    return Body(0, made[1] + gap + text[made.start(3) :])


def loop_rows(header: str) -> tuple[str, str] | None:
    """The variable r of `FOR r IN (query) LOOP`, and the query at its own place."""
    loop = _LOOP.match(header)
    if loop is None:
        return None
    return loop[1], " " * loop.end() + _DO.sub("", header[loop.end() :])


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
