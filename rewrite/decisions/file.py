"""The decisions file: TOML, one `[[kind]]` per decision."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from unwet.lineage.config import Intended
from unwet.lineage.errors import BadDecision, PathNotFound
from unwet.lineage.toml_lines import lines_of, no_toml
from unwet.rewrite.decisions.entries import Entry
from unwet.rewrite.decisions.resolution import Resolution, resolution
from unwet.rewrite.decisions.shaping import (
    Meant,
    Rename,
    Shaping,
    forbid,
    intended,
    pin,
    rename,
    split,
)

NAME: Final = "unwet-decisions.toml"
Decision = Resolution | Shaping  # a new kind: its class there, and a line below

KINDS: Final[tuple[tuple[str, Callable[[Entry], Decision]], ...]] = (
    ("drift", resolution),
    ("pin", pin),
    ("split", split),
    ("forbid", forbid),
    ("rename", rename),
    ("intended", intended),
)


@dataclass(frozen=True, slots=True)
class Decisions:
    """All decisions, in the order of the file; none without one."""

    all: tuple[Decision, ...] = ()

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """Contradictions that are resolved on purpose."""
        return tuple(each for each in self.all if isinstance(each, Resolution))

    @property
    def shaping(self) -> tuple[Shaping, ...]:
        """What is said about the shape of the project."""
        return tuple(each for each in self.all if not isinstance(each, Resolution))

    @property
    def accepting(self) -> tuple[Resolution | Meant, ...]:
        """What decides about a difference, so that it needs not be told any more."""
        return tuple(each for each in self.all if isinstance(each, Resolution | Meant))

    @property
    def intended(self) -> tuple[Intended, ...]:
        """Differences that are meant, as the configuration has them."""
        return tuple(each.intended for each in self.all if isinstance(each, Meant))

    @property
    def renames(self) -> tuple[Rename, ...]:
        """Other names for models, macros and parameters."""
        return tuple(each for each in self.all if isinstance(each, Rename))


NONE: Final = Decisions()


def read_decisions(path: Path | str | None) -> Decisions:
    """What a file decides. Raises PathNotFound, and BadDecision with path, line and help."""
    if path is None:
        return NONE
    place = Path(path)
    if not place.exists():
        raise PathNotFound(str(place), "the decisions file is TOML; see docs/decisions.md")
    try:
        text = place.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadDecision(no_toml(place, error), "write it as TOML, in UTF-8") from error
    except OSError as error:
        raise BadDecision(f"{place}: cannot read: {error.strerror or error}") from error
    found = list(_entries(str(place), text, data))
    return Decisions(tuple(made for _, made in sorted(found, key=lambda pair: pair[0])))


def _entries(path: str, text: str, data: dict[str, object]) -> Iterator[tuple[int, Decision]]:
    known = dict(KINDS)
    for kind, tables in data.items():
        places = lines_of(text, kind)
        if kind not in known:
            line = places[0][0] if places else 1
            near = get_close_matches(kind, known, n=1)
            hint = f"did you mean [[{near[0]}]]?" if near else f"known: {', '.join(known)}"
            raise BadDecision(f"{path}:{line}: unknown kind of decision: {kind}", hint)
        if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
            line = places[0][0] if places else 1
            raise BadDecision(f"{path}:{line}: write [[{kind}]] above each decision")
        if len(places) != len(tables):  # written in a way that hides its lines
            places = [(1, {})] * len(tables)
        for table, (line, keys) in zip(tables, places, strict=True):
            yield line, known[kind](Entry(kind, table, path, line, keys))
