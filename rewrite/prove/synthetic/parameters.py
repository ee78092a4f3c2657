"""Values for placeholders that nobody gave one: the same on both sides of a test.

A placeholder that stands where a value stands gets a constant of the kind that its neighbours and
its name suggest; one that is a part of a name (a schema, a prefix) stays what it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.lineage.names import is_parameter
from unwet.lineage.pile import Pile
from unwet.lineage.resolve import resolve
from unwet.lineage.templating import TOKEN
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove import worlds
from unwet.rewrite.prove.synthetic.hints import named_kind
from unwet.rewrite.prove.synthetic.types import Kind, SqlType

_VALUES = {
    "date": "CAST('2024-01-15' AS DATE)",
    "timestamp": "CAST('2024-01-15 12:00:00' AS TIMESTAMP)",
    "integer": "2",
    "double": "2.5",
    "boolean": "TRUE",
}
_TYPED: Final[Mapping[Kind, tuple[str, str]]] = {
    "date": ("2024-01-15", "date"),
    "timestamp": ("2024-01-15 12:00:00", "datetime"),
    "time": ("12:00:00", "time"),
    "json": ('{"a": 1}', "json"),
}
_INSIDE = {"date": "2024-01-15", "timestamp": "2024-01-15 12:00:00", "integer": "2"}
_TEXT, _INSIDE_TEXT = "'a'", "a"
_DATES = (exp.DateAdd, exp.DateSub, exp.DateDiff, exp.DateTrunc, exp.TsOrDsToDate, exp.Date)
_NUMBERS = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Limit, exp.Offset, exp.Fetch)


def guesses(pile: Pile) -> dict[str, str]:
    """Name of a placeholder -> the text to put in its place, for all that stand for values."""
    alone: dict[str, Counter[str]] = {}
    inside: dict[str, str] = {}
    for script in pile.scripts:
        for statement in script.statements:
            names = {p.token.lower(): p.name for p in statement.masked.placeholders}
            for token, kind in _seen(statement.tree) if names else ():
                if token in names:
                    alone.setdefault(names[token], Counter())[kind] += 1
            for token in _quoted(statement.tree) if names else ():
                if token in names:
                    kind = named_kind(names[token]) or ""
                    inside[names[token]] = _INSIDE.get(kind, _INSIDE_TEXT)
    found = {name: _value(name, seen) for name, seen in sorted(alone.items())}
    whole = dict.fromkeys(in_names(pile) & found.keys(), _VALUES["integer"])
    return {**found, **inside, **whole}


def in_names(pile: Pile) -> frozenset[str]:
    """Placeholders that are parts of names somewhere: what they have elsewhere as a value has to be
    one of which names can be made."""
    found: set[str] = set()
    for script in pile.scripts:
        for statement in script.statements:
            names = {p.token.lower(): p.name for p in statement.masked.placeholders}
            for each in statement.tree.find_all(exp.Table) if names else ():
                for part in each.parts:
                    hits = (hit.group().lower() for hit in TOKEN.finditer(part.name))
                    found |= {names[token] for token in hits if token in names}
    return frozenset(found)


def given(pile: Pile, types: Mapping[str, SqlType]) -> dict[str, str]:
    """The same where more is known: `types` of placeholders by token, in lower case."""
    found: dict[str, str] = {}
    known = in_names(pile)
    for script in pile.scripts:
        for statement in script.statements:
            for place in statement.masked.placeholders:
                kind = types.get(place.token.lower())
                if kind is None or kind.evidence != "used" or place.name in known:
                    continue
                if place.name not in found:
                    found[place.name] = value(kind, statement.dialect)
    return {name: found[name] for name in sorted(found)}


def value(kind: SqlType, dialect: str) -> str:
    """Some value of a type as SQL of a dialect."""
    return _typed(kind).sql(dialect or None)


def _typed(kind: SqlType) -> exp.Expr:
    match kind.kind:
        case "integer" | "double" | "decimal":
            return exp.Literal.number(5)
        case "boolean":
            return exp.true()
        case "array":
            inner = [_typed(kind.element)] if kind.element is not None else []
            return exp.Array(expressions=inner)
        case "date" | "timestamp" | "time" | "json" as known:
            text, type_ = _TYPED[known]
            return exp.cast(exp.Literal.string(text), type_)
        case _:
            return exp.Literal.string("a")


def bound(meaning: Meaning, values: Mapping[str, str]) -> Meaning:
    """The pile with values in the place of placeholders (by name); others stay."""
    pile, scripts, again = meaning.pile, [], False
    for script in pile.scripts:
        scripts.append(worlds.bound(script, worlds.tokens_of([script], values)))
        again = again or scripts[-1] is not script
    if not again:
        return meaning
    old = {id(each.statement): each for each in pile.resolved}
    statements = [s for script in scripts for s in script.statements]
    catalog = pile.catalog
    resolved = [old.get(id(s)) or resolve(s, catalog) for s in statements]
    made = replace(pile, scripts=tuple(scripts), resolved=tuple(resolved))
    return Meaning(made, meaning.normalizer)


# --- of which kind ----------------------------------------------------------------------------


def _seen(tree: exp.Expr) -> Iterator[tuple[str, str]]:
    """Every placeholder that stands alone where a value stands, and what is said of its kind."""
    for column in tree.find_all(exp.Column):
        if is_parameter(column):
            yield column.name.lower(), _kind_beside(column)


def _kind_beside(column: exp.Column) -> str:
    parent = column.parent
    if isinstance(parent, exp.Cast) and isinstance(parent.to, exp.DataType):
        return _kind_of_type(parent.to)
    if isinstance(parent, _DATES):
        return "date"
    if isinstance(parent, _NUMBERS):
        return "integer"
    if isinstance(parent, exp.Predicate):
        others = [node for node in parent.iter_expressions() if id(node) != id(column)]
        kinds = (_kind_of_value(other) for other in others)
        return next((kind for kind in kinds if kind), "")
    return ""


def _kind_of_value(node: exp.Expr) -> str:
    match node:
        case exp.Literal():
            return "" if node.is_string else "integer"
        case exp.Boolean():
            return "boolean"
        case exp.Cast():
            return _kind_of_type(node.to)
        case exp.Column():
            return named_kind(node.name) or ""
        case exp.TsOrDsToDate() | exp.Date():
            return "date"
        case _:
            return ""


def _kind_of_type(kind: exp.DataType) -> str:
    if kind.is_type(exp.DType.DATE):
        return "date"
    if kind.is_type(*exp.DataType.TEMPORAL_TYPES):
        return "timestamp"
    return "integer" if kind.is_type(*exp.DataType.INTEGER_TYPES) else ""


def _value(name: str, seen: Counter[str]) -> str:
    told = [kind for kind, _ in seen.most_common() if kind]
    kind = (told or [named_kind(name) or ""])[0]
    return _VALUES.get(kind, _TEXT)


def _quoted(tree: exp.Expr) -> Iterator[str]:
    """Placeholders inside string literals."""
    for each in tree.find_all(exp.Literal):
        if each.is_string:
            yield from (hit.group().lower() for hit in TOKEN.finditer(each.name))
