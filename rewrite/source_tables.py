"""Parameters that are always a table of one schema: calls say the table, the macro its schema.

    {{ visits_per_year(start='visit_start_date', relation=source('cdm', 'visit_occurrence')) }}
 -> {{ visits_per_year(start='visit_start_date', table='visit_occurrence') }}

and the macro reads `{{ source('cdm', table) }}`.

table_parameters(library) -> the schema by macro and parameter
with_tables(library, found) -> the library with the tables in place of the sources
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from unwet.lineage.trees import texts
from unwet.rewrite.library import Library, Macro, MacroCall, numbers_in, numbers_of
from unwet.rewrite.shapes import Leaf

Parameter = tuple[str, str]  # a macro, and one of its parameters

_SOURCE: Final = re.compile(r"src__(\w+?)__(\w+?)__src", re.IGNORECASE)
_HANDED_ON: Final = re.compile(r"h__(\w+)__h", re.IGNORECASE)


@dataclass
class _Values:
    """What calls say for a parameter: schemas of sources, parameters that are handed on; ``other``:
    something else, too."""

    schemas: set[str] = field(default_factory=set)
    handed: set[Parameter] = field(default_factory=set)
    other: bool = False


def table_parameters(library: Library) -> Mapping[Parameter, str]:
    """The schema, as `source` calls it, of the parameters that stand for tables of one only. A
    parameter and what is handed on for it are so together or not at all."""
    found = _values(library)
    linked: dict[Parameter, set[Parameter]] = defaultdict(set)
    for parameter, values in found.items():
        for other in values.handed:
            linked[parameter].add(other)
            linked[other].add(parameter)
    schemas: dict[Parameter, str] = {}
    for parameter in found:
        if parameter in schemas:
            continue
        group = _group(parameter, linked)
        sure = all(each in found and not found[each].other for each in group)
        every = {schema for each in group if sure for schema in found[each].schemas}
        if len(every) == 1:
            schemas |= dict.fromkeys(group, every.pop())
    return schemas


def with_tables(library: Library, found: Mapping[Parameter, str]) -> Library:
    """The library in which calls and defaults of these parameters are names of tables. Its trees
    are as they were: what stands in them for a parameter is still a relation."""

    def call(each: MacroCall) -> MacroCall:
        said = tuple((n, _table(v) if (each.macro, n) in found else v) for n, v in each.args)
        return replace(each, args=said)

    def macro(each: Macro) -> Macro:
        texts_of = {name: (table_name(text) if (each.name, name) in found else "") or text
                    for name, text in each.defaults.items()}  # fmt: skip
        return replace(each, defaults=texts_of)

    return Library(
        library.models, tuple(map(macro, library.macros)), tuple(map(call, library.calls))
    )


def table_name(text: str) -> str:
    """The table of a source's token; empty for other texts."""
    hit = _SOURCE.fullmatch(text)
    return hit[2] if hit is not None else ""


def _table(leaf: Leaf) -> Leaf:
    table = table_name(leaf.text)
    return Leaf("condition", table) if table else leaf


def _values(library: Library) -> dict[Parameter, _Values]:
    callers = dict(_callers(library))
    usual = {macro.name: macro.defaults for macro in library.macros}
    found: dict[Parameter, _Values] = defaultdict(_Values)
    for number, call in enumerate(library.calls):
        if number not in callers:
            continue  # nothing says it any more
        for name, leaf in (*call.args, *call.unsaid):
            _note(found[call.macro, name], leaf.text, callers[number])
    for macro, defaults in usual.items():
        for name, text in defaults.items():
            follows = "h__" in text  # from another parameter
            _note(found[macro, name], "" if follows else text, "")
    return found


def _note(values: _Values, text: str, caller: str) -> None:
    source, handed = _SOURCE.fullmatch(text), _HANDED_ON.fullmatch(text)
    if source is not None:
        values.schemas.add(source[1].lower())
    elif handed is not None and caller:
        values.handed.add((caller, handed[1]))
    else:
        values.other = True


def _callers(library: Library) -> Iterator[tuple[int, str]]:
    """The macro that each call stands in, by the number of the call; empty for a model."""
    for tree in library.models.values():
        yield from ((number, "") for number in numbers_of(tree))
    for macro in library.macros:
        for text in texts(macro.tree):
            for number in numbers_in(text):
                yield int(number), macro.name


def _group(parameter: Parameter, linked: Mapping[Parameter, set[Parameter]]) -> set[Parameter]:
    group, stack = {parameter}, [parameter]
    while stack:
        for other in linked.get(stack.pop(), ()):
            if other not in group:
                group.add(other)
                stack.append(other)
    return group
