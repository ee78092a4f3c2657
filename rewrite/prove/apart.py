"""For a report that is not proved: the smallest parts that differ, with both places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from unwet.lineage.findings import Span
from unwet.lineage.parse import Statement, parse
from unwet.lineage.resolve import Resolved
from unwet.lineage.sources import Source
from unwet.lineage.tables import Catalog
from unwet.lineage.templating import verbatim
from unwet.rewrite.algebra import Expr
from unwet.rewrite.definitions import Definition, Report, spoken_in
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.judge import normal_forms
from unwet.rewrite.prove.parting import parting
from unwet.rewrite.prove.phrases import Phrase
from unwet.rewrite.prove.rendered import RenderedModel, RenderedProject
from unwet.rewrite.prove.roundtrip import ReadBack
from unwet.rewrite.prove.spots import Found, Translate, find
from unwet.rewrite.prove.templates import Templates
from unwet.rewrite.prove.wanted import wanted
from unwet.rewrite.translate import translate


@dataclass(frozen=True, slots=True)
class Spot:
    """SQL in one line, and where it stands; the text is empty where nothing like it is there, and
    the place is then the whole query's."""

    text: str
    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Apart:
    """What the old query says where the model says something else."""

    legacy: Spot
    project: Spot


class Differing:
    """Finds where the reports of one pile and the models of one project part."""

    def __init__(
        self,
        root: Path,
        project: RenderedProject,
        dialect: str,
        normalizer: Normalizer,
        catalog: Catalog,
    ) -> None:
        self._catalog = catalog
        self._models = {model.name: model for model in project.models}
        self._root, self._dialect = root, dialect
        self._templates = Templates(root.resolve())
        self._normalizer = normalizer
        self._read: dict[str, tuple[Statement, ...]] = {}

    def apart(self, report: Report, back: ReadBack, reports: Mapping[str, object]) -> Apart | None:
        """None where one side has no plan, or the difference has no words. `reports`: the models
        that stand for reports, and are not read through."""
        legacy = report.definition
        if legacy.plan is None or back.plan is None:
            return None
        source = spoken_in(legacy, self._dialect)
        plan, _ = wanted(legacy, legacy.plan, self._dialect, self._catalog)
        old, new = normal_forms(plan, back.plan, self._normalizer)
        parted = parting(old, new, self._dialect)
        if parted is None:
            return None

        def translated(expr: Expr) -> Expr:
            return translate(expr, source, self._dialect)[0]

        ours = tuple(part.statement for part in _parts(legacy))
        first = self._found(parted.legacy, ours, translated)
        theirs = tuple(self._statements(report.name, reports))
        other = self._found(parted.project, theirs, lambda expr: expr)
        return Apart(
            _spot(parted.legacy, first.span if first else report.span, first),
            self._there(parted.project, other, self._models[report.name]),
        )

    def _found(
        self, phrase: Phrase | None, statements: tuple[Statement, ...], translated: Translate
    ) -> Found | None:
        if phrase is None:
            return None
        return find(phrase, statements, self._normalizer, translated)

    def _there(self, phrase: Phrase | None, found: Found | None, model: RenderedModel) -> Spot:
        if found is None:
            return Spot(phrase.text if phrase else "", self._given(model.path), 1, 1)
        text = found.statement.masked.text
        start, end = _offsets(text, found.span)
        place = self._templates.place(found.statement.path, text, start, end)
        return Spot(found.text, self._given(place.path), place.line, place.column)

    def _given(self, path: str) -> str:
        """A path of the project as whoever named the project would write it."""
        root = self._root.resolve()
        inside = Path(path).is_relative_to(root)
        return (self._root / Path(path).relative_to(root)).as_posix() if inside else path

    def _statements(self, name: str, reports: Mapping[str, object]) -> Iterator[Statement]:
        """The model, then the models that it reads through, nearest first."""
        waiting, seen = [name], {name}
        while waiting:
            model = self._models.get(waiting.pop(0))
            if model is None:
                continue
            yield from self._parsed(model)
            more = [ref for ref in model.refs if ref not in seen and ref not in reports]
            seen.update(more)
            waiting += more

    def _parsed(self, model: RenderedModel) -> tuple[Statement, ...]:
        if model.name not in self._read:
            source = Source(model.path, model.sql, self._dialect)
            self._read[model.name] = parse(verbatim(source), self._dialect).statements
        return self._read[model.name]


def _parts(definition: Definition) -> Iterator[Resolved]:
    """The statements that make a definition, and the temporary tables that it reads."""
    yield from definition.parts
    for read in definition.reads:
        if read.temp:
            yield from _parts(read)


def _spot(phrase: Phrase | None, span: Span, found: Found | None) -> Spot:
    text = found.text if found is not None else phrase.text if phrase is not None else ""
    return Spot(text, span.path, span.line, span.column)


def _offsets(text: str, span: Span) -> tuple[int, int]:
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    return starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1
