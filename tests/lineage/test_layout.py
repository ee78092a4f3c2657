"""Positions of boxes: layered, without overlap, the same on every run."""

import random
from collections.abc import Sequence

import pytest

from unwet.lineage.exports.layout import Box, Place, layout

Links = list[tuple[int, int]]


def same(count: int) -> list[Box]:
    return [Box(150, 30)] * count


def overlaps(places: Sequence[Place], boxes: Sequence[Box]) -> list[tuple[int, int]]:
    """Pairs of boxes that share a pixel."""
    return [
        (i, j)
        for i, a in enumerate(places)
        for j, b in enumerate(places[:i])
        if a.x < b.x + b.width
        and b.x < a.x + a.width
        and a.y < b.y + boxes[j].height
        and b.y < a.y + boxes[i].height
    ]


def made_up(count: int, seed: int) -> tuple[list[Box], Links]:
    """Boxes of all sizes: many islands, a few circles, and a table that all read."""
    dice = random.Random(seed)
    boxes = [Box(dice.randrange(110, 260), 30 + 20 * dice.randrange(13)) for _ in range(count)]
    links = [(dice.randrange(i), i) for i in range(1, count) if dice.random() < 0.8]
    links += [(0, i) for i in range(1, count, 3)]
    links += [(dice.randrange(count), dice.randrange(count)) for _ in range(count // 20)]
    return boxes, links


def test_what_feeds_stands_left() -> None:
    places = layout(same(4), [(2, 0), (0, 1), (2, 1), (3, 1)])
    assert [place.layer for place in places] == [1, 2, 0, 1]  # 3 stands next to its only reader
    assert places[2].x < places[0].x < places[1].x


def test_no_boxes() -> None:
    assert layout([], []) == ()


def test_a_circle_is_drawn_in_a_row_with_one_link_back() -> None:
    circle = [(0, 1), (1, 2), (2, 0)]
    places = layout(same(4), [*circle, (3, 0)])
    assert len({place.x for place in places}) == 4
    back = [(a, b) for a, b in circle if places[a].x > places[b].x]
    assert len(back) == 1


def test_loops_of_one_box_move_nothing() -> None:
    assert layout(same(2), [(0, 1), (1, 1)]) == layout(same(2), [(0, 1)])


def test_boxes_are_as_wide_as_their_column() -> None:
    boxes = [Box(200, 30), Box(100, 30), Box(120, 30)]
    assert [place.width for place in layout(boxes, [(0, 1), (0, 2)])] == [200, 120, 120]


@pytest.mark.parametrize("seed", range(4))
def test_no_two_boxes_overlap(seed: int) -> None:
    boxes, links = made_up(300, seed)
    assert overlaps(layout(boxes, links), boxes) == []


def test_the_order_of_links_does_not_matter() -> None:
    boxes, links = made_up(200, 9)
    shuffled = [*links, *links[:50]]
    random.Random(1).shuffle(shuffled)
    assert layout(boxes, links) == layout(boxes, shuffled)


def test_a_high_layer_is_folded() -> None:
    count = 400
    places = layout(same(count), [(0, i) for i in range(1, count)])
    height = max(place.y for place in places) + 30
    width = max(place.x + place.width for place in places)
    assert 0.4 < width / height < 4
    assert len({place.x for place in places}) > 4


def test_parallel_chains_do_not_cross() -> None:
    """Barycenters bring each chain into a lane of its own, whatever the numbers say."""
    links = [(0, 7), (1, 6), (2, 5), (3, 4), (7, 8), (6, 9), (5, 10), (4, 11)]
    hub = [(12, i) for i in range(4)]
    places = layout(same(13), [*links, *hub])
    lanes = [[i, 7 - i, 8 + i] for i in range(4)]
    for lane in lanes:
        assert len({places[i].y for i in lane}) == 1
