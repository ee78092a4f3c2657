"""What a plan guarantees of its rows: which columns are a key, and which are never NULL.

Columns are positions. What a relation that is read guarantees comes from `Given`; a guarantee that
needs an answer of it is as good as that answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Final, Protocol, assert_never

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Opaque,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    Unnest,
    Values,
    Window,
    width,
)
from unwet.rewrite.data_tests.conditions import equalities, fixed, gives, holds, ones, proved
from unwet.rewrite.data_tests.origins import origin, source

Key = frozenset[int]
Keys = frozenset[Key]

MANY_KEYS: Final = 8  # of one relation; the smallest are kept
FEW_KEYS: Final = 2  # of each input of a join
_NUMBERING: Final = frozenset({"rownumber", "rank", "denserank"})


class Given(Protocol):
    """What relations that are read guarantee, by the names of their columns. `kind`: of values that
    are equal only when they are the same ("" where nobody knows: '01' = 1 is true)."""

    def keys(self, relation: str) -> Iterable[frozenset[str]]: ...
    def filled(self, relation: str) -> frozenset[str]: ...
    def kind(self, relation: str, column: str) -> str: ...


@dataclass(slots=True)
class Rows:
    """Answers for plans; equal sub-plans are looked at once."""

    given: Given
    _keys: dict[bytes, Keys] = field(default_factory=dict)
    _filled: dict[bytes, frozenset[int]] = field(default_factory=dict)

    def keys(self, rel: Rel) -> Keys:
        """Sets of columns no two rows agree on, NULLs counting as equal; the empty set: there is
        one row at most. None contains another."""
        known = self._keys.get(rel.digest)
        if known is None:
            known = self._keys[rel.digest] = _smallest(self._found_keys(rel))
        return known

    def filled(self, rel: Rel) -> frozenset[int]:
        """The columns that are never NULL."""
        known = self._filled.get(rel.digest)
        if known is None:
            known = self._filled[rel.digest] = frozenset(self._found_filled(rel))
        return known

    # --- keys

    def _found_keys(self, rel: Rel) -> Iterator[Key]:
        match rel:
            case Scan(table=table, columns=columns):
                at = {name: i for i, name in enumerate(columns)}
                for names in self.given.keys(table):
                    if names <= at.keys():
                        yield frozenset(at[name] for name in names)
            case Values(rows=rows):
                if len(rows) <= 1:
                    yield frozenset()
            case Filter(input=inner, conjuncts=conjuncts):
                yield from self._kept(inner, conjuncts)
            case Project(input=inner, exprs=exprs):
                yield from _shown(self.keys(inner), exprs)
            case Join():
                yield from self._joined(rel)
            case Aggregate(input=inner, keys=keys):
                yield frozenset(i for i, key in enumerate(keys) if not _is_one_text(inner, key))
            case Window(input=inner) | Sort(input=inner):
                yield from self.keys(inner)
            case Distinct(input=inner):
                yield frozenset(range(width(inner)))
                yield from self.keys(inner)
            case SetOp(kind="union_all", inputs=branches):
                yield from self._told_apart(branches)
            case SetOp(kind=kind, inputs=branches):
                if not kind.endswith("_all"):
                    yield frozenset(range(width(branches[0])))
                yield from self.keys(branches[0]) if "except" in kind else ()
            case Unnest() | Opaque():
                pass
            case _:
                assert_never(rel)

    def _kept(self, inner: Rel, conjuncts: tuple[Expr, ...]) -> Iterator[Key]:
        """A filter keeps keys; the first row of each partition makes one, and a column that is one
        constant is no part of any."""
        keys = set(self.keys(inner))
        if isinstance(inner, Window):
            keys |= set(_partitions(inner, ones(conjuncts)))
        same = frozenset(fixed(conjuncts))
        yield from (key - same for key in keys)

    def _joined(self, join: Join) -> Iterator[Key]:
        first = self.keys(join.inputs[0])
        match join.kind:
            case "semi" | "anti":
                yield from first
            case "left":
                matched = self._matched(join, 1)
                yield from first if matched else ()
                yield from _together([first, _moved(self.keys(join.inputs[1]), _starts(join)[1])])
            case "inner":
                yield from self._inner(join)
            case "full":
                pass
            case _:
                assert_never(join.kind)

    def _inner(self, join: Join) -> Iterator[Key]:
        """One key of each input together, without those of inputs that meet at most one row."""
        starts = _starts(join)
        own = [_moved(self.keys(each), at) for each, at in zip(join.inputs, starts, strict=True)]
        left = list(range(len(join.inputs)))
        for at in reversed(range(len(join.inputs))):
            if len(left) > 1 and self._matched(join, at, frozenset(left)):
                left.remove(at)
        yield from _together([own[at] for at in left])

    def _matched(self, join: Join, at: int, among: frozenset[int] | None = None) -> bool:
        """Whether an input has one row at most for each row of the others: equalities with columns
        of those `among` fix one of its keys."""
        starts = _starts(join)
        bound: set[int] = set()
        for pair in equalities(join.on):
            alike = self._alike(join, pair, starts)
            for one, two in (pair, pair[::-1]):
                owner = _owner(two, starts)
                known = alike and (among is None or owner in among)
                if _owner(one, starts) == at and owner != at and known:
                    bound.add(one - starts[at])
        bound |= {i - starts[at] for i in fixed(join.on) if _owner(i, starts) == at}
        return any(key <= bound for key in self.keys(join.inputs[at]))

    def _alike(self, join: Join, pair: tuple[int, int], starts: list[int]) -> bool:
        """Whether two columns hold values of one kind."""
        kinds = set()
        for column in pair:
            at = _owner(column, starts)
            kinds.add(kind_of(join.inputs[at], column - starts[at], self.given))
        return len(kinds) == 1 and "" not in kinds

    def _told_apart(self, branches: tuple[Rel, ...]) -> Iterator[Key]:
        """Branches with a constant that only they have: that, and a key of all of them."""
        constants = [_constants(branch) for branch in branches]
        shared = set.intersection(*({*each} for each in constants)) if constants else set()
        for at in sorted(shared):
            if len({each[at].text.strip().lower() for each in constants}) == len(branches):
                for chosen in product(*(self.keys(b) for b in branches)):
                    yield frozenset({at}).union(*chosen)

    # --- NULLs

    def _found_filled(self, rel: Rel) -> Iterator[int]:
        match rel:
            case Scan(table=table, columns=columns):
                names = self.given.filled(table)
                yield from (i for i, name in enumerate(columns) if name in names)
            case Values(rows=rows, width=n):
                yield from (i for i in range(n) if all(holds(r[i], frozenset()) for r in rows))
            case Filter(input=inner, conjuncts=conjuncts):
                yield from self.filled(inner)
                yield from proved(conjuncts)
            case Project(input=inner, exprs=exprs):
                known = self.filled(inner)
                yield from (i for i, expr in enumerate(exprs) if holds(expr, known))
            case Join():
                yield from self._filled_join(rel)
            case Aggregate(input=inner, keys=keys, aggs=aggs):
                known = self.filled(inner)
                yield from (i for i, key in enumerate(keys) if holds(key, known))
                held = (gives(agg, known, bool(keys)) for agg in aggs)
                yield from (len(keys) + i for i, holds in enumerate(held) if holds)
            case Window(input=inner, functions=functions):
                yield from self.filled(inner)
                calls = (over.call.op for over in functions)
                yield from (width(inner) + i for i, op in enumerate(calls) if op in _NUMBERING)
            case SetOp(kind=kind, inputs=branches):
                own = [self.filled(branch) for branch in branches]
                yield from own[0] if kind.startswith("except") else frozenset.intersection(*own)
            case Distinct(input=inner) | Sort(input=inner) | Unnest(input=inner):
                yield from self.filled(inner)
            case Opaque():
                pass
            case _:
                assert_never(rel)

    def _filled_join(self, join: Join) -> Iterator[int]:
        starts = _starts(join)
        if join.kind == "full":
            return
        yield from self.filled(join.inputs[0])
        if join.kind == "inner":
            for each, start in zip(join.inputs[1:], starts[1:], strict=True):
                yield from (start + i for i in self.filled(each))
            yield from proved(join.on)
        if join.kind == "semi":
            yield from (i for i in proved(join.on) if i < width(join.inputs[0]))


# --- helpers ----------------------------------------------------------------------------------


def kind_of(rel: Rel, at: int, given: Given) -> str:
    """The kind of a column's values; two columns with the same origin have the same."""
    found = origin(rel, at)
    if found is not None:
        return given.kind(*found)
    return "number" if isinstance(source(rel, at), Agg) else ""


