"""What all.sql of a project of plain views runs, line by line, and whether that is its views.

Understood: blank lines, comments, CREATE SCHEMA, GO, the inclusion of a file of the project, and
the text of one below a comment with its path. Whatever else stands there may change any row.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unwet.lineage.dialects import TSQL
from unwet.rewrite.prove.project_files import text_of
from unwet.rewrite.prove.rendered import RenderedModel, RenderFailure
from unwet.rewrite.prove.sandbox import TemplateFailure

ORDER = "all.sql"
_FILE = r"'?(?P<path>(?:views|functions|legacy)/[^\s';]+)'?"
_INCLUDE = re.compile(
    rf"\s*(?:\\ir|\\i|\.read|:r|!source|source|@@)\s*{_FILE}\s*;?\s*", re.IGNORECASE
)
_COPY = re.compile(r"-- (?P<path>(?:views|functions|legacy)/\S+)")
_COMMENT = re.compile(r"\s*--(\s.*)?")
_BATCH = re.compile(r"\s*GO\s*", re.IGNORECASE)  # sqlcmd's word for the end of a batch
_NAME = r"(?:[\w.]|\"[^\"]*\"|`[^`]*`|\[[^\]]*\])+"
_SCHEMA = re.compile(
    rf"\s*(?:CREATE\s+SCHEMA\s+IF\s+NOT\s+EXISTS\s+{_NAME}"
    rf"|IF\s+SCHEMA_ID\('[^']+'\)\s+IS\s+NULL\s+EXEC\('CREATE\s+SCHEMA\s+{_NAME}'\))\s*;?\s*",
    re.IGNORECASE,
)

_IDLE = (_COMMENT, _SCHEMA, _BATCH)


@dataclass(frozen=True, slots=True)
class Order:
    """`at`: the lines that make each file, counted from 1, by its path below the root; `differing`:
    lines below which the text of a file stands, but another one than in the file; `other`: the
    first line that is none of those known, 0 where all are; `together`: the files that are in one
    batch with anything else."""

    at: dict[str, tuple[int, ...]]
    differing: dict[str, int]
    other: int
    together: frozenset[str]


def read_order(root: Path) -> Order:
    """What all.sql runs. Raises TemplateFailure where it cannot be read."""
    path = root / ORDER
    lines = text_of(path).splitlines() if path.is_file() else []
    at: dict[str, tuple[int, ...]] = {}
    differing: dict[str, int] = {}
    other, number = 0, 0
    batches: list[list[str]] = [[]]
    while number < len(lines):
        line, number = lines[number], number + 1
        copy, include = _COPY.fullmatch(line), _INCLUDE.fullmatch(line)
        found = copy or include
        if found is not None:
            text = _text(root, found["path"]) if copy is not None else []
            if lines[number : number + len(text)] == text:
                at[found["path"]] = (*at.get(found["path"], ()), number)
                number += len(text)
            else:
                differing[found["path"]] = number
            batches[-1].append(found["path"])
        elif _BATCH.fullmatch(line):
            batches.append([])
        elif _SCHEMA.fullmatch(line):
            batches[-1].append("")
        elif line.strip() and not any(each.fullmatch(line) for each in _IDLE):
            other = other or number
    together = {path for batch in batches if len(batch) > 1 for path in batch}
    return Order(at, differing, other, frozenset(together))


def misplaced(
    root: Path, models: Sequence[RenderedModel], order: Order, files: Container[str]
) -> Iterator[RenderFailure]:
    """Views that all.sql does not make as their files say, after those that they read; all of them
    where it does more than that. `files`: the paths of those that make views."""
    home = root.resolve()
    paths = {model.name: Path(model.path).relative_to(home).as_posix() for model in models}
    alien = order.other or min(_aliens(order, files), default=0)
    for model in models:
        line, why = _why(model, paths, order)
        if not why and alien:
            line, why = alien, f"{ORDER} runs more than the views, which may change their rows"
        if why:
            yield RenderFailure(model.name, str(root / ORDER), line, why)


def _why(model: RenderedModel, paths: dict[str, str], order: Order) -> tuple[int, str]:
    path = paths[model.name]
    if path in order.differing:
        return order.differing[path], f"{ORDER} says something else than its file"
    lines = order.at.get(path, ())
    if len(lines) != 1:
        return max(lines, default=0), f"{ORDER} makes it twice" if lines else (
            f"{ORDER} does not make it"
        )
    if model.dialect in TSQL and model.materialized == "view" and path in order.together:
        return lines[0], f"{ORDER} makes it in a batch with other statements: GO is missing"
    for ref in model.refs:
        made = order.at.get(paths.get(ref, ""), ())
        if (made and made[-1] > lines[0]) or not made:
            return lines[0], f"{ORDER} makes it before {ref}, which it reads"
    return lines[0], ""


def _aliens(order: Order, known: Container[str]) -> Iterator[int]:
    """The lines that run a file of views/ that is none of the project's views."""
    for path, lines in order.at.items():
        if path.startswith("views/") and path not in known:
            yield lines[0]


def _text(root: Path, path: str) -> list[str]:
    """The lines of a file of the project; a line that no file has where it is none."""
    found = root / path
    try:
        inside = found.resolve().is_relative_to(root.resolve()) and found.is_file()
        return text_of(found).splitlines() if inside else ["\n"]
    except TemplateFailure:
        return ["\n"]
