"""What dbt made of a model: its Jinja filled in, in the `target` folder of its project.

Only if it was made of the model as it is now. dbt's manifest says what text it compiled; without
one, the compiled file must not be older than the model.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from unwet.lineage.sources import DBT_PROJECT
from unwet.rewrite.check.engine import engine
from unwet.rewrite.check.index import Index, key

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
    """The dbt projects that files of a pile stand in. `index`: remembers what manifests say, which
    are large and mostly about other things."""

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
        node = self._nodes.get(inside)
        if node is None and b"{" not in data:
            return name if inside.startswith("models/") else "", None
        raw = data.decode("utf-8", "replace")
        made = node[1] if node is not None and node[0] == _digest(raw) else None
        made = made if made is not None else self._from_file(path, inside)
        is_model = node is not None or inside.startswith("models/")
        return name if is_model else "", Compiled(made, raw) if made is not None else None

    def _from_file(self, path: str, inside: str) -> str | None:
        made: Path = self._target / "compiled" / self._name / inside
        try:
            if self._has_manifest or made.stat().st_mtime_ns < os.stat(path).st_mtime_ns:
                return None
            return made.read_text("utf-8", "replace")
        except OSError:
            return None

    @cached_property
    def _nodes(self) -> Mapping[str, _Node]:
        """The manifest's models by their paths in the project."""
        path = self._target / "manifest.json"
        try:
            status = path.stat()
        except OSError:
            return {}
        wanted = key("manifest", engine(), str(path), status.st_mtime_ns, status.st_size)
        known = self._index.get([wanted]).get(wanted)
        if not isinstance(known, dict):
            found = dict(_models(path))
            self._index.put({wanted: found})
            return found
        return {str(inside): (str(node[0]), node[1]) for inside, node in known.items()}

    @property
    def _has_manifest(self) -> bool:
        """Whether the manifest has compiled code at all: `dbt parse` writes one without."""
        return any(made is not None for _, made in self._nodes.values())


_Node = tuple[str, str | None]  # digest of a model's text, what dbt made of that


def _models(manifest: Path) -> Iterator[tuple[str, _Node]]:
    try:
        said = json.loads(manifest.read_bytes())
    except (OSError, ValueError):
        return
    nodes = said.get("nodes") if isinstance(said, dict) else None
    for node in nodes.values() if isinstance(nodes, dict) else ():
        if isinstance(node, dict) and node.get("resource_type") == "model":
            raw, made = node.get("raw_code"), node.get("compiled_code")
            path = str(node.get("original_file_path", "")).replace("\\", "/")
            if isinstance(raw, str) and isinstance(made, str):
                yield path, (_digest(raw), made)
            else:
                yield path, ("", None)


def _digest(raw: str) -> str:
    """Of a model's text as dbt keeps it, without blanks around it."""
    return blake2b(raw.strip().encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
