"""Edits of projects that refactor has written, as files: fixtures/rewrite/wrong.

PILE/project is what `refactor` once made of PILE/pile, kept so that the edits go on fitting;
data.sql fills a DuckDB file with rows on which every edit of wrong.toml shows; right.toml has edits
that change no rows.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from unwet.lineage.pile import load
from unwet.rewrite.checked import Checked
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.worlds import Worlds
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.verify import Request as VerifyRequest
from unwet.rewrite.verify import verify

FOLDER = Path(__file__).parents[3] / "fixtures" / "rewrite" / "wrong"
PILES: Mapping[str, str] = {
    "shop": "postgres",
    "clinic": "bigquery",
    "factory": "tsql",
    "fleet": "snowflake",
}
"""The piles and their dialects."""


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """`old` becomes `new` in `file`; `files` are written whole, `append` behind what is there.

    `report`: whose rows it is about; `on`: the edit that is made before."""

    pile: str
    what: str
    report: str
    file: str = ""
    old: str = ""
    new: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    append: Mapping[str, str] = field(default_factory=dict)
    on: str = ""

    def __str__(self) -> str:
        return f"{self.pile}: {self.what}"

    @property
    def touched(self) -> frozenset[str]:
        """The files that it changes."""
        return frozenset({*([self.file] if self.file else ()), *self.files, *self.append})

    @property
    def local(self) -> bool:
        """Whether it can be told which models it changes: files of settings concern all."""
        return all(name.endswith(".sql") for name in self.touched)

    def apply(self, root: Path) -> None:
        """Change the project at `root`."""
        for name, text in {**self.files, **self.append}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            before = path.read_text() if name in self.append else ""
            path.write_text(before + text)
        if self.file:
            path = root / self.file
            path.write_text(_replaced(path.read_text(), self.old, self.new, str(self)))


def edits(kind: str, piles: Mapping[str, str] = PILES) -> list[Edit]:
    """All edits of a kind: wrong or right."""
    found = []
    for pile in piles:
        text = (FOLDER / pile / f"{kind}.toml").read_text(encoding="utf-8")
        found += [_edit(pile, entry) for entry in tomllib.loads(text)[kind]]
    return found


def _edit(pile: str, entry: dict[str, Any]) -> Edit:
    named = entry.get("file") or next(iter(entry["files"]))
    entry = {"report": Path(named).stem, **entry}
    return Edit(pile, **entry)


def _replaced(text: str, old: str, new: str, what: str) -> str:
    """The one place where the words of `old` stand, whatever the spaces between them."""
    pattern = r"\s+".join(map(re.escape, old.split()))
    if old.endswith("\n"):
        pattern += r"\n"
    made, times = re.subn(pattern, lambda _: new, text)
    assert times == 1, f"{what}: {times} places of {old!r} in\n{text}"
    return made


@dataclass(frozen=True, slots=True)
class Found:
    """The verdicts of a batch of edits, by report: without data, and with the user's."""

    alone: Mapping[str, Checked]
    tested: Mapping[str, Checked]


class Workbench:
    """One pile, its project, its data; the project is put right again after every edit."""

    def __init__(self, pile: str, folder: Path) -> None:
        self.meaning = Meaning(load(FOLDER / pile / "pile", PILES[pile]))
        self.root, self.data = folder / "project", str(folder / "rows.duckdb")
        shutil.copytree(FOLDER / pile / "project", self.root)
        files = [path for path in sorted(self.root.rglob("*")) if path.is_file()]
        self.written = {path.relative_to(self.root).as_posix(): path.read_text() for path in files}
        with duckdb.connect(self.data) as connection:
            connection.execute((FOLDER / pile / "data.sql").read_text(encoding="utf-8"))
        self.worlds = Worlds(self.data)

    def refactored(self, out: Path) -> dict[str, Checked]:
        """What verify says, on the data, of the project that refactor makes today."""
        refactor(self.meaning, Request(out=out, name="today"))
        return self._checked(VerifyRequest(out, data=self.data))

    def close(self) -> None:
        self.worlds.close()

    @contextmanager
    def edited(self, *steps: Edit) -> Iterator[None]:
        """With these edits made, one after the other."""
        try:
            for step in steps:
                step.apply(self.root)
            yield
        finally:
            for name in frozenset().union(*(step.touched for step in steps)):
                if name in self.written:
                    (self.root / name).write_text(self.written[name])
                else:
                    (self.root / name).unlink(missing_ok=True)

    def reached(self, edit: Edit, steps: Sequence[Edit] = ()) -> frozenset[str]:
        """The models and macros that an edit may change: those it writes, and all that name one of
        them; everything where nobody can tell."""
        if not all(each.local for each in (edit, *steps)):
            return frozenset({Path(name).stem for name in self.written})
        found = {Path(name).stem for each in (edit, *steps) for name in each.touched}
        texts = {Path(n).stem: t for n, t in self.written.items() if n.endswith(".sql")}
        while True:
            named = re.compile(rf"\b({'|'.join(map(re.escape, sorted(found)))})\b")
            more = {name for name, text in texts.items() if named.search(text)} - found
            if not more:
                return frozenset(found)
            found |= more

    def verdicts(self, wanted: Sequence[Edit], bases: Mapping[str, Edit]) -> dict[Edit, Found]:
        """What verify says of each edit. Those that do not reach each other are made at once."""
        found: dict[Edit, Found] = {}
        waiting = [(edit, self._steps(edit, bases)) for edit in wanted]
        while waiting:
            batch, reached, later = [], set[str](), []
            for edit, steps in waiting:
                mine = self.reached(edit, steps)
                if reached & mine:
                    later.append((edit, steps))
                else:
                    reached |= mine
                    batch.append((edit, steps))
            with self.edited(*(step for _, steps in batch for step in steps)):
                alone, tested = self.without_data(), self.with_data()
            for edit, _ in batch:
                found[edit] = Found(alone, tested)
            waiting = later
        return found

    def _steps(self, edit: Edit, bases: Mapping[str, Edit]) -> tuple[Edit, ...]:
        return (bases[edit.on], edit) if edit.on else (edit,)

    def without_data(self) -> dict[str, Checked]:
        """What verify says of each report."""
        return self._checked(VerifyRequest(self.root))

    def with_data(self) -> dict[str, Checked]:
        """The same, with the user's data."""
        return self._checked(VerifyRequest(self.root, data=self.data))

    def _checked(self, request: VerifyRequest) -> dict[str, Checked]:
        found = verify(self.meaning, request, worlds=self.worlds if request.data else None)
        return {report.name: report for report in found.reports}
