"""Which models become calls of which macros: families that grow as long as that saves lines.

shared(models, limits) -> Families, those that save most first
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from unwet.lineage.config import Sharing
from unwet.rewrite.naming import common_words, free
from unwet.rewrite.templated.bodies import Bodies, with_config
from unwet.rewrite.templated.family import Body, Family, family

ALIKE: Final = 0.4  # of the runs of five words of two bodies, so many are in both
_RUN = 5
_LEADERS = 3


def shared(
    models: Sequence[Bodies],
    limits: Sharing,
    taken: Iterable[str],
    unproved: Callable[[Family], Collection[str]],
) -> tuple[Family, ...]:
    """Families of the models, each model in one at most. ``unproved``: those of its models that
    would say something else."""
    names, found = set(taken), list[Family]()
    runs = Nearness(models)
    left = list(models)
    while len(left) >= limits.min_uses:
        known = {m.model for m in left}
        leaders = sorted(left, key=lambda m: (-runs.company(m, known), m.model))
        tried = ((each, _grown(each, left, runs, limits, names)) for each in leaders[:_LEADERS])
        grown = [(leader, family) for leader, family in tried if family is not None]
        grown.sort(key=lambda pair: -pair[1].saved)
        proved = (_proved(*pair, left, runs, limits, names, unproved) for pair in grown)
        best = next((family for family in proved if family is not None), None)
        if best is None:
            left = [m for m in left if m is not leaders[0]]
            continue
        found.append(best)
        names.add(best.name)
        members = {body.model for body in best.bodies}
        left = [m for m in left if m.model not in members]
    return tuple(found)


def _proved(
    leader: Bodies,
    grown: Family | None,
    models: Sequence[Bodies],
    runs: Nearness,
    limits: Sharing,
    names: set[str],
    unproved: Callable[[Family], Collection[str]],
) -> Family | None:
    """What has grown around a leader, without those that would say something else in it."""
    left = list(models)
    while grown is not None and (wrong := unproved(grown)):
        if leader.model in wrong:
            return None
        left = [m for m in left if m.model not in wrong]
        grown = _grown(leader, left, runs, limits, names)
    return grown


class Nearness:
    """How much of the runs of words of two models is in both; those that are near only."""

    def __init__(self, models: Sequence[Bodies]) -> None:
        runs = {each.model: _runs(each.rest) for each in models}
        self._near: dict[str, dict[str, float]] = {name: {} for name in runs}
        names = sorted(runs, key=lambda name: len(runs[name]))
        for at, one in enumerate(names):
            for other in names[at + 1 :]:
                if len(runs[one]) < ALIKE * len(runs[other]):
                    break  # and all others have even more
                shared = len(runs[one] & runs[other])
                near = shared / (len(runs[one]) + len(runs[other]) - shared)
                if near >= ALIKE:
                    self._near[one][other] = self._near[other][one] = near

    def of(self, model: Bodies) -> Mapping[str, float]:
        """The models that are near to one."""
        return self._near[model.model]

    def company(self, model: Bodies, left: Collection[str]) -> float:
        """How near it is to all that are left."""
        return sum(near for other, near in self.of(model).items() if other in left)


def _runs(body: Body) -> frozenset[tuple[str, ...]]:
    keys = body.words.keys
    return frozenset(keys[n : n + _RUN] for n in range(max(1, len(keys) - _RUN + 1)))


def _grown(
    leader: Bodies,
    models: Sequence[Bodies],
    runs: Nearness,
    limits: Sharing,
    names: set[str],
) -> Family | None:
    """The family of a leader, to which those are added that make it save more."""
    near = runs.of(leader)
    others = [m for m in models if m.model in near]
    others.sort(key=lambda m: (-near[m.model], m.model))
    members, best = _added([leader], None, others, limits, names)
    if best is None or best.saved < limits.min_saved or len(members) < limits.min_uses:
        return None
    return best


def _added(
    members: list[Bodies],
    best: Family | None,
    others: Sequence[Bodies],
    limits: Sharing,
    names: set[str],
) -> tuple[list[Bodies], Family | None]:
    """With those of the others that make it save more: all at once, or else half by half."""
    if not others:
        return members, best
    tried = _family([*members, *others], names)
    if tried is not None and len(tried.parameters) <= limits.max_parameters:
        least = best.saved if best is not None else -limits.min_lines * 4
        if tried.saved > least:
            return [*members, *others], tried
    if len(others) > 1:
        half = len(others) // 2
        members, best = _added(members, best, others[:half], limits, names)
        members, best = _added(members, best, others[half:], limits, names)
    return members, best


def _family(members: Sequence[Bodies], names: set[str]) -> Family | None:
    """As a whole, or without what is set at their heads: whatever saves more."""
    models = [each.rest.label or each.model for each in members]
    name = free(common_words(models) or models[0], names)
    tried: list[Family | None] = []
    if not any(m.is_config for m in members):
        tried.append(family(name, [m.rest for m in members]))
    if any(m.rest.sets for m in members):
        tried.append(family(name, [m.all for m in members]))
    if (configured := with_config(members)) is not None:
        tried.append(family(name, configured))
    return max((each for each in tried if each), key=lambda each: each.saved, default=None)
