"""Columns and relations by the names people type: any case, quoted or not, or only the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from unwet.lineage.columns import ColumnId
from unwet.lineage.errors import UsageError

RESULT = "(result)"  # what is shown for the relation "" of a bare SELECT
LISTED = 10  # names in one message
_PART = re.compile(r'"((?:[^"]|"")*)"|`([^`]*)`|\[([^\]]*)\]|([^."`\[\]]+)')


def column(nodes: Sequence[ColumnId], name: str) -> ColumnId:
    """The one column called `name`: its whole name, else one that ends in it.

    Raises UsageError when there is none (with the nearest names) or more than one (with all).
    """
    found, _ = _matches(list(nodes), [], name)
    if not found:
        raise _unknown("column", name, _near_columns(nodes, _plain(name)))
    return found[0]


def find(nodes: Sequence[ColumnId], name: str, tables_only: bool = False) -> tuple[ColumnId, ...]:
    """The column called `name`, or every column of the relation called so.

    Whole names go before ends of names, and names that are written so before those in other case.
    Raises UsageError as `column`; with `tables_only` columns are not looked at.
    """
    relations = list(dict.fromkeys(node.relation for node in nodes))
    found, tables = _matches([] if tables_only else list(nodes), relations, name)
    if tables:
        return tuple(node for node in nodes if node.relation == tables[0])
    if not found:
        wanted = _plain(name)
        near = _near_tables(nodes, wanted) if tables_only else _near_columns(nodes, wanted)
        raise _unknown("table" if tables_only else "column or table", name, near)
    return tuple(found)


def _matches(
    columns: list[ColumnId], relations: list[str], name: str
) -> tuple[list[ColumnId], list[str]]:
    """The best match, one column or one relation or nothing; raises UsageError for several."""
    for wanted in dict.fromkeys((name.strip(), _plain(name))):
        for same in (_is, _ends):
            found = [node for node in columns if same(_shown(node), wanted)]
            tables = [each for each in relations if same(each or RESULT, wanted)]
            if len(found) + len(tables) > 1:
                found, tables = _as_written(found, tables, wanted)
            if len(found) + len(tables) > 1:
                raise _ambiguous(name, found, tables)
            if found or tables:
                return found, tables
    return [], []


# --- names


def _plain(name: str) -> str:
    """`"DB".[s].`t`` without its quotes."""
    name = name.strip()
    if not re.search(r'["`\[]', name):
        return name
    parts = [next(filter(None, found.groups()), "") for found in _PART.finditer(name)]
    return ".".join(part.replace('""', '"') for part in parts)


def _shown(node: ColumnId) -> str:
    """Its whole name; `(result).x` is the column x of a bare SELECT, and `x` only its end."""
    return f"{node.relation or RESULT}.{node.column}"


def _is(text: str, wanted: str) -> bool:
    return text.lower() == wanted.lower()


def _ends(text: str, wanted: str) -> bool:
    return text.lower().endswith("." + wanted.lower())


def _as_written(
    columns: list[ColumnId], tables: list[str], wanted: str
) -> tuple[list[ColumnId], list[str]]:
    """Only those whose case is as it was typed, when there are such."""
    exact = [node for node in columns if _shown(node).endswith(wanted)]
    named = [each for each in tables if each.endswith(wanted)]
    return (exact, named) if exact or named else (columns, tables)


# --- messages


def _ambiguous(name: str, columns: list[ColumnId], tables: list[str]) -> UsageError:
    names = sorted([*map(_shown, columns), *(f"{each} (table)" for each in tables)])
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    kind = "name" if columns and tables else "table" if tables else "column"
    said = (
        f"more than one {kind} is called {name}" if kind != "name" else f"{name} may mean several"
    )
    return UsageError(said, f"choose one of {', '.join(names[:LISTED])}{more}")


def _unknown(kind: str, name: str, near: list[str]) -> UsageError:
    hint = f"did you mean {' or '.join(near)}?" if near else "unwet lineage lists all columns"
    return UsageError(f"no {kind} {name} in the lineage", hint)


def _near_tables(nodes: Sequence[ColumnId], wanted: str) -> list[str]:
    relations = {node.relation.lower(): node.relation for node in nodes if node.relation}
    ends = {name.rpartition(".")[2]: relation for name, relation in relations.items()}
    return _close(wanted, relations) or _close(wanted.rpartition(".")[2], ends)


def _near_columns(nodes: Sequence[ColumnId], wanted: str) -> list[str]:
    """Near names: a column of the relation that was named, else one by its last part."""
    relation, _, last = wanted.lower().rpartition(".")
    inside = {
        node.column.lower(): _shown(node)
        for node in nodes
        if relation and (_is(node.relation, relation) or _ends(node.relation, relation))
    }
    if near := _close(last, inside):
        return near
    tables = _near_tables(nodes, relation) if relation else []
    beside = {  # of the nearest table, if it has one
        node.column.lower(): _shown(node)
        for table in reversed(tables)
        for node in nodes
        if node.relation == table
    }
    if near := _close(last, beside):
        return near
    by_end = {node.column.lower(): _shown(node) for node in reversed(nodes)}
    return _close(last, by_end) or _near_tables(nodes, wanted)


def _close(wanted: str, names: dict[str, str]) -> list[str]:
    near = get_close_matches(wanted.lower(), names, n=3, cutoff=0.6)
    return list(dict.fromkeys(names[each] for each in near))
