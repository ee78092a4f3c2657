"""Parameters that are always a table of one schema: calls say the table, the macro its schema.

    {{ visits_per_year(start='visit_start_date', relation=source('cdm', 'visit_occurrence')) }}
 -> {{ visits_per_year(start='visit_start_date', table='visit_occurrence') }}

and the macro reads `{{ source('cdm', table) }}`. So it says where it hands the table on to a macro
that reads tables of other schemas, too: `{{ totals(relation=source('cdm', table)) }}`.

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
from unwet.rewrite.library import (
    HOLE,
    Library,
    Macro,
    MacroCall,
    calls_within,
    numbers_in,
    numbers_of,
)
from unwet.rewrite.shapes import Leaf

Parameter = tuple[str, str]  # a macro, and one of its parameters

_SOURCE: Final = re.compile(r"src__(\w+?)__([\w\0]+?)__src", re.IGNORECASE)
_HANDED_ON: Final = re.compile(r"h__(\w+)__h", re.IGNORECASE)


@dataclass
class _Values:
    """What calls say for a parameter: schemas of sources, parameters that are handed on; ``other``:
    something else, too."""

    schemas: set[str] = field(default_factory=set)
    handed: set[Parameter] = field(default_factory=set)
    other: bool = False


def table_parameters(library: Library) -> Mapping[Parameter, str]:
    """The schema, as `source` calls it, of the parameters that stand for tables of one only. What
    is handed on for one of them is one, too."""
    held = {*_held(library)}
    found = {each: values for each, values in _values(library).items() if each not in held}
    while True:
        sure = {each: None for each, values in found.items() if not values.other}
        schemas = {each: _schemas(each, found) for each in sure}
        left = {each: found[each] for each, every in schemas.items()
                if len(every) == 1 and found[each].handed <= sure.keys()}  # fmt: skip
        if len(left) == len(found):
            return {each: min(every) for each, every in schemas.items()}
        found = left


def with_tables(library: Library, found: Mapping[Parameter, str]) -> Library:
    """The library in which calls and defaults of these parameters are names of tables. Its trees
    are as they were: what stands in them for a parameter is still a relation."""
    callers = dict(_callers(library))

    def call(number: int, each: MacroCall) -> MacroCall:
        caller = callers.get(number, "")
        said = tuple((n, _table(v) if (each.macro, n) in found else _relation(v, caller, found))
                     for n, v in each.args)  # fmt: skip
        return replace(each, args=said)

    def macro(each: Macro) -> Macro:
        texts_of = {name: (table_name(text) if (each.name, name) in found else "") or text
                    for name, text in each.defaults.items()}  # fmt: skip
        return replace(each, defaults=texts_of)

    calls = tuple(call(number, each) for number, each in enumerate(library.calls))
    return Library(library.models, tuple(map(macro, library.macros)), calls)


def source_of(text: str) -> tuple[str, str] | None:
    """The schema and the table of a source's token; None for other texts, and where the schema is
    a parameter or has one in it."""
    masked = HOLE.sub(lambda hole: hole.group().replace("__", "\0"), text)
    hit = _SOURCE.fullmatch(masked)
    return (hit[1], hit[2].replace("\0", "__")) if hit is not None else None


def table_name(text: str) -> str:
    """The table of a source's token; empty for other texts."""
    _, table = source_of(text) or ("", "")
    return table


def _table(leaf: Leaf) -> Leaf:
    table = table_name(leaf.text)
    return Leaf("condition", table) if table else leaf


def _relation(leaf: Leaf, caller: str, found: Mapping[Parameter, str]) -> Leaf:
    """What is handed on of a macro's table to one that wants a relation."""
    handed = _HANDED_ON.fullmatch(leaf.text)
    schema = found.get((caller, handed[1])) if handed is not None else None
    return replace(leaf, text=f"src__{schema}__{leaf.text}__src") if schema is not None else leaf


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
    source, handed = source_of(text), _HANDED_ON.fullmatch(text)
    if source is not None:
        values.schemas.add(source[0].lower())
    elif handed is not None and caller:
        values.handed.add((caller, handed[1]))
    else:
        values.other = True


def _callers(library: Library) -> Iterator[tuple[int, str]]:
    """The macro that each call stands in, also in what another call or a default says, by the
    number of the call; empty for a model."""
    places = [("", number) for tree in library.models.values() for number in numbers_of(tree)]
    for macro in library.macros:
        said = (*texts(macro.tree), *macro.defaults.values())
        places += [(macro.name, number) for text in said for number in numbers_in(text)]
    for host, number in places:
        yield from ((each, host) for each in sorted(calls_within([number], library.calls)))


def _schemas(parameter: Parameter, found: Mapping[Parameter, _Values]) -> frozenset[str]:
    """Those of all tables that a parameter is, also of what is handed on for it."""
    waiting, seen = [parameter], set[Parameter]()
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting += (other for other in found[each].handed if other in found)
    return frozenset(schema for each in seen for schema in found[each].schemas)


def _held(library: Library) -> Iterator[Parameter]:
    """Parameters that are part of a longer text, or that a default follows from: they are what
    they were. So are those of a call that stands in several places."""
    places: dict[int, set[str]] = defaultdict(set)
    for number, caller in _callers(library):
        places[number].add(caller)
    for number, callers in places.items():
        for text in library.calls[number].texts:
            for name in HOLE.findall(text):
                if len(callers) > 1 or _HANDED_ON.fullmatch(text) is None:
                    yield from ((caller, name) for caller in callers)
    for macro in library.macros:
        yield from ((macro.name, n) for t in macro.defaults.values() for n in HOLE.findall(t))
