"""A dbt project: models, macros, sources, exposures; valid for dbt-core 1.11 and later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from unwet.lineage.trees import copied
from unwet.rewrite.common_comments import aloud
from unwet.rewrite.compose import Draft
from unwet.rewrite.derived_texts import with_derived_texts
from unwet.rewrite.library import LINE, NO_VALUE, Macro, parameters
from unwet.rewrite.own_functions import OwnFunction
from unwet.rewrite.project import Project
from unwet.rewrite.same_tables import same_tables, without_these
from unwet.rewrite.source_tables import table_parameters, with_tables
from unwet.rewrite.targets.common_stretches import with_common_stretches
from unwet.rewrite.targets.dbt_folders import Folders, folders_of
from unwet.rewrite.targets.dbt_properties import (
    exposures_yml,
    has_profile,
    macros_yml,
    models_yml,
    plain,
    profiles_yml,
    project_yml,
    sources_yml,
    unit_tests_yml,
)
from unwet.rewrite.targets.dbt_tests import (
    UNIQUE_TOGETHER,
    UNIQUE_TOGETHER_SQL,
    needs_unique_together,
)
from unwet.rewrite.targets.functions import (
    FOLDER,
    about,
    as_macros,
    needed,
    on_start,
    printed,
    rights,
)
from unwet.rewrite.targets.jinja import template, wrapped
from unwet.rewrite.targets.jinja_values import look_up, usual
from unwet.rewrite.targets.list_macros import ListMacro, with_list_macros
from unwet.rewrite.targets.placing import INTERMEDIATE, STAGING, layer_of
from unwet.rewrite.targets.shared_stretches import with_stretches
from unwet.rewrite.targets.variables import unset
from unwet.rewrite.usual_ways import with_usual_ways

NAME = "dbt"
MACROS = True
LISTS = True
UNITS = True
TEMPLATES = True
SQLFMT = True
MODELS = "models/marts"
_TEMPLATES = (
    "\nModels that were templates before are templates now: they and their macros belong into the"
    "\nproject that they came from, which has the sources and the macros that they speak of."
)


def check(draft: Draft, dialect: str) -> None:
    """Raises RenderError where the dialect lacks words for the draft."""
    template(draft.tree, dialect, ())


def files(project: Project) -> dict[str, str]:
    """Every file of the project: its path below the root, and its text."""
    folders = folders_of(project, unset(project))
    layers = layer_of(project)
    schemas = table_parameters(project.library)
    same = same_tables(project.library, schemas)
    library = without_these(with_tables(project.library, schemas), same)
    library = with_usual_ways(with_derived_texts(library))
    spoken = replace(project, library=library)
    result = {
        "models/sources.yml": sources_yml(project),
        **_described(project, folders),
    }
    if project.evidence.units:
        result[f"{MODELS}/_unit_tests.yml"] = unit_tests_yml(project)
    if has_profile(project):
        result["profiles.yml"] = profiles_yml(project)
    for draft in project.drafts:
        place = f"{MODELS}/{project.folder(draft.name)}{draft.name}.sql"
        result[place] = _model(project, spoken, draft, folders.own(draft.name))
    for draft in project.intermediates:
        own = folders.own(draft.name)
        result[f"models/{layers[draft.name]}/{draft.name}.sql"] = _model(
            project, spoken, draft, own
        )
    for macro in spoken.library.macros:
        tables = {name: f"source('{schema}', {same.get((each, name), name)})"
               for (each, name), schema in schemas.items() if each == macro.name}  # fmt: skip
        result[f"macros/{macro.name}.sql"] = _macro(spoken, macro, tables)
    written = {path: text for path, text in result.items() if path.endswith(".sql")}
    names = {*(macro.name for macro in library.macros), *library.models}
    written, lists = _with_lists(written, names)
    result |= written
    functions = as_macros(project, needed(project.functions, written.values()), names)
    result |= {f"macros/{FOLDER}{name}.sql": text for name, (_, text) in functions.items()}
    result["dbt_project.yml"] = project_yml(project, folders, on_start(functions))
    if library.macros or lists or functions:
        made = {name: f"Makes {each.name}, {about(project, each)}."
                for name, (each, _) in functions.items()}  # fmt: skip
        result["macros/macros.yml"] = macros_yml(library, lists, made)
    if needs_unique_together(project.evidence.models):
        result[UNIQUE_TOGETHER] = UNIQUE_TOGETHER_SQL
    for path, text in project.originals.items():
        result[f"legacy/{path}"] = text
    return {**result, **project.templates}


def _with_lists(
    written: Mapping[str, str], names: set[str]
) -> tuple[dict[str, str], tuple[ListMacro, ...]]:
    """The templates in which what lists have in common is said once, with the macros for it."""
    found, lists = with_list_macros(written, names)
    found |= {f"macros/{each.name}.sql": each.text for each in lists}
    found, more = with_common_stretches(found, names | {each.name for each in lists})
    found = {path: with_stretches(text) for path, text in found.items()}
    found |= {f"macros/{each.name}.sql": each.text for each in more}
    return found, (*lists, *more)


def _described(project: Project, folders: Folders) -> dict[str, str]:
    """The YAML of models, a file for each folder, and of the legacy reports beside it."""
    by_folder: dict[str, list[Draft]] = defaultdict(list)
    for draft in project.drafts:
        by_folder[project.folder(draft.name)].append(draft)
    found: dict[str, str] = {}
    for folder, drafts in sorted(by_folder.items()):
        found[f"{MODELS}/{folder}_models.yml"] = models_yml(project, drafts)
        found[f"{MODELS}/{folder}_exposures.yml"] = exposures_yml(project, drafts, folders)
    layers = layer_of(project)
    for layer in (STAGING, INTERMEDIATE):
        if drafts := [each for each in project.intermediates if layers[each.name] == layer]:
            found[f"models/{layer}/_models.yml"] = models_yml(project, drafts)
    return found


def counted(files: Mapping[str, str], functions: Mapping[str, OwnFunction]) -> dict[str, str]:
    """What a maintainer reads to change behaviour: all SQL."""
    return printed(files, functions)


def how_to_build(project: Project) -> str:
    """Where what is in the project, and how it is built."""
    build = "`dbt build --profiles-dir .` builds it in the DuckDB file that UNWET_DUCKDB names."
    if not has_profile(project):
        build = f"It is {project.dialect}: `dbt build` wants your profile `{project.name}`."
    apart = _TEMPLATES if project.templates else ""
    return (
        "A report is a model below models/marts/; what several share is below models/staging/ (one"
        f" source,\ncleaned), models/intermediate/ and macros/. {build}{apart}{rights(project)}"
    )


def _model(project: Project, spoken: Project, draft: Draft, settings: Sequence[str]) -> str:
    library = spoken.library

    def printed() -> str:
        tree = copied(library.models[draft.name])
        tree.comments = None
        return template(tree, project.dialect, library.calls, spent=True, tables=project.loops)

    text = project.text(draft.name, printed)
    # the settings first: sqlfmt puts them into one line with a short query right behind them
    head = f"{{{{ config({', '.join(settings)}) }}}}\n\n" if settings else ""
    head += "".join(f"-- {plain(line)}\n" for line in draft.comments)
    return f"{head}{text}\n"


def _macro(project: Project, macro: Macro, tables: Mapping[str, str]) -> str:
    dialect, calls = project.dialect, project.library.calls
    if macro.kind == "look_up":
        body = look_up(macro.rows, macro.params[0], dialect)
    else:
        body = template(
            aloud(macro.tree),
            dialect,
            calls,
            macro.kind,
            spent=True,
            tables=project.loops,
            sources=tables,
            optional=_tests(macro),
        )
    if macro.kind == "expression" and (idle := _idle(macro)):
        body = f"{{% if {idle} is none %}}1 = 1{{% else %}}\n{body}\n{{% endif %}}"
    params = parameters(macro)
    said = [f"{n}={usual(macro.defaults[n], dialect, calls)}" if n in macro.defaults else n
            for n in params]  # fmt: skip
    head = f"{{% macro {macro.name}({', '.join(said)}) %}}"
    if len(head) > LINE:
        head = f"{{% macro {macro.name}(\n{wrapped(said)}\n) %}}"
    return f"{head}\n{body}\n{{% endmacro %}}\n"


def _idle(macro: Macro) -> str:
    """A parameter without which a condition demands nothing, in words of every dialect."""
    return next((n for n in macro.params if macro.defaults.get(n) == NO_VALUE.text), "")


def _tests(macro: Macro) -> dict[str, str]:
    """When each of the columns is there that not always are."""
    parameter, names = macro.optional
    tests = {name: f"'{name}' not in {parameter}" for name in names}
    constant, output = macro.scoped
    return {output: f"{constant} is not none", **tests} if constant else tests
