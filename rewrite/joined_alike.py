"""Conditions of joins that say the same of other relations are a macro of what these are called.

    FROM shown AS a JOIN paid AS p ON a.day = p.day AND a.app = p.app AND a.country = p.country
    JOIN lost AS l                 ON a.day = l.day AND a.app = l.app AND a.country = l.country
    =  JOIN paid AS p ON {{ same_day_to_country(alias='p') }}
       JOIN lost AS l ON {{ same_day_to_country(alias='l') }}

Only comparisons of columns that stand beside one another in an AND, so that the words of the macro
mean the same there. What all places call alike is no parameter; a column that is compared more than
once (a day that lies between two) may be another one in each place, or what a parameter says.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import reduce
from itertools import takewhile
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.library import HOLE, Library, Macro, MacroCall, called_by
from unwet.rewrite.naming import free_macro, free_parameter, snake
from unwet.rewrite.placed_calls import height_of
from unwet.rewrite.shapes import Leaf

_LEAST: Final = 4  # lines that are saved
_PLACES: Final = 3  # that say the same
_SHORTEST: Final = 3  # conditions; fewer are read faster than they are looked up
_LONGEST: Final = 16
_AROUND: Final = 3  # the macro's first and last line, and one more name to know
_RELATIONS: Final = 2
_COMPARED: Final = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_SAME: Final = frozenset({"eq", "neq"})
_PLACE: Final = "#"  # in front of the number of a column that may be another one
_NAME: Final = re.compile(r"[A-Za-z]\w*")
_TOKEN: Final = re.compile(r"(?:ref|src|h|p|call|tail|loop|list|item)__\w", re.IGNORECASE)

Side = tuple[str, str]  # what a relation is called, and its column
Test = tuple[str, int, str, int, str]  # how two relations' columns are compared; see `_key`
Key = tuple[Test, ...]


def with_joins_alike(
    library: Library, names: AbstractSet[str], stay: Collection[str], most: int
) -> Library:
    """The library with macros for such conditions, where that makes it smaller. ``names``: what no
    macro may be called; ``stay``: models that keep their words, and so do the macros that they
    call; ``most``: parameters of a macro."""
    closed = {*stay, *called_by(library, stay)}
    work = _Work(
        {n: tree for n, tree in library.hosts.items() if n not in closed}, library, names, most
    )
    for key, places in work.candidates():
        work.take(key, places)
    new = work.written()
    models = {name: new.get(name, tree) for name, tree in library.models.items()}
    macros = [replace(each, tree=new.get(each.name, each.tree)) for each in library.macros]
    return replace(library, models=models, macros=(*macros, *work.macros), calls=tuple(work.calls))


@dataclass(frozen=True, slots=True)
class _Place:
    """So many conditions of a join from one on: the n-th join of a model or a macro."""

    host: str
    join: int
    start: int
    many: int
    values: tuple[str, ...]  # what the relations are called, and columns that may be others

    @property
    def spots(self) -> set[tuple[str, int, int]]:
        """Its conditions, one by one."""
        return {(self.host, self.join, self.start + at) for at in range(self.many)}


class _Work:
    """What is found, and what becomes of it."""

    def __init__(
        self, trees: dict[str, exp.Expr], library: Library, names: AbstractSet[str], most: int
    ) -> None:
        self.trees, self.most = trees, most
        self.calls, self.macros = [*library.calls], list[Macro]()
        params = {param for macro in library.macros for param in macro.params}
        self._taken = {*names, *library.models, *params, *(m.name for m in library.macros)}
        self._done: dict[tuple[str, int, int], int] = {}  # spots; where a call begins, its number
        self._many: dict[int, int] = {}  # conditions that a call stands for

    def candidates(self) -> list[tuple[Key, list[_Place]]]:
        """What is said often enough, what may save most first."""
        found: dict[Key, list[_Place]] = defaultdict(list)
        for host, tree in self.trees.items():
            for at, join in enumerate(tree.find_all(exp.Join)):
                for key, start, many, values in _runs(_tests(join)):
                    found[key].append(_Place(host, at, start, many, values))
        often = [(key, places) for key, places in found.items() if len(places) >= _PLACES]
        return sorted(often, key=lambda each: (-len(each[1]) * (len(each[0]) - 1), str(each[0])))

    def take(self, key: Key, places: Sequence[_Place]) -> None:
        """A macro for what is left of these places, if it pays."""
        left: list[_Place] = []
        spots: set[tuple[str, int, int]] = set()
        for place in places:
            if not place.spots & (self._done.keys() | spots):
                left.append(place)
                spots |= place.spots
        if len(left) < _PLACES:
            return
        columns = [*zip(*(place.values for place in left), strict=True)]
        params = _params(columns)
        if len({*params.values()}) > self.most:
            return
        name = free_macro(_name(key), self._taken)
        calls = [MacroCall(name, _args(params, place.values)) for place in left]
        saved = sum(p.many - height_of(c) for p, c in zip(left, calls, strict=True))
        if saved - left[0].many - _AROUND < _LEAST:
            return
        said = [f"h__{params[at]}__h" if at in params else column[0]
                for at, column in enumerate(columns)]  # fmt: skip
        self._taken.add(name)
        about = f"{len(left)} joins that say the same of other relations"
        self.macros.append(
            Macro(name, tuple(params.values()), _tree(key, said), "expression", about)
        )
        self._done.update(dict.fromkeys(spots, -1))
        for place, call in zip(left, calls, strict=True):
            self._done[place.host, place.join, place.start] = len(self.calls)
            self._many[len(self.calls)] = place.many
            self.calls.append(call)

    def written(self) -> dict[str, exp.Expr]:
        """The models and macros in which calls stand now."""
        joins = {(host, at) for host, at, _ in self._done}
        found: dict[str, exp.Expr] = {}
        for host in sorted({host for host, _ in joins}):
            tree = found[host] = copied(self.trees[host])
            for at, join in enumerate([*tree.find_all(exp.Join)]):
                if (host, at) in joins:
                    self._put(host, at, join)
        return found

    def _put(self, host: str, at: int, join: exp.Expr) -> None:
        tests, left = _tests(join), list[exp.Expr]()
        for number, test in enumerate(tests):
            call = self._done.get((host, at, number))
            if call is None:
                left.append(test)
            elif call >= 0:
                word = exp.Var(this=f"call__{call}__call")
                word.comments = tests[number + self._many[call] - 1].comments
                left.append(word)
        join.set("on", reduce(lambda one, two: exp.And(this=one, expression=two), left))


def _tests(join: exp.Expr) -> list[exp.Expr]:
    on = join.args.get("on")
    return [*on.flatten(unnest=False)] if isinstance(on, exp.And) else []


def _runs(tests: Sequence[exp.Expr]) -> Iterator[tuple[Key, int, int, tuple[str, ...]]]:
    """Conditions beside one another: what they say of whatever relations, where they begin, how
    many they are, and of which relations and columns."""
    compared = [_compared(test) for test in tests]
    for start in range(len(tests)):
        run: list[tuple[str, Side, Side]] = []
        for many, each in enumerate(compared[start : start + _LONGEST], start=1):
            if each is None:
                break
            run.append(each)
            found = _key(run) if many >= _SHORTEST else None
            if found is not None:
                yield found[0], start, many, found[1]
            if tests[start + many - 1].comments:
                break  # only behind what a call is


def _compared(test: exp.Expr) -> tuple[str, Side, Side] | None:
    """A comparison of two columns of two relations."""
    if not isinstance(test, _COMPARED):
        return None
    sides = [_side(test.this), _side(test.expression)]
    if sides[0] is None or sides[1] is None or sides[0][0] == sides[1][0]:
        return None
    return test.key, sides[0], sides[1]


def _side(node: exp.Expr) -> Side | None:
    if not isinstance(node, exp.Column) or node.comments or node.args.get("db"):
        return None
    table, column = _plain(node.args.get("table")), _plain(node.this)
    return (table, column) if table and column else None


def _plain(name: object) -> str:
    """A name without quotes, or the word for a parameter; empty for all others."""
    if not isinstance(name, exp.Identifier) or name.args.get("quoted") or name.comments:
        return ""
    stands = HOLE.fullmatch(name.name) or not _TOKEN.search(name.name)
    return name.name if stands and _NAME.fullmatch(name.name) else ""


def _key(run: Sequence[tuple[str, Side, Side]]) -> tuple[Key, tuple[str, ...]] | None:
    """What is said, with the number of a value for each relation and for each column that may be
    another one; and the values."""
    values: list[str] = [*dict.fromkeys(side[0] for _, *sides in run for side in sides)]
    if len(values) != _RELATIONS:
        return None
    times = Counter(side for _, *sides in run for side in sides)
    places: dict[Side, str] = {}
    for side, many in times.items():
        if many > 1:
            places[side] = f"{_PLACE}{len(values)}"
            values.append(side[1])
        elif HOLE.search(side[1]):
            return None

    def said(side: Side) -> tuple[int, str]:
        return values.index(side[0]), places.get(side, side[1])

    return tuple((kind, *said(one), *said(two)) for kind, one, two in run), tuple(values)


def _params(columns: Sequence[Sequence[str]]) -> dict[int, str]:
    """What differs from place to place: a parameter each."""
    found: dict[int, str] = {}
    for at, values in enumerate(columns):
        if len({*values}) == 1 and not HOLE.search(values[0]):
            continue
        handed = Counter(hole for value in values for hole in HOLE.findall(value))
        usual = "alias" if at < _RELATIONS else handed.most_common(1)[0][0] if handed else "column"
        found[at] = free_parameter(usual, {*found.values()})
    return found


def _args(params: dict[int, str], values: Sequence[str]) -> tuple[tuple[str, Leaf], ...]:
    return tuple(
        (name, Leaf("condition" if HOLE.search(values[at]) else "name", values[at]))
        for at, name in params.items()
    )


def _tree(key: Key, said: Sequence[str]) -> exp.Expr:
    """The conditions with these names."""

    def column(relation: int, name: str) -> exp.Column:
        own = said[int(name[1:])] if name.startswith(_PLACE) else name
        return exp.column(own, table=said[relation])

    kinds = {kind.key: kind for kind in _COMPARED}
    tests: list[exp.Expr] = [kinds[kind](this=column(one, left), expression=column(two, right))
                             for kind, one, left, two, right in key]  # fmt: skip
    return reduce(lambda one, two: exp.And(this=one, expression=two), tests)


def _name(key: Key) -> str:
    """After the columns: those that are the same, or what another one lies within."""
    names = {kind: [each for said, _, left, _, right in key for each in (left, right)
                    if not each.startswith(_PLACE) and (said in _SAME) == (kind == "same")]
             for kind in ("same", "within")}  # fmt: skip
    words = [snake(name).split("_") for name in names["within"]]
    common = takewhile(lambda each: len({*each}) == 1, zip(*words, strict=False))
    if len(words) > 1 and (first := [each[0] for each in common]):
        return f"is_within_{'_'.join(first)}"
    said = [snake(name) for each in names.values() for name in each]
    return f"same_{said[0]}_to_{said[-1]}" if said else "same"
