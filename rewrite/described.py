"""What COMMENT ON says of tables, views and their columns: the descriptions of a project.

    COMMENT ON TABLE rep.daily IS 'Orders by day'     the model daily is described so
    COMMENT ON COLUMN rep.daily.revenue IS 'gross'    its column, too

described(scripts) -> by relation, what is said of it; the last word counts
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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


def described(scripts: Iterable[Script]) -> dict[str, Described]:
    """By relation."""
    found: dict[str, Described] = {}
    for script in scripts:
        for statement in script.statements:
            if (said := of(statement)) is not None:
                relation, column, text = said
                known = found.get(relation, Described())
                columns = {**known.columns, **({column: text} if column else {})}
                found[relation] = Described(known.text if column else text, columns)
    return found


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
            return relation_name(table, statement.dialect), column.name.lower(), restored(text.name)
        case _:
            return None
