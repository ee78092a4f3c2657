"""Other names for the parameters of macros whose names say nothing: from where a parameter stands,
from what it is handed on for, or from what all calls say.

    JOIN ({{ part }}) AS cost                 -> cost
    CROSS JOIN UNNEST({{ value }}) AS decile  -> deciles
    {{ deciles_of(deciles=value) }}           -> deciles
    UNION ALL {{ part_2 }}                    -> delayed, where all calls say {{ sales_delayed... }}
    ORDER BY {{ sorted_by_2 }}                -> sorted_by, where nothing else is called so
    FROM {{ source('shop', relation) }}       -> table
    {{ n_2 }} / NULLIF({{ n }}, 0)            -> numerator, denominator
    {{ paid_value }}                          -> paid, in the macro that is called so, too

Where a parameter stands is told in `labels_of_places`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from sqlglot import exp

from unwet.rewrite.labels_of_places import ALIAS, SORTED_BY, is_word, label
from unwet.rewrite.library import (
    HANDED_ON,
    HOLE,
    Library,
    Macro,
    MacroCall,
    calls_within,
    numbers_of,
    said_to,
)
from unwet.rewrite.naming import NO_PARAMETERS, common_words, free
from unwet.rewrite.renaming import with_parameters
from unwet.rewrite.source_tables import table_parameters
from unwet.rewrite.untrue_names import with_true_names

_IDLE: Final = re.compile(r"(?:part|relation|value|column)(?:_\d+)?")
_CONDITION: Final = re.compile(r"condition(?:_\d+)?")
_VALUE: Final = re.compile(r"(\w+)_value")
_NUMBERED: Final = re.compile(r"(\w*[a-z])_[2-9]")
_PLAIN: Final = re.compile(r"[A-Za-z_]\w*")
_OF_ROWS: Final = ("part", "relation")
_WORDS: Final = 3
_TABLE: Final = "table"
_SOURCE_TABLE: Final = "source_table"  # beside a constant that is called so
_ROUNDS: Final = 5  # macros that hand a parameter on to one another
_MODEL: Final = re.compile(r"ref__(?:int_|stg_)?(\w+?)__ref", re.IGNORECASE)

_Parameter = tuple[str, str]  # a macro, and one of its parameters


def with_telling_names(library: Library) -> Library:
    """The library with these names, where they are free."""
    names = dict[_Parameter, str]()
    said = said_to(library)
    for _ in range(_ROUNDS):
        before = len(names)
        for macro in library.macros:
            taken = {*(each.name for each in library.macros), *macro.params, *NO_PARAMETERS}
            taken |= {to for (host, _), to in names.items() if host == macro.name}
            for name, to in _names(macro, said.get(macro.name, {}), library.calls, names):
                to = free(to, taken - {name}) if to == ALIAS else to
                if to not in taken and (macro.name, name) not in names:
                    names[macro.name, name] = to
                    taken.add(to)
        if len(names) == before:
            break
    for host, name in table_parameters(library):
        params = next(each.params for each in library.macros if each.name == host)
        own = {*params, *(to for (each, _), to in names.items() if each == host)}
        if _IDLE.fullmatch(name) or name == f"{host}_value":
            to = next((each for each in (_TABLE, _SOURCE_TABLE) if each not in own), name)
            names.setdefault((host, name), to)
    library = _without_idle_numbers(with_parameters(library, names))
    return with_true_names(_of_taken_words(library))


def _of_taken_words(library: Library) -> Library:
    """The library in which a parameter that has a number because its word is something else's has
    what it is behind that word: `range_column`."""
    names = dict[_Parameter, str]()
    said = said_to(library)
    macros = {each.name for each in library.macros}
    for macro in library.macros:
        taken = {*macros, *macro.params, *NO_PARAMETERS}
        own = {node.name.lower() for node in macro.tree.find_all(exp.Identifier)}
        for name in macro.params:
            found = _NUMBERED.fullmatch(name)
            if found is None or name in own or found[1] in macro.params:
                continue
            words = said.get(macro.name, {}).get(name, [""])
            to = f"{found[1]}_{'column' if all(map(_PLAIN.fullmatch, words)) else 'value'}"
            if to not in taken:
                names[macro.name, name] = to
                taken.add(to)
    return with_parameters(library, names)


def _without_idle_numbers(library: Library) -> Library:
    """The library in which no parameter has a number, or a word, that sets it apart from
    nothing."""
    names = dict[_Parameter, str]()
    looped = _called_again(library)
    for macro in library.macros:
        taken = {*(each.name for each in library.macros), *macro.params, *NO_PARAMETERS}
        for name in macro.params:
            found = _NUMBERED.fullmatch(name)
            own = _VALUE.fullmatch(name)
            is_own = own is not None and own[1] == macro.name and macro.name not in looped
            if own is not None and is_own and _is_free(own[1], macro.params):
                names[macro.name, name] = own[1]  # no macro calls itself
            elif found is not None and found[1] not in taken:
                names[macro.name, name] = found[1]
                taken.add(found[1])
    return with_parameters(library, names)


def _called_again(library: Library) -> frozenset[str]:
    """The macros that one template calls several times: where that is a loop, its rows have the
    names of the parameters, which would hide the macro."""
    found = (
        Counter(library.calls[n].macro for n in calls_within(numbers_of(tree), library.calls))
        for tree in library.trees
    )
    return frozenset(name for counts in found for name, many in counts.items() if many > 1)


def _is_free(word: str, params: Collection[str]) -> bool:
    """Whether it may be a parameter beside these."""
    return is_word(word) and word not in params


def _names(
    macro: Macro,
    said: Mapping[str, Sequence[str]],
    calls: Sequence[MacroCall],
    names: Mapping[_Parameter, str],
) -> Iterator[tuple[str, str]]:
    """The parameters that say nothing, each with a name that does."""
    idle = [name for name in macro.params if _says_nothing(name, macro.params)]
    places = _places(macro, calls, names) if idle else {}
    spoken = {n: _shared(said.get(n, ()), calls) for n in idle if n.startswith(_OF_ROWS)}
    for name in idle:
        stands = places.get(name, set())
        stands = stands - {SORTED_BY} or stands
        own = _VALUE.fullmatch(name)
        if own is not None and stands != {own[1]}:
            continue  # `paid_value` says something, and only `paid` says it better
        to = min(stands) if len(stands) == 1 else ""
        if not to and name in spoken:
            others = {w for each, words in spoken.items() if each != name for w in words}
            to = _telling(spoken[name], {*others, *macro.name.split("_")})
        if to:
            yield name, to


def _says_nothing(name: str, params: Sequence[str]) -> bool:
    """Whether it is a name for anything, or a number sets it or another one apart, or it is one of
    several conditions."""
    if _CONDITION.fullmatch(name):
        return sum(_CONDITION.fullmatch(each) is not None for each in params) > 1
    return f"{name}_2" in params or any(each.fullmatch(name) for each in (_IDLE, _NUMBERED, _VALUE))


def _places(
    macro: Macro, calls: Sequence[MacroCall], names: Mapping[_Parameter, str]
) -> dict[str, set[str]]:
    """By parameter: what it is called where it stands, and where it is handed on; nothing where it
    is not called so everywhere."""
    found: dict[str, set[str]] = {}
    for node in macro.tree.find_all(exp.Var, exp.Identifier, exp.Literal):
        if (hole := HOLE.fullmatch(node.name)) is not None:
            to = label(node)
            found.setdefault(hole[1], set()).update(() if to is None else (to,))
    for call in (calls[n] for n in calls_within(numbers_of(macro.tree), calls)):
        for name, leaf in (*call.args, *call.unsaid):
            if (hole := HOLE.fullmatch(leaf.text)) is not None:
                to = names.get((call.macro, name), name)
                found.setdefault(hole[1], set()).add("" if _IDLE.fullmatch(to) else to)
    return found


# --- what calls say ---------------------------------------------------------------------------


def _shared(texts: Iterable[str], calls: Sequence[MacroCall]) -> list[str]:
    """The words that the names of all models or macros have that are said."""
    names = list[str]()
    for text in texts:
        model, call = _MODEL.fullmatch(text), HANDED_ON.fullmatch(text)
        names.append(model[1] if model else calls[int(call[1])].macro if call else "")
    return common_words(names).split("_") if len({*names}) > 1 and all(names) else []


def _telling(words: Sequence[str], others: Collection[str]) -> str:
    """Some words of its own."""
    name = "_".join([word for word in words if word not in others][:_WORDS])
    return name if is_word(name) else ""
