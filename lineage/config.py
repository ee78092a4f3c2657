"""Settings from `unwet.toml` or `[tool.unwet]` in pyproject.toml."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePath
from typing import Final

from unwet.lineage.errors import BadConfig, PathNotFound


@dataclass(frozen=True, slots=True)
class Intended:
    """Differences that are meant: in files that match `path`, of codes that begin with `code`,
    whose expression contains `expression`."""

    path: str
    reason: str
    code: str = ""
    expression: str = ""

    def fits(self, code: str, path: str, expression: str) -> bool:
        """Whether a difference at a place is one of these."""
        fits = code.startswith(self.code) and self.expression in expression
        return fits and PurePath(path).match(self.path)


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a reviewer would sign of what `refactor` writes once: a macro has so many parameters at
    most, unless they are the columns of a table; each has so many uses and printed lines at least,
    and saves so many lines. A shared model saves two more, for its file and its name."""

    max_parameters: int = 5
    min_uses: int = 2
    min_lines: int = 5
    min_saved: int = 4


USUAL_SHARING: Final = Sharing()
LEAST_SHARING: Final = Sharing(max_parameters=0, min_uses=2, min_lines=1, min_saved=0)
"""The least that each may be set to."""


@dataclass(frozen=True, slots=True)
class Config:
    """What a configuration file may say; the command line wins over all of it."""

    dialect: str = ""
    schema: str = ""
    default_schema: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    intended: tuple[Intended, ...] = ()
    paths: tuple[str, ...] = ()
    baseline: str = ""
    drift: bool = False
    decisions: str = ""
    sharing: Sharing = USUAL_SHARING
    home: str = ""  # the folder that the file stands in; no setting


def read_config(given: str | None, folder: Path) -> Config:
    """The configuration `given` by path, else the one in `folder`, else the defaults.

    Relative paths inside the file count from its own folder. Raises PathNotFound and BadConfig.
    """
    if given is not None and not os.path.exists(given):
        raise PathNotFound(given, "--config wants a TOML file")
    candidates = [Path(given)] if given else [folder / "unwet.toml", folder / "pyproject.toml"]
    for path in candidates:
        # os.path: a folder that nobody may look into has no configuration
        if os.path.exists(path) and (table := _table(path)) is not None:
            return _checked(table, path)
    return Config(home=str(folder))


def _table(path: Path) -> Mapping[str, object] | None:
    try:
        data: Mapping[str, object] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: {error}", "write it as TOML, in UTF-8") from error
    except OSError as error:
        raise BadConfig(f"{path}: cannot read: {error.strerror or error}") from error
    if path.name != "pyproject.toml":
        return data
    tools = data.get("tool")
    found = tools.get("unwet") if isinstance(tools, dict) else None
    return found if isinstance(found, dict) else None


def _checked(table: Mapping[str, object], path: Path) -> Config:
    known = [name for name in Config.__dataclass_fields__ if name != "home"]
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known settings: {', '.join(known)}"
            raise BadConfig(f"{path}: unknown setting: {key}", hint)
    files = ("schema", "baseline", "decisions")
    schema, baseline, decisions = (_text(table, key, path) for key in files)
    return Config(
        dialect=_text(table, "dialect", path),
        schema=str(path.parent / schema) if schema else "",
        default_schema=_text(table, "default_schema", path),
        params=_params(table.get("params", {}), path),
        intended=tuple(_intended(table.get("intended", []), path)),
        paths=tuple(str(path.parent / each) for each in _texts(table, "paths", path)),
        baseline=str(path.parent / baseline) if baseline else "",
        drift=_flag(table, "drift", path),
        decisions=str(path.parent / decisions) if decisions else "",
        sharing=_sharing(table.get("sharing", {}), path),
        home=str(path.parent),
    )


def _text(table: Mapping[str, object], key: str, path: Path) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise BadConfig(f"{path}: {key} must be a text, not {value!r}")
    return value


def _flag(table: Mapping[str, object], key: str, path: Path) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise BadConfig(f"{path}: {key} must be true or false, not {value!r}")
    return value


def _texts(table: Mapping[str, object], key: str, path: Path) -> list[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise BadConfig(f"{path}: {key} must be a list of texts, not {value!r}")
    return value


def _params(value: object, path: Path) -> dict[str, str]:
    if not isinstance(value, dict) or any(isinstance(each, dict | list) for each in value.values()):
        raise BadConfig(f"{path}: params must be a table of name = value")
    return {str(name): str(each) for name, each in value.items()}


def _sharing(value: object, path: Path) -> Sharing:
    known = list(Sharing.__dataclass_fields__)
    if not isinstance(value, dict):
        raise BadConfig(
            f"{path}: sharing must be a table, [sharing]",
            f"write [sharing], and below it one of {', '.join(known)}",
        )
    for key, number in value.items():
        if key not in known:
            raise BadConfig(
                f"{path}: unknown setting in [sharing]: {key}", f"known: {', '.join(known)}"
            )
        least = getattr(LEAST_SHARING, key)
        if not isinstance(number, int) or isinstance(number, bool) or number < least:
            raise BadConfig(
                f"{path}: {key} in [sharing] must be a number, {least} or more, not {number!r}",
                f"write {key} = {getattr(USUAL_SHARING, key)}, as it is without the line",
            )
    return Sharing(**value)


def _intended(value: object, path: Path) -> Iterator[Intended]:
    known = list(Intended.__dataclass_fields__)
    for entry in value if isinstance(value, list) else [value]:
        if not isinstance(entry, dict) or not {"path", "reason"} <= entry.keys():
            raise BadConfig(f"{path}: each [[intended]] needs a path and a reason")
        for key, text in entry.items():
            if key not in known:
                raise BadConfig(
                    f"{path}: unknown setting in [[intended]]: {key}", f"known: {', '.join(known)}"
                )
            if not isinstance(text, str) or (key in ("path", "reason") and not text.strip()):
                raise BadConfig(f"{path}: {key} in [[intended]] must be a text, not {text!r}")
        yield Intended(**entry)
