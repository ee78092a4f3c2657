"""What a SQLMesh project says of its models beside their queries, and what of it may change rows.

Settings come from `model_defaults` and from the MODEL block (SQLMesh 0.236, "Model configuration").
One that is not known here is taken for one that changes rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from unwet.rewrite.prove.hooks import is_harmless
from unwet.rewrite.prove.project_files import mapping

# What a model is, where it is kept, when it is refreshed, what is told and tested of it.
_SAME_ROWS: Final = frozenset(
    {
        *("name", "kind", "dialect", "enabled", "optimize_query", "start", "blueprints"),
        *("owner", "description", "column_descriptions", "tags", "stamp", "project", "formatting"),
        *("grain", "grains", "references", "depends_on", "audits", "assertions", "ignored_rules"),
        *("cron", "cron_tz", "interval_unit", "allow_partials", "batch_concurrency"),
        *("storage_format", "table_format", "partitioned_by", "clustered_by"),
        *("physical_schema", "grants", "grants_target_layer", "virtual_environment_mode"),
        *("validate_query", "on_destructive_change", "on_additive_change"),
    }
)
_STATEMENTS: Final = ("pre_statements", "post_statements", "on_virtual_update")
_NEVER_AGAIN: Final = ("physical_version", "end")  # rows of another day
_RELATIVE: Final = re.compile(r"\d+\s+(?:second|minute|hour|day|week|month|year)s?\s+ago", re.I)


def with_defaults(settings: Mapping[str, Any], block: Mapping[str, str]) -> dict[str, str]:
    """The settings of a model, as its MODEL block would write them; the block comes first."""
    defaults = mapping(settings.get("model_defaults"))
    return {**{str(k).lower(): _written(v) for k, v in defaults.items() if v}, **_off(defaults),
            **block}  # fmt: skip


def unfollowed(said: Mapping[str, str], today: date) -> str:
    """Why the rows of a model need not be those of its query as it stands; empty where they are."""
    if said.get("optimize_query", "").strip().upper() != "FALSE":
        return "SQLMesh optimizes its query, which may change rows and types; optimize_query FALSE"
    for name in sorted({*said} - _SAME_ROWS):
        if name in _STATEMENTS and is_harmless(said[name]):
            continue
        if name in _NEVER_AGAIN:
            return f"{name} keeps rows of an earlier day"
        return f"its setting {name} may change rows or types"
    start = said.get("start", "").strip().strip("'\"")
    if start and not _is_past(start, today):
        return f"whether it has begun by now is not known: start {start}"
    return ""


def runs_besides(settings: Mapping[str, Any], has_python: bool) -> str:
    """What the configuration says that may change the rows of any model; empty where nothing."""
    if not is_harmless(settings.get("after_all")):
        return "after_all may change rows"
    defaults = mapping(settings.get("model_defaults"))
    for name in _STATEMENTS:
        if not is_harmless(defaults.get(name)):
            return f"{name} of all models may change rows"
    if settings.get("ignore_patterns"):
        return "which models ignore_patterns leaves out is not known"
    if any(mapping(each).get("model_defaults") for each in _gateways(settings)):
        return "a gateway has settings of its own for models"
    if has_python:
        return "what config.py says is not known"
    return ""


def variables_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Its variables; those of the gateway that is the default come first."""
    name = settings.get("default_gateway")
    gateways = mapping(settings.get("gateways"))
    chosen = mapping(gateways.get(str(name))) if name else next(_gateways(settings), {})
    found = {**mapping(settings.get("variables")), **mapping(mapping(chosen).get("variables"))}
    return {str(k).lower(): v for k, v in found.items() if v is not None}


def _gateways(settings: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """In their order."""
    found = settings.get("gateways")
    each = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    yield from map(mapping, each)


def _off(defaults: Mapping[str, Any]) -> dict[str, str]:
    """The switches that are off."""
    return {str(k).lower(): "FALSE" for k, v in defaults.items() if v is False}


def _written(value: object) -> str:
    """A YAML value as a MODEL block has it."""
    match value:
        case bool():
            return str(value).upper()
        case dict() if "name" in value:  # a kind with settings
            rest = ", ".join(f"{k} {v}" for k, v in value.items() if k != "name")
            return f"{value['name']} ({rest})" if rest else str(value["name"])
        case _:
            return str(value)


def _is_past(start: str, today: date) -> bool:
    if _RELATIVE.fullmatch(start):
        return True
    try:
        return date.fromisoformat(start[:10]) <= today
    except ValueError:
        return False
