"""The macros of a project as Jinja writes them, with calls that say tables and what follows from
them no more than once.

spoken_of(project) -> the project with such calls, and what the parameters are that are tables
macro_text(project, macro, tables) -> a macro's file; macro_body: what it says
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from unwet.rewrite.called_once import with_blocks
from unwet.rewrite.common_comments import aloud
from unwet.rewrite.derived_texts import with_derived_texts
from unwet.rewrite.library import LINE, NO_VALUE, Macro, MacroCall, parameters, with_leading
from unwet.rewrite.project import Project
from unwet.rewrite.same_tables import same_tables, without_these
from unwet.rewrite.source_tables import table_parameters, with_tables
from unwet.rewrite.targets.jinja import template, wrapped
from unwet.rewrite.targets.jinja_values import look_up, printed_look_up, usual
from unwet.rewrite.unsaid_scopes import with_unsaid_scopes
from unwet.rewrite.usual_ways import with_usual_ways

NO_TABLES: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Spoken:
    """``tables``: by macro, what in its text stands for a parameter that is a source's table."""

    project: Project
    tables: Mapping[str, Mapping[str, str]]

    def of(self, macro: str) -> Mapping[str, str]:
        """Those of one macro."""
        return self.tables.get(macro, NO_TABLES)


def spoken_of(project: Project, unless: bool = True) -> Spoken:
    """The project in whose calls a table is a word where all are of one schema, and what follows
    from another argument is not said; with ``unless`` also where that one is not said either."""
    if not project.library.calls:
        return Spoken(project, {})  # of models in their own words, and there may be many
    schemas = table_parameters(project.library)
    same = same_tables(project.library, schemas)
    library = without_these(with_tables(project.library, schemas), same)
    tables: dict[str, dict[str, str]] = defaultdict(dict)
    for (macro, name), schema in schemas.items():
        tables[macro][name] = f"source('{schema}', {same.get((macro, name), name)})"
    library = with_usual_ways(with_derived_texts(library))
    library = with_leading(with_unsaid_scopes(library) if unless else library)
    library = with_blocks(library)
    return Spoken(replace(project, library=library), tables)


def macro_text(
    project: Project, macro: Macro, tables: Mapping[str, str], returns: bool = True
) -> str:
    """``{% macro name(...) %}``, body, ``{% endmacro %}``; ``tables``: what parameters are that
    are names of source tables; ``returns``: whether a macro can return what it does not print."""
    dialect, calls = project.dialect, project.library.calls
    said = [f"{n}={_usual(macro, n, dialect, calls)}" if n in macro.defaults else n
            for n in parameters(macro)]  # fmt: skip
    head = f"{{% macro {macro.name}({', '.join(said)}) %}}"
    if len(head) > LINE:
        head = f"{{% macro {macro.name}(\n{wrapped(said)}\n) %}}"
    body = macro_body(project, macro, tables, returns)
    return f"{head}\n{body}\n{{% endmacro %}}\n"


def _usual(macro: Macro, name: str, dialect: str, calls: Sequence[MacroCall]) -> str:
    text = usual(macro.defaults[name], dialect, calls)
    if text.isdecimal() and _is_text(macro, name, calls):
        text = f"'{text}'"  # as the calls say it that say another one
    if name not in macro.unless:
        return text
    other, without = macro.unless[name]
    return f"{usual(without, dialect, calls)} if {other} is none else {text}"


def _is_text(macro: Macro, name: str, calls: Sequence[MacroCall]) -> bool:
    own = (call.args for call in calls if call.macro == macro.name)
    return any(n == name and leaf.kind == "string" for args in own for n, leaf in args)


def macro_body(
    project: Project, macro: Macro, tables: Mapping[str, str], returns: bool = True
) -> str:
    """What stands between head and end of the macro."""
    return blocks_text(project, macro.name) + _own_text(project, macro, tables, returns)


def blocks_text(project: Project, host: str) -> str:
    """What the template of a model or macro says in front, under names."""
    blocks = project.library.blocks.get(host, ())
    said = ((name, _own_text(project, macro, NO_TABLES)) for name, macro in blocks)
    return "".join(f"{{% set {name} %}}\n{text}\n{{% endset %}}\n" for name, text in said)


def _own_text(
    project: Project, macro: Macro, tables: Mapping[str, str], returns: bool = True
) -> str:
    if macro.kind == "look_up":
        show = look_up if returns else printed_look_up
        return show(macro.rows, macro.params[0], project.dialect)
    body = template(
        aloud(macro.tree),
        project.dialect,
        project.library.calls,
        macro.kind,
        spent=True,
        tables=project.loops,
        sources=tables,
        optional=_tests(macro),
    )
    if macro.kind == "expression" and (idle := _idle(macro)):
        return f"{{% if {idle} is none %}}1 = 1{{% else %}}\n{body}\n{{% endif %}}"
    return body


def _idle(macro: Macro) -> str:
    """A parameter without which a condition demands nothing, in words of every dialect."""
    return next((n for n in macro.params if macro.defaults.get(n) == NO_VALUE.text), "")


def _tests(macro: Macro) -> dict[str, str]:
    """When each of the columns is there that not always are."""
    parameter, names = macro.optional
    tests = {name: f"'{name}' not in {parameter}" for name in names}
    constant, output = macro.scoped
    return {output: f"{constant} is not none", **tests} if constant else tests
