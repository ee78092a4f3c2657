"""What dbt made of a model: its Jinja filled in, in the `target` folder of its project.

Only if it was made of the model as it is now. dbt's manifest says what text it compiled; without
one, the compiled file must not be older than the model. Of a model that has changed since then, or
is new, the manifest still says what its `ref` and `source` stand for.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from unwet.lineage.sources import DBT_PROJECT
from unwet.rewrite.check.index import Index
from unwet.rewrite.check.manifest import Manifest, read_manifest

_SETTING = re.compile(rb"(?m)^(name|target-path)\s*:\s*[\"']?([^\s\"'#]+)")
_LONG = 2_000  # lines; difflib's shortcut for common lines is taken from there on


@dataclass(frozen=True)
class Compiled:
    """A model as its engine sees it; `raw` is the model's own text."""

    text: str
    raw: str

    @cached_property
    def lines(self) -> tuple[int, ...]:
        """For each line of `text` the line of `raw` that it comes from; of one that no line of
        `raw` says as it is, the one behind the last that does."""
        made, own = (_stripped(each) for each in (self.text, self.raw))
        matcher = difflib.SequenceMatcher(None, made, own, len(made) > _LONG)
        found: list[int] = []
        last, known = 0, dict[int, int]()
        for start, at, size in matcher.get_matching_blocks():
            known |= {start + i: at + i for i in range(size) if made[start + i]}
        for number in range(len(made)):
            last = known[number] + 1 if number in known else last
            found.append(min(last if number in known else last + 1, len(own)) or 1)
        return tuple(found)

    def line(self, number: int) -> int:
        """The line of the model for a line of the compiled text; both count from 1."""
        return self.lines[min(max(number, 1), len(self.lines)) - 1] if self.lines else 1


def _stripped(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


@dataclass
class Projects:
    """The dbt projects that files of a pile stand in. `index`: remembers what manifests say."""

    index: Index
    _by_folder: dict[str, _Project | None] = field(default_factory=dict)

    def of(self, path: str, data: bytes) -> tuple[str, Compiled | None]:
        """The name of the model in a file ("": it is none), and its compiled form."""
        project = self._project(os.path.dirname(path))
        return project.model(path, data) if project is not None else ("", None)

    def _project(self, folder: str) -> _Project | None:
        if folder not in self._by_folder:
            found: _Project | None = None
            if os.path.isfile(os.path.join(folder, DBT_PROJECT)):
                found = _Project(folder, self.index)
            elif folder and os.path.dirname(folder) != folder:
                found = self._project(os.path.dirname(folder))
            self._by_folder[folder] = found
        return self._by_folder[folder]


class _Project:
    """One project, the folder of its dbt_project.yml."""

    def __init__(self, folder: str, index: Index) -> None:
        self._folder, self._index = folder, index
        try:
            text = Path(folder, DBT_PROJECT).read_bytes()
            said: dict[bytes, bytes] = dict(_SETTING.findall(text))
        except OSError:  # it went away
            said = {}
        self._name = said.get(b"name", b"").decode("utf-8", "replace")
        target = said.get(b"target-path", b"target").decode("utf-8", "replace")
        self._target = Path(folder, target)

    def model(self, path: str, data: bytes) -> tuple[str, Compiled | None]:
        """The name of the model in a file ("": it is none), and its compiled form."""
        inside = os.path.relpath(path, self._folder or ".").replace(os.sep, "/")
        name = os.path.basename(inside).partition(".")[0]
        is_model = inside in self._manifest.models or inside.startswith("models/")
        if inside not in self._manifest.models and b"{" not in data:
            return name if is_model else "", None
        raw = data.decode("utf-8", "replace")
        made = self._manifest.made_of(inside, raw)
        made = made if made is not None else self._from_file(path, inside)
        made = made if made is not None else self._manifest.filled(raw)
        return name if is_model else "", Compiled(made, raw) if made is not None else None

    def _from_file(self, path: str, inside: str) -> str | None:
        made: Path = self._target / "compiled" / self._name / inside
        try:
            if self._manifest.has_code or made.stat().st_mtime_ns < os.stat(path).st_mtime_ns:
                return None
            return made.read_text("utf-8", "replace")
        except OSError:
            return None

    @cached_property
    def _manifest(self) -> Manifest:
        return read_manifest(self._target / "manifest.json", self._index)
