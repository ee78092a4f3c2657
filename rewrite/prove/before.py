"""The old rows of a report: where the legacy scripts left them, or why they did not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unwet.lineage.errors import EngineError
from unwet.lineage.parse import Script
from unwet.rewrite.prove.legacy import Answer, LegacyRun
from unwet.rewrite.prove.places import Site, target


@dataclass(frozen=True, slots=True)
class ReportRef:
    """A report: its relation in the pile, and the model that replaces it.

    A bare query has no relation: `path` and `line` say where it starts.
    """

    name: str
    relation: str
    model: str
    path: str = ""
    line: int = 0


class Before:
    """What running the scripts left behind, report by report.

    `random`: path -> what in the script returns something else each time.
    """

    def __init__(
        self,
        run: LegacyRun,
        scripts: Sequence[Script],
        random: Mapping[str, Sequence[str]],
        places: Site,
    ) -> None:
        self._run, self._scripts, self._random, self._places = run, scripts, random, places

    def answer(self, report: ReportRef) -> Answer:
        """Where the old rows are; raises EngineError with what went wrong on the way."""
        if report.relation:
            self._check_writers(report)
            place = self._places.find(report.relation.split("."))
            answer = Answer(place, ()) if place else None
        else:
            self._check_sources((report.path,), "")
            answer = self._run.answers.get((report.path, report.line))
        if answer is None:
            raise EngineError("the legacy scripts do not leave it behind")
        return answer

    def _check_writers(self, report: ReportRef) -> None:
        name = tuple(part.lower() for part in target(report.relation.split(".")))
        tails = [n for n in self._run.writers if n[-1] == name[-1]]
        writers = self._run.writers.get(name) or [p for n in tails for p in self._run.writers[n]]
        self._check_sources(tuple(writers), name[-1])

    def _check_sources(self, paths: Sequence[str], table: str) -> None:
        for path in paths:
            for failure in self._run.failures:
                if failure.path == path and self._matters(
                    failure.line, path, table, failure.reason
                ):
                    raise EngineError(f"{path}:{failure.line}: {failure.reason}")
            if path in self._random:
                raise EngineError(f"cannot be tested: uses {', '.join(self._random[path])}")

    def _matters(self, line: int, path: str, table: str, reason: str) -> bool:
        """A statement that could not be parsed only harms the relations it names."""
        if not reason.startswith("not parsed") or not table:
            return True
        (source,) = (script.source for script in self._scripts if script.source.path == path)
        rest = "\n".join(source.text.splitlines()[line - 1 :])
        return re.search(rf"(?i)\b{re.escape(table)}\b", rest) is not None
