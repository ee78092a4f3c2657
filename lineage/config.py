"""Settings from `unwet.toml` or `[tool.unwet]` in pyproject.toml."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePath
from typing import Final

from unwet.lineage.codes import UnknownCode, difference
from unwet.lineage.errors import BadConfig, PathNotFound
from unwet.lineage.toml_lines import lines_of, no_toml


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
    and saves so many lines. A shared model saves two more, for its file and its name; a wide model
    may make so many lines more than macros would."""

    max_parameters: int = 5
    min_uses: int = 2
    min_lines: int = 5
    min_saved: int = 4
    wide_costs: int = 0


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
    trust_keys: bool = False
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
        if os.path.exists(path) and (file := _file(path)) is not None:
            return _checked(file)
    return Config(home=str(folder))


@dataclass(frozen=True, slots=True)
class _File:
    """What a file says of unwet, and where."""

    path: Path
    text: str
    table: Mapping[str, object]
    kind: str  # of the table: "" or "tool.unwet"

    def wrong(self, message: str, key: str, help: str = "") -> BadConfig:
        """The error for a setting, at its line."""
        return self._error(message, help, lines_of(self.text, self.kind), 0, key)

    def wrong_in(
        self, table: str, message: str, help: str, key: str = "", at: int = 0
    ) -> BadConfig:
        """The error for a key of the table `[table]`, the at-th `[[table]]` (0 is the first)."""
        places = lines_of(self.text, f"{self.kind}.{table}".lstrip("."))
        if not at < len(places):  # written in one line
            return self.wrong(message, table, help)
        return self._error(message, help, places, at, key)

    def _error(
        self, message: str, help: str, places: list[tuple[int, dict[str, int]]], at: int, key: str
    ) -> BadConfig:
        line, keys = places[at] if at < len(places) else (1, {})
        return BadConfig(f"{self.path}:{keys.get(key, line)}: {message}", help)


def _file(path: Path) -> _File | None:
    try:
        text = path.read_text(encoding="utf-8")
        data: Mapping[str, object] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(no_toml(path, error), "write it as TOML, in UTF-8") from error
    except OSError as error:
        raise BadConfig(f"{path}: cannot read: {error.strerror or error}") from error
    if path.name != "pyproject.toml":
        return _File(path, text, data, "")
    tools = data.get("tool")
    found = tools.get("unwet") if isinstance(tools, dict) else None
    return _File(path, text, found, "tool.unwet") if isinstance(found, dict) else None


def _checked(file: _File) -> Config:
    known = [name for name in Config.__dataclass_fields__ if name != "home"]
    for key in file.table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known settings: {', '.join(known)}"
            raise file.wrong(f"unknown setting: {key}", key, hint)
    schema, baseline, decisions = (_text(file, key) for key in ("schema", "baseline", "decisions"))
    folder = file.path.parent
    return Config(
        dialect=_text(file, "dialect"),
        schema=str(folder / schema) if schema else "",
        default_schema=_text(file, "default_schema"),
        params=_params(file),
        intended=tuple(_intended(file)),
        paths=tuple(str(folder / each) for each in _texts(file, "paths")),
        baseline=str(folder / baseline) if baseline else "",
        drift=_flag(file, "drift"),
        decisions=str(folder / decisions) if decisions else "",
        sharing=_sharing(file),
        trust_keys=_flag(file, "trust_keys"),
        home=str(folder),
    )


def _text(file: _File, key: str) -> str:
    value = file.table.get(key, "")
    if not isinstance(value, str):
        hint = f'write {key} = "..."'
        raise file.wrong(f"{key} must be a text, not {value!r}", key, hint)
    return value


def _flag(file: _File, key: str) -> bool:
    value = file.table.get(key, False)
    if not isinstance(value, bool):
        hint = f"write {key} = true, without quotes"
        raise file.wrong(f"{key} must be true or false, not {value!r}", key, hint)
    return value


def _texts(file: _File, key: str) -> list[str]:
    value = file.table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        hint = f'write {key} = ["...", "..."]'
        raise file.wrong(f"{key} must be a list of texts, not {value!r}", key, hint)
    return value


def _params(file: _File) -> dict[str, str]:
    value = file.table.get("params", {})
    if not isinstance(value, dict) or any(isinstance(each, dict | list) for each in value.values()):
        hint = 'write [params], and below it lines such as schema = "main"'
        raise file.wrong("params must be a table of name = value", "params", hint)
    return {str(name): str(each) for name, each in value.items()}


def _sharing(file: _File) -> Sharing:
    value, known = file.table.get("sharing", {}), list(Sharing.__dataclass_fields__)
    if not isinstance(value, dict):
        hint = f"write [sharing], and below it one of {', '.join(known)}"
        raise file.wrong("sharing must be a table, [sharing]", "sharing", hint)
    for key, number in value.items():
        if key not in known:
            message = f"unknown setting in [sharing]: {key}"
            raise file.wrong_in("sharing", message, f"known: {', '.join(known)}", key)
        least = getattr(LEAST_SHARING, key)
        if not isinstance(number, int) or isinstance(number, bool) or number < least:
            message = f"{key} in [sharing] must be a number, {least} or more, not {number!r}"
            hint = f"write {key} = {getattr(USUAL_SHARING, key)}, as it is without the line"
            raise file.wrong_in("sharing", message, hint, key)
    return Sharing(**value)


def _intended(file: _File) -> Iterator[Intended]:
    known, value = list(Intended.__dataclass_fields__), file.table.get("intended", [])
    for at, entry in enumerate(value if isinstance(value, list) else [value]):
        if not isinstance(entry, dict) or not {"path", "reason"} <= entry.keys():
            hint = 'write path = "folder/*.sql" and reason = "..." below [[intended]]'
            message = "each [[intended]] needs a path and a reason"
            raise file.wrong_in("intended", message, hint, at=at)
        for key, text in entry.items():
            if key not in known:
                message = f"unknown setting in [[intended]]: {key}"
                raise file.wrong_in("intended", message, f"known: {', '.join(known)}", key, at)
            if not isinstance(text, str) or (key in ("path", "reason") and not text.strip()):
                message = f"{key} in [[intended]] must be a text, not {text!r}"
                raise file.wrong_in("intended", message, f'write {key} = "..."', key, at)
        yield Intended(**{**entry, "code": _difference(file, entry.get("code", ""), at)})


def _difference(file: _File, code: str, at: int) -> str:
    if not code:
        return ""
    try:
        return difference(code)
    except UnknownCode as unknown:
        message = f"code in [[intended]] is no code of a contradiction: {code}"
        raise file.wrong_in("intended", message, unknown.help, "code", at) from unknown
