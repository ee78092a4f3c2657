"""Anti-unification: the most special plan that several plans are instances of, and its holes.

Plotkin ("A Note on Inductive Generalization", 1970) and Reynolds ("Transformational Systems and
the Algebraic Structure of Atomic Formulas", 1970) showed that any two terms have a least general
generalisation: walk them in step, keep what is equal, and put one variable wherever the same two
different terms meet. Here the terms are plans in open form (``open_form``), and two things are
added. Many plans are generalised at once, each against a first one, the template. And where order
means nothing, parts are paired by how alike they are before they are walked (``alignment``). So the
generalisation is the least for the pairing, which is greedy.

``differences``  template and one other  -> where they differ, by place in the template
``generalize``   template and all others -> holes, each with a value per plan
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from unwet.rewrite.algebra import Col, Filter, Lit, Node, Outer, Param, Rel
from unwet.rewrite.alignment import Parts, in_step, lists_of, paired, without_name
from unwet.rewrite.holes import HoleKind
from unwet.rewrite.open_form import ALL_ROWS, EACH_ROW, Opened

MANY_STEPS: Final = 6000
MANY_PLACES: Final = 48
_RELATIONS = Rel.__args__

LIST: Final = -1
Place = tuple[int, ...]  # the way down from the template's root: list and item, list and item ...


@dataclass(frozen=True, slots=True)
class Difference:
    """What stands at one place in the template and in the other plan. At a list's place (it ends
    with ``LIST``): the items without a partner; ``alone``: which of the template's these are."""

    mine: Parts
    other: Parts
    alone: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """A hole of a generalisation: the places in the template where it stands, outermost first,
    and what each plan has there, the template first."""

    kind: HoleKind
    places: tuple[Place, ...]
    values: tuple[Parts, ...]


Follows = Callable[[Variable, Sequence[Variable]], bool]


def differences(template: Node, other: Node) -> dict[Place, Difference] | None:
    """Where two plans differ, in the order of the template; None when that is nearly all over."""
    found: dict[Place, Difference] = {}
    stack: list[tuple[Place, Node, Node]] = [((), template, other)]
    steps = 0
    while stack:
        place, mine, theirs = stack.pop()
        if mine.digest == theirs.digest:
            continue
        steps += 1
        if steps > MANY_STEPS or len(found) > MANY_PLACES:
            return None
        lists, others = lists_of(mine), lists_of(theirs)
        if not in_step(without_name(mine), without_name(theirs)):
            found[place] = Difference((mine,), (theirs,))
            continue
        for number, (one, two) in enumerate(zip(lists, others, strict=True)):
            pairs, alone, new = paired(one, two)
            stack += (((*place, number, at), a, b) for at, (a, b) in pairs.items())
            if alone or new:
                items = tuple(one.items[at] for at in alone)
                found[*place, number, LIST] = Difference(items, new, alone)
    return dict(sorted(found.items()))


def generalize(
    template: Node, others: Sequence[Node], follows: Follows = lambda *_: False
) -> tuple[Variable, ...] | None:
    """The holes of the template that all plans fit; None when one of them is too different.

    Places with the same values in all plans are one hole: it is filled once. A hole that
    `follows` from the others is none. A conjunct in which a column differs that differs nowhere
    else is a hole as a whole."""
    alone: dict[Place, set[int]] = {}  # by the place of the list or node; of a node: nothing
    for other in others:
        found = differences(template, other)
        if found is None:
            return None
        for place, difference in found.items():
            alone.setdefault(place, set()).update(difference.alone)
    for place in [place for place in alone if place[-1:] != (LIST,)]:
        _join_list(alone, place)
    made = _variables(template, others, alone, follows)
    lifted = list(_lifted(template, made))
    for place in lifted:
        alone[place] = set()
        _join_list(alone, place)
    return _variables(template, others, alone, follows) if lifted else made


def _join_list(alone: dict[Place, set[int]], place: Place) -> None:
    """Of a list whose items have not all a partner an item that differs is another such item."""
    in_list = (*place[:-1], LIST)
    if place and in_list in alone:
        alone[in_list].add(place[-1])
        del alone[place]


def _variables(
    template: Node, others: Sequence[Node], alone: dict[Place, set[int]], follows: Follows
) -> tuple[Variable, ...]:
    rows: dict[tuple[Parts, ...], list[Place]] = {}
    for place in _outermost(alone):
        rows.setdefault(_values(template, others, place, alone[place]), []).append(place)
    made = [Variable(kind_of(values), tuple(found), values) for values, found in rows.items()]
    return tuple(variable for variable in made if not follows(variable, made))


def _outermost(alone: dict[Place, set[int]]) -> list[Place]:
    """The places that are not below another one, nor below an item that its list has alone."""
    apart = {(*place[:-1], at) for place, items in alone.items() for at in items}
    return [
        place
        for place in sorted(alone)
        if place not in apart
        and not any(place[:end] in alone or place[:end] in apart for end in range(0, len(place), 2))
    ]


def _values(
    template: Node, others: Sequence[Node], place: Place, alone: set[int]
) -> tuple[Parts, ...]:
    """What each plan has at a place of the template, the template first."""
    is_list = place[-1:] == (LIST,)
    way = place[:-2] if is_list else place
    found: list[Parts] = []
    for at, other in enumerate(others):
        mine, theirs = _partner(template, other, way)
        if not is_list:
            both = (without_name(mine),), (without_name(theirs),)
            found += both[1:] if at else both
            continue
        one, two = lists_of(mine)[place[-2]], lists_of(theirs)[place[-2]]
        pairs, _, _ = paired(one, two)
        common = {id(pair[1]) for at, pair in pairs.items() if at not in alone}
        value = tuple(item for item in two.items if id(item) not in common)
        if not at:
            found.append(tuple(one.items[at] for at in sorted(alone)))
        found.append(value)
    return tuple(found)


def _partner(template: Node, other: Node, way: Place) -> tuple[Node, Node]:
    """The nodes at the end of a way; of the other plan as far as it has one."""
    for number, at in zip(way[::2], way[1::2], strict=True):
        if template.digest == other.digest:
            other = template = lists_of(template)[number].items[at]
            continue
        pairs, _, _ = paired(lists_of(template)[number], lists_of(other)[number])
        template, other = pairs[at]
    return template, other


def _lifted(template: Node, variables: Sequence[Variable]) -> Iterator[Place]:
    """The conjuncts in which a column differs as it does nowhere else."""
    for variable in variables:
        wholes = {_conjunct(template, place) for place in variable.places}
        if len(wholes) == 1 and variable.kind == "column" and (whole := wholes.pop()):
            yield whole


def _conjunct(template: Node, place: Place) -> Place | None:
    """The place of the outermost conjunct around a place below it."""
    node = template
    for end in range(0, len(place), 2):
        number, at = place[end : end + 2]
        if at == LIST:
            return None
        if isinstance(node, Filter | Opened) and lists_of(node)[number].order == "conjuncts":
            return place[: end + 2] if end + 2 < len(place) else None
        node = lists_of(node)[number].items[at]
    return None


def kind_of(values: Sequence[Parts]) -> HoleKind:
    """What kind of hole it is that has these values."""
    nodes = [without_name(node) for value in values for node in value]
    nodes = [node for node in nodes if node not in (EACH_ROW, ALL_ROWS)]
    if nodes and all(isinstance(node, Lit | Param) for node in nodes):
        return "literal"
    if all(isinstance(node, Col | Outer) for node in nodes):
        return "column"
    return "relation" if any(isinstance(node, _RELATIONS) for node in nodes) else "expression"
