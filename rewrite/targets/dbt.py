"""A dbt project: models, macros, sources, exposures; valid for dbt-core 1.11 and later."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import yaml

from unwet.lineage.trees import copied, texts
from unwet.rewrite.compose import Draft, Outside
from unwet.rewrite.library import Library, Macro
from unwet.rewrite.project import Project
from unwet.rewrite.script import Report
from unwet.rewrite.targets.jinja import template
from unwet.rewrite.targets.replaced import replaced

NAME = "dbt"
MACROS = True
MODELS = "models/marts"
SHARED = "models/intermediate"
_VARIABLE = re.compile(r"p__(\w+?)__p")


def check(draft: Draft, dialect: str) -> None:
    """Raises RenderError where the dialect lacks words for the draft."""
    template(draft.tree, dialect, ())


def files(project: Project) -> dict[str, str]:
    """Every file of the project: its path below the root, and its text."""
    needs = unset(project)
    result = {
        "dbt_project.yml": _project_yml(project),
        "models/sources.yml": _sources_yml(project),
        "models/marts.yml": _models_yml(project, needs),
    }
    if has_profile(project):
        result["profiles.yml"] = _profiles_yml(project)
    for draft in project.drafts:
        result[f"{MODELS}/{draft.name}.sql"] = _model(project, draft, needs[draft.name])
    for draft in project.intermediates:
        result[f"{SHARED}/{draft.name}.sql"] = _model(project, draft, needs[draft.name])
    for macro in project.library.macros:
        result[f"macros/{macro.name}.sql"] = _macro(project, macro)
    if project.library.macros:
        result["macros/macros.yml"] = _macros_yml(project.library)
    for path, text in project.originals.items():
        result[f"legacy/{path}"] = text
    return result


def how_to_build(project: Project) -> str:
    """Where what is in the project, and how it is built."""
    build = "`dbt build --profiles-dir .` builds it in the DuckDB file that UNWET_DUCKDB names."
    if not has_profile(project):
        build = f"It is {project.dialect}: `dbt build` wants your profile `{project.name}`."
    return (
        "A report is a model below models/marts/; what several share is below"
        f" models/intermediate/\nand macros/. {build}"
    )


def _model(project: Project, draft: Draft, needs: tuple[str, ...]) -> str:
    tree = copied(project.library.models[draft.name])
    tree.comments = None
    head = "".join(f"-- {_plain(line)}\n" for line in draft.comments)
    report = project.reports.get(draft.name)
    settings = ["materialized='view'"] if report is not None and _is_view(report) else []
    if needs:
        # without a value the model would compile to something else than the report
        settings.append(f"enabled=({_given(needs)})")
    if settings:
        head += f"{{{{ config({', '.join(settings)}) }}}}\n\n"
    return head + template(tree, project.dialect, project.library.calls, spent=True) + "\n"


def _macro(project: Project, macro: Macro) -> str:
    body = template(macro.tree, project.dialect, project.library.calls, macro.tail)
    # parameters with a default come last
    params = sorted(macro.params, key=lambda name: name in macro.conditions)
    said = [f"{name}='TRUE'" if name in macro.conditions else name for name in params]
    head = f"{{% macro {macro.name}({', '.join(said)}) %}}"
    return f"{head}\n{body}\n{{% endmacro %}}\n"


def _given(needs: tuple[str, ...]) -> str:
    """Whether all variables have a value, as a Jinja expression."""
    return " and ".join(f"var('{name}', none) is not none" for name in needs)


def _macros_yml(library: Library) -> str:
    macros = []
    for macro in sorted(library.macros, key=lambda m: m.name):
        entry: dict[str, object] = {"name": macro.name, "description": macro.comment}
        if macro.params:
            entry["arguments"] = [{"name": name} for name in macro.params]
        macros.append(entry)
    return _yaml({"version": 2, "macros": macros})


def _plain(comment: str) -> str:
    """A comment line that neither Jinja nor SQL reads as anything else."""
    return re.sub(r"[{}]", "", comment)


def _is_view(report: Report) -> bool:
    return any(part.kind == "view" for part in report.definition.parts)


def unset(project: Project) -> dict[str, tuple[str, ...]]:
    """The variables without a value that each model needs, itself or through those it reads."""
    library = project.library
    inside: dict[str, frozenset[str]] = {}
    for macro in reversed(library.macros):  # a macro calls only macros that were chosen later
        inside[macro.name] = _variables(texts(macro.tree), library, inside)
    own = {name: _variables(texts(t), library, inside) for name, t in library.models.items()}
    refs = {d.name: d.refs for d in (*project.drafts, *project.intermediates)}
    return {name: tuple(sorted(_needed(name, refs, own))) for name in refs}


def _needed(
    name: str, refs: Mapping[str, Sequence[str]], own: Mapping[str, frozenset[str]]
) -> frozenset[str]:
    found: set[str] = set()
    seen: set[str] = set()
    stack = [name]
    while stack:
        model = stack.pop()
        if model not in seen:
            seen.add(model)
            found |= own.get(model, frozenset())
            stack.extend(refs.get(model, ()))
    return frozenset(found)


def _variables(
    words: Iterable[str], library: Library, inside: Mapping[str, frozenset[str]]
) -> frozenset[str]:
    """The variables named in a tree's texts and in the macro calls that stand in it."""
    text = "\n".join(words)
    found = {name.lower() for name in _VARIABLE.findall(text)}
    for number in re.findall(r"(?:call|tail)__(\d+)__", text):
        call = library.calls[int(number)]
        found.update(v.lower() for _, leaf in call.args for v in _VARIABLE.findall(leaf.text))
        found |= inside.get(call.macro, frozenset())
    return frozenset(found)


