"""Names that are every combination of two lists: `doc_tabs, doc_links, page_tabs, page_links`.

grids(names) -> the stretches of them that are, each with its two lists
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_LEAST: Final = 6  # names that two lists say less than one
_CUT: Final = re.compile(r"(?<=[_.])(?=[^_.])")


@dataclass(frozen=True, slots=True)
class Grid:
    """The names from ``start`` to ``stop``: each of ``first`` followed by each of ``second``."""

    start: int
    stop: int
    first: tuple[str, ...]
    second: tuple[str, ...]


def grids(names: Sequence[str]) -> Iterator[Grid]:
    """The stretches from the left, each as long as it can be."""
    ends: dict[str, int] = {}  # of the names that begin alike
    at = 0
    while at < len(names):
        found = [grid for cut in _CUT.finditer(names[at])
                 if (grid := _grid(names, at, cut.start(), ends)) is not None]  # fmt: skip
        best = max(found, key=_saved, default=None)
        if best is None or _saved(best) < _LEAST:
            at += 1
            continue
        yield best
        at = best.stop


def _saved(grid: Grid) -> int:
    return len(grid.first) * len(grid.second) - len(grid.first) - len(grid.second)


def _grid(names: Sequence[str], at: int, cut: int, ends: dict[str, int]) -> Grid | None:
    """The grid that begins there with the names that are the same up to the cut."""
    head = names[at][:cut]
    end = ends.get(head, 0)
    if end <= at:
        end = next((n for n in range(at, len(names)) if not names[n].startswith(head)), len(names))
        ends[head] = end
    second = tuple(name[cut:] for name in names[at:end])
    first = [head]
    stop = end
    while stop + len(second) <= len(names) and names[stop].endswith(second[0]):
        other = names[stop].removesuffix(second[0])
        block = names[stop : stop + len(second)]
        if not other or any(n != other + tail for n, tail in zip(block, second, strict=True)):
            break
        first.append(other)
        stop += len(second)
    several = len(first) > 1 and len(second) > 1 and len({*first}) == len(first)
    return Grid(at, stop, tuple(first), second) if several else None
