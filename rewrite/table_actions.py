"""What ALTER TABLE does, action by action: whether rows and columns stay as they are.

ALTER TABLE q ADD CONSTRAINT k CHECK (a > 0)          -- they stay
ALTER TABLE q ADD COLUMN c INT, ADD UNIQUE (a)        -- a column more, which a star shows
ALTER TABLE q ADD UNIQUE (a), DROP COLUMN b           -- they do not
ALTER TABLE q ADD ROW ACCESS POLICY p ON (a)          -- nor here: some rows are seen no more
ALTER TABLE q NOCHECK CONSTRAINT ALL DELETE FROM q    -- nor here: T-SQL needs no semicolon
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from unwet.rewrite.changed_by_text import NAME

_ALTER: Final = re.compile(
    rf"\s*ALTER\s+(?:TABLE|VIEW)\s+(?:IF\s+EXISTS\s+|ONLY\s+)*{NAME}\s+", re.IGNORECASE
)
_STAYS: Final = re.compile(
    r"OWNER\s+TO\b|(?:WITH\s+(?:NO)?CHECK\s+)?(?:ADD\s+)?"
    r"(?:CONSTRAINT|PRIMARY|FOREIGN|UNIQUE|CHECK|INDEX|KEY)\b"
    r"|DROP\s+(?:CONSTRAINT|PRIMARY|FOREIGN|UNIQUE|CHECK|INDEX|KEY)\b"
    r"|SET\s+(?:TBLPROPERTIES|OPTIONS)\b(?!.*EXPIRATION)|VALIDATE\s+CONSTRAINT\b|NOCHECK\b"
    r"|(?:ENABLE|DISABLE)\s+(?:TRIGGER|CONSTRAINT|KEYS|INDEX)\b",
    re.IGNORECASE | re.DOTALL,
)
_ADDS: Final = re.compile(
    r"ADD\b(?!\s+(?:\w+\s+)*(?:SUB)?PARTITIONS?\b|\s+ROW\s+(?:ACCESS|DELETION)\b)",
    re.IGNORECASE,
)
# what is quoted may hold commas and parentheses that part nothing; a backslash may quote a quote
_QUOTED: Final = re.compile(r"'[^'\\]*'|\"[^\"\\]*\"|`[^`\\]*`|\[[^\]]*\]")
# another statement behind it, as T-SQL has them without a semicolon; not ON DELETE CASCADE
_GOES_ON: Final = re.compile(
    r"(?<!\bON )\b(?:INSERT|UPDATE|DELETE|MERGE|INTO|EXEC|EXECUTE|TRUNCATE)\b"
    r"|\b(?:DROP|ALTER) TABLE\b",
    re.IGNORECASE,
)
_MORE: Final = re.compile(
    r"(?!(?:RENAME|SWAP|SWITCH|EXCHANGE|TRANSFER|SET|TRUNCATE|MODIFY|CHANGE|ALTER|APPEND|DELETE"
    r"|UPDATE|REPLACE|DROP|ATTACH|DETACH|INHERIT|NO|COLUMN|CLEAR|FREEZE|MOVE|FETCH|CONVERT)\b)\S",
    re.IGNORECASE,
)


def changes_nothing(text: str) -> bool:
    """Whether a text is ALTER TABLE that leaves all rows and columns as they are."""
    actions = _actions(text)
    return bool(actions) and all(map(_STAYS.match, actions))


def only_adds(text: str) -> bool:
    """Whether it leaves them as they are, but for more columns."""
    actions = _actions(text)
    first, more = actions[:1], actions[1:]
    adds = all(_ADDS.match(each) or _STAYS.match(each) for each in first)
    return bool(actions) and adds and all(
        _ADDS.match(each) or _STAYS.match(each) or _is_column(each) for each in more
    )  # fmt: skip


def _is_column(action: str) -> bool:
    """ADD a INT, b INT: the second column of one ADD."""
    return not action.upper().startswith("ADD") and bool(_MORE.match(action))


def _actions(text: str) -> tuple[str, ...]:
    """None where a text in quotes does not end for certain, a key keeps rows out, or another
    statement may stand behind it."""
    hit = _ALTER.match(text)
    rest = _QUOTED.sub("q", text[hit.end() :]) if hit else ""
    unsure = hit is None or "'" in rest or "IGNORE_DUP_KEY" in rest.upper()
    unsure = unsure or _GOES_ON.search(" ".join(rest.split())) is not None
    return () if unsure else tuple(_at_commas(rest))


def _at_commas(text: str) -> Iterator[str]:
    """The parts of a list, whatever commas there are in parentheses."""
    depth = start = 0
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            yield text[start:at].strip()
            start = at + 1
    yield text[start:].strip().rstrip(";")
