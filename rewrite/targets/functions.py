"""The functions that a project makes before its models, each in a file of its own; for dbt, where
an engine takes several statements at once, all of them in one macro."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

from unwet.lineage.printing import render
from unwet.rewrite.compose import NotComposable
from unwet.rewrite.function_text import created
from unwet.rewrite.naming import free_macro
from unwet.rewrite.own_functions import OwnFunction, reached
from unwet.rewrite.project import Project
from unwet.rewrite.targets.function_loops import Family, Unit, in_layout, united
from unwet.rewrite.targets.layout import LEFT_ALONE

FOLDER: Final = "functions/"
# a word, a text or a comment that dbt or SQLMesh would read as one of theirs
_JINJA: Final = re.compile(r"\{[{%#]")
_CALL: Final = re.compile(r"\b(\w+\.\w+)\s*\(")
_COMMENT: Final = re.compile(r"--|#|//|\*/")  # or what may be none, within a text
_MADE: Final = re.compile(r"^CREATE OR REPLACE (?:FUNCTION|MACRO) (\w+\.\w+)", re.MULTILINE)
_ALL: Final = "create_functions"
# BigQuery runs scripts, DuckDB and PostgreSQL (simple queries) take a text of several statements,
# and dbt-snowflake cuts one at its semicolons; Databricks takes one statement each time
_AT_ONCE: Final = frozenset({"bigquery", "duckdb", "postgres", "snowflake"})


def check(functions: Iterable[OwnFunction], dialect: str, target: str) -> None:
    """Raises NotComposable where a project cannot make one of the functions."""
    for each in functions:
        if each.dialect != dialect:
            said = f"the function {each.name} is written in {each.dialect or 'SQL'}"
            raise NotComposable(f"{said}, not in {dialect or 'the dialect of the project'}")
        if target == "sqlmesh" and (_JINJA.search(each.sql) or "@" in each.sql):
            raise NotComposable(f"SQLMesh would read a sign in the function {each.name} as a macro")


def needed(functions: Mapping[str, OwnFunction], texts: Iterable[str]) -> tuple[OwnFunction, ...]:
    """Those that the texts of models and macros call, each behind those that it calls itself."""
    said = (name for text in texts if functions for name in _CALL.findall(text.lower()))
    return reached({name for name in said if name in functions}, functions)


def _schemas(functions: Iterable[OwnFunction]) -> list[str]:
    return sorted({each.name.partition(".")[0] for each in functions})


def schemas(functions: Iterable[OwnFunction]) -> list[str]:
    """The statements that make the schemas of the functions."""
    return [f"CREATE SCHEMA IF NOT EXISTS {name}" for name in _schemas(functions)]


def rights(project: Project) -> str:
    """What whoever builds the project has to be allowed to do, in a line of its own; empty where
    nothing in it calls a function of a script."""
    macros, calls = project.library.macros, project.library.calls
    texts = chain(
        (tree.sql() for tree in project.library.trees),
        (leaf.text for call in calls for _, leaf in call.args),
        (leaf.text for macro in macros for _, leaf in macro.rows),
        (text for macro in macros for text in macro.defaults.values()),
    )
    names = _schemas(needed(project.functions, texts))
    if not names:
        return ""
    return (
        f"\nThe project makes the functions of the old scripts in the schema `{names[0]}`: whoever"
        " builds it needs\nthe right to make that schema, and functions in it."
    )


def about(project: Project, function: OwnFunction) -> str:
    """Where it comes from."""
    return f"as {project.below(function.path)}:{function.line} defines it for itself"


def as_macros(
    project: Project, functions: Sequence[OwnFunction], taken: Collection[str]
) -> dict[str, tuple[tuple[OwnFunction, ...], str]]:
    """For dbt: by the name of a macro the functions that it makes, and its file; one macro for all,
    each behind those that it calls, or one for each."""
    if len(functions) > 1 and project.dialect in _AT_ONCE:
        made = united(functions) if project.loops else functions
        said = "\n\n".join(_noted(project, unit) for unit in made)
        name = free_macro(_ALL, taken)
        return {name: (tuple(functions), _macro(name, said))}
    found: dict[str, tuple[tuple[OwnFunction, ...], str]] = {}
    for each in functions:
        name = free_macro(f"create_{each.name.rpartition('.')[2]}", {*taken, *found})
        note = f"-- {each.name}, {about(project, each)}"
        found[name] = (each,), _macro(name, _as_it_is(each.sql), note)
    return found


def _noted(project: Project, unit: Unit) -> str:
    """A function, or a loop over several, with where they come from."""
    functions, said = (
        (unit.functions, unit.text) if isinstance(unit, Family) else ((unit,), _ended(unit))
    )
    return "\n".join([*(f"-- {each.name}, {about(project, each)}" for each in functions), said])


def _macro(name: str, body: str, note: str = "") -> str:
    head = f"{LEFT_ALONE}\n{note}\n" if note else f"{LEFT_ALONE}\n"
    return f"{head}{{% macro {name}() %}}\n{body}\n{{% endmacro %}}\n"


def _as_it_is(sql: str) -> str:
    """A statement in which no word is a template's."""
    return f"{{% raw %}}\n{sql}\n{{% endraw %}}" if _JINJA.search(sql) else sql


def _ended(function: OwnFunction) -> str:
    """A statement with others behind it: no comment at its end takes the semicolon."""
    said = _as_it_is(function.sql)
    last = said.rpartition("\n")[2]
    return f"{said};" if said == function.sql and not _COMMENT.search(last) else f"{said}\n;"


def on_start(functions: Mapping[str, tuple[tuple[OwnFunction, ...], str]]) -> list[str]:
    """For dbt: what runs before the models; ``functions`` by the macros that make them."""
    made = [each for own, _ in functions.values() for each in own]
    return [*schemas(made), *(f"{{{{ {name}() }}}}" for name in functions)]


def notes(
    project: Project, functions: Mapping[str, tuple[tuple[OwnFunction, ...], str]]
) -> dict[str, str]:
    """For dbt: what each of the macros does."""
    return {name: f"Makes {own[0].name}, {about(project, own[0])}." if len(own) == 1
            else f"Makes {', '.join(each.name for each in own)}."
            for name, (own, _) in functions.items()}  # fmt: skip


def printed(files: Mapping[str, str], functions: Mapping[str, OwnFunction]) -> dict[str, str]:
    """The files, functions in the layout in which the pile is counted, too."""
    found = dict(files)
    for path, text in files.items():
        if functions and FOLDER in path:
            found[path] = _in_layout(text, functions)
    return found


def _in_layout(text: str, functions: Mapping[str, OwnFunction]) -> str:
    for each in (functions[name] for name in _MADE.findall(text) if name in functions):
        if (tree := created(each.sql, each.dialect)) is not None:
            text = text.replace(each.sql, render(tree, each.dialect, spent=True), 1)
    dialects = (each.dialect for name, each in functions.items() if f"-- {name}," in text)
    return in_layout(text, next(dialects, ""))
