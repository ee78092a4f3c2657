"""Queries that call other models by plain names: what stands for these is put in their place.

Only the names are replaced, where they stand; every other character of the text stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import Statement, parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.opaque import is_cte
from unwet.rewrite.prove.rendered import Relation
from unwet.rewrite.prove.sandbox import TemplateFailure, Unparsed

_QUOTES: Final = re.compile(r"[\"`\[\]]")


@dataclass(frozen=True, slots=True)
class Rewired:
    """The query with other names in it; `refs`: the models, `sources`: the other relations that it
    reads."""

    sql: str
    refs: tuple[str, ...]
    sources: tuple[str, ...]


def rewired(
    path: str, sql: str, dialect: str, models: Mapping[str, str], relation: Relation
) -> Rewired:
    """One query. `models`: names of models by what SQL calls them, in lower case; `relation` says
    what stands for a model or source. Raises TemplateFailure where it is no single statement."""
    statement = single(path, sql, dialect)
    refs: dict[str, None] = {}
    sources: dict[str, None] = {}
    edits: list[tuple[int, int, str]] = []
    for table in _relations(statement):
        name = ".".join(part.name for part in table.parts)
        model = models.get(name.lower())
        if model is not None:
            refs[model] = None
            said = relation("ref", model)
        else:
            sources[name] = None
            said = relation("source", name)
            if _QUOTES.sub("", said) == name:
                continue  # as it was written, quotes and all
        edits.append((*_place(table), said))
    text = sql
    for start, end, said in sorted(edits, reverse=True):
        text = text[:start] + said + text[end:]
    return Rewired(text, tuple(refs), tuple(sources))


def single(path: str, sql: str, dialect: str) -> Statement:
    """The one statement of a text. Raises TemplateFailure."""
    script = parse(verbatim(Source(path, sql, dialect)), dialect)
    if script.findings:
        first = script.findings[0]
        raise Unparsed(str(first.message), first.at.line)
    if len(script.statements) != 1:
        raise TemplateFailure(
            f"holds {len(script.statements)} statements where one query has to be"
        )
    return script.statements[0]


def _relations(statement: Statement) -> Iterator[exp.Table]:
    for table in statement.tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and not is_cte(table, statement.dialect):
            yield table


def _place(table: exp.Table) -> tuple[int, int]:
    places = [part.meta for part in table.parts if "start" in part.meta and "end" in part.meta]
    if not places:
        raise TemplateFailure(f"nobody can tell where {table.name} stands")
    return min(p["start"] for p in places), max(p["end"] for p in places) + 1
