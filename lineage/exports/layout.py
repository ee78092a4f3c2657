"""Positions for the boxes of a drawing, layered from left to right.

Each island of linked boxes is laid out by itself: layers (see layering), barycenter sweeps for the
order inside a layer, and heights close to what feeds a box. A layer that is too high for a screen
is folded into several columns. Then the islands are packed on shelves. The same input gives the
same positions, and no two boxes overlap.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from unwet.lineage.exports.layering import Adjacency, islands, layers, neighbours

SWEEPS = 6  # more change next to nothing on real piles


class Box(NamedTuple):
    """What a box needs, in pixels at full zoom."""

    width: float
    height: float


class Place(NamedTuple):
    """The upper left corner of a box, the layer it is in, and its width: that of its column."""

    x: float
    y: float
    layer: int
    width: float


@dataclass(frozen=True, slots=True)
class Spacing:
    """Gaps in pixels at full zoom. `aspect`: width by height to aim at; `fold`: the least height
    at which a layer is folded."""

    across: float = 80
    down: float = 14
    between: float = 50
    aspect: float = 1.4
    fold: float = 400


def layout(
    boxes: Sequence[Box],
    links: Iterable[tuple[int, int]],
    spacing: Spacing = Spacing(),
) -> tuple[Place, ...]:
    """A place for each box; `links` are (from, to) pairs of indices into `boxes`."""
    after, before = neighbours(len(boxes), links)
    layer = layers(after)
    drawn = [
        _island(nodes, boxes, layer, after, before, spacing) for nodes in islands(after, before)
    ]
    return _packed(drawn, len(boxes), spacing)


# --- one island


@dataclass(frozen=True, slots=True)
class _Island:
    places: dict[int, Place]
    width: float
    height: float


def _island(
    nodes: Sequence[int],
    boxes: Sequence[Box],
    layer: Sequence[int],
    after: Adjacency,
    before: Adjacency,
    spacing: Spacing,
) -> _Island:
    first = min(layer[node] for node in nodes)
    rows: list[list[int]] = [[] for _ in range(max(layer[node] for node in nodes) - first + 1)]
    for node in nodes:
        rows[layer[node] - first].append(node)
    rows = _ordered([row for row in rows if row], after, before)
    heights = {node: boxes[node].height for node in nodes}
    limit = _limit(rows, boxes, spacing)
    tops: dict[int, float] = {}
    lefts: dict[int, tuple[float, float]] = {}
    x = width = 0.0
    for row in rows:
        columns = _folded(row, heights, limit, spacing.down)
        for column in columns:
            wanted = _wanted(column, heights, tops, before) if len(columns) == 1 else []
            tops.update(zip(column, _stacked(column, heights, wanted, spacing.down), strict=True))
            wide = max(boxes[node].width for node in column)
            lefts.update((node, (x, wide)) for node in column)
            width = x + wide
            x = width + (spacing.across if column is columns[-1] else spacing.between)
    top = min(tops.values())
    places = {
        node: Place(lefts[node][0], tops[node] - top, layer[node], lefts[node][1]) for node in nodes
    }
    bottom = max(place.y + heights[node] for node, place in places.items())
    return _Island(places, width, bottom)


def _ordered(rows: list[list[int]], after: Adjacency, before: Adjacency) -> list[list[int]]:
    """Barycenter sweeps, to the right and to the left in turn."""
    at: dict[int, float] = {}
    for row in rows:
        _number(row, at)
    for sweep in range(SWEEPS):
        rightward = sweep % 2 == 0
        towards = before if rightward else after
        for row in rows if rightward else reversed(rows):
            means = {node: _mean(towards[node], at, at[node]) for node in row}
            row.sort(key=lambda node: (means[node], at[node], node))
            _number(row, at)
    return rows


def _number(row: Sequence[int], at: dict[int, float]) -> None:
    at.update((node, (i + 0.5) / len(row)) for i, node in enumerate(row))


def _mean(nodes: Sequence[int], at: dict[int, float], otherwise: float) -> float:
    return sum(at[node] for node in nodes) / len(nodes) if nodes else otherwise


def _limit(rows: Sequence[Sequence[int]], boxes: Sequence[Box], spacing: Spacing) -> float:
    """The height to fold layers at, so that the island is drawn as large as can be on a screen."""
    sums = [sum(boxes[node].height + spacing.down for node in row) for row in rows]
    widths = [max(boxes[node].width for node in row) + spacing.between for row in rows]

    def size(limit: float) -> float:
        columns = [max(1, round(each / limit)) for each in sums]
        high = max(each / parts for each, parts in zip(sums, columns, strict=True))
        wide = sum(parts * width for parts, width in zip(columns, widths, strict=True))
        return max(wide / spacing.aspect, high)

    highest = max(sums)
    limits = [
        highest / parts for parts in range(1, 40) if parts == 1 or highest / parts > spacing.fold
    ]
    return min(limits, key=lambda limit: (size(limit), -limit))


def _folded(
    row: Sequence[int], heights: Mapping[int, float], limit: float, down: float
) -> list[list[int]]:
    """The row cut into columns of about equal height, none much higher than `limit`."""
    total = sum(heights[node] + down for node in row)
    share = total / max(1, round(total / limit))
    columns: list[list[int]] = [[]]
    filled = 0.0
    for node in row:
        if columns[-1] and filled + heights[node] / 2 > share * len(columns):
            columns.append([])
        columns[-1].append(node)
        filled += heights[node] + down
    return columns


def _wanted(
    column: Sequence[int], heights: Mapping[int, float], tops: dict[int, float], before: Adjacency
) -> list[float]:
    """The top each box would like: level with the middle of what feeds it."""
    wanted: list[float] = []
    for node in column:
        middles = [tops[other] + heights[other] / 2 for other in before[node] if other in tops]
        middle = sum(middles) / len(middles) if middles else 0.0
        wanted.append(middle - heights[node] / 2)
    return wanted


def _stacked(
    column: Sequence[int], heights: Mapping[int, float], wanted: Sequence[float], down: float
) -> list[float]:
    """Tops in the given order without overlap: centred, or as near as can be to `wanted`.

    The nearest is isotonic regression of what is wanted, minus what stands above (pool adjacent
    violators).
    """
    above = [0.0]
    for node in column:
        above.append(above[-1] + heights[node] + down)
    if not wanted:
        return [each - above[-1] / 2 for each in above[:-1]]
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, above, strict=False):
        pool = (want - offset, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, size = pools.pop()
            both = size + pool[1]
            pool = ((mean * size + pool[0] * pool[1]) / both, both)
        pools.append(pool)
    shifts = [mean for mean, size in pools for _ in range(size)]
    return [shift + offset for shift, offset in zip(shifts, above, strict=False)]


# --- all islands


def _packed(drawn: Sequence[_Island], count: int, spacing: Spacing) -> tuple[Place, ...]:
    """On shelves, the highest island first; positions in whole pixels."""
    gap = spacing.between
    area = sum((each.width + gap) * (each.height + gap) for each in drawn)
    limit = max([sqrt(area * spacing.aspect), *(each.width for each in drawn)])
    places: list[Place] = [Place(0, 0, 0, 0)] * count
    x = y = shelf = 0.0
    for each in sorted(drawn, key=lambda one: (-one.height, -one.width, min(one.places))):
        if x and x + each.width > limit:
            x, y, shelf = 0.0, y + shelf + gap, 0.0
        for node, place in each.places.items():
            places[node] = Place(round(x + place.x), round(y + place.y), *place[2:])
        x += each.width + gap
        shelf = max(shelf, each.height)
    return tuple(places)
