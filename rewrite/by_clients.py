"""What clients do with a script, and settings with its statements: they run several times, or not
at all, or mean something else; and what is no SQL changes tables.

INSERT INTO r SELECT a FROM t
GO 5                              -- sqlcmd: five times
\\copy r FROM 'x.csv'              -- psql
\\if :fresh                        -- psql: up to \\endif only then
SET NOEXEC ON                     -- SQL Server: nothing runs from here on
RETURN                            -- SQL Server, BigQuery: nor behind this
EXIT                              -- SQL*Plus and other clients: nor behind this, to the end
/*!50001 DELETE FROM r */         -- MySQL: no comment
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from unwet.lineage.dialects import MYSQL, POSTGRES, TSQL
from unwet.lineage.lexer import CODE, pieces
from unwet.lineage.parse import Script, Statement
from unwet.rewrite.changed_by_text import NAME, changed_by, last_parts
from unwet.rewrite.table_actions import changes_nothing

_COPY: Final = re.compile(
    rf"^\\copy\s+(?P<name>{NAME})[^\n]*\bfrom\b", re.IGNORECASE | re.MULTILINE
)
_INCLUDE: Final = re.compile(r"^\\(?:ir?|include(?:_relative)?|gexec)\b", re.MULTILINE)
_IF: Final = re.compile(r"^\\(?P<what>if|endif)\b", re.MULTILINE)
_IMPORT: Final = re.compile(rf"^\.import\b[^\n]*\s(?P<name>{NAME})[ \t]*$", re.MULTILINE)
_READ: Final = re.compile(r"^\.read\b", re.MULTILINE)
_SQLCMD: Final = re.compile(r"^:r[ \t]", re.IGNORECASE | re.MULTILINE)
# of SQL*Plus; what START runs has a dot or stands alone, and START WITH is a part of a query
_START: Final = re.compile(
    r"^(?:@@?[ \t]*[^\s@]|STA(?:RT?)?[ \t]+(?!WITH\b)(?:[\w/\\-]*\.|[\w/\\-]+\s*$))",
    re.IGNORECASE | re.MULTILINE,
)
_GO: Final = re.compile(
    r"^[ \t]*GO\b[ \t]*(?P<times>\d*)[ \t]*(?:--[^\n]*)?\r?$", re.IGNORECASE | re.MULTILINE
)
_NO_COMMENT: Final = re.compile(r"/\*M?!\d*(?P<told>.*?)\*/", re.DOTALL)
_VIEW: Final = re.compile(rf"\s*VIEW\s+(?P<name>{NAME})", re.IGNORECASE)  # behind another: CREATE
_DOTTED: Final = frozenset({"duckdb", "sqlite"})  # whose clients are told by a dot
_ENDING: Final = re.compile(r"\s*(?P<what>RETURN|THROW)\b", re.IGNORECASE)
_ALONE: Final = re.compile(r"^(?P<what>quit|exit)[ \t]*;?[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_QUITTING: Final = {  # by dialect, in the words of its client
    "oracle": re.compile(
        r"^[ \t]*(?P<what>EXIT|QUIT)(?:[ \t]+(?:SUCCESS|FAILURE|WARNING|COMMIT|ROLLBACK|\d+"
        r"|[:&]?[\w.]*SQLCODE|[:&]\w+))*[ \t]*;?[ \t]*\r?$",
        re.IGNORECASE | re.MULTILINE,
    ),
    "snowflake": re.compile(r"^!(?P<what>quit|exit)\b", re.IGNORECASE | re.MULTILINE),
    "teradata": re.compile(r"^\.(?P<what>quit|exit|logoff)\b", re.IGNORECASE | re.MULTILINE),
    **dict.fromkeys(
        TSQL, re.compile(r"^[ \t]*:?(?P<what>quit|exit)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
    ),
    **dict.fromkeys(POSTGRES, re.compile(r"^\\(?P<what>q|quit)\b", re.MULTILINE)),
    **dict.fromkeys(("duckdb", "sqlite"), re.compile(r"^\.(?P<what>quit|exit|q)\b", re.MULTILINE)),
}
_SETTING: Final = re.compile(
    r"\s*SET\s+(?P<what>NOEXEC|PARSEONLY|FMTONLY)\s+(?P<how>ON|OFF)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ClientLine:
    """A line that a client carries out. ``names``: what it may change; ``runs``: another script."""

    line: int
    names: frozenset[str] = frozenset()
    runs: bool = False


def client_lines(text: str, dialect: str) -> Iterator[ClientLine]:
    """The lines of a script that are no SQL, and change something."""
    if dialect in POSTGRES and "\\" in text:
        for hit in _COPY.finditer(text):
            yield ClientLine(_line(text, hit), frozenset(last_parts(hit["name"])))
        yield from (ClientLine(_line(text, hit), runs=True) for hit in _INCLUDE.finditer(text))
    if dialect in _DOTTED:
        for hit in _IMPORT.finditer(text):
            yield ClientLine(_line(text, hit), frozenset(last_parts(hit["name"])))
        yield from (ClientLine(_line(text, hit), runs=True) for hit in _READ.finditer(text))
    if dialect in TSQL:
        yield from (ClientLine(_line(text, hit), runs=True) for hit in _SQLCMD.finditer(text))
    if dialect == "oracle":
        yield from (ClientLine(_line(text, hit), runs=True) for hit in _START.finditer(text))
    if dialect in MYSQL:
        for hit in _NO_COMMENT.finditer(text):
            if names := _changed_in(hit["told"], dialect):
                yield ClientLine(_line(text, hit), names)


def _changed_in(told: str, dialect: str) -> frozenset[str]:
    """What a comment changes that a server runs."""
    if (view := _VIEW.match(told)) is not None:
        return frozenset(last_parts(view["name"]))
    return frozenset() if changes_nothing(told) else changed_by(told, dialect)


def run_otherwise(script: Script) -> dict[int, str]:
    """By statement index: why it may have run several times, or never, or means something else."""
    placed = sorted(script.statements, key=lambda each: each.span)
    if not placed:
        return {}
    text, dialect = script.source.text, placed[0].dialect
    found: dict[int, str] = {}
    if dialect in TSQL:
        goes = [(_line(text, hit), int(hit["times"] or 1)) for hit in _GO.finditer(text)]
        found.update(_repeated(placed, goes))
        found.update(_behind_ends(placed, [line for line, _ in goes]))
        found.update(_under_settings(placed))
    elif dialect == "bigquery":
        found.update(_behind_ends(placed, []))
    elif dialect in POSTGRES and "\\if" in text:
        found.update(
            _conditional(placed, [(_line(text, hit), hit["what"]) for hit in _IF.finditer(text)])
        )
    for index, reason in _behind_the_end(placed, text, dialect):
        found.setdefault(index, reason)
    return found


def _behind_the_end(
    placed: Sequence[Statement], text: str, dialect: str
) -> Iterator[tuple[int, str]]:
    """What stands behind the line with which a client ends."""
    hits = [*_QUITTING.get(dialect, _ALONE).finditer(text)]
    if not hits:
        return
    code = [(start, stop) for kind, start, stop, _ in pieces(text, dialect) if kind == CODE]
    for hit in hits:
        if any(start <= hit.start("what") < stop for start, stop in code):
            line = _line(text, hit)
            for statement in placed:
                if statement.span.line > line:
                    yield statement.index, f"it stands behind {hit['what'].upper()} (line {line})"
            return


def _repeated(
    placed: Sequence[Statement], goes: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, str]]:
    ends = [line for line, _ in goes]
    for statement in placed:
        at = bisect_left(ends, statement.span.line)
        if at < len(goes) and goes[at][1] != 1:
            line, times = goes[at]
            yield statement.index, f"line {line} runs it {times} times"


def _behind_ends(placed: Sequence[Statement], ends: Sequence[int]) -> Iterator[tuple[int, str]]:
    """What stands behind RETURN in the same batch."""
    gone: tuple[int, int, str] | None = None
    for statement in placed:
        batch = bisect_right(ends, statement.span.line)
        if gone is not None and gone[0] == batch:
            yield statement.index, f"it stands behind {gone[2]} (line {gone[1]})"
        elif hit := _ENDING.match(statement.text):
            gone = batch, statement.span.line, hit["what"].upper()


def _under_settings(placed: Sequence[Statement]) -> Iterator[tuple[int, str]]:
    odd: dict[str, int] = {}
    for statement in placed:
        if hit := _SETTING.match(statement.text):
            what, how = hit["what"].upper(), hit["how"].upper()
            odd.pop(what, None)
            odd |= {} if how == "OFF" else {what: statement.span.line}
            continue
        for what, line in odd.items():
            yield statement.index, f"line {line} sets {what} otherwise than usual"


def _conditional(
    placed: Sequence[Statement], marks: Sequence[tuple[int, str]]
) -> Iterator[tuple[int, str]]:
    for statement in placed:
        before = [(line, what) for line, what in marks if line < statement.span.line]
        depth = sum(1 if what == "if" else -1 for _, what in before)
        if depth > 0:
            yield (
                statement.index,
                f"it may stand in control flow that is not followed (line {before[-1][0]})",
            )


def _line(text: str, hit: re.Match[str]) -> int:
    return text.count("\n", 0, hit.start()) + 1