def _project_yml(project: Project) -> str:
    known = {name: v for name, v in sorted(project.placeholders.items()) if v != name}
    return _yaml(
        {
            "name": project.name,
            "version": "1.0.0",
            "config-version": 2,
            "profile": project.name,
            "model-paths": ["models"],
            "macro-paths": ["macros"],
            "flags": {"send_anonymous_usage_stats": False},
            **({"vars": known} if known else {}),
            "models": {
                project.name: {
                    "intermediate": {"+materialized": "view"},
                    "marts": {"+materialized": "table"},
                }
            },
        }
    )


def has_profile(project: Project) -> bool:
    """Whether it can be built as it is: only DuckDB needs no address and no login."""
    return project.dialect in ("", "duckdb")


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
    for draft in (*project.drafts, *project.intermediates):
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
    return re.sub(r"p__(\w+?)__p", _default, name)


def _default(match: re.Match[str]) -> str:
    name = match.group(1).lower()
    return f"{{{{ var('{name}', '{name}') }}}}"


def _models_yml(project: Project, needs: Mapping[str, tuple[str, ...]]) -> str:
    models = [_entry(project, draft) for draft in project.drafts]
    exposures = [_exposure(project, project.reports[d.name], needs[d.name]) for d in project.drafts]
    return _yaml({"version": 2, "models": models, "exposures": exposures})


def _entry(project: Project, draft: Draft) -> dict[str, object]:
    report = project.reports[draft.name]
    entry: dict[str, object] = {"name": draft.name}
    if draft.comments:
        entry["description"] = "\n".join(_plain(line) for line in draft.comments)
    entry["config"] = {"meta": {"replaces": list(replaced(project, report))}}
    return entry


def _exposure(project: Project, report: Report, needs: tuple[str, ...]) -> dict[str, object]:
    switch = {"config": {"enabled": f"{{{{ {_given(needs)} }}}}"}} if needs else {}
    return {
        "name": f"legacy_{report.name}",
        "label": report.relation or report.name,
        "type": "analysis",
        "owner": {"name": "unwet", "email": "unknown@example.com"},
        "depends_on": [f"ref('{report.name}')"],
        "description": "Legacy report at " + ", ".join(replaced(project, report)),
        **switch,
    }


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
