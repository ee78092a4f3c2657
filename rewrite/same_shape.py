"""Blocks of one shape: they differ in names and constants only, as the same query of another table.

A model says the rows of one table. Where others have the same query of other tables, each of them
would be a model of its own, and reports of these tables would no more be alike; one macro says all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from unwet.rewrite.widening import Site

_LISTED: Final = 8  # queries of other tables beside it in a report: they are a loop there


class SameShape:
    """The blocks of many trees by their shapes."""

    def __init__(self) -> None:
        self._sites: dict[bytes, list[Site]] = defaultdict(list)
        self._shapes: dict[int, bytes] = {}  # by node, all of which the sites keep

    def note(self, site: Site, shape: bytes | None) -> None:
        """A block, and its shape if it has one."""
        if shape is not None:
            self._shapes[id(site.node)] = shape
            self._sites[shape].append(site)

    def others(self, sites: Iterable[Site]) -> Iterator[Site]:
        """Blocks of the shape of one of these that are none of them."""
        nodes = {id(site.node) for site in sites}
        for shape in {self._shapes[node]: None for node in nodes if node in self._shapes}:
            yield from (site for site in self._sites[shape] if id(site.node) not in nodes)


def is_of_many(named: int, served: Counter[str], others: Counter[str]) -> bool:
    """Whether a query that others have of other rows is a macro's: none of its authors has a name
    for its rows, or few of them do and the others are more; or each report that has it has many of
    the others, too, one behind the other, which would be as many models.

    ``named``: how many copies have a name; ``served``, ``others``: how many each report has."""
    if all(others[host] >= _LISTED for host in served):
        return True
    return bool(others) and (not named or 2 * named < served.total() < others.total())
