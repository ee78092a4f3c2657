"""The YAML files of a dbt project: what it is called, what it reads, what its models are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import yaml

from unwet.lineage.names import folds_up, is_other_in_quotes, upper_case
from unwet.rewrite.compose import Draft, Outside
from unwet.rewrite.described import Described
from unwet.rewrite.library import Library, parameters
from unwet.rewrite.project import Project
from unwet.rewrite.script import Report
from unwet.rewrite.targets.dbt_folders import Folders
from unwet.rewrite.targets.dbt_quoting import is_word, quotes_models
from unwet.rewrite.targets.dbt_tests import JINJA, with_tests
from unwet.rewrite.targets.jinja import escaped
from unwet.rewrite.targets.made_elsewhere import Maker, makers
from unwet.rewrite.targets.made_macros import MadeMacro
from unwet.rewrite.targets.placing import home, readers_of, unplaced
from unwet.rewrite.targets.replaced import is_code, replaced, said_in_lines
from unwet.rewrite.targets.variants_told import columns_told
from unwet.rewrite.true_comments import true_comments

_USED: Final = "Nothing declares it: its columns are those that the reports use."
_NOBODY: Final = "unknown"  # dbt wants an owner; the folder of the old script comes nearest to one
_PROFILE: Final = "{{ target.schema }}"
NO_OTHERS: Final[Mapping[str, str]] = MappingProxyType({})
_READERS: Final = 5  # are named of what many models read


def project_yml(project: Project, folders: Folders, on_start: Sequence[str] = ()) -> str:
    """``on_start``: what runs before the models."""
    known = {name: v for name, v in sorted(project.placeholders.items()) if v != name}
    settings = {kind: {project.name: said} for kind, said in folders.as_yaml().items()}
    return _yaml(
        {
            "name": project.name,
            "version": "1.0.0",
            "config-version": 2,
            "profile": project.name,
            "model-paths": ["models"],
            "macro-paths": ["macros"],
            **({"quoting": {"identifier": True}} if quotes_models(project) else {}),
            "flags": {"send_anonymous_usage_stats": False},
            **({"vars": known} if known else {}),
            **({"on-run-start": [*on_start]} if on_start else {}),
            **settings,
        }
    )


def has_profile(project: Project) -> bool:
    """Whether it can be built as it is: only DuckDB needs no address and no login."""
    return project.dialect in ("", "duckdb")


def profiles_yml(project: Project) -> str:
    output = {
        "type": "duckdb",
        "path": "{{ env_var('UNWET_DUCKDB', 'warehouse.duckdb') }}",
        "schema": "main",
        "threads": 1,
    }
    return _yaml({project.name: {"target": "dev", "outputs": {"dev": output}}})


def sources_yml(project: Project) -> str:
    """What the project reads and does not make: columns as declared, or as the reports use them."""
    tables: dict[str, dict[str, Outside]] = {}
    for outside in project.outside():
        schema, table = _called(outside)
        tables.setdefault(schema, {})[table] = outside
    named = _named(project)
    sources = [_source(project, name, tables[name], named) for name in sorted(tables)]
    return _yaml({"version": 2, "sources": sources})


def _called(outside: Outside) -> tuple[str, str]:
    """The source and its table, as the project names them."""
    schema, _, table = outside.token[len("src__") : -len("__src")].partition("__")
    return schema, table


def _named(project: Project) -> dict[str, str]:
    """How models call each relation that is read and not made."""
    return {o.relation: "source('{}', '{}')".format(*_called(o)) for o in project.outside()}


def _source(
    project: Project, name: str, tables: Mapping[str, Outside], named: Mapping[str, str]
) -> dict[str, object]:
    first = next(iter(tables.values()))
    source: dict[str, object] = {"name": name}
    database, _, schema = first.schema.rpartition(".")
    if database:
        source["database"] = _templated(database)
    if first in unplaced(project):
        schema = home(project)
    source["schema"] = _templated(schema) if schema else _PROFILE
    quoting: dict[str, bool] = {}
    if database and _needs_quotes(database, project.dialect):
        quoting["database"] = True
    if schema and _needs_quotes(schema, project.dialect):
        quoting["schema"] = True
    if quotes_models(project):
        quoting["identifier"] = False  # as it is where the project says nothing
    if quoting:
        source["quoting"] = quoting
    source["tables"] = [_source_table(project, t, tables[t], named) for t in sorted(tables)]
    return source


def _source_table(
    project: Project, name: str, outside: Outside, named: Mapping[str, str]
) -> dict[str, object]:
    entry: dict[str, object] = {"name": name}
    if outside.table != name:
        entry["identifier"] = _templated(outside.table)
        if _needs_quotes(outside.table, project.dialect):
            entry["quoting"] = {"identifier": True}
    if is_word(outside.table, project.dialect):
        entry["identifier"] = upper_case(outside.table, project.dialect)
        entry["quoting"] = {"identifier": True}
    columns: list[dict[str, object]] = []
    said: list[str] = []
    table = project.catalog.get(outside.relation)
    if table is not None and table.closed:
        columns = [_column(c.name, c.type) for c in table.columns]
    elif known := project.evidence.columns.get(outside.relation, ()):
        said = [_USED]
        columns = [_column(each.name, each.type) for each in known]
    if (maker := makers(project).get(outside.relation)) is not None:
        said.insert(0, plain(_made_by(maker, project)))
    about = project.about(outside.relation)
    said += [plain(about.text)] if about.text else []
    if said:
        entry["description"] = " ".join(said)
    for each in columns:
        if text := about.columns.get(str(each["name"]).lower()):
            each["description"] = plain(text)
    columns = [each for each in columns if not JINJA.search(str(each["name"]))]
    tests = project.evidence.sources.get(outside.relation, ())
    return entry | with_tests(columns, tests, project.dialect, named.__getitem__)


def _made_by(maker: Maker, project: Project) -> str:
    said = f"Made by {maker.path}, which is kept"
    if maker.runs_in(project):
        return f"{said}: run it before this project."
    return (
        f"{said}, and written in {maker.dialect or 'SQL'}: nothing makes it in {project.dialect}."
    )


def _needs_quotes(name: str, dialect: str) -> bool:
    """Whether the name is another one without quotes, or none, which not every adapter of dbt
    sets."""
    odd = folds_up(dialect) and re.fullmatch(r"[A-Za-z_]\w*", name) is None
    return odd or is_other_in_quotes(name, dialect)


def unit_tests_yml(project: Project) -> str:
    """Small rows that go into models, and those that the old scripts made of them."""
    named = _named(project)
    tests = [
        {
            "name": f"old_{test.model}",
            "description": "What the old scripts made of these rows.",
            "model": test.model,
            "given": [
                {"input": named[each.target] if each.kind == "source" else f"ref('{each.target}')",
                 "rows": _dicts([name for name, _ in each.columns], each.rows)}
                for each in test.given
            ],
            "expect": {"rows": _dicts(test.columns, test.rows)},
        }
        for test in project.evidence.units
    ]  # fmt: skip
    return _yaml({"version": 2, "unit_tests": tests})


def _dicts(columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> list[object]:
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _column(name: str, kind: str) -> dict[str, object]:
    return {"name": name, **({"data_type": kind.lower()} if kind else {})}


def _templated(name: str) -> str:
    return re.sub(r"p__(\w+?)__p", _default, escaped(name))


def _default(match: re.Match[str]) -> str:
    name = match.group(1).lower()
    return f"{{{{ var('{name}', '{name}') }}}}"


def models_yml(
    project: Project, drafts: Sequence[Draft], apart: Mapping[str, str] = NO_OTHERS
) -> str:
    """Models of one folder: what they are and replace, and what is tested of them. ``apart``: in
    what one differs from that which is called alike."""
    readers = readers_of(project)
    models = [_entry(project, draft, readers, apart) for draft in drafts]
    return _yaml({"version": 2, "models": models})


def _entry(
    project: Project,
    draft: Draft,
    readers: Mapping[str, Sequence[str]],
    apart: Mapping[str, str],
) -> dict[str, object]:
    report = project.reports.get(draft.name)
    entry: dict[str, object] = {"name": draft.name}
    said = [plain(line) for line in said_in_lines(draft) if not is_code(line)]
    about = project.about(report.relation) if report is not None else Described()
    said += [plain(about.text)] if about.text else []
    if report is None:
        said.append(_read_by(readers.get(draft.name, ())))
        said += [apart[draft.name]] if draft.name in apart else []
    if said:
        entry["description"] = "\n".join(said)
    if report is not None:
        entry["config"] = {"meta": {"replaces": [*map(plain, replaced(project, report))]}}
    tests = project.evidence.models.get(draft.name, ())
    columns = _described(about, report)
    if report is None:
        columns = [
            {"name": name, "description": plain(said)}
            for name, said in columns_told(project, draft.name).items()
        ]
    return entry | with_tests(columns, tests, project.dialect, lambda name: name)


def _described(about: Described, report: Report | None) -> list[dict[str, object]]:
    """The columns of a model of which somebody says what they are."""
    known = report.definition.columns if report is not None and about.columns else ()
    told = ((name, about.columns.get(name.lower(), "")) for name in known)
    return [{"name": name, "description": plain(text)} for name, text in told
            if text and re.fullmatch(r"[A-Za-z_]\w*", name)]  # fmt: skip


def _read_by(names: Sequence[str]) -> str:
    more = f" and {len(names) - _READERS} more" if len(names) > _READERS else ""
    return f"Read by {', '.join(names[:_READERS])}{more}."


def exposures_yml(project: Project, drafts: Sequence[Draft], folders: Folders) -> str:
    """One exposure for each legacy report of a folder."""
    made = [_exposure(project, project.reports[d.name], folders) for d in drafts]
    return _yaml({"version": 2, "exposures": made})


def _label(project: Project, report: Report) -> str:
    said = project.said(report.relation)
    return report.name if "{" in said else said or report.name  # dbt would fill in a template


def _exposure(project: Project, report: Report, folders: Folders) -> dict[str, object]:
    return {
        "name": f"legacy_{report.name}",
        "label": _label(project, report),
        "type": "analysis",
        "owner": {"name": project.folder(report.name).rstrip("/") or _NOBODY},
        "depends_on": [f"ref('{report.name}')"],
        "description": "Legacy report at " + plain(", ".join(replaced(project, report))),
        **folders.config(report.name, f"legacy_{report.name}"),
    }


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)


def macros_yml(
    library: Library,
    written: Collection[str],
    made: Sequence[MadeMacro] = (),
    others: Mapping[str, str] = NO_OTHERS,
    apart: Mapping[str, str] = NO_OTHERS,
) -> str:
    """``written``: the macros of the library that are written; ``made``: those that its templates
    got; ``others``: what further ones do, by their names; ``apart``: in what one differs from that
    which is called alike."""
    macros: list[dict[str, object]] = []
    said = true_comments(library)
    for macro in sorted(library.macros, key=lambda m: m.name):
        if macro.name in written:
            about = ". ".join(filter(None, (said[macro.name], apart.get(macro.name, ""))))
            macros.append(_macro(macro.name, about, parameters(macro) if macro.params else ()))
    macros += [_macro(each.name, each.comment, each.params) for each in made]
    macros += [_macro(name, about) for name, about in others.items()]
    return _yaml({"version": 2, "macros": macros})


def _macro(name: str, about: str, params: Iterable[str] = ()) -> dict[str, object]:
    # dbt's validate_macro_args compares them one by one with the macro's own
    arguments = [{"name": param} for param in params]
    return {"name": name, "description": about} | ({"arguments": arguments} if arguments else {})


def plain(comment: str) -> str:
    """A comment line that neither Jinja nor SQL reads as anything else."""
    return re.sub(r"[{}]", "", comment)
