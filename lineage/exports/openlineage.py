"""Lineage as OpenLineage events: a JobEvent per statement, a DatasetEvent per table only read.

Static lineage: nothing ran, so there is no RunEvent. Source of forms and names: the spec 2-0-2 and
its facets columnLineage 1-2-0, schema 1-2-0, sql 1-1-0 (https://openlineage.io/spec). What touches
whole rows (filters, joins, groups, sorts) is in the facet's `dataset`, not with every field.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version

from unwet.lineage.columns import Edge, Traced
from unwet.lineage.errors import UsageError
from unwet.lineage.exports.naming import Dataset, Naming, temporary
from unwet.lineage.exports.view import View
from unwet.lineage.quotes import DESCRIBED, Quote
from unwet.lineage.tables import Catalog

Json = dict[str, object]
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
FACETS = "https://openlineage.io/spec/facets/"
EPOCH = "1970-01-01T00:00:00Z"  # the same on every run: SQL has no date
_STAR = "*"  # columns that nobody can name are no fields


@dataclass(frozen=True, slots=True)
class Options:
    """What the SQL does not say: where its tables live, who runs it, and as of when it is true."""

    naming: Naming = field(default_factory=Naming)
    job_namespace: str = "default"
    event_time: str = EPOCH


def openlineage(
    view: View, quotes: Sequence[Quote | None], catalog: Catalog, options: Options
) -> str:
    """A JSON array of events, one per line, as `/lineage/batch` takes it.

    `quotes` belong to the statements of `view.whole.traced`, None to what reads nothing. Raises
    UsageError for an event time that is no date and time with an offset.
    """
    _check_time(options.event_time)
    writer = _Writer(view, catalog, options)
    pairs = zip(quotes, view.whole.traced, strict=True)
    statements = [(quote, traced) for quote, traced in pairs if quote is not None]
    jobs = list(writer.jobs(statements))
    events = [*writer.datasets(statements), *jobs]
    encode = json.JSONEncoder(ensure_ascii=False).encode
    return "[\n" + ",\n".join(encode(each) for each in events) + "\n]\n" if events else "[]\n"


class _Writer:
    """Makes events; knows which edges are to be shown."""

    def __init__(self, view: View, catalog: Catalog, options: Options) -> None:
        self._catalog, self._options = catalog, options
        self._shown = {e[:4] for e in view.edges} if view.centers else None
        self._direct_only = view.kinds == "direct"
        made = ((path, each.name) for (path, _), all_ in catalog.temps.items() for _, each in all_)
        self._temporary = frozenset(made)
        self._producer = f"urn:unwet:{version('unwet')}"

    # --- events

    def jobs(self, statements: Iterable[tuple[Quote, Traced]]) -> Iterator[Json]:
        names: Counter[str] = Counter()
        for quote, traced in statements:
            path = quote.path
            name = f"{path}#{traced.target}" if traced.target else path
            names[name] += 1
            if names[name] > 1:
                name += f"-{names[name]}"
            if self._shown is None or any(True for _ in self._wanted(traced.edges())):
                yield self._job(name, quote, traced)

    def datasets(self, statements: Iterable[tuple[Quote, Traced]]) -> Iterator[Json]:
        """Tables whose columns are known and that no statement fills: what the pile starts from."""
        statements = list(statements)
        filled = {traced.target for _, traced in statements}
        read = {s for quote, traced in statements for s in self._sources(quote, traced)}
        shown = None if self._shown is None else {key[0].relation for key in self._shown}
        for name, table in sorted(self._catalog.tables.items()):
            if name in filled or not table.columns or (shown is not None and name not in shown):
                continue
            if table.origin in ("ddl", "schema") or name in read:
                facets = {"schema": self._schema(name, table.names)}
                where = self._options.naming.dataset(name)
                yield self._event("DatasetEvent", {"dataset": _dataset(where, facets)})

    def _job(self, name: str, quote: Quote, traced: Traced) -> Json:
        sql: Json = {"query": quote.query}
        if quote.dialect:
            sql["dialect"] = quote.dialect
        facets = {"sql": self._facet("1-1-0", "SQLJobFacet", sql)}
        job = {"namespace": self._options.job_namespace, "name": name, "facets": facets}
        sources = {self._where(s, quote) for s in self._sources(quote, traced)}
        inputs = [_dataset(each) for each in sorted(sources, key=lambda d: (d.namespace, d.name))]
        outputs = [self._output(name, quote, traced)]
        return self._event("JobEvent", {"job": job, "inputs": inputs, "outputs": outputs})

    def _event(self, kind: str, body: Json) -> Json:
        return {
            "eventTime": self._options.event_time,
            "producer": self._producer,
            "schemaURL": SPEC + kind,
            **body,
        }

    # --- datasets

    def _sources(self, quote: Quote, traced: Traced) -> Iterator[str]:
        """Relations that a statement reads, some of them more than once."""
        edges = self._wanted((*traced.direct, *traced.spread()))
        yield from (e.source.relation for e in edges if e.source.relation not in ("", "?"))
        if self._shown is None:
            yield from quote.tables

    def _where(self, relation: str, quote: Quote) -> Dataset:
        path = quote.path
        if (path, relation) in self._temporary or relation[:1] in ("#", "@"):
            return temporary(path, relation.removesuffix(f"@{path}"))
        return self._options.naming.dataset(relation)

    def _output(self, job: str, quote: Quote, traced: Traced) -> Json:
        """What a statement fills: a relation; of a bare query its result."""
        where = self._where(traced.target, quote) if traced.target else temporary(job)
        columns = [column for column in traced.columns if column != _STAR]
        facets: Json = {}
        if columns:
            facets["schema"] = self._schema(traced.target, columns)
        facets["columnLineage"] = self._column_lineage(quote, traced)
        return _dataset(where, facets)

    # --- facets

    def _facet(self, release: str, name: str, body: Mapping[str, object]) -> Json:
        url = f"{FACETS}{release}/{name}.json#/$defs/{name}"
        return {"_producer": self._producer, "_schemaURL": url, **body}

    def _schema(self, relation: str, columns: Sequence[str]) -> Json:
        table = self._catalog.tables.get(relation)
        closed = table is not None and table.closed
        fields: list[Json] = []
        for column in columns:
            one: Json = {"name": self._options.naming.column(column)}
            at = table.index.get(column) if table is not None else None
            if table is not None and at is not None:
                one |= {"type": table.columns[at].type} if table.columns[at].type else {}
                one |= {"ordinal_position": at + 1} if closed else {}
            fields.append(one)
        return self._facet("1-2-0", "SchemaDatasetFacet", {"fields": fields})

    def _column_lineage(self, quote: Quote, traced: Traced) -> Json:
        by_column: dict[str, list[Edge]] = {}
        for e in self._wanted(traced.direct):
            if e.target.column != _STAR:
                by_column.setdefault(e.target.column, []).append(e)
        fields = {
            self._options.naming.column(column): {"inputFields": inputs}
            for column, edges in sorted(by_column.items())
            if (inputs := self._inputs(edges, quote))
        }
        rows = [e for e in traced.rows if self._touches(e, traced)]
        body: Json = {"fields": fields}
        if dataset := self._inputs(rows, quote):
            body["dataset"] = dataset
        return self._facet("1-2-0", "ColumnLineageDatasetFacet", body)

    def _inputs(self, edges: Iterable[Edge], quote: Quote) -> list[Json]:
        """InputFields, one per source column, with all that is done with it."""
        found: dict[tuple[str, str, str], list[Json]] = {}
        for e in sorted(edges, key=lambda e: (e.source, e.type, e.subtype)):
            if e.source.relation != "?" and e.source.column != _STAR:
                where = self._where(e.source.relation, quote)
                column = self._options.naming.column(e.source.column)
                key = (where.namespace, where.name, column)
                found.setdefault(key, []).append(_transformation(e, quote))
        return [
            {"namespace": namespace, "name": name, "field": column, "transformations": done}
            for (namespace, name, column), done in found.items()
        ]

    # --- the part that is shown

    def _wanted(self, edges: Iterable[Edge]) -> Iterator[Edge]:
        for e in edges:
            if (not self._direct_only or e.type == "DIRECT") and (
                self._shown is None or e[:4] in self._shown
            ):
                yield e

    def _touches(self, row: Edge, traced: Traced) -> bool:
        """Whether an edge of the rows is shown at any of the target's columns."""
        spread = (row._replace(target=target) for target in traced.targets())
        return any(True for _ in self._wanted(spread))


def _dataset(where: Dataset, facets: Mapping[str, object] | None = None) -> Json:
    known = {"facets": facets} if facets else {}
    return {"namespace": where.namespace, "name": where.name, **known}


def _transformation(e: Edge, quote: Quote) -> Json:
    """The spec's four fields; `certainty` besides, where we are not sure (the spec allows more)."""
    texts = dict.fromkeys(filter(None, (quote.description(at) for at in e.spans[:DESCRIBED])))
    masking = e.subtype != "IDENTITY" and e.type == "DIRECT" and any(map(quote.masks, e.spans))
    sure = {} if e.certainty == "certain" else {"certainty": e.certainty}
    return {
        "type": e.type,
        "subtype": e.subtype,
        "description": "; ".join(texts),
        "masking": masking,
        **sure,
    }


def _check_time(given: str) -> None:
    try:
        when = datetime.fromisoformat(given)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None or "T" not in given.upper():
        raise UsageError(
            f"--event-time {given} is no date and time with an offset",
            "write it as 2026-01-31T12:00:00Z, or take $(git log -1 --format=%cI)",
        )
