"""The settings that a statement makes for the rest of its session.

    SET DATEFIRST 1                          datefirst: 1
    SET LOCAL TIME ZONE 'UTC'                time zone: 'utc', perhaps
    ALTER SESSION SET NLS_SORT = GERMAN      nls_sort: german
    RESET ALL                                all of them: as they were

Not variables (`SET @k = 3`), nor where bare names are (`SET search_path`, see lost.py), nor what is
set for later sessions (`SET GLOBAL`).

said_settings(text, dialect) -> each with its value in lower case, in the order of the text
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from unwet.lineage.dialects import MYSQL, POSTGRES, TSQL
from unwet.rewrite.changed_by_text import uncommented

ALL: Final = "*"
ZONE: Final = "time zone"

_BEGINS: Final = re.compile(r"\s*(?:SET|ALTER\s+SESSION|PRAGMA|RESET|DISCARD)\b", re.IGNORECASE)
_HEAD: Final = re.compile(
    r"\s*(?:ALTER\s+SESSION\s+(?P<unset>UN)?SET|SET|PRAGMA)\s+(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_RESET: Final = re.compile(
    r"\s*(?:RESET|DISCARD)\s+(?:SESSION\s+)?(?P<name>TIME\s+ZONE|[\w.$]+)", re.IGNORECASE
)
_SCOPE: Final = re.compile(
    r"(?P<elsewhere>GLOBAL\s+|PERSIST\s+|PERSIST_ONLY\s+|@@(?:GLOBAL|PERSIST|PERSIST_ONLY)\.)"
    r"|(?P<local>LOCAL\s+)|SESSION\s+|@@(?:SESSION|LOCAL)\.|@@",
    re.IGNORECASE,
)
_ZONE: Final = re.compile(r"TIME\s+ZONE\s+(?:INTERVAL\s+)?(?P<value>.+)", re.IGNORECASE | re.DOTALL)
_PART: Final = re.compile(
    r"(?P<name>[\w.$]+)\s*(?:=|:=|\bTO\b)\s*(?P<value>.+)", re.IGNORECASE | re.DOTALL
)
_SWITCH: Final = re.compile(
    r"(?P<names>\w+(?:\s*,\s*\w+)*)\s+(?P<value>[^\s;]+)", re.IGNORECASE | re.DOTALL
)
_BLANK: Final = re.compile(r"(?P<name>\w+)\s*=\s*(?P<value>'[^']*'|\S+)")
_CALLED: Final = re.compile(r"(?P<name>\w+)\s*\(\s*(?P<value>\w+)\s*\)\s*$")
_NO_SETTING: Final = re.compile(
    r"(?:VAR|VARIABLE)\b|hivevar:|@(?!@)|(?:NEW|OLD)\.|p__\w+__p\b", re.IGNORECASE
)
_COMMA: Final = re.compile(r"'(?:[^'\\]|''|\\.)*'|\"[^\"]*\"|\([^()]*\)|(,)")
_FUNCTION: Final = re.compile(
    r"\bset_config\s*\(\s*'(?P<name>[^']*)'\s*,\s*(?P<value>[^,]*),", re.IGNORECASE
)
_PLAIN: Final = re.compile(r"(?!.*p__)[\w.+\-/:, %]*")
_ZONES: Final = frozenset({"timezone", "time_zone", "spark.sql.session.timezone"})


@dataclass(frozen=True, slots=True)
class Setting:
    """``value``: "" where it is as it was again. ``sure``: it holds to the end of its session."""

    name: str
    value: str
    sure: bool = True


def said_settings(text: str, dialect: str) -> Iterator[Setting]:
    """``text``: one statement."""
    if "set_config" in text.lower():
        for hit in _FUNCTION.finditer(text):
            yield _setting(hit["name"], hit["value"], sure=False)
    if not _BEGINS.match(text):
        return
    text = uncommented(text, dialect).strip().rstrip(";").strip()
    if (reset := _RESET.match(text)) is not None:
        name = " ".join(reset["name"].split())
        yield Setting(ALL, "") if name.upper() == "ALL" else _setting(name, "default")
    if (head := _HEAD.match(text)) is None:
        return
    if dialect == "snowflake" and text[:3].upper() == "SET":
        return  # a variable
    if head["unset"]:
        yield from (_setting(name, "default") for name in re.findall(r"\w+", head["rest"]))
    elif dialect in TSQL:
        yield from _switched(head["rest"])
    elif dialect == "oracle":
        yield from (_setting(hit["name"], hit["value"]) for hit in _BLANK.finditer(head["rest"]))
    else:
        yield from _assigned(head["rest"], dialect)


def _switched(rest: str) -> Iterator[Setting]:
    """SET ANSI_NULLS, ANSI_PADDING ON"""
    if not _NO_SETTING.match(rest) and "=" not in rest and (hit := _SWITCH.match(rest)) is not None:
        for name in hit["names"].split(","):
            yield _setting(name, hit["value"])


def _assigned(rest: str, dialect: str) -> Iterator[Setting]:
    elsewhere = local = False
    for part in _parts(rest, dialect):
        if scope := _SCOPE.match(part):
            elsewhere = bool(scope["elsewhere"]) and dialect in MYSQL
            local, part = bool(scope["local"]), part[scope.end() :]
        if elsewhere or (dialect == "bigquery" and "@@" not in rest) or _NO_SETTING.match(part):
            continue
        if (zone := _ZONE.match(part)) is not None:
            yield _setting(ZONE, zone["value"], sure=not local)
        elif (told := _PART.match(part) or _CALLED.match(part)) is not None:
            yield _setting(told["name"], told["value"], sure=not local)


def _parts(rest: str, dialect: str) -> Iterator[str]:
    """What stands between commas; PostgreSQL has them in a value."""
    if dialect in POSTGRES:
        yield rest.strip()
        return
    start = 0
    for hit in _COMMA.finditer(rest):
        if hit[1]:
            yield rest[start : hit.start()].strip()
            start = hit.end()
    yield rest[start:].strip()


def _setting(name: str, value: str, sure: bool = True) -> Setting:
    name, value = " ".join(name.lower().split()), " ".join(value.lower().split())
    value = value.removeprefix("n").strip("'\"") if value.startswith(("n'", "'", '"')) else value
    is_default = value in ("default", "local") or value.startswith("default ")
    is_plain = _PLAIN.fullmatch(value) is not None
    name = ZONE if name in _ZONES else name
    return Setting(name, "" if is_default else value, sure and is_plain)