def _is_one_text(rel: Rel, expr: Expr) -> bool:
    """Whether a condition below lets an expression be one text only."""
    while isinstance(expr, Col):
        at = expr.index
        match rel:
            case Filter(input=inner, conjuncts=conjuncts):
                if at in fixed(conjuncts):
                    return True
                rel = inner
            case Project(input=inner, exprs=exprs):
                rel, expr = inner, exprs[at]
            case Join(kind="inner" | "left" | "semi" | "anti", inputs=some):
                if at >= width(some[0]):
                    return False
                rel = some[0]
            case Window(input=inner) if at < width(inner):
                rel = inner
            case _:
                return False
    return False


def _constants(rel: Rel) -> dict[int, Lit]:
    if not isinstance(rel, Project):
        return {}
    return {i: e for i, e in enumerate(rel.exprs) if isinstance(e, Lit) and e.kind == "string"}


def _partitions(window: Window, ones: Key) -> Iterator[Key]:
    """The partitions of those ROW_NUMBERs that are 1."""
    start = width(window.input)
    for at, over in enumerate(window.functions):
        columns = [e.index for e in over.partition if isinstance(e, Col)]
        first = start + at in ones and over.call.op == "rownumber"
        if first and len(columns) == len(over.partition):
            yield frozenset(columns)


def _starts(join: Join) -> list[int]:
    """Where the columns of each input begin."""
    found = [0]
    for each in join.inputs[:-1]:
        found.append(found[-1] + width(each))
    return found


def _owner(column: int, starts: list[int]) -> int:
    return next(i for i, (_, end) in enumerate(pairwise([*starts, 1 << 30])) if column < end)


def _moved(keys: Keys, by: int) -> Keys:
    return frozenset(frozenset(i + by for i in key) for key in keys)


def _together(own: list[Keys]) -> Iterator[Key]:
    for chosen in product(*(sorted(keys, key=sorted)[:FEW_KEYS] for keys in own)):
        yield frozenset().union(*chosen)


def _shown(keys: Keys, exprs: tuple[Expr, ...]) -> Iterator[Key]:
    """Keys whose columns are all handed on."""
    places: dict[int, int] = {}
    for at, expr in enumerate(exprs):
        if isinstance(expr, Col):
            places.setdefault(expr.index, at)
    for key in keys:
        if key <= places.keys():
            yield frozenset(places[i] for i in key)


def _smallest(found: Iterable[Key]) -> Keys:
    """Those that contain no other, the smallest of many."""
    chosen: list[Key] = []
    for key in sorted(set(found), key=lambda k: (len(k), sorted(k))):
        if not any(other <= key for other in chosen) and len(chosen) < MANY_KEYS:
            chosen.append(key)
    return frozenset(chosen)
