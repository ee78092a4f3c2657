"""What a project remembers of how it was made, for those who verify it later."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unwet.lineage.errors import UsageError

RECORD = ".unwet/project.json"


@dataclass(frozen=True, slots=True)
class Sign:
    """What an abstraction is known by: its kind, its words, and the reports that use it."""

    kind: str
    words: str
    reports: frozenset[str]


@dataclass(frozen=True, slots=True)
class Record:
    """``dialect``: what the models are written in; ``kept``: reports without a model, and why;
    ``names``: what reports are called, by what they are, and ``signs`` what is made once, both
    before anybody decided on other names. ``lines``: how many its models and macros have by the
    counting rule, which does not count what a formatter makes of them; 0 where nobody knows.
    ``values``: what stands in them in place of the pile's placeholders. ``read_as``: the dialect of
    the pile; None where nobody knows."""

    dialect: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    signs: Mapping[str, Sign] = field(default_factory=dict)
    lines: int = 0
    listed: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    read_as: str | None = None


def record(made: Record) -> str:
    """The text of the file."""
    data = {
        "dialect": made.dialect,
        **({"read_as": made.read_as} if made.read_as is not None else {}),
        "lines": made.lines,
        "listed": [*made.listed],
        **({"values": dict(sorted(made.values.items()))} if made.values else {}),
        "kept": dict(sorted(made.kept.items())),
        "names": dict(sorted(made.names.items())),
        "made_once": {
            name: [sign.kind, sign.words, *sorted(sign.reports)]
            for name, sign in sorted(made.signs.items())
        },
    }
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
        return Record(
            str(data["dialect"]),
            {str(k): str(v) for k, v in data["kept"].items()},
            {str(k): str(v) for k, v in data.get("names", {}).items()},
            {str(k): _sign(v) for k, v in data.get("made_once", {}).items()},
            int(data.get("lines", 0)),
            tuple(map(str, data.get("listed", ()))),
            {str(k): str(v) for k, v in data.get("values", {}).items()},
            str(data["read_as"]) if "read_as" in data else None,
        )
    except (OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        hint = "delete it, and say --to-dialect"
        raise UsageError(f"cannot read {path}: {error}", hint) from error


def _sign(words: Sequence[object]) -> Sign:
    kind, text, *reports = map(str, words)
    return Sign(kind, text, frozenset(reports))
