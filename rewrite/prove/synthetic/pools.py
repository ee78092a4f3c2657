"""Candidate values for variables: the constants they meet, their neighbours, and a few others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from unwet.rewrite.algebra import Expr
from unwet.rewrite.prove.synthetic.borders import computed_sides
from unwet.rewrite.prove.synthetic.candidates import candidates, readable
from unwet.rewrite.prove.synthetic.classes import (
    Class,
    chiefs,
    computed,
    is_free,
    note_atoms,
    note_conversions,
)
from unwet.rewrite.prove.synthetic.database import Cell
from unwet.rewrite.prove.synthetic.fresh import fresh_values
from unwet.rewrite.prove.synthetic.oracle import Oracle, Pool
from unwet.rewrite.prove.synthetic.symbols import Symbols, is_null, numbers
from unwet.rewrite.prove.synthetic.types import SqlType

MOST: Final = 70  # values of one pool
LONGEST: Final = 400  # those of one that many patterns are looked for in: a text for each
_JSON: Final = ('{"a": 1}', '{"b": "x", "c": [1, 2]}', "{}")
CASED: Final = 20  # samples of patterns that are tried in the other case, too
KEYS: Final = 6  # values of a pool of keys


@dataclass(frozen=True, slots=True)
class Pools:
    """`of`: the pool of each variable. `chief`: the variable that stands for its class."""

    of: Mapping[int, Pool]
    chief: Mapping[int, int]
    free: frozenset[int]


def pools(
    symbols: Symbols,
    kinds: Sequence[SqlType],
    atoms: Iterable[Expr],
    used: Iterable[Expr],
    oracle: Oracle,
) -> Pools:
    """`kinds`: the type of each variable. `atoms`: all tests; `used`: values that are computed."""
    tests = list(dict.fromkeys(atoms))
    chief = chiefs(symbols, tests, kinds)
    classes: dict[int, Class] = {}
    for at, root in enumerate(chief):
        known = classes.setdefault(root, Class(kinds[root]))
        if known.type.evidence == "default" != kinds[at].evidence:
            known.type = kinds[at]
    note_atoms(tests, chief, classes, oracle)
    used = list(used)
    note_conversions([*tests, *used], chief, classes)
    for expr in used:
        for at in computed(expr):
            classes[chief[at]].free = False
    counting = {v.number for v in symbols.variables if v.role in ("count", "rank")}
    for at in counting:
        classes[chief[at]].free = False
    made = {root: _pool(each, symbols, root, oracle) for root, each in classes.items()}
    for root, values in computed_sides(tests, chief, made, oracle).items():
        if not is_free(classes[root]) and symbols.variables[root].role not in ("count", "rank"):
            kind, before = made[root]
            made[root] = kind, (*dict.fromkeys((*before[:-1], *values)), None)
    # what is compared with a number of rows is of its class, and may be a text
    rows = {root: _numbers_of_rows(classes[root]) for root in {chief[n] for n in counting}}
    return Pools(
        {at: rows[root] if at in counting else made[root] for at, root in enumerate(chief)},
        dict(enumerate(chief)),
        frozenset(at for at, root in enumerate(chief) if is_free(classes[root])),
    )


def _pool(one: Class, symbols: Symbols, root: int, oracle: Oracle) -> Pool:
    role = symbols.variables[root].role
    if role in ("count", "rank"):
        return _numbers_of_rows(one)
    kind = one.type.duckdb()
    if is_free(one):
        return kind, (*fresh_values(one.type, 0, KEYS), None)
    samples = list(one.near)
    other_case = [text.swapcase() for text in samples[:: 1 + len(samples) // CASED]]
    if len(samples) > MOST:  # two of each pattern: one as it is, one in the other case
        samples, other_case = samples[::2], [text.swapcase() for text in samples[1::2]]
    tried = _JSON if one.json else (*samples, *other_case, *candidates(one))
    values_: list[Cell] = list(dict.fromkeys(tried))
    if one.casts:
        values_ = _convertible(one, values_, oracle)
    values_ = values_[: max(MOST, min(len(one.near), LONGEST))]
    return kind, (*values_, None)


def _numbers_of_rows(one: Class) -> Pool:
    near = {n + d for n in _whole(one) for d in (-1, 0, 1)} | set(range(1, 11))
    return "BIGINT", tuple(str(n) for n in sorted(near) if 0 < n < 40)


def _whole(one: Class) -> list[int]:
    found = [text for _, text in one.meets if re.fullmatch(r"-?\d{1,9}(\.0*)?", text)]
    return [int(float(text)) for text in found]


def _convertible(one: Class, values: list[Cell], oracle: Oracle) -> list[Cell]:
    """Those that every conversion of the class can read, or most of them."""
    shown = " ".join(map(oracle.printed, one.casts))
    tried = list(dict.fromkeys((*values, *readable(one, re.findall(r"'([^']*%[^']*)'", shown)))))
    good = tried
    for each in one.casts:
        (n,) = numbers(each)[:1] or (-1,)
        if numbers(each) == (n,):
            said = oracle.truths(is_null(each), {n: ("VARCHAR", tuple(good))})
            kept = [value for at, value in enumerate(good) if said.get((at,)) == "false"]
            good = kept or good
    return good
