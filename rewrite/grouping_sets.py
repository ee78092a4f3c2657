"""GROUPING SETS, CUBE and ROLLUP: which sets of keys they stand for, and a short way to say them.

    GROUPING SETS ((a, b, c), (a, b, d), (a, b, c, d), (a, b))  =  a, b, CUBE (c, d)

The items of a GROUP BY multiply: each set of one with each set of the next. What is in brackets
inside is one element of CUBE or ROLLUP (SQL:1999, "grouping sets"; Databricks SQL, "GROUP BY
clause"; PostgreSQL, 7.2.4). A set that stands there twice gives its rows twice, so that sets are
compared as a bag. GROUPING_ID without arguments counts the keys as they are written: with it
nothing is changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import in_line

_WRITTEN_IN: Final = frozenset({"databricks", "duckdb", "postgres", "trino"})
_SETS: Final = (exp.GroupingSets, exp.Cube, exp.Rollup)
_MOST: Final = 1024  # sets that are written out
_MOST_UNITS: Final = 12  # keys that are looked at for a product

_Set = tuple[exp.Expr, ...]


def sets_of(select: exp.Expr) -> list[_Set] | None:
    """The sets of keys of a query with such a GROUP BY; None where there is none, or it is not
    understood."""
    group = select.args.get("group")
    if group is None or {name for name, value in group.args.items() if value} != {"expressions"}:
        return None
    if not any(isinstance(each, _SETS) for each in group.expressions) or _counts_keys(select):
        return None
    return _product(group.expressions)


def as_sets(tree: exp.Expr) -> None:
    """In place: each such GROUP BY in one spelling, its sets written out and sorted."""
    for select in list(tree.find_all(exp.Select)):
        sets = sets_of(select)
        if sets is not None:
            sorted_sets = sorted((sorted(each, key=_text) for each in sets), key=_texts)
            keys = list(sets[0]) if len(sets) == 1 else [_grouping_sets(sorted_sets)]
            select.set("group", exp.Group(expressions=[key.copy() for key in keys]))


def finest(tree: exp.Expr) -> exp.Expr | None:
    """A copy in which of several sets only the one of all keys is left; None where there are no
    sets. It has other rows."""
    copy, is_changed = tree.copy(), False
    for select in list(copy.find_all(exp.Select)) if copy.find(*_SETS) else ():
        sets = sets_of(select)
        if sets is not None:
            keys = dict.fromkeys(key for each in sets for key in each)
            select.set("group", exp.Group(expressions=[key.copy() for key in keys]))
            is_changed = True
    return copy if is_changed else None


def factored(tree: exp.Expr, dialect: str) -> None:
    """In place: keys of all sets, CUBE and what is left, where that is shorter."""
    if dialect not in _WRITTEN_IN:
        return
    for select in list(tree.find_all(exp.Select)):
        sets = sets_of(select)
        made = _short(sets) if sets is not None else None
        if made is not None and _length(made, dialect) < _length(select.args["group"], dialect):
            select.set("group", made)


# --- which sets ----------------------------------------------------------------------------


def _counts_keys(select: exp.Expr) -> bool:
    named = (each.name.lower() for each in select.find_all(exp.Anonymous, exp.Identifier))
    return select.find(exp.GroupingId) is not None or any(
        name.replace("_", "") == "groupingid" for name in named
    )


def _product(items: Iterable[exp.Expr]) -> list[_Set] | None:
    found: list[_Set] = [()]
    for item in items:
        sets = _sets(item)
        if sets is None or len(found) * len(sets) > _MOST:
            return None
        found = [tuple(dict.fromkeys((*left, *right))) for left in found for right in sets]
    return found


def _sets(item: exp.Expr) -> list[_Set] | None:
    """The sets of one item of a GROUP BY."""
    match item:
        case exp.GroupingSets(expressions=parts):
            several = [_sets(p) if isinstance(p, _SETS) else _one_set(p) for p in parts]
            known = [sets for sets in several if sets is not None]
            return [each for sets in known for each in sets] if len(known) == len(parts) else None
        case exp.Cube() | exp.Rollup():
            return _powers(item)
        case exp.Tuple() | exp.Literal():
            return None  # a struct in some dialects; the number of an output
        case _:
            return [(item.unnest(),)]


def _one_set(part: exp.Expr) -> list[_Set] | None:
    inner = part.expressions if isinstance(part, exp.Tuple) else [part]
    keys = tuple(each.unnest() for each in inner)
    odd = any(isinstance(key, (exp.Literal, exp.Tuple, exp.Aliases, *_SETS)) for key in keys)
    return None if odd else [tuple(dict.fromkeys(keys))]


def _powers(item: exp.Expr) -> list[_Set] | None:
    """The subsets of a CUBE, the beginnings of a ROLLUP."""
    elements = [_one_set(part) for part in item.expressions]
    known = [each[0] for each in elements if each is not None]
    if not known or len(known) < len(elements) or len(known) > _MOST.bit_length():
        return None
    sizes = range(len(known), -1, -1)
    chosen: Iterable[Sequence[_Set]] = (
        (known[:size] for size in sizes)
        if isinstance(item, exp.Rollup)
        else (some for size in sizes for some in combinations(known, size))
    )
    return [tuple(dict.fromkeys(key for each in some for key in each)) for some in chosen]


# --- how to say them -----------------------------------------------------------------------


def _short(sets: Sequence[_Set]) -> exp.Expr | None:
    """The sets as a product, or None where one stands there twice."""
    if max(Counter(map(frozenset, sets)).values()) > 1:
        return None
    units = _units(sets)
    if len(units) > _MOST_UNITS:
        return None
    family = [frozenset(at for at, unit in enumerate(units) if unit[0] in each) for each in sets]
    keys: list[exp.Expr] = []
    free: list[exp.Expr] = []
    rest: list[exp.Expr] = []
    for block, parts in _factors(family, len(units)):
        if len(block) == len(parts) == 1:
            keys += units[block[0]]
        elif len(block) == 1:
            free.append(_element(units[block[0]]))
        else:
            chosen = [[key for at in sorted(part) for key in units[at]] for part in parts]
            rest.append(_grouping_sets(chosen))
    cube = [exp.Cube(expressions=free)] if free else []
    made = exp.Group(expressions=[*keys, *cube, *rest])
    return made.copy() if made.expressions else None


def _units(sets: Sequence[_Set]) -> list[list[exp.Expr]]:
    """Keys that are in the same sets are one."""
    units: dict[tuple[bool, ...], list[exp.Expr]] = {}
    for key in dict.fromkeys(key for each in sets for key in each):
        units.setdefault(tuple(key in each for each in sets), []).append(key)
    return list(units.values())


def _factors(
    family: Sequence[frozenset[int]], width: int
) -> list[tuple[tuple[int, ...], list[frozenset[int]]]]:
    """The smallest blocks of elements whose parts multiply to the family, and these parts."""
    found: list[tuple[tuple[int, ...], list[frozenset[int]]]] = []
    left, rest = list(range(width)), list(dict.fromkeys(family))
    while left:
        sizes = range(len(left))
        blocks = ((left[0], *more) for size in sizes for more in combinations(left[1:], size))
        for block in blocks:
            parts = list(dict.fromkeys(each & set(block) for each in rest))
            others = list(dict.fromkeys(each - set(block) for each in rest))
            if len(parts) * len(others) == len(rest):
                found.append((block, parts))
                left, rest = [each for each in left if each not in block], others
                break
    return found


def _grouping_sets(sets: Iterable[Sequence[exp.Expr]]) -> exp.Expr:
    return exp.GroupingSets(expressions=[_element(each) for each in sets])


def _element(unit: Sequence[exp.Expr]) -> exp.Expr:
    return unit[0] if len(unit) == 1 else exp.Tuple(expressions=list(unit))


def _length(group: exp.Expr, dialect: str) -> tuple[int, int]:
    """Printed lines and characters."""
    query = exp.Select(group=group.copy())
    return query.sql(dialect, pretty=True).count("\n"), len(query.sql(dialect))


def _text(key: exp.Expr) -> str:
    return in_line(key)


def _texts(keys: Sequence[exp.Expr]) -> list[str]:
    return [_text(key) for key in keys]
