"""Values for variables under which given atoms have given truths.

    Solver(pools, oracle).solve(ask) -> positions in the pools, by variable, or None

Tables of what is true of which values, and a search over them: the variable with the fewest values
left first, and after each choice what the others may still be.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final

from unwet.rewrite.algebra import Call
from unwet.rewrite.prove.effort import Effort
from unwet.rewrite.prove.synthetic.classes import equal_pair
from unwet.rewrite.prove.synthetic.logic import Ask, Fact
from unwet.rewrite.prove.synthetic.oracle import Oracle
from unwet.rewrite.prove.synthetic.pools import KEYS, Pools
from unwet.rewrite.prove.synthetic.symbols import numbers

STEPS: Final = 800  # values tried before a search is given up
_STEP: Final = 3  # effort that one takes
MOST_SOFT: Final = 12  # atoms that are wished for one by one
DRAWS: Final = 150  # of choices for atoms that have too many, for all that is asked
TRIED: Final = 24  # choices of one draw
_DRAW: Final = 500  # effort that one takes
Found = dict[int, int]


class Constraint:
    """Which positions the variables may have together. `drawn`: there are more of them, of which
    only some were tried; of what `fact` that is."""

    def __init__(
        self,
        variables: tuple[int, ...],
        allowed: frozenset[tuple[int, ...]],
        fact: Fact,
        drawn: bool = False,
    ) -> None:
        self.variables, self.allowed, self.fact, self.drawn = variables, allowed, fact, drawn
        self._seen: dict[int, frozenset[int]] = {}
        self._by_rest: dict[int, dict[tuple[int, ...], set[int]]] = {}

    def seen(self, place: int) -> frozenset[int]:
        """All positions that the variable at that place may have."""
        known = self._seen.get(place)
        if known is None:
            known = self._seen[place] = frozenset(values[place] for values in self.allowed)
        return known

    def supported(self, place: int, rest: tuple[int, ...]) -> Set[int]:
        """Those that it may have when the others, in their order, have the positions `rest`."""
        known = self._by_rest.get(place)
        if known is None:
            known = self._by_rest[place] = {}
            for values in self.allowed:
                others = values[:place] + values[place + 1 :]
                known.setdefault(others, set()).add(values[place])
        return known.get(rest, _NONE)


_NONE: Final[frozenset[int]] = frozenset()


class Solver:
    """Remembers tables; the search itself is the same for the same `seed`. What searches take is
    counted in `effort`."""

    def __init__(self, pools: Pools, oracle: Oracle, effort: Effort | None = None) -> None:
        self._pools, self._oracle, self._effort = pools, oracle, effort
        self._tables: dict[tuple[bytes, str], Constraint | None] = {}
        self._kept: dict[int, tuple[Ask, list[Constraint]]] = {}  # what can be had of soft atoms
        self._draws = 0
        self._starts: Mapping[int, int] = {}
        self._started: dict[int, tuple[Ask, Mapping[int, int]]] = {}

    def solve(self, ask: Ask, pins: Mapping[int, int] | None = None, seed: int = 0) -> Found | None:
        """All hard atoms, and soft ones as far as they go. `pins`: positions that are given."""
        pins = pins or {}
        self._starts = self._apart(ask)
        hard = self._constraints(ask.hard, bool(pins))
        if hard is None:
            return None
        drawn = [each for each in hard if each.drawn]
        if drawn and self._search(hard, pins, seed) is None:
            plain = [each for each in hard if not each.drawn]
            chosen = self._drawn(plain, drawn, pins, seed)
            if chosen is None:
                return None
            hard, pins = plain, chosen
        pinned = {n for fact in ask.hard for n in numbers(fact[0])} | set(pins)
        needed = {test for test, _ in ask.hard}
        wishes = (fact for fact in ask.soft if fact[0] not in needed)
        soft = [c for fact in wishes if (c := self._constraint(fact)) is not None and c.allowed]
        known = self._kept.get(id(ask)) if not pins else None
        if known is not None and known[0] is ask:
            return self._search([*hard, *known[1]], pins, seed)
        found = self._search([*hard, *soft], pins, seed)
        if found is not None or not soft:
            return found
        apart = [c for c in soft if not pinned.intersection(c.variables)]
        near = [c for c in soft if pinned.intersection(c.variables)]
        kept = apart
        found = self._search([*hard, *kept], pins, seed)
        if found is None:
            kept, near = [], soft
            found = self._search(hard, pins, seed)
        if found is None:
            return None
        for each in near[: MOST_SOFT if pins or apart else 3 * MOST_SOFT]:
            better = self._search([*hard, *kept, each], pins, seed)
            if better is not None:
                kept, found = [*kept, each], better
        if not pins:
            self._kept[id(ask)] = (ask, kept)
        return found

    def _apart(self, ask: Ask) -> Mapping[int, int]:
        """Where each free variable begins to look: what need not be equal is not, so that the two
        days of an order and of its delivery are two rows."""
        known = self._started.get(id(ask))
        if known is None or known[0] is not ask:
            found = _components(ask, self._pools)
            known = self._started[id(ask)] = ask, found
        return known[1]

    def allows(self, facts: Iterable[Fact], found: Mapping[int, int]) -> bool:
        """Whether all atoms have the wanted truth under given positions."""
        for fact in facts:
            each = self._constraint(fact)
            if each is not None:
                values = tuple(found.get(n, -1) for n in each.variables)
                if -1 not in values and values not in each.allowed:
                    return False
        return True

    def _constraints(self, facts: Sequence[Fact], pinned: bool) -> list[Constraint] | None:
        """None when one of them can never be; where values are `pinned`, what was not among those
        that were tried may be."""
        made = []
        for fact in facts:
            each = self._constraint(fact)
            if each is not None:
                if not each.allowed and not (each.drawn and pinned):
                    return None
                made.append(each)
        return made

    def _constraint(self, fact: Fact) -> Constraint | None:
        """None where the engine says nothing of an atom: it asks for nothing then."""
        atom, truth = fact
        key = (atom.digest, truth)
        if key not in self._tables:
            variables = numbers(atom)
            pools = {n: self._pools.of[n] for n in variables}
            said = self._oracle.truths(atom, pools)
            allowed = frozenset(at for at, value in said.items() if value == truth)
            drawn = not self._oracle.is_whole(pools)
            self._tables[key] = Constraint(variables, allowed, fact, drawn) if said else None
        return self._tables[key]

    # --- what has too many choices to try them all

    def _drawn(
        self,
        plain: Sequence[Constraint],
        drawn: Sequence[Constraint],
        pins: Mapping[int, int],
        seed: int,
    ) -> Mapping[int, int] | None:
        """Positions for all variables of constraints with too many choices: for one after the other
        some are drawn from what those before and the plain ones leave."""
        if not drawn:
            return pins
        first, *rest = drawn
        domains = self._domains(plain, pins)
        if domains is None or self._draws >= DRAWS:
            return None
        self._draws += 1
        pools, places = {}, {}
        for n in first.variables:
            kind, values = self._pools.of[n]
            places[n] = sorted(domains.get(n, range(len(values))))
            pools[n] = kind, tuple(values[at] for at in places[n])
        atom, truth = first.fact
        said = self._oracle.truths(atom, pools)
        good = sorted(at for at, value in said.items() if value == truth)
        if self._effort is not None:
            self._effort.spend(_DRAW)
        for choice in _spread(good, TRIED):
            found = {n: places[n][at] for n, at in zip(first.variables, choice, strict=True)}
            if self._search(plain, {**pins, **found}, seed) is not None:
                whole = self._drawn(plain, rest, {**pins, **found}, seed)
                if whole is not None:
                    return whole
        return None

    # --- search

    def _search(
        self, constraints: Sequence[Constraint], pins: Mapping[int, int], seed: int
    ) -> Found | None:
        domains = self._domains(constraints, pins)
        if domains is None:
            return None
        around: dict[int, list[Constraint]] = {n: [] for n in domains}
        for each in constraints:
            if len(each.variables) > 1:
                for n in each.variables:
                    around[n].append(each)
        search = _Search(domains, around, seed, self._starts)
        found = search.run()
        if self._effort is not None:
            self._effort.spend(len(constraints) + _STEP * (STEPS - search.left))
        return found

    def _domains(
        self, constraints: Sequence[Constraint], pins: Mapping[int, int]
    ) -> dict[int, Set[int]] | None:
        domains: dict[int, Set[int]] = {n: {at} for n, at in pins.items()}
        for each in constraints:
            if not each.variables and not each.allowed:
                return None
            for place, n in enumerate(each.variables):
                seen = each.seen(place)
                domains[n] = domains[n] & seen if n in domains else seen
                if not domains[n]:
                    return None
        return domains


def _components(ask: Ask, pools: Pools) -> Mapping[int, int]:
    """Of the free variables of one class those that have to be equal have one number, the first
    ones 0."""
    above: dict[int, int] = {}

    def root(at: int) -> int:
        while above.setdefault(at, at) != at:
            at = above[at]
        return at

    for test, truth in ask.hard:
        pair = equal_pair(test)
        if pair is not None and pools.free.issuperset(pair):
            one, other = map(root, pair)
            if truth == "true" and isinstance(test, Call) and test.op in ("eq", "nullsafeeq"):
                above[max(one, other)] = min(one, other)
    turns: dict[int, dict[int, int]] = {}
    for n in sorted(above):
        turns.setdefault(pools.chief[n], {}).setdefault(root(n), len(turns[pools.chief[n]]))
    return {n: turns[pools.chief[n]][root(n)] % KEYS for n in above}


def _spread(many: Sequence[tuple[int, ...]], most: int) -> Sequence[tuple[int, ...]]:
    """At most so many, at equal distances."""
    return [many[at * len(many) // most] for at in range(most)] if len(many) > most else many


class _Search:
    def __init__(
        self,
        domains: dict[int, Set[int]],
        around: Mapping[int, Sequence[Constraint]],
        seed: int,
        starts: Mapping[int, int],
    ) -> None:
        self._around, self._seed, self._starts = around, seed, starts
        self._domains = domains
        self.left = STEPS
        self._found: Found = {}

    def run(self) -> Found | None:
        apart = [n for n in self._domains if not self._around[n]]
        self._found.update((n, self._ordered(n, self._domains[n])[0]) for n in apart)
        return self._found if self._deeper(self._domains) else None

    def _deeper(self, domains: dict[int, Set[int]]) -> bool:
        rest = [n for n in domains if n not in self._found]
        if not rest:
            return True
        n = min(rest, key=lambda n: (len(domains[n]), -len(self._around[n]), n))
        for value in self._ordered(n, domains[n]):
            self.left -= 1
            if self.left < 0:
                return False
            self._found[n] = value
            narrowed = self._narrowed(n, domains)
            if narrowed is not None and self._deeper(narrowed):
                return True
            del self._found[n]
        return False

    def _ordered(self, n: int, domain: Set[int]) -> list[int]:
        """Another order for each seed, the plainest values first for seed 0."""
        values = sorted(domain)
        if self._seed:
            random.Random(self._seed * 1009 + n).shuffle(values)
        elif start := self._starts.get(n, 0):
            values.sort(key=lambda at: (at >= KEYS, at < start, at))
        return values

    def _narrowed(self, n: int, domains: dict[int, Set[int]]) -> dict[int, Set[int]] | None:
        """The domains after variable n has got its value; None when one of them is empty."""
        made = dict(domains)
        for each in self._around[n]:
            free = [v for v in each.variables if v not in self._found]
            if not free:
                if tuple(self._found[v] for v in each.variables) not in each.allowed:
                    return None
            elif len(free) == 1:
                kept = _supported(each, free[0], self._found, made[free[0]])
                if not kept:
                    return None
                made[free[0]] = kept
        return made


def _supported(each: Constraint, free: int, found: Mapping[int, int], domain: Set[int]) -> Set[int]:
    rest = tuple(found[v] for v in each.variables if v != free)
    return domain & each.supported(each.variables.index(free), rest)
