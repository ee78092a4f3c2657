"""What a project remembers of how it was made, for those who verify it later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from unwet.lineage.errors import UsageError

RECORD = ".unwet/project.json"


@dataclass(frozen=True, slots=True)
class Record:
    """``dialect``: what the models are written in; ``kept``: reports without a model, and why."""

    dialect: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)


def record(made: Record) -> str:
    """The text of the file."""
    data = {"dialect": made.dialect, "kept": dict(sorted(made.kept.items()))}
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def read_record(root: Path) -> Record:
    """What the project at ``root`` remembers; nothing when unwet did not make it.

    Raises UsageError for a file that cannot be read.
    """
    path = root / RECORD
    if not path.is_file():
        return Record()
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Record(str(data["dialect"]), {str(k): str(v) for k, v in data["kept"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "delete it, and say --to-dialect"
        raise UsageError(f"cannot read {path}: {error}", hint) from error
