"""A dbt project: models, macros, sources, exposures; valid for dbt-core 1.11 and later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from unwet.lineage.trees import copied
from unwet.rewrite.compose import Draft
from unwet.rewrite.data_tests.values import DataTest
from unwet.rewrite.dbt_names import IN_CAPITALS
from unwet.rewrite.own_functions import OwnFunction
from unwet.rewrite.project import Project
from unwet.rewrite.targets.call_macros import with_call_macros
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
from unwet.rewrite.targets.dbt_quoting import (
    ALIASES,
    ALIASES_SAID,
    quotes_models,
)
from unwet.rewrite.targets.dbt_tests import (
    UNIQUE_TOGETHER,
    UNIQUE_TOGETHER_SQL,
    needs_unique_together,
)
from unwet.rewrite.targets.functions import (
    FOLDER,
    as_macros,
    needed,
    notes,
    on_start,
    printed,
    rights,
)
from unwet.rewrite.targets.jinja import template
from unwet.rewrite.targets.list_macros import with_list_macros
from unwet.rewrite.targets.macro_text import blocks_text, macro_text, spoken_of
from unwet.rewrite.targets.made_macros import MadeMacro
from unwet.rewrite.targets.one_word_apart import with_words_handed
from unwet.rewrite.targets.placing import INTERMEDIATE, STAGING, layer_of, readers_of
from unwet.rewrite.targets.replaced import said_in_lines
from unwet.rewrite.targets.shared_settings import with_settings
from unwet.rewrite.targets.shared_stretches import with_stretches
from unwet.rewrite.targets.struct_stretches import with_struct_stretches
from unwet.rewrite.targets.told_apart import told_apart
from unwet.rewrite.targets.variables import unset
from unwet.rewrite.targets.variants_told import models_told
from unwet.rewrite.targets.where_shared import where_shared, wrapped

NAME = "dbt"
MACROS = True
LISTS = True
UNITS = True
DESCRIBES = True
TEMPLATES = True
SQLFMT = True
MODELS = "models/marts"
_TEMPLATES = (
    "\nModels that were templates before are templates now: they and their macros belong into the"
    "\nproject that they came from, which has the sources and the macros that they speak of."
)


def check(draft: Draft, dialect: str) -> str:
    """Raises RenderError where the dialect lacks words for the draft; else the model's text."""
    tree = copied(draft.tree)
    tree.comments = None
    return template(tree, dialect, (), spent=True)


def files(project: Project) -> dict[str, str]:
    """Every file of the project: its path below the root, and its text."""
    layers = layer_of(project)
    spoken = spoken_of(project)
    library = spoken.project.library
    result = {"models/sources.yml": sources_yml(project)}
    if project.evidence.units:
        result[f"{MODELS}/_unit_tests.yml"] = unit_tests_yml(project)
    if has_profile(project):
        result["profiles.yml"] = profiles_yml(project)
    for draft in project.drafts:
        place = f"{MODELS}/{project.folder(draft.name)}{draft.name}.sql"
        result[place] = _model(project, spoken.project, draft)
    for draft in project.intermediates:
        place = f"models/{layers[draft.name]}/{draft.name}.sql"
        result[place] = _model(project, spoken.project, draft)
    for macro in library.macros:
        text = macro_text(spoken.project, macro, spoken.of(macro.name))
        result[f"macros/{macro.name}.sql"] = text
    written = {path: text for path, text in result.items() if path.endswith(".sql")}
    names = {*(macro.name for macro in library.macros), *library.models}
    # a list is written for loops to go over it, most of all
    written, lists = _with_lists(written, names) if project.loops else (written, ())
    names |= {each.name for each in lists}
    written, said = _with_macros(written, names) if project.loops else (written, ())
    names |= {each.name for each in said}
    result = {path: text for path, text in result.items() if not path.endswith(".sql")} | written
    functions = as_macros(project, needed(project.functions, written.values()), names)
    result |= {f"macros/{FOLDER}{name}.sql": text for name, (_, text) in functions.items()}
    written |= {path: text for path, text in result.items() if path.endswith(".sql")}
    settled, folders = with_settings(written, folders_of(project, unset(project)))
    result["dbt_project.yml"] = project_yml(project, folders, on_start(functions))
    made = notes(project, functions)
    result |= settled | _described(project, folders, settled)
    if quotes_models(project):
        result[ALIASES] = IN_CAPITALS
        made["generate_alias_name"] = ALIASES_SAID
    if library.macros or lists or said or made:
        texts = {macro.name: result[path] for macro in library.macros
                 if (path := f"macros/{macro.name}.sql") in result}  # fmt: skip
        about = told_apart(texts)
        result["macros/macros.yml"] = macros_yml(library, texts, (*lists, *said), made, about)
    if needs_unique_together(_tests(project)):
        result[UNIQUE_TOGETHER] = UNIQUE_TOGETHER_SQL
    for path, text in project.originals.items():
        result[f"legacy/{path}"] = text
    return {**result, **project.templates}


