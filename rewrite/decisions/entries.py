"""One entry of a decisions file, read strictly: what is wrong is told with its path and line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from unwet.lineage.errors import BadDecision


@dataclass(frozen=True, slots=True)
class Entry:
    """A table `[[kind]]` of the file `path`, which begins in `line` (1 is the first)."""

    kind: str
    table: Mapping[str, object]
    path: str
    line: int
    lines: Mapping[str, int]  # of its keys, where they can be found

    def wrong(self, message: str, key: str = "", help: str = "") -> BadDecision:
        """The error for this entry, at the line of a key."""
        return BadDecision(f"{self.path}:{self.lines.get(key, self.line)}: {message}", help)

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.path}:{self.line}"

    def check_keys(self, needed: Sequence[str], others: Sequence[str]) -> None:
        """Raises BadDecision for a key that nobody knows, and for one that is not there."""
        known = [*needed, *others]
        for key in self.table:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
                raise self.wrong(f"unknown key in [[{self.kind}]]: {key}", key, hint)
        for key in needed:
            if key not in self.table:
                raise self.wrong(
                    f"[[{self.kind}]] needs {key}", help=f"it wants: {', '.join(needed)}"
                )

    def text(self, key: str, empty: bool = False) -> str:
        """A text; `empty`: it may be one without any letters, or missing."""
        value = self.table.get(key, "")
        if not isinstance(value, str) or not (empty or value.strip()):
            raise self.wrong(f"{key} must be a text, not {value!r}", key)
        return value.strip()

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, none of them empty."""
        value = self.table.get(key)
        if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
            raise self.wrong(f"{key} must be a list of texts, not {value!r}", key)
        return tuple(each.strip() for each in value)

    def day(self, key: str) -> str:
        """A date, YYYY-MM-DD, with or without quotes."""
        value = self.table[key]
        if isinstance(value, str):
            with suppress(ValueError):
                value = date.fromisoformat(value)
        if type(value) is not date:  # nor a moment, which is a date, too
            message = f"{key} must be a date, not {str(value)!r}"
            raise self.wrong(message, key, "write it as 2026-01-31")
        return value.isoformat()

    def columns_of(self, key: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """A table of report = [column, ...], in lower case and sorted; it may be empty."""
        value = self.table[key]
        hint = 'write { report = ["column"] }, or ["*"] where rows come and go'
        if not isinstance(value, dict):
            raise self.wrong(
                f"{key} must be a table of report = [columns], not {value!r}", key, hint
            )
        for report, columns in value.items():
            texts = isinstance(columns, list) and all(isinstance(c, str) and c for c in columns)
            if not texts or not columns or ("*" in columns and len(columns) > 1):
                message = f"{key}: the columns of {report} are no list of names: {columns!r}"
                raise self.wrong(message, key, hint)
        return tuple(
            (report.lower(), tuple(sorted(column.lower() for column in columns)))
            for report, columns in sorted(value.items())
        )
