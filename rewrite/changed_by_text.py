"""Which relations a text may change that nobody understands.

All whose names stand in it, whatever it does with them: unless it only reads, or says for certain
what it fills. Names are compared by their last part, in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from unwet.lineage.dialects import DASH_BLANK
from unwet.lineage.misprints import nearly

PART: Final = r"(?:\"[^\"]+\"|\[[^\]]+\]|`[^`]+`|[#@\w$]+)"
NAME: Final = rf"{PART}(?:\s*\.\s*{PART})*"

# what looks like a comment in quotes is none
_IN_QUOTES: Final = r"('[^']*'|\"[^\"\n]*\"|`[^`\n]*`)"
_LINE_COMMENT: Final = re.compile(rf"{_IN_QUOTES}|--[^\n]*")
_COMMENT: Final = re.compile(rf"{_IN_QUOTES}|--[^\n]*|/\*.*?\*/", re.DOTALL)
_NO_COMMENT: Final = re.compile(r"--(?=[^\s])")
_SHARP_LINE: Final = re.compile(r"^\s*#[^\n]*", re.MULTILINE)
_SHARP: Final = frozenset({"bigquery", "mysql"})
_PART: Final = re.compile(PART)
_BETWEEN: Final = re.compile(r"[.$]")
_NO_NAME: Final = re.compile(r"[^#@\w$.-]")  # what stands in no plain name
# what a statement fills, with no alias or view in between; TABLE(...) and the like are no names
_CERTAIN: Final = re.compile(
    r"\b(?:INSERT\s+INTO|INTO|CREATE\s+(?:\w+\s+)*?(?:TABLE|VIEW)|ALTER\s+VIEW(?=.*?\bAS\s+SELECT\b))"
    r"\s+(?:TABLE\s+(?!\())?(?:IF\s+(?:NOT\s+)?EXISTS\s+)?"
    rf"(?!(?:TABLE|THE|ONLY|IDENTIFIER|TOP)\s*\()(?P<name>{NAME})",
    re.IGNORECASE | re.DOTALL,
)
_CHANGING: Final = re.compile(
    r"\b(?:INSERT|UPDATE|DELETE|MERGE|INTO|TRUNCATE|ALTER|DROP|CREATE|RENAME|EXEC|EXECUTE|CALL"
    r"|BULK|COPY|LOAD|REFRESH|RESTORE|REPLACE(?=\s+[^\s(])|UPDATETEXT|WRITETEXT|UPSERT|INHERITS"
    r"|[SX]P_\w+)\b",
    re.IGNORECASE,
)
# with what a piece of text begins that changes nothing, if no such word comes behind
_READING_WORDS: Final = """
select with values from table explain show describe desc list ls get put unload export assert
declare set if else elseif elsif elif case when then end begin while for loop repeat until
return leave iterate continue break exit goto open fetch close deallocate print raiserror throw
raise signal use go grant revoke vacuum analyze comment optimize cluster checkpoint waitfor
commit rollback save start
"""
_READING: Final = frozenset(_READING_WORDS.split())


def changed_by(text: str, dialect: str) -> frozenset[str]:
    """The last parts of the names of all that a text may change. Where a backslash may quote a
    quote it is not sure what is a comment: all that is named, then."""
    if "\\'" in text:
        return frozenset(words(text))
    found: set[str] = set()
    for piece in uncommented(text, dialect).split(";"):
        filled = [hit["name"] for hit in _CERTAIN.finditer(piece)]
        rest = _CERTAIN.sub(" ", piece) if filled else piece
        if _CHANGING.search(rest) or not (filled or _begins_by_reading(rest)):
            found.update(words(piece))
        else:
            found.update(part for name in filled for part in last_parts(name))
    return frozenset(found)


def may_change(text: str) -> bool:
    """Whether a piece of a text may be one that changes something, as some word of it says."""
    return _CHANGING.search(text) is not None


def _begins_by_reading(piece: str) -> bool:
    """Whether the first word says that nothing is changed, misprinted as it may be."""
    first = next((hit[0].lower() for hit in _PART.finditer(piece)), "")
    return not first or first in _READING or nearly(first.upper()).lower() in _READING


def words(text: str) -> Iterator[str]:
    """Whatever may be a name in a text, and each part of those that are quoted as a whole; also
    what stands in quotes that are those of a text in some dialects: EXECUTE IMMEDIATE "DROP ..",
    ["DELETE FROM q"], $$DELETE FROM q$$."""
    for hit in _PART.finditer(text):
        word = plain(hit[0])
        yield word
        if _NO_NAME.search(word):
            yield from words(hit[0][1:-1])
        elif "." in word or "$" in word:
            yield from _BETWEEN.split(word)


def last_parts(name: str) -> Iterator[str]:
    """The last part of a name; of one that is quoted as a whole also the last within."""
    parts: list[str] = _PART.findall(name)
    last = plain(parts[-1] if parts else name)
    yield last
    if "." in last:
        yield last.rpartition(".")[2]


def plain(name: str) -> str:
    """A part of a name without its quotes, in lower case."""
    return name.strip('"[]`').lower()


def uncommented(text: str, dialect: str = "") -> str:
    """The text without its comments; one that is never closed stays, as it may hide a write."""
    if dialect in _SHARP:
        text = _SHARP_LINE.sub(" ", text)
    if dialect in DASH_BLANK:
        text = _NO_COMMENT.sub("- -", text)
    end = text.rfind("*/") + 2 if "*/" in text else 0  # behind it each /* would search in vain
    return _COMMENT.sub(_kept, text[:end]) + _LINE_COMMENT.sub(_kept, text[end:])


def _kept(hit: re.Match[str]) -> str:
    return hit[1] or " "
