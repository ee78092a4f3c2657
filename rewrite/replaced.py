"""What a sweep has replaced: what is around or inside of it waits for the next one."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from unwet.lineage.trees import upwards
from unwet.rewrite.abstract import Unit


class Replaced:
    """The nodes that a sweep has replaced. They are asked for before they are replaced: afterwards
    nothing is above them any more."""

    def __init__(self) -> None:
        self._nodes: list[exp.Expr] = []  # kept, as they go by identity
        self._ids: set[int] = set()
        self._above: set[int] = set()

    def meets(self, node: exp.Expr) -> bool:
        """Whether a node was replaced, or is around or inside one that was."""
        return id(node) in self._above or any(id(up) in self._ids for up in upwards(node))

    def add(self, node: exp.Expr) -> None:
        self._nodes.append(node)
        self._ids.add(id(node))
        self._above.update(map(id, upwards(node)))


def taken_off(unit: Unit) -> Iterator[exp.Expr]:
    """The nodes that a call will stand for: CTEs that are cut off are below another node then."""
    yield unit.node
    if unit.kind == "tail":
        yield from unit.node.args["with_"].expressions[unit.skip :]
