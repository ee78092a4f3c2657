"""What one definition for all members of a family would save, in printed lines.

Before: the lines of each member that counts. After: the definition, and in each member's place what
stands for it. That is one line for a reference; a macro call, wrapped; or, where members take other
columns of one wide definition, a query of their own over it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from unwet.rewrite.enclosed import Enclosed
from unwet.rewrite.fragments import Fragment
from unwet.rewrite.groups import Group, Piece
from unwet.rewrite.library import LINE
from unwet.rewrite.near import Cluster

LOOP: Final = 3  # for, endfor, and the list of values, which may be longer
MACRO: Final = 2  # lines around a definition with parameters
CALL: Final = 30  # characters of a call without its arguments
ARGUMENT: Final = 6  # of an argument without its name and value


def saved(group: Group[Piece], counted: Sequence[int]) -> int:
    """The lines that a family saves; `counted`: the members that nothing larger saves already."""
    if group.what == "item":
        return _saved_by_loops(group, counted)
    match group.kind:
        case "exact":
            after = group.lines + len(counted)
        case "core":
            after = group.lines + _more_lines(group) + sum(_query(group, at) for at in counted)
        case _:
            after = group.lines + MACRO + sum(_call(group, at) for at in counted)
    return len(counted) * group.lines - after


def saved_near(cluster: Cluster, inside: Enclosed) -> int:
    """The lines that near classes save when each is one definition already: of what no other
    family saves the share that is the same in the leader, less a line for the reference."""
    saved = -MACRO
    for group, share in cluster.near:
        own = max(0, group.lines - inside.lines(group.units[0]))
        saved += int(own * share) - 1
    return saved


def _saved_by_loops(group: Group[Piece], counted: Sequence[int]) -> int:
    """What loops save that write the items of each SELECT."""
    by_block: dict[int, list[int]] = defaultdict(list)
    for at in counted:
        unit = group.units[at]
        assert isinstance(unit, Fragment)
        by_block[unit.block].append(at)
    saved = 0
    for items in by_block.values():
        values = sum(len(each[at]) + ARGUMENT for each in group.values for at in items)
        saved += len(items) * group.lines - (group.lines + LOOP + values // LINE)
    return saved


def _call(group: Group[Piece], at: int) -> int:
    """The lines of a macro call."""
    size = sum(
        len(hole.name) + len(values[at]) + ARGUMENT
        for hole, values in zip(group.holes, group.values, strict=True)
    )
    return 1 + (size + CALL) // LINE


def _query(group: Group[Piece], at: int) -> int:
    """The lines of a query over the wide definition: its columns, and what it asks besides."""
    asked = sum(1 for hole, values in zip(group.holes, group.values, strict=True)
                if values[at] and hole.kind != "column")  # fmt: skip
    return 2 + len(group.units[at].names) + asked


def _more_lines(group: Group[Piece]) -> int:
    """The columns that the definition needs beyond those of the first member."""
    more = 0
    for hole in group.holes:
        items = {item for value in hole.values for item in value.split(", ")}
        more += len(items - set(hole.values[0].split(", ")))
    return more
