"""Conditions that keep or drop partitions of windows as wholes.

filter_of_partitions(rel, integers) -> the relation with them below the windows, or None
"""

from __future__ import annotations

from dataclasses import replace

from unwet.rewrite.algebra import Col, Expr, Filter, Join, Over, Project, Rel, Window, width
from unwet.rewrite.prove.identity import told
from unwet.rewrite.prove.whole_numbers import Integers
from unwet.rewrite.references import used
from unwet.rewrite.rules.discerning import discerning
from unwet.rewrite.rules.projects import columns
from unwet.rewrite.rules.refs import all_movable, is_movable, is_volatile, rebuild, remap


def filter_of_partitions(rel: Rel, integers: Integers) -> Rel | None:
    """Filter(Window(r, fs), c and d) -> Filter(Window(Filter(r, c), fs), d), where what all of fs
    are partitioned by tells what c reads: l LEFT JOIN r ON r.k = l.k, partitions by l.k, and
    r.k IS NULL. (That c reads the partitions' own columns is a rule of normal forms.)"""
    match rel:
        case Filter(input=Window(input=inner, functions=functions) as window, conjuncts=conjuncts):
            if any(map(is_volatile, functions)):
                return None
            same = [_same_in(each, inner, integers) for each in functions]
            shared = frozenset(range(width(inner))).intersection(*same)
            own = tuple(c for c in conjuncts if _is_of(c, shared))
            if not own:
                return None
            below = replace(window, input=Filter(inner, own))
            rest = tuple(c for c in conjuncts if c not in own)
            return Filter(below, rest) if rest else below
        case _:
            return None


def _same_in(function: Over, rel: Rel, integers: Integers) -> frozenset[int]:
    """The columns that have one value in each partition."""
    while isinstance(rel, Filter):
        rel = rel.input
    keys = {each.index for each in function.partition if isinstance(each, Col)}
    made = tuple(each for each in function.partition if not isinstance(each, Col))
    if not isinstance(rel, Join):
        return told(rel, keys, integers).columns
    split = width(rel.inputs[0])
    made = tuple(e for e in made if is_movable(e) and max(used((e,)), default=split) < split)
    found = told(
        _beside(rel, made),
        {*range(split, split + len(made)), *(i if i < split else i + len(made) for i in keys)},
        integers,
    ).columns
    return frozenset(
        i if i < split else i - len(made) for i in found if not split <= i < split + len(made)
    )


def _beside(rel: Join, made: tuple[Expr, ...]) -> Join:
    """The join with expressions over its first input as columns behind that input's own."""
    first, *others = rel.inputs
    split = width(first)
    wide = Project(first, (*columns(0, split), *made))
    places = {each: Col(split + at) for at, each in enumerate(made)}
    moved = [remap(test, lambda i: i if i < split else i + len(made)) for test in rel.on]
    on = [rebuild(test, lambda part: places.get(part, part)) for test in moved]
    return replace(rel, inputs=(wide, *others), on=tuple(on))


def _is_of(test: Expr, known: frozenset[int]) -> bool:
    return used((test,)) <= known and all_movable((test,)) and not discerning((test,))
