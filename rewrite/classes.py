"""Classes of query blocks that one definition, maybe with parameters, could stand for.

Blocks with one recurring fingerprint are one class. Classes are merged then: those with one
skeleton (other columns, other relations), and those with one frame (other expressions). A class
joins another when so little differs that a reviewer would want one definition with parameters;
their anti-unifier says what differs. Every bucket has leaders, and classes are compared with these
only, so the work grows with the number of classes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final, Literal

from unwet.lineage.findings import Span
from unwet.rewrite.algebra import Scan
from unwet.rewrite.alignment import Parts
from unwet.rewrite.antiunify import Place, Variable, generalize
from unwet.rewrite.blocks import Places
from unwet.rewrite.groups import HEAVIEST, WEIGHT, Group, is_handy, limit_of, once, tell_apart
from unwet.rewrite.hole_texts import Wording, follows
from unwet.rewrite.holes import Hole, holes
from unwet.rewrite.open_form import Opened, Register, opened
from unwet.rewrite.skeletons import frame, skeleton
from unwet.rewrite.units import SIMPLE, Unit

LEADERS: Final = 8  # of one bucket: what fits none of them stays as it is


class _Nesting:
    """Sees to it that no block of a class stands inside another of its blocks."""

    def __init__(self, first: Group[Unit]) -> None:
        self._blocks: set[int] = set()
        self._around: set[int] = set()
        self.takes(first)

    def takes(self, group: Group[Unit]) -> bool:
        """Whether a class can join; it has then."""
        own = {id(unit) for unit in group.units}
        around = {id(each) for unit in group.units for each in unit.ancestors()}
        if own & self._around or around & self._blocks:
            return False
        self._blocks |= own
        self._around |= around
        return True


class Classes:
    """Makes the classes of one pile's blocks."""

    def __init__(self) -> None:
        self.register = Register()
        self.follows = partial(follows, self.register)
        self._places = Places()
        self._forms: dict[tuple[bytes, tuple[str, ...]], Opened | None] = {}

    def form(self, unit: Unit) -> Opened | None:
        """The open form of a unit; None where it is too large."""
        key = unit.rel.digest, unit.names
        if key not in self._forms:
            self._forms[key] = opened(unit.rel, unit.names, self.register)
        return self._forms[key]

    def of(self, blocks: Iterable[Unit], min_lines: int) -> list[Group[Unit]]:
        """Classes with one member or more; each block is in one of them."""
        # whatever the order of the files: who leads, and what is opened first
        ordered = sorted(blocks, key=lambda unit: unit.resolved.statement.span)
        found = list(self._recurring(ordered))
        for key in (skeleton, frame):
            found = self._merged(found, key, min_lines)
        return found

    # --- blocks that are equal but for literals

    def _recurring(self, blocks: Iterable[Unit]) -> Iterator[Group[Unit]]:
        same: dict[str, list[Unit]] = defaultdict(list)
        for unit in blocks:
            same[unit.recurring].append(unit)
        for units in same.values():
            group = self.group(units)
            if len(group.variants) == 1:
                yield group
                continue
            found = _literal_holes(group)
            if is_handy(found, len(units), group.lines):
                yield Group(group.units, group.spans, found)
            else:
                yield from self._exact(units)

    def _exact(self, units: Iterable[Unit]) -> Iterator[Group[Unit]]:
        same: dict[str, list[Unit]] = defaultdict(list)
        for unit in units:
            same[unit.strict].append(unit)
        yield from map(self.group, same.values())

    def group(self, units: Iterable[Unit], found: tuple[Hole, ...] = ()) -> Group[Unit]:
        """A class of these blocks, in the order of their places."""
        many = list(units)
        if len(many) == 1:  # nobody asks where it is
            return Group(tuple(many), (many[0].resolved.statement.span,), found)
        placed = sorted((self.span(unit), at) for at, unit in enumerate(many))
        return Group(tuple(many[at] for _, at in placed), tuple(s for s, _ in placed), found)

    def span(self, unit: Unit) -> Span:
        """Where a block stands."""
        statement = unit.resolved.statement
        return statement.span if unit.whole else self._places.span(statement, unit.node)

    # --- merging

    def _merged(
        self, groups: Sequence[Group[Unit]], key: Callable[[Opened], bytes], min_lines: int
    ) -> list[Group[Unit]]:
        buckets: dict[bytes, list[Group[Unit]]] = defaultdict(list)
        done: list[Group[Unit]] = []
        for group in groups:
            form = self.form(group.units[0]) if group.units[0].triviality < SIMPLE else None
            if form is None:
                done.append(group)
            else:
                buckets[key(form)].append(group)
        for bucket in buckets.values():
            alone = len(bucket) == 1 or max(g.lines for g in bucket[:LEADERS]) < min_lines
            done += bucket if alone else self._clustered(bucket)
        return done

    def _clustered(self, bucket: Sequence[Group[Unit]]) -> Iterator[Group[Unit]]:
        """The largest class leads; what is like it joins; the rest has other leaders."""
        left = sorted(bucket, key=lambda group: (-len(group.units), group.spans[0]))
        for _ in range(LEADERS):
            if len(left) < 2:
                break
            cluster, left = self._around(left[0], left[1:])
            made = self._one(cluster) if len(cluster) > 1 else None
            yield from [made] if made is not None else cluster
        yield from left

    def _around(
        self, leader: Group[Unit], rest: Sequence[Group[Unit]]
    ) -> tuple[list[Group[Unit]], list[Group[Unit]]]:
        """The leader with those that are most like it, as long as the holes are few; the others."""
        limit = limit_of(leader.lines)
        like = [(self._holes_between(leader, group), at) for at, group in enumerate(rest)]
        cluster, left, known = [leader], list[Group[Unit]](), dict[Place, Variable]()
        inside = _Nesting(leader)
        for found, at in sorted(like, key=lambda pair: (self._weight(pair[0]), pair[1])):
            together = {**{v.places[0]: v for v in found}, **known}
            fits = found and self._weight([*together.values()]) <= limit >= self._weight(found)
            if fits and inside.takes(rest[at]):
                known = together
                cluster.append(rest[at])
            else:
                left.append(rest[at])
        return cluster, left

    def _holes_between(self, leader: Group[Unit], group: Group[Unit]) -> tuple[Variable, ...]:
        """What differs between two classes; nothing where that is nearly all, or not to be told."""
        template, form = self.form(leader.units[0]), self.form(group.units[0])
        if template is None or form is None:
            return ()
        return generalize(template, [form], self.follows) or ()

    def _weight(self, variables: Sequence[Variable]) -> int:
        """What it costs a reader to fill these holes; a whole query is more than a parameter."""
        weight = 0
        for variable in variables:
            if variable.kind == "relation" and not all(map(_is_name, variable.values)):
                return HEAVIEST + 1
            if not self.follows(variable, variables):
                weight += WEIGHT[variable.kind]
        return weight

    def _one(self, cluster: Sequence[Group[Unit]]) -> Group[Unit] | None:
        """All of them as one class; None when it would need too many parameters."""
        group = self.group(unit for each in cluster for unit in each.units)
        lead = cluster[0].units[0].strict
        variants = sorted(group.variants, key=lambda unit: unit.strict != lead)
        forms = [form for unit in variants if (form := self.form(unit)) is not None]
        if len(forms) < len(variants):
            return None
        found = generalize(forms[0], forms[1:], self.follows)
        if not found or self._weight(found) > HEAVIEST:
            return None
        wording = Wording(self.register, [unit.resolved.statement for unit in variants])
        told = wording.holes(forms[0], found)
        if not tell_apart(told, found):
            return None
        told = once(told)
        if not is_handy(told, len(group.units), group.lines):
            return None
        loose: Literal["", "core"] = "core" if wording.differs_in_columns(forms[0], found) else ""
        return self.told(group, variants, told, loose)

    def told(
        self,
        group: Group[Unit],
        variants: Sequence[Unit],
        found: Sequence[Hole],
        loose: Literal["", "core", "near"],
    ) -> Group[Unit]:
        """The class with holes whose values are in the order of these variants."""
        order = {unit.strict: at for at, unit in enumerate(variants)}
        places = [order[unit.strict] for unit in group.variants]
        mine = (Hole(h.name, h.kind, tuple(h.values[at] for at in places)) for h in found)
        return Group(group.units, group.spans, tuple(mine), loose)


def _is_name(value: Parts) -> bool:
    return len(value) == 1 and isinstance(value[0], Scan)


def _literal_holes(group: Group[Unit]) -> tuple[Hole, ...]:
    found = holes([unit.rel for unit in group.variants], group.variants[0].names)
    texts = [unit.resolved.statement.masked.restore for unit in group.variants]
    return tuple(
        Hole(h.name, h.kind, tuple(f(v) for f, v in zip(texts, h.values, strict=True)))
        for h in found
    )
