"""What dbt's manifest says of a project: what it made of the models, and what names stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from unwet.rewrite.check.engine import engine
from unwet.rewrite.check.index import Index, key

_ARG = r"\s*[\"']([^\"'{}]+)[\"']\s*"
_CALL = re.compile(rf"\{{\{{-?\s*(ref|source)\({_ARG}(?:,{_ARG})?\)\s*-?\}}\}}")
_CONFIG = re.compile(r"\{\{-?\s*config\((?:[^{}]|\{[^{}]*\})*\)\s*-?\}\}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """`models`: by path in the project the digest of a model's text and what dbt made of that text;
    `names`: the relations that `ref` and `source` stand for."""

    models: Mapping[str, tuple[str, str | None]]
    names: Mapping[str, str]

    @property
    def has_code(self) -> bool:
        """Whether it has what dbt made of any model: `dbt parse` writes one without."""
        return any(made is not None for _, made in self.models.values())

    def made_of(self, inside: str, raw: str) -> str | None:
        """What dbt made of a model, if it has that text."""
        digest, made = self.models.get(inside, ("", None))
        return made if digest == _digest(raw) else None

    def filled(self, raw: str) -> str | None:
        """A model with its `ref` and `source` filled in, line by line as it was: so a model that
        dbt has not compiled yet reads what the others read. None: there is nothing to fill in."""
        if not self.names:
            return None

        def relation(call: re.Match[str]) -> str:
            name = _call_name(call[1], call[2], call[3])
            return self.names.get(name, call[0])

        text = _CONFIG.sub(lambda call: "\n" * call[0].count("\n"), _CALL.sub(relation, raw))
        return text if text != raw else None


NO_MANIFEST = Manifest({}, {})


def read_manifest(path: Path, index: Index) -> Manifest:
    """The manifest in a file; an empty one where there is none that can be read. What it says is
    kept in the index, as a manifest is large and mostly about other things."""
    try:
        status = path.stat()
    except OSError:
        return NO_MANIFEST
    wanted = key("manifest", engine(), str(path), status.st_mtime_ns, status.st_size)
    known: Any = index.get([wanted]).get(wanted)
    if known is None:
        known = _said(path)
        index.put({wanted: known})
    models = {inside: (digest, made) for inside, (digest, made) in known["models"].items()}
    return Manifest(models, known["names"])


def _said(path: Path) -> dict[str, dict[str, Any]]:
    """What the index keeps of a manifest."""
    try:
        whole = json.loads(path.read_bytes())
    except (OSError, ValueError):
        whole = None
    models: dict[str, list[str | None]] = {}
    names: dict[str, str] = {}
    for node in _nodes(whole, "nodes"):
        relation = node.get("relation_name")
        if isinstance(relation, str):
            names[_call_name("ref", str(node.get("name")), None)] = relation
        if node.get("resource_type") == "model":
            raw, made = node.get("raw_code"), node.get("compiled_code")
            inside = str(node.get("original_file_path", "")).replace("\\", "/")
            usable = isinstance(raw, str) and isinstance(made, str)
            models[inside] = [_digest(str(raw)), made] if usable else ["", None]
    for node in _nodes(whole, "sources"):
        relation = node.get("relation_name")
        if isinstance(relation, str):
            names[_call_name("source", str(node.get("source_name")), str(node.get("name")))] = (
                relation
            )
    return {"models": models, "names": names}


def _nodes(whole: object, part: str) -> Iterator[dict[str, Any]]:
    found = whole.get(part) if isinstance(whole, dict) else None
    for node in found.values() if isinstance(found, dict) else ():
        if isinstance(node, dict):
            yield node


def _call_name(function: str, first: str, second: str | None) -> str:
    """`source a.b`, `ref b`: of `ref('package', 'b')` the model alone."""
    if function == "source":
        return f"source {first}.{second}"
    return f"ref {second or first}"


def _digest(raw: str) -> str:
    """Of a model's text as dbt keeps it, without blanks around it."""
    return blake2b(raw.strip().encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
