"""Connections from dbt's profiles.yml: read as data, with `env_var(..)` and nothing else of Jinja.

The file is looked for where dbt looks: DBT_PROFILES_DIR, the current folder, ~/.dbt. (dbt's
documentation, "About profiles.yml".)
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from unwet.lineage.errors import UsageError

_ENV_VAR = re.compile(
    r"""\{\{\s*env_var\(\s*['"](\w+)['"]\s*(?:,\s*['"]([^'"]*)['"]\s*)?\)"""
    r"""(?:\s*\|\s*(?:as_number|int|as_native|as_text))?\s*\}\}"""
)


def profile_dsn(asked: str) -> str:
    """The DSN of `PROFILE` or `PROFILE/TARGET`. Raises UsageError, never with a value in it."""
    name, _, target = asked.partition("/")
    path = _file()
    profile = _mapping(_read(path).get(name))
    if not profile:
        raise UsageError(f"{path} has no profile {name}")
    chosen = target or _filled(profile.get("target", "default"), path)
    outputs = _mapping(profile.get("outputs"))
    output = _mapping(outputs.get(chosen))
    if not output:
        known = ", ".join(sorted(map(str, outputs)))
        raise UsageError(f"profile {name} in {path} has no target {chosen}", f"it has {known}")
    values = {key: _filled(value, path) for key, value in output.items() if value is not None}
    return _dsn(values, f"profile {name}, target {chosen}")


def _dsn(values: Mapping[str, str], where: str) -> str:
    kind = values.get("type", "")
    if kind == "duckdb":
        path = values.get("path", ":memory:")  # as dbt-duckdb has it
        if path == ":memory:":
            raise UsageError(f"{where} is in memory: nothing is there to read", "name a file")
        return path
    if kind == "postgres":
        user = quote(values.get("user", ""), safe="")
        password = quote(values.get("password", values.get("pass", "")), safe="")
        login = f"{user}:{password}@" if password else f"{user}@" if user else ""
        host, port = values.get("host", "localhost"), values.get("port", "5432")
        database = quote(values.get("dbname", values.get("database", "")), safe="")
        settings = {"options": f"-csearch_path={values['schema']}"} if "schema" in values else {}
        settings |= {key: values[key] for key in ("sslmode", "sslcert", "sslkey", "sslrootcert")
                     if key in values}  # fmt: skip
        if host.startswith("/"):  # the folder of a socket
            settings, host = {**settings, "host": host}, ""
        query = f"?{urlencode(settings, quote_via=quote)}" if settings else ""
        return f"postgresql://{login}{host}:{port}/{database}{query}"
    if kind == "spark" and values.get("method") == "session":
        return "spark://local"
    return f"{kind}://" if kind else _unknown(where)


def _unknown(where: str) -> str:
    raise UsageError(f"{where} has no type", "unwet knows duckdb, postgres and spark")


def _file() -> Path:
    folders = [os.environ.get("DBT_PROFILES_DIR", ""), ".", str(Path.home() / ".dbt")]
    places = [Path(folder) / "profiles.yml" for folder in folders if folder]
    for path in places:
        if path.is_file():
            return path
    raise UsageError("no profiles.yml", f"looked for {', '.join(map(str, places))}")


def _read(path: Path) -> dict[str, Any]:
    try:
        return _mapping(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {type(error).__name__}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise UsageError(f"{path}{line} is not valid YAML") from None  # its text may be secret


def _filled(value: object, path: Path) -> str:
    def filled(hit: re.Match[str]) -> str:
        found = os.environ.get(hit[1], hit[2])
        if found is None:
            raise UsageError(
                f"{path} needs the environment variable {hit[1]}", f"export {hit[1]}=..."
            )
        return found

    text = _ENV_VAR.sub(filled, str(value))
    if "{{" in text:
        raise UsageError(f"{path} holds Jinja that is no env_var(..)", "only env_var is read there")
    return text


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
