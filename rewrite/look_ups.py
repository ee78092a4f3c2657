"""What follows from the table that a macro is called with is looked up, and not said in each call.

    {{ visits_per_year(analysis_id=4, date='visit_start_date', table='visit_occurrence') }}
 -> {{ visits_per_year(analysis_id=4, table='visit_occurrence') }}

where the macro has `date=date_of(table)`, and `date_of` is a macro with a row for each table. A
call that wants another column than the table's usual one still says it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlglot import exp

from unwet.rewrite.library import LINE, Library, Macro, MacroCall
from unwet.rewrite.naming import free_macro, shared_words
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.source_tables import table_name, table_parameters
from unwet.rewrite.usual_values import calls_by_macro

_LEAST: Final = 4  # tables, and calls that need not say what follows from them
_KEY: Final = "table"
_PLAIN: Final = re.compile(r"[A-Za-z_]\w*")
_AROUND: Final = 5  # lines of a macro around its rows, and one more name to know


@dataclass(frozen=True, slots=True)
class _Column:
    """A parameter of a macro that the table decides: the other parameter, that is the table, and
    what most calls say, by table."""

    macro: str
    table: str
    name: str
    values: Mapping[str, Leaf]


@dataclass
class _LookUp:
    """Rows for several parameters that mean the same of a table."""

    rows: dict[str, Leaf]
    columns: list[_Column] = field(default_factory=list)

    def agrees(self, column: _Column) -> bool:
        """Whether most tables that both know are the same to both."""
        common = [table for table in column.values if table in self.rows]
        same = sum(self.rows[table] == column.values[table] for table in common)
        return same >= 2 and 4 * same >= 3 * len(common)

    def add(self, column: _Column) -> None:
        """The column's tables that have no row get one."""
        for table, value in column.values.items():
            self.rows.setdefault(table, value)
        self.columns.append(column)


def with_look_ups(library: Library, taken: Collection[str]) -> Library:
    """The library with look-ups, as far as they make it smaller. ``taken``: names that no macro may
    have."""
    found = _grouped(_columns(library))
    while found:
        lines = _lines(library, found)
        left = [(_lines(library, [e for e in found if e is not each]), each) for each in found]
        fewest, idle = min(left, key=lambda pair: pair[0])
        if fewest > lines:
            break
        found = [each for each in found if each is not idle]
    return _made(library, found, taken)


def _columns(library: Library) -> list[_Column]:
    """What follows from a table, the parameters of most tables first."""
    calls = calls_by_macro(library)
    tables = table_parameters(library)
    found: list[_Column] = []
    for macro in library.macros:
        keys = [name for name in macro.params if (macro.name, name) in tables]
        own = [library.calls[n] for n in calls.get(macro.name, ())]
        if len(keys) == 1 and len(own) >= _LEAST and keys[0] not in macro.defaults:
            told = {keys[0], *macro.defaults, *_aliases(macro.tree)}
            others = (name for name in macro.params if name not in told)
            found += [_Column(macro.name, keys[0], name, said)
                      for name in others if (said := _said(own, keys[0], name))]  # fmt: skip
    return sorted(found, key=lambda each: (-len(each.values), each.macro, each.name))


def _aliases(tree: exp.Expr) -> set[str]:
    """The parameters that are what a query calls a relation: they say nothing of a table."""
    names = (alias.name for alias in tree.find_all(exp.TableAlias))
    return {name[len("h__") : -len("__h")] for name in names if name.startswith("h__")}


def _said(calls: Sequence[MacroCall], table: str, name: str) -> dict[str, Leaf]:
    """By table, what most calls say for a parameter; nothing where it is mostly handed on."""
    votes: dict[str, Counter[Leaf]] = defaultdict(Counter)
    for call in calls:
        said = dict(call.args)
        key, value = table_name(said[table].text), said[name]
        if key and value.kind == "name" and _PLAIN.fullmatch(value.text) and "__" not in value.text:
            votes[key][value] += 1
    found = {key: min(values, key=lambda v: (-values[v], v)) for key, values in votes.items()}
    enough = len(found) >= _LEAST and len({*found.values()}) > 1
    return found if enough else {}


def _grouped(columns: Sequence[_Column]) -> list[_LookUp]:
    found: list[_LookUp] = []
    for column in columns:
        known = next((each for each in found if each.agrees(column)), None)
        if known is None:
            known = _LookUp({})
            found.append(known)
        known.add(column)
    return found


def _shorter(library: Library, found: Sequence[_LookUp]) -> list[MacroCall]:
    """The calls without what is looked up."""
    usual = {(c.macro, c.name): (c.table, each.rows) for each in found for c in each.columns}
    shorter: list[MacroCall] = []
    for call in library.calls:
        said = dict(call.args)
        idle = set[str]()
        for name, leaf in call.args:
            table, rows = usual.get((call.macro, name), ("", {}))
            if table and rows.get(table_name(said[table].text)) == leaf:
                idle.add(name)
        args = tuple(each for each in call.args if each[0] not in idle)
        unsaid = tuple(each for each in call.args if each[0] in idle)
        shorter.append(replace(call, args=args, unsaid=(*call.unsaid, *unsaid)))
    return shorter


def _lines(library: Library, found: Sequence[_LookUp]) -> int:
    """The lines of all calls and of the look-ups, about."""
    calls = sum(map(_height, _shorter(library, found)))
    return calls + sum(_AROUND + len(each.rows) for each in found)


def _height(call: MacroCall) -> int:
    said = (table_name(leaf.text) or leaf.text for _, leaf in call.args)
    words = sum(len(name) + len(text) + 5 for (name, _), text in zip(call.args, said, strict=True))
    inside = words + 2
    return 1 if len(call.macro) + inside + 6 <= LINE else 3 + inside // LINE


def _made(library: Library, found: Sequence[_LookUp], taken: Collection[str]) -> Library:
    calls, macros = _shorter(library, found), list(library.macros)
    for each in found:
        params = {name for macro in macros for name in macro.params}  # would hide a macro
        names = {*taken, *params, *(macro.name for macro in macros)}
        name = free_macro(f"{_word(each)}_of", names)
        rows = tuple(sorted(each.rows.items()))
        about = f"what each of {len(rows)} tables has for it"
        macros.append(Macro(name, (_KEY,), exp.Var(this=""), "look_up", about, rows=rows))
        for column in each.columns:
            key = (_KEY, Leaf("condition", f"h__{column.table}__h"))
            calls.append(MacroCall(name, (key,)))
            at = next(n for n, macro in enumerate(macros) if macro.name == column.macro)
            defaults = {**macros[at].defaults, column.name: f"call__{len(calls) - 1}__call"}
            macros[at] = replace(macros[at], defaults=defaults)
    return Library(library.models, tuple(macros), tuple(calls))


def _word(look_up: _LookUp) -> str:
    """The words that all values share; else what the parameter is called."""
    word = shared_words(leaf.text for leaf in look_up.rows.values())
    return word if word != "column" else look_up.columns[0].name
