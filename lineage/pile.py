"""A whole pile in one call: sources, parsed scripts, catalog, resolved statements, lineage."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path

from unwet.lineage.budget import BUDGET, Budget
from unwet.lineage.catalog import Studied, study
from unwet.lineage.columns import ColumnId, Edge, Traced, trace_statement
from unwet.lineage.findings import Finding
from unwet.lineage.garbage import uncollected
from unwet.lineage.graph import Graph
from unwet.lineage.parse import Script, parse
from unwet.lineage.resolve import Resolved
from unwet.lineage.schema import Schema
from unwet.lineage.sources import Source, read_sources
from unwet.lineage.tables import Catalog, Column, tail
from unwet.lineage.templating import Masked, mask

Inputs = str | Path | Source | Iterable[str | Path | Source]


@dataclass(frozen=True)
class Pile:
    """Everything read from one set of inputs; `resolved` is in the order of the statements.

    `findings`: what was odd about sources, parsing and declarations (not: unresolved columns,
    those are the graph's). `elsewhere`: columns that relations are seen with in SQL that is no
    part of this.
    """

    sources: tuple[Source, ...]
    scripts: tuple[Script, ...]
    resolved: tuple[Resolved, ...]
    findings: tuple[Finding, ...]
    studied: Studied = field(repr=False)
    elsewhere: Mapping[str, Iterable[str]] = field(default_factory=dict, repr=False)

    @cached_property
    def catalog(self) -> Catalog:
        """What is known of all relations, uses seen anywhere in the pile included."""
        _ = self.traced
        return self.studied.catalog()

    @cached_property
    def traced(self) -> tuple[Traced, ...]:
        """The edges of every statement; names left open are settled by uses elsewhere."""
        with uncollected():
            writes, first = self.writes, self._first
            self.studied.learn((*self._told(), *_uses(first), *self._file_outputs(first)))
            return tuple(
                trace_statement(resolved, self.studied, self.studied.budget)
                if _is_ambiguous(traced)
                else traced
                for resolved, traced in zip(writes, first, strict=True)
            )

    @cached_property
    def _first(self) -> list[Traced]:
        """The edges as far as the statements themselves and declarations settle them."""
        return [trace_statement(each, self.studied, self.studied.budget) for each in self.writes]

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """The relations of which it matters what columns they are seen with elsewhere, sorted."""
        _ = self._first
        return tuple(sorted(self.studied.asked))

    def _told(self) -> Iterator[tuple[str, Column]]:
        for relation in self.asked if self.elsewhere else ():
            yield from ((relation, Column(name)) for name in self.elsewhere.get(relation, ()))

    @cached_property
    def used(self) -> Mapping[str, tuple[str, ...]]:
        """The columns that relations are seen with in these statements, by relation, sorted."""
        found: dict[str, set[str]] = {}
        for relation, column in _uses(self._first):
            found.setdefault(relation, set()).add(column.name)
        return {relation: tuple(sorted(found[relation])) for relation in sorted(found)}

    @cached_property
    def writes(self) -> tuple[Resolved, ...]:
        """What all statements write, those in strings too; one may write several relations."""
        return tuple(w for each in self.studied.resolved for w in each.all())

    @cached_property
    def temporary(self) -> frozenset[str]:
        """The relations that only a script or a session sees, as the graph names them."""
        made = ((w.target, w.statement.masked) for w in self.writes if w.temp and w.target)
        return frozenset(masked.restore(name) for name, masked in made)

    @cached_property
    def graph(self) -> Graph:
        """The column graph; placeholders in names are written as in the sources."""
        with uncollected():
            return self._graph()

    def _graph(self) -> Graph:
        restored = tuple(
            _restored(traced, resolved.statement.masked)
            for traced, resolved in zip(self.traced, self.writes, strict=True)
        )
        unresolved = sorted(
            {f for t in restored for f in t.findings}, key=lambda f: (f.at, f.code, f.message)
        )
        return Graph((), unresolved, restored)

    def _file_outputs(self, traced: Iterable[Traced]) -> Iterator[tuple[str, Column]]:
        """A file that is one bare query, `bg.sql`, hints at the columns of a relation `x.bg`."""
        reading = {e.source.relation for t in traced for e in (*t.direct, *t.rows)}
        by_tail: dict[str, list[str]] = {}
        for relation in reading:
            by_tail.setdefault(tail(relation), []).append(relation)
        alone = {script.source.path for script in self.scripts if len(script.statements) == 1}
        for each in self.resolved:
            if each.kind == "query" and each.query and each.statement.path in alone:
                stem = Path(each.statement.path).stem.lower()
                for relation in by_tail.get(stem, ()):
                    for output in each.query.outputs:
                        yield relation, Column(output.name, seen=each.statement.span)


def load(
    paths: Inputs,
    dialect: str | None = None,
    schema: Schema | None = None,
    params: Mapping[str, str] | None = None,
    default_schema: str | None = None,
    budget: Budget = BUDGET,
) -> Pile:
    """Read, parse and resolve a pile.

    Raises UsageError and its kin for missing paths, unknown dialects and bad schemas; whatever is
    wrong with the SQL itself is a finding.
    """
    reading = read_sources(paths, dialect)
    with uncollected():
        scripts = tuple(parse(mask(each, params or {}), dialect or "") for each in reading.sources)
        return assemble(scripts, schema, default_schema, budget, reading.findings)


def assemble(
    scripts: tuple[Script, ...],
    schema: Schema | None = None,
    default_schema: str | None = None,
    budget: Budget = BUDGET,
    before: tuple[Finding, ...] = (),
    elsewhere: Mapping[str, Iterable[str]] | None = None,
) -> Pile:
    """A pile of scripts that have been parsed; `before` are findings from before that.

    Raises UsageError for a bad schema.
    """
    studied = study(scripts, schema, (default_schema or "").lower(), budget)
    findings = (*before, *(f for s in scripts for f in s.findings), *studied.findings)
    ordered = tuple(sorted(findings, key=lambda f: (f.at, f.code)))
    outer = {id(statement) for script in scripts for statement in script.statements}
    resolved = tuple(each for each in studied.resolved if id(each.statement) in outer)
    sources = tuple(script.source for script in scripts)
    return Pile(sources, scripts, resolved, ordered, studied, elsewhere or {})


def trace(
    sources: Inputs,
    dialect: str | None = None,
    schema: Schema | None = None,
    default_schema: str | None = None,
    params: Mapping[str, str] | None = None,
) -> Graph:
    """Column lineage of a pile.

    `sources`: a path, a Source, or an iterable of them. `schema`: `{"db.table": ["col"]}`,
    `{"db.table": {"col": "TYPE"}}`, or a file. Edges of a bare SELECT end in relation "".
    """
    return load(sources, dialect, schema, params, default_schema).graph


def _is_ambiguous(traced: Traced) -> bool:
    return any(finding.code == "AMBIGUOUS" for finding in traced.findings)


def _uses(traced: Iterable[Traced]) -> Iterator[tuple[str, Column]]:
    """Columns that relations were certainly, or by default, seen with, and where first."""
    seen: set[ColumnId] = set()
    for each in traced:
        for source, _, _, _, certainty, spans, _ in chain(each.direct, each.rows):
            if source in seen or certainty not in ("certain", "inferred") or not spans:
                continue
            seen.add(source)
            if source.column != "*":
                name = source.column.partition(".")[0]
                yield source.relation, Column(name, seen=spans[0])


def _restored(traced: Traced, masked: Masked) -> Traced:
    if not masked.placeholders:
        return traced

    known: dict[str, str] = {}

    def name(text: str) -> str:
        if "p__" not in text:
            return text
        if text not in known:
            known[text] = masked.restore(text)
        return known[text]

    def column(one: ColumnId) -> ColumnId:
        return ColumnId(name(one.relation), name(one.column))

    def edge(e: Edge) -> Edge:
        masks = any("p__" in name for end in (e.source, e.target) for name in end)
        return e._replace(source=column(e.source), target=column(e.target)) if masks else e

    return Traced(
        name(traced.target),
        tuple(name(each) for each in traced.columns),
        tuple(edge(e) for e in traced.direct),
        tuple(edge(e) for e in traced.rows),
        tuple(replace(f, message=name(f.message)) for f in traced.findings),
        traced.whole,
    )
