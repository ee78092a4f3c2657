"""What COMMENT ON says of tables, views and their columns: the descriptions of a project.

    COMMENT ON TABLE rep.daily IS 'Orders by day'     the model daily is described so
    COMMENT ON COLUMN rep.daily.revenue IS 'gross'    its column, too

described(scripts) -> by relation, what is said of it; of one script the last word counts. Where two
scripts say different things, nothing tells which is last, and none is taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from sqlglot import exp

from unwet.lineage.names import relation_name
from unwet.lineage.parse import Script, Statement

NOTHING: Mapping[str, str] = MappingProxyType({})
NO_RELATIONS: Mapping[str, Collection[str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Described:
    """What is said of a relation, and of its columns by their names in lower case."""

    text: str = ""
    columns: Mapping[str, str] = field(default_factory=lambda: NOTHING)

    @property
    def told(self) -> frozenset[str]:
        """The columns of which something is said; "" where something is said of the relation."""
        return frozenset({*self.columns, *([""] if self.text else [])})


def described(scripts: Iterable[Script]) -> dict[str, Described]:
    """By relation."""
    said: dict[tuple[str, str], list[_Said]] = defaultdict(list)
    for script in scripts:
        for statement in script.statements:
            if (comment := of(statement)) is not None:
                relation, column, text = comment
                said[relation, column.lower()].append(_Said(text, script.source.path, column))
    found: dict[str, Described] = {}
    for (relation, column), words in said.items():
        if (last := _last(words)) is not None:
            known = found.get(relation, Described())
            columns = {**known.columns, **({column: last} if column else {})}
            found[relation] = Described(known.text if column else last, columns)
    return found


@dataclass(frozen=True, slots=True)
class _Said:
    """``column``: as it is spelled, as "A" and "a" may be two."""

    text: str
    path: str
    column: str


def _last(words: Sequence[_Said]) -> str | None:
    """The last of what is said of one thing; None where nothing tells which that is."""
    one_script = len({each.path for each in words}) == 1
    one_thing = len({each.column for each in words}) == 1
    same = len({each.text for each in words}) == 1
    return words[-1].text if same or (one_script and one_thing) else None


def of(statement: Statement) -> tuple[str, str, str] | None:
    """The relation that a COMMENT ON is about, its column if it is of one, and what it says."""
    restored = statement.masked.restore
    match statement.tree:
        case exp.Comment(this=exp.Table() as table, expression=exp.Literal(is_string=True) as text):
            if str(statement.tree.args.get("kind") or "").upper() not in ("TABLE", "VIEW"):
                return None
            return relation_name(table, statement.dialect), "", restored(text.name)
        case exp.Comment(
            this=exp.Column() as column, expression=exp.Literal(is_string=True) as text
        ) if column.table:
            above = {"this": "table", "db": "db", "catalog": "catalog"}
            parts = {key: column.args.get(name) for key, name in above.items()}
            table = exp.Table(**{key: part.copy() for key, part in parts.items() if part})
            return relation_name(table, statement.dialect), column.name, restored(text.name)
        case _:
            return None
