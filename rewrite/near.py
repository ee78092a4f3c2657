"""Near copies: classes of blocks that have most of their plan in common, and their outputs.

Classes whose parts are much alike are candidates (``minhash``); that they are near copies is
always decided by laying one beside the other (``antiunify``). Every class is compared with the few
leaders that it is most like, so the work grows with the number of classes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from unwet.rewrite.algebra import Node, Opaque
from unwet.rewrite.alignment import Parts
from unwet.rewrite.antiunify import LIST, differences, generalize
from unwet.rewrite.classes import Classes
from unwet.rewrite.folding import fold, nodes_of
from unwet.rewrite.groups import Group, once
from unwet.rewrite.hole_texts import Wording
from unwet.rewrite.minhash import bands
from unwet.rewrite.open_form import Opened
from unwet.rewrite.reads import blocks
from unwet.rewrite.rules.order import masked_digest
from unwet.rewrite.units import SIMPLE, Unit

SAME: Final = 0.6  # share of two plans together that must be the same
SAME_OUTPUTS: Final = 0.7
LEAST_PARTS: Final = 20  # of a plan that is compared: smaller ones are alike by chance
ASKED: Final = 8  # leaders that a class is compared with
CLOSE: Final = 0.8  # what is as near as that needs no delegate of its own
DELEGATES: Final = 3  # of a cluster, besides its leader: what is near one of them joins
WORD: Final = 6  # characters of a text that count as a part
CROWDED: Final = 32  # leaders in one band: more share it by chance
_OUTPUTS: Final = 3  # which of an opened form's lists the outputs are


@dataclass(eq=False)
class Cluster:
    """A leader and what is near it, with the share of the plans that is the same."""

    leader: Group[Unit]
    form: Opened
    near: list[tuple[Group[Unit], float]] = field(default_factory=list)

    @property
    def groups(self) -> list[Group[Unit]]:
        """The classes, the leader first."""
        return [self.leader, *(group for group, _ in self.near)]


def clusters(groups: Iterable[Group[Unit]], classes: Classes) -> list[Cluster]:
    """The classes that are near others; of each cluster the largest class leads."""
    finder = _Finder(classes)
    for group in sorted(groups, key=lambda each: (-len(each.units), each.spans[0])):
        finder.place(group)
    return [cluster for cluster in finder.clusters if cluster.near]


def united(cluster: Cluster, classes: Classes) -> Group[Unit] | None:
    """A cluster as one class with its holes; None where these cannot be told."""
    lead = cluster.leader.units[0]
    together = [group for group in cluster.groups if _can_be_told(cluster, group, classes)]
    group = classes.group(unit for each in together for unit in each.units)
    variants = sorted(group.variants, key=lambda unit: unit.strict != lead.strict)
    forms = [form for unit in variants if (form := classes.form(unit)) is not None]
    found = generalize(forms[0], forms[1:], classes.follows)
    if not found or len(forms) < len(variants):
        return None
    wording = Wording(classes.register, [unit.resolved.statement for unit in variants])
    told = [hole for hole in once(wording.holes(forms[0], found)) if len(set(hole.values)) > 1]
    return classes.told(group, variants, told, "near") if told else None


def _can_be_told(cluster: Cluster, group: Group[Unit], classes: Classes) -> bool:
    """Whether a class that is near a delegate is not too far from the leader."""
    forms = [classes.form(unit) for unit in group.variants]
    return all(form and differences(cluster.form, form) is not None for form in forms)


class _Finder:
    def __init__(self, classes: Classes) -> None:
        self.clusters: list[Cluster] = []
        self._classes = classes
        self._bands: dict[tuple[int, ...], list[int]] = defaultdict(list)
        self._asked: list[tuple[Opened, int]] = []  # leaders and delegates, and their clusters
        self._delegates: Counter[int] = Counter()
        self._sizes: dict[bytes, int] = {}

    def place(self, group: Group[Unit]) -> None:
        """Puts a class to the leader that it is nearest, or makes it one."""
        unit = group.units[0]
        understood = unit.triviality < SIMPLE and not isinstance(unit.rel, Opaque)
        form = self._classes.form(unit) if understood else None
        if form is None:
            return
        features = set(_features(form))
        if len(features) < LEAST_PARTS:
            return
        own = list(bands(features))
        votes = Counter(at for band in own for at in self._bands[band])
        asked = [self._asked[at] for at, _ in votes.most_common(ASKED)]
        near = [(self.share(other, form), -cluster) for other, cluster in asked]
        share, at = max(near, default=(0.0, 0))
        at = -at  # of several that are as near the first
        if share < SAME or not _are_apart(self.clusters[at], group):
            at = len(self.clusters)
            self.clusters.append(Cluster(group, form))
            self._ask(form, at, own)
            return
        self.clusters[at].near.append((group, share))
        if share < CLOSE and self._delegates[at] < DELEGATES:
            self._delegates[at] += 1
            self._ask(form, at, own)

    def _ask(self, form: Opened, cluster: int, own: Iterable[tuple[int, ...]]) -> None:
        """From now on classes are compared with this one, too."""
        for band in own:
            if len(self._bands[band]) < CROWDED:
                self._bands[band].append(len(self._asked))
        self._asked.append((form, cluster))

    def share(self, one: Opened, other: Opened) -> float:
        """How much of both plans is the same; 0 where their outputs are others."""
        found = differences(one, other)
        if found is None or () in found:
            return 0.0
        alone = [d for place, d in found.items() if place[:2] == (_OUTPUTS, LIST)]
        most = max(len(one.outputs), len(other.outputs))
        apart = max((len(part) for d in alone for part in (d.mine, d.other)), default=0)
        # under one name, but something else
        apart += sum(
            len(place) == 2 and place[0] == _OUTPUTS and place[1] != LIST for place in found
        )
        if apart > (1 - SAME_OUTPUTS) * most:
            return 0.0
        mine = sum(self._size(d.mine) for d in found.values()) / self._size((one,))
        theirs = sum(self._size(d.other) for d in found.values()) / self._size((other,))
        return 1 - (mine + theirs) / 2

    def _size(self, nodes: Parts) -> int:
        """The number of parts, each as often as it is read."""
        return sum(fold(node, nodes_of, self._sizes, self._parts) for node in nodes)

    def _parts(self, node: Node) -> int:
        own = len(node.text) // WORD if isinstance(node, Opaque) else 1
        return own + sum(self._sizes[each.digest] for each in nodes_of(node))


def _features(form: Opened) -> Iterator[bytes]:
    """What a plan is made of: every part of it, whatever its constants."""
    seen: set[bytes] = set()
    stack: list[Node] = [form]
    while stack:
        node = stack.pop()
        if node.digest in seen:
            continue
        seen.add(node.digest)
        yield masked_digest(node)
        stack.extend(nodes_of(node))


def _are_apart(cluster: Cluster, group: Group[Unit]) -> bool:
    """Whether no block of the class stands inside one of the cluster's, or around it, or reads it:
    a CTE that adds a little to the one before is no copy of that."""
    members = [unit for each in cluster.groups for unit in each.units]
    blocks_of = {id(unit) for unit in members}
    around = {id(a) for unit in members for a in unit.ancestors()}
    if any(
        id(unit) in around or any(id(a) in blocks_of for a in unit.ancestors())
        for unit in group.units
    ):
        return False
    beside: dict[int, list[Unit]] = defaultdict(list)
    for unit in members:
        beside[id(unit.resolved)].append(unit)
    return not any(
        _reads(one, other) or _reads(other, one)
        for one in group.units
        for other in beside.get(id(one.resolved), ())
    )


def _reads(one: Unit, other: Unit) -> bool:
    """Whether a block is made of another one of its statement."""
    return any(each is other.query for each in blocks(one.query))
