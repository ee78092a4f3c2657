"""What tracing a pile teaches: the columns that relations without a declaration were seen with."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from unwet.lineage.columns import ColumnId, Edge, Traced
from unwet.lineage.findings import Span
from unwet.lineage.parse import Script
from unwet.lineage.resolve import Resolved
from unwet.lineage.tables import Column, tail
from unwet.lineage.templating import Placeholder, restorer


@dataclass(frozen=True, slots=True)
class FileOutput:
    """A file that is one bare query, and the columns which that gives."""

    path: str
    columns: tuple[str, ...]
    at: Span


def is_ambiguous(traced: Traced) -> bool:
    """Whether uses elsewhere may settle a name of the statement."""
    return any(finding.code == "AMBIGUOUS" for finding in traced.findings)


def alone(scripts: Iterable[Script]) -> frozenset[str]:
    """The paths of files that are one statement, all texts of a path together."""
    counts = Counter[str]()
    for script in scripts:
        counts[script.source.path] += len(script.statements)
    return frozenset(path for path, statements in counts.items() if statements == 1)


def file_output(resolved: Resolved) -> FileOutput | None:
    """What the only statement of a file gives, if that is a query."""
    if resolved.kind != "query" or resolved.query is None:
        return None
    columns = tuple(output.name for output in resolved.query.outputs)
    return FileOutput(resolved.statement.path, columns, resolved.statement.span)


def uses(traced: Iterable[Traced], files: Iterable[FileOutput]) -> Iterator[tuple[str, Column]]:
    """Columns that relations were certainly, or by default, seen with, and where first.

    And, as a hint: a file that is one bare query, `bg.sql`, has the columns of a relation `x.bg`.
    """
    all_traced = tuple(traced)
    yield from _seen(all_traced)
    yield from _files(all_traced, files)


def _seen(traced: Iterable[Traced]) -> Iterator[tuple[str, Column]]:
    seen: set[ColumnId] = set()
    for each in traced:
        for source, _, _, _, certainty, spans, _ in chain(each.direct, each.rows):
            if source in seen or certainty not in ("certain", "inferred") or not spans:
                continue
            seen.add(source)
            if source.column != "*":
                name = source.column.partition(".")[0]
                yield source.relation, Column(name, seen=spans[0])


def _files(traced: Iterable[Traced], files: Iterable[FileOutput]) -> Iterator[tuple[str, Column]]:
    reading = {e.source.relation for t in traced for e in (*t.direct, *t.rows)}
    by_tail: dict[str, list[str]] = {}
    for relation in reading:
        by_tail.setdefault(tail(relation), []).append(relation)
    for each in files:
        for relation in by_tail.get(Path(each.path).stem.lower(), ()):
            for column in each.columns:
                yield relation, Column(column, seen=each.at)


def restored(traced: Traced, placeholders: tuple[Placeholder, ...]) -> Traced:
    """Names and messages of a statement with its placeholders as the source has them."""
    if not placeholders:
        return traced

    known: dict[str, str] = {}
    restore = restorer(placeholders)

    def name(text: str) -> str:
        if "p__" not in text:
            return text
        if text not in known:
            known[text] = restore(text)
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
