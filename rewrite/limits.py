"""What somebody has decided that the choice of abstractions must not do."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from unwet.lineage.config import USUAL_SHARING, Sharing

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """`apart`: sets of reports, no two of which may use one abstraction; `plain`: reports that may
    share only what is equal; `forbidden`: names of what is never made; `sharing`: what pays."""

    apart: tuple[frozenset[str], ...] = ()
    plain: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    sharing: Sharing = USUAL_SHARING


NO_LIMITS = Limits()


@dataclass(slots=True)
class Owners:
    """Which reports use each macro and intermediate model, as these are made. A report is its own
    owner."""

    limits: Limits
    known: dict[str, frozenset[str]] = field(default_factory=dict)
    refused: dict[str, Hashable] = field(default_factory=dict)  # what had a forbidden name

    def refuses(self, name: str, content: Hashable) -> bool:
        """Whether nobody wants that thing: the first one that would have a forbidden name."""
        if content in self.refused.values():
            return True
        if name in self.limits.forbidden and name not in self.refused:
            self.refused[name] = content
            return True
        return False

    def of(self, hosts: Iterable[str]) -> frozenset[str]:
        """The reports that use any of these."""
        found: frozenset[str] = frozenset()
        for host in hosts:
            found |= self.known.get(host, frozenset({host}))
        return found

    def note(self, name: str, hosts: Iterable[str]) -> None:
        """A new abstraction in these hosts."""
        self.known[name] = self.of(hosts)

    def rename(self, names: Mapping[str, str]) -> None:
        """Abstractions have other names."""
        known = {new: self.known.pop(old) for old, new in names.items() if old in self.known}
        self.known |= known

    def parted(
        self,
        members: Sequence[T],
        host: Callable[[T], str],
        content: Callable[[T], Hashable] | None = None,
    ) -> list[list[T]]:
        """The members in groups that may share one abstraction; `content` is equal for members
        that differ in nothing, None: they are all equal."""
        if not self.limits.apart and not self.limits.plain:
            return [list(members)]
        groups: dict[Hashable, list[T]] = {}
        for each in members:
            mark = None
            if content and not self.limits.plain.isdisjoint(self.of([host(each)])):
                mark = (content(each),)
            groups.setdefault(mark, []).append(each)
        return [part for group in groups.values() for part in self._compatible(group, host)]

    def _compatible(self, group: list[T], host: Callable[[T], str]) -> list[list[T]]:
        """Each member with the first ones that it may be with."""
        parts: list[tuple[list[T], frozenset[str]]] = []
        for each in group:
            mine = self.of([host(each)])
            for at, (part, owners) in enumerate(parts):
                if not self._clash(owners | mine):
                    part.append(each)
                    parts[at] = part, owners | mine
                    break
            else:
                parts.append(([each], mine))
        return [part for part, _ in parts]

    def _clash(self, owners: frozenset[str]) -> bool:
        return any(len(owners & apart) > 1 for apart in self.limits.apart)
