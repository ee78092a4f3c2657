"""Comments without the old SQL that authors leave in them: version control remembers that.

Only what certainly is SQL goes: lines from one that begins a query on, as long as each line reads
as a part of one. What people say stays, whatever words of SQL are in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_FLAGS: Final = re.IGNORECASE | re.VERBOSE
_BEGINS: Final = re.compile(
    r"""create\s+(or\s+replace\s+)?(temp(orary)?\s+)?(table|view)\s+[\w."]+(\s+as)?\s*\(?$
      | with\s+(recursive\s+)?\w+\s+as\s*\($
      | (insert\s+into|drop\s+(table|view))\s+[\w."]+
      | select(\s+distinct)?$
      | select\s.*\w\.\w
    """,
    _FLAGS,
)
_WORDS: Final = re.compile(  # of clauses, alone in a line
    r"[),\s]*(select|distinct|from|where|having|group\s+by|order\s+by|union(\s+all)?|case|end"
    r"|with|as|[(),;\s])+$",
    _FLAGS,
)
_CLAUSE: Final = re.compile(
    r"[),\s]*(select|from|where|and|or|on|having|group\s+by|order\s+by|limit|when|then|else|end"
    r"|(left|right|full|inner|cross)(\s+outer)?\s+join|join|union|with|\w+\s+as\s*\($)\b",
    _FLAGS,
)
_CODE: Final = re.compile(r"\b[a-z_]\w*\.[a-z_]\w*\b(?![/.])|\w\(|\s[=<>]=?\s|->|::|\($", _FLAGS)
_COLUMNS: Final = re.compile(r",?\s*([\w\"]+\.[\w\"]+(\s+as\s+\w+)?\s*(,\s*|$))+", _FLAGS)
_CALL: Final = re.compile(r"\w\(.*(\w\.\w|\bas\s+\w|->|::)|\)\s+as\s+\w+,?$", _FLAGS)
_CLOSING: Final = re.compile(r"\)+\s*(as\s+)?\w*\s*[,;(]?$", _FLAGS)
_LABEL: Final = re.compile(r"\w+:$")  # old:


def without_dead_code(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines that people have written for people."""
    kept: list[str] = []
    at = 0
    while at < len(lines):
        end = _end_of_code(lines, at)
        if end > at:
            if kept and _LABEL.fullmatch(kept[-1]):
                kept.pop()
            at = end
        else:
            kept.append(lines[at])
            at += 1
    return tuple(kept)


def _end_of_code(lines: Sequence[str], at: int) -> int:
    """Behind the last line of the SQL that begins here; here where none does."""
    if not _BEGINS.match(lines[at]):
        return at
    end = at + 1
    while end < len(lines) and (_BEGINS.match(lines[end]) or _goes_on(lines[end])):
        end += 1
    return end if end > at + 1 else at


def _goes_on(line: str) -> bool:
    if _WORDS.fullmatch(line) or _CLOSING.fullmatch(line) or _COLUMNS.fullmatch(line):
        return True
    return bool(_CALL.search(line) or (_CLAUSE.match(line) and _CODE.search(line)))
