"""Contradictions in changed files: what `unwet drift` says of the whole pile, as far as it is about
these. Imported only when somebody wants it, as all of the pile is read for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from unwet.lineage.garbage import uncollected
from unwet.lineage.pile import assemble
from unwet.rewrite.accepted import accepted
from unwet.rewrite.check.drift_problems import noticed_problem, problems
from unwet.rewrite.check.found import Place, Problem
from unwet.rewrite.check.reading import Reader
from unwet.rewrite.check.texts import Text
from unwet.rewrite.drift import drift
from unwet.rewrite.meaning import meaning_of
from unwet.rewrite.noticed import reason_of, seen_from


def contradictions(
    reader: Reader, texts: Mapping[str, Text], changed: Collection[str]
) -> tuple[list[Problem], set[tuple[str, int]]]:
    """The contradictions of the changed files, and the lines (path, line) where a mark keeps one
    back, as a mark with a reason does for all commands."""
    with uncollected():
        scripts = tuple(reader.script(path) for path in texts)
        pile = assemble(scripts, reader.schema, reader.ask.default_schema)
    found = drift(pile, reader.ask.decisions)
    told = [_own(each, texts) for each in problems(found) if each.at.path in changed]
    kept = {(at.path, _line(texts, at.path, at.line)) for at, _ in found.accepted}
    known = accepted(pile, (*reader.ask.decisions, *reader.ask.intended))
    for each in meaning_of(pile).state.findings:
        if reason_of(each, known):
            kept |= {(at.path, _line(texts, at.path, at.line)) for at in (each.at, *each.also)}
        elif (seen := seen_from(each, changed)) is not None:
            told.append(_own(noticed_problem(seen), texts))
    return told, kept


def _own(problem: Problem, texts: Mapping[str, Text]) -> Problem:
    """The problem at its places in the files themselves."""
    others = tuple(_moved(each, texts) for each in problem.others)
    return replace(problem, at=_moved(problem.at, texts), others=others)


def _moved(place: Place, texts: Mapping[str, Text]) -> Place:
    line = _line(texts, place.path, place.line)
    return replace(place, line=line, end_line=max(line, _line(texts, place.path, place.end_line)))


def _line(texts: Mapping[str, Text], path: str, line: int) -> int:
    text = texts.get(path)
    return text.compiled.line(line) if text is not None and text.compiled is not None else line
