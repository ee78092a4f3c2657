"""What a check is asked: all that its answer depends on besides the texts themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from unwet.lineage.config import Intended
from unwet.rewrite.check.engine import engine
from unwet.rewrite.decisions.resolution import Resolution


@dataclass(frozen=True, slots=True)
class Ask:
    """`paths`: the pile ((): the current folder and what is named); `named`: the files in question
    ((): all). `home`: the folder of the index, None for none; `decisions`: contradictions that
    somebody has resolved."""

    paths: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    dialect: str = ""
    schema: str | None = None
    default_schema: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    intended: tuple[Intended, ...] = ()
    home: Path | None = None
    min_lines: int = 3
    drift: bool = False  # contradictions, too: all of the pile is read for them
    decisions: tuple[Resolution, ...] = ()

    def reading(self) -> tuple[object, ...]:
        """What the meaning of a text depends on."""
        return engine(), self.dialect, sorted(self.params.items())

    def company(self) -> tuple[object, ...]:
        """What the meaning of a text among others depends on."""
        return *self.reading(), self.default_schema, _state(self.schema)

    def judging(self) -> tuple[object, ...]:
        """What it depends on what is told of a meaning."""
        intended = [[each.path, each.reason, each.code, each.expression] for each in self.intended]
        decided = [[each.drift, each.path, each.expression] for each in self.decisions]
        return intended, self.min_lines, self.drift, decided


def _state(schema: str | None) -> str:
    """The schema file as it is now; the same error comes up again when it is read."""
    if schema is None:
        return ""
    try:
        return blake2b(Path(schema).read_bytes(), digest_size=16).hexdigest()
    except OSError as error:
        return str(error)
