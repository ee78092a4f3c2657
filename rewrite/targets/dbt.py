"""A dbt project: models, macros, sources, exposures; valid for dbt-core 1.11 and later."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import yaml

from unwet.rewrite.library import Macro
from unwet.rewrite.compose import Draft, Outside
from unwet.rewrite.project import Kept, Project
from unwet.rewrite.script import Report
from unwet.rewrite.targets.jinja import template

MODELS = "models/marts"


def files(project: Project) -> dict[str, str]:
    """Every file of the project: its path below the root, and its text."""
    used = _used_variables(project)
    result = {
        "dbt_project.yml": _project_yml(project, used),
        "profiles.yml": _profiles_yml(project),
        "models/sources.yml": _sources_yml(project),
        "models/marts.yml": _models_yml(project),
    }
    for draft in project.drafts:
        result[f"{MODELS}/{draft.name}.sql"] = _model(project, draft)
    for macro in project.library.macros:
        result[f"macros/{macro.name}.sql"] = _macro(project, macro)
    for path, text in project.originals.items():
        result[f"legacy/{path}"] = text
    return result


def _model(project: Project, draft: Draft) -> str:
    tree = project.library.models[draft.name].copy()
    tree.comments = None
    head = "".join(f"-- {_plain(line)}\n" for line in draft.comments)
    if _is_view(project.reports[draft.name]):
        head += "{{ config(materialized='view') }}\n\n"
    return head + template(tree, project.dialect, project.library.calls) + "\n"


def _macro(project: Project, macro: Macro) -> str:
    body = template(macro.tree, project.dialect, project.library.calls, macro.tail)
    head = f"{{% macro {macro.name}({', '.join(macro.params)}) %}}"
    return f"{head}\n{body}\n{{% endmacro %}}\n"


def _plain(comment: str) -> str:
    """A comment line that neither Jinja nor SQL reads as anything else."""
    return re.sub(r"[{}]", "", comment)


def _is_view(report: Report) -> bool:
    return any(part.kind == "view" for part in report.definition.parts)


def _used_variables(project: Project) -> dict[str, str]:
    return dict(sorted(project.placeholders.items()))


def _project_yml(project: Project, variables: Mapping[str, str]) -> str:
    return _yaml(
        {
            "name": project.name,
            "version": "1.0.0",
            "config-version": 2,
            "profile": project.name,
            "model-paths": ["models"],
            "macro-paths": ["macros"],
            "flags": {"send_anonymous_usage_stats": False},
            "vars": dict(variables),
            "models": {project.name: {"marts": {"+materialized": "table"}}},
        }
    )


def _profiles_yml(project: Project) -> str:
    output = {
        "type": "duckdb",
        "path": "{{ env_var('UNWET_DUCKDB', 'warehouse.duckdb') }}",
        "schema": "main",
        "threads": 1,
    }
    return _yaml({project.name: {"target": "dev", "outputs": {"dev": output}}})


def _sources_yml(project: Project) -> str:
    tables: dict[str, dict[str, Outside]] = {}
    for draft in project.drafts:
        for outside in draft.outside:
            schema, _, table = outside.token[len("src__") : -len("__src")].partition("__")
            tables.setdefault(schema, {})[table] = outside
    sources = [_source(project, name, tables[name]) for name in sorted(tables)]
    return _yaml({"version": 2, "sources": sources})


def _source(project: Project, name: str, tables: Mapping[str, Outside]) -> dict[str, object]:
    first = next(iter(tables.values()))
    source: dict[str, object] = {"name": name}
    database, _, schema = first.schema.rpartition(".")
    if database:
        source["database"] = _templated(database)
    source["schema"] = _templated(schema)
    source["tables"] = [_source_table(project, t, tables[t]) for t in sorted(tables)]
    return source


def _source_table(project: Project, name: str, outside: Outside) -> dict[str, object]:
    entry: dict[str, object] = {"name": name}
    if outside.table != name:
        entry["identifier"] = _templated(outside.table)
    table = project.catalog.get(outside.relation)
    if table is not None and table.closed:
        entry["columns"] = [
            {"name": c.name, **({"data_type": c.type.lower()} if c.type else {})}
            for c in table.columns
        ]
    return entry


def _templated(name: str) -> str:
    return re.sub(r"p__(\w+?)__p", lambda m: f"{{{{ var('{m.group(1)}') }}}}", name)


def _models_yml(project: Project) -> str:
    models = [_entry(project, draft) for draft in project.drafts]
    exposures = [_exposure(project.reports[draft.name]) for draft in project.drafts]
    return _yaml({"version": 2, "models": models, "exposures": exposures})


def _entry(project: Project, draft: Draft) -> dict[str, object]:
    report = project.reports[draft.name]
    entry: dict[str, object] = {"name": draft.name}
    if draft.comments:
        entry["description"] = "\n".join(_plain(line) for line in draft.comments)
    entry["config"] = {"meta": {"replaces": list(_places(report))}}
    return entry


def _exposure(report: Report) -> dict[str, object]:
    return {
        "name": f"legacy_{report.name}",
        "label": report.relation or report.name,
        "type": "analysis",
        "owner": {"name": "unwet", "email": "unknown@example.com"},
        "depends_on": [f"ref('{report.name}')"],
        "description": "Legacy report at " + ", ".join(_places(report)),
    }


def _places(report: Report) -> Iterable[str]:
    for part in report.definition.parts:
        span = part.statement.span
        yield f"{span.path}:{span.line}-{span.end_line}"


def kept_lines(kept: Iterable[Kept]) -> list[str]:
    """One line per kept report, for people."""
    return [f"{k.report.name} ({k.report.span}): {k.reason}" for k in kept]


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
