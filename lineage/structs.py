"""Structs that an expression builds, and their fields.

built(node) -> Built, where all values that the expression can have are of one STRUCT(...)
field_names(struct, dialect) -> the names of its fields
field_value(struct, name, dialect) -> what one of them holds
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from unwet.lineage.names import folded

_HANDED_ON = (
    exp.Paren,
    exp.Bracket,
    exp.Limit,
    exp.Order,
    exp.HavingMax,
    exp.IgnoreNulls,
    exp.RespectNulls,
)
_CHOOSING = (exp.ArrayAgg, exp.AnyValue)


@dataclass(frozen=True, slots=True)
class Built:
    """STRUCT(...) inside what chooses one of many: `ARRAY_AGG(STRUCT(a, b) ORDER BY c)[0]`.

    `around`: the nodes from the outermost inwards, without the struct.
    """

    struct: exp.Struct
    around: tuple[exp.Expression, ...]

    @property
    def is_chosen(self) -> bool:
        """Whether rows are put together on the way."""
        return any(isinstance(each, _CHOOSING) for each in self.around)


def built(node: exp.Expression | None) -> Built | None:
    """The struct whose fields are all that ``node`` has; None where nobody can say."""
    around: list[exp.Expression] = []
    while isinstance(node, (*_HANDED_ON, *_CHOOSING)):
        around.append(node)
        node = node.args.get("this")
    return Built(node, tuple(around)) if isinstance(node, exp.Struct) else None


def field_names(struct: exp.Struct, dialect: str) -> tuple[str, ...] | None:
    """The folded names of all fields, in their order; None where one has none, or two have one."""
    names = [name for name, _ in _fields(struct, dialect)]
    known = len(names) == len(struct.expressions) == len(set(names)) and all(names)
    return tuple(names) if known else None


def field_value(node: exp.Expression | None, name: str, dialect: str) -> exp.Expression | None:
    """The value of field `name` of a STRUCT(... AS name, ...); None for anything else."""
    if not isinstance(node, exp.Struct):
        return None
    return next((value for own, value in _fields(node, dialect) if own == name), None)


def _fields(struct: exp.Struct, dialect: str) -> Iterator[tuple[str, exp.Expression]]:
    for each in struct.expressions:
        match each:
            case exp.PropertyEQ():
                yield folded(each.this, dialect), each.expression
            case exp.Alias():
                yield folded(each.args["alias"], dialect), each.this
            case exp.Column() if not isinstance(each.this, exp.Star):
                yield folded(each.this, dialect), each
            case _:
                pass