def _with_lists(
    written: Mapping[str, str], names: set[str]
) -> tuple[dict[str, str], tuple[MadeMacro, ...]]:
    """The templates in which what lists have in common is said once, with the macros for it."""
    found, lists = with_list_macros(written, names)
    found |= {f"macros/{each.name}.sql": each.text for each in lists}
    found, more = with_common_stretches(found, names | {each.name for each in lists})
    found = {path: with_stretches(text) for path, text in found.items()}
    found |= {f"macros/{each.name}.sql": each.text for each in more}
    return found, (*lists, *more)


def _with_macros(
    written: Mapping[str, str], names: set[str]
) -> tuple[dict[str, str], tuple[MadeMacro, ...]]:
    """The templates in which a macro says what several say word for word, or nearly."""
    found, macros = dict(written), dict[str, MadeMacro]()
    for step in (with_struct_stretches, with_words_handed, with_call_macros):
        found, more = step(found, names | macros.keys())
        macros |= {each.name: each for each in more}
        found |= {f"macros/{each.name}.sql": each.text for each in more}
    return found, tuple(macros[name] for name in macros if f"macros/{name}.sql" in found)


def _tests(project: Project) -> list[Sequence[DataTest]]:
    """Those of its models and of the sources that these read."""
    drafts, known = (*project.drafts, *project.intermediates), project.evidence
    read = dict.fromkeys(each.relation for draft in drafts for each in draft.outside)
    return [*known.models.values(), *(known.sources.get(relation, ()) for relation in read)]


def _described(project: Project, folders: Folders, texts: Mapping[str, str]) -> dict[str, str]:
    """The YAML of models, a file for each folder, and of the legacy reports beside it; ``texts``:
    of all models by their paths."""
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
            own = {each.name: texts[f"models/{layer}/{each.name}.sql"] for each in drafts}
            apart = models_told(project, own, readers_of(project))
            found[f"models/{layer}/_models.yml"] = models_yml(project, drafts, apart)
    return found


def counted(files: Mapping[str, str], functions: Mapping[str, OwnFunction]) -> dict[str, str]:
    """What a maintainer reads to change behaviour: all SQL."""
    return printed(files, functions)


def how_to_build(project: Project, paths: Collection[str]) -> str:
    """Where what is in the project, and how it is built."""
    build = "`dbt build --profiles-dir .` builds it in the DuckDB file that UNWET_DUCKDB names."
    if not has_profile(project):
        build = f"It is {project.dialect}: `dbt build` wants your profile `{project.name}`."
    apart = _TEMPLATES if project.templates else ""
    first = where_shared("A report is a model below models/marts/", "models", paths)
    return f"{wrapped(first)}\n{build}" + apart + rights(project)


def _model(project: Project, spoken: Project, draft: Draft) -> str:
    def printed() -> str:
        tree = copied(spoken.library.models[draft.name])
        tree.comments = None
        return blocks_text(spoken, draft.name) + template(
            tree, spoken.dialect, spoken.library.calls, spent=True, tables=spoken.loops
        )

    text = project.text(draft.name, printed)
    head = "".join(f"-- {plain(line)}\n" for line in said_in_lines(draft))
    return f"{head}{text}\n"
