"""The legacy pile: which files there are, and their text with the parameters put in.

    read(folder) -> files;  render(text, params) -> SQL

Rendering is the part of OHDSI SqlRender that the pile uses: `@name` by longest declared name,
then `{condition}?{then}:{else}` with `==`, `!=` and `in`. Written apart from unwet's own
templating, so that one can contradict the other.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

# CDM 5.3 is what the DDL is for, and what the R package would find in the data itself.
PARAMS: Mapping[str, str] = {
    "schemaDelim": ".",
    "scratchDatabaseSchema": "scratch",
    "tempAchillesPrefix": "tmpach",
    "cdmDatabaseSchema": "cdm",
    "resultsDatabaseSchema": "results",
    "vocabDatabaseSchema": "cdm",
    "source_name": "Eunomia",
    "achilles_version": "1.7.2",
    "cdmVersion": "5.3",
}
HOLE = re.compile(r"@[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class File:
    """One file of the pile; a template when a placeholder is left after rendering."""

    path: Path
    sql: str
    holes: tuple[str, ...]

    @property
    def template(self) -> bool:
        return bool(self.holes)


def read(folder: Path, params: Mapping[str, str] = PARAMS) -> tuple[File, ...]:
    """All .sql files of `folder`, in numeric order of their names. Raises BenchError if none."""
    if not folder.is_dir():
        raise BenchError(f"no such folder: {folder}", "give the folder `analyses` with --sql")
    files = tuple(_file(path, params) for path in sorted(folder.glob("*.sql"), key=_number))
    if not files:
        raise BenchError(f"no .sql files in {folder}")
    return files


def _number(path: Path) -> tuple[int, str]:
    return (int(path.stem), "") if path.stem.isdigit() else (1_000_000, path.stem)


def _file(path: Path, params: Mapping[str, str]) -> File:
    sql = render(path.read_text("utf-8-sig"), params)
    code = re.sub(r"--[^\n]*", "", sql)
    return File(path, sql, tuple(sorted(set(HOLE.findall(code)))))


def render(text: str, params: Mapping[str, str] = PARAMS) -> str:
    """`text` with parameters and conditions replaced; unknown parameters stay."""
    for name in sorted(params, key=len, reverse=True):
        text = text.replace(f"@{name}", params[name])
    return _branches(text)


def _branches(text: str) -> str:
    """Choose a branch of every condition without placeholders, the inner ones too."""
    out, position = [], 0
    while (start := text.find("{", position)) >= 0:
        end = _close(text, start)
        then = _group(text, end, "?")
        if then is None or "@" in text[start:end]:
            out.append(text[position : start + 1])
            position = start + 1
            continue
        other = _group(text, then[1], ":")
        chosen = then if _true(text[start + 1 : end - 1]) else other
        out += [text[position:start], _branches(text[slice(*_inside(chosen))]) if chosen else ""]
        position = (other or then)[1]
    return "".join([*out, text[position:]])


def _close(text: str, start: int) -> int:
    """Offset behind the brace that closes the one at `start`."""
    depth = 0
    for index in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if not depth:
            return index + 1
    raise BenchError(f"a brace is not closed: {text[start : start + 40]!r}")


def _group(text: str, start: int, mark: str) -> tuple[int, int] | None:
    """Span of `{...}` that follows `mark` at `start` (white space between them is allowed)."""
    found = re.compile(rf"\s*{re.escape(mark)}\s*(?=\{{)").match(text, start)
    return (found.end(), _close(text, found.end())) if found else None


def _inside(span: tuple[int, int]) -> tuple[int, int]:
    return span[0] + 1, span[1] - 1


def _true(condition: str) -> bool:
    parts = re.fullmatch(r"\s*(\S+?)\s*(==|!=|\bin\b)\s*(.+?)\s*", condition, re.IGNORECASE)
    if not parts:
        raise BenchError(f"a condition that is not understood: {condition!r}")
    left, operator, right = parts[1].strip("'"), parts[2].lower(), parts[3]
    values = [value.strip(" '") for value in right.strip("()").split(",")]
    return (left in values) == (operator != "!=")
