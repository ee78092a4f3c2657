"""What is told of what was found: not what somebody has accepted, by a mark in the SQL or in the
configuration; but marks that accept nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import PurePath

from unwet.rewrite.check.asked import Ask
from unwet.rewrite.check.copies import copies
from unwet.rewrite.check.found import Place, Problem
from unwet.rewrite.check.records import Alone, Block, Mark

_OF_ALL = ("DRIFT", "CHANGE", "DROPPED")  # for which all of the pile is read


def judged(
    ask: Ask,
    changed: Sequence[str],
    alone: Mapping[str, Alone],
    blocks: Mapping[str, Sequence[Block]],
    models: Mapping[str, str],
    drifts: Sequence[Problem] = (),
    kept: Collection[tuple[str, int]] = (),
) -> tuple[list[Problem], list[Problem]]:
    """The problems of the changed files, in the order of their places; and those that are told
    only where not all of these files are asked about: the copies that the others repeat.

    `drifts`: contradictions; `kept`: lines (path, line) where a mark has kept back one."""
    found = [problem for path in changed for problem in _own(path, alone[path])]
    found += drifts
    marks = {path: {mark.line: mark for mark in alone[path].marks} for path in changed}
    used = {(path, m.at) for path in changed for m in alone[path].marks if (path, m.line) in kept}

    def is_told(problem: Problem) -> bool:
        return not _accepted(problem, ask, marks.get(problem.at.path, {}), used)

    again, first = copies(blocks, set(changed), models, ask.min_lines, is_told)
    left = [*filter(is_told, found), *again]
    for path in changed:
        judgeable = [m for m in alone[path].marks if ask.drift or not _may_be_about_drift(m)]
        left += _idle(path, judgeable, used)
    return sorted(left, key=_order), sorted(first, key=_order)


def _order(problem: Problem) -> tuple[Place, str, str]:
    return problem.at, problem.code, problem.message


def _own(path: str, alone: Alone) -> Iterator[Problem]:
    """What is odd about the text itself."""
    for note in alone.notes:
        end = max(note.line, note.end_line)
        at = Place(path, note.line, note.column, end, end_column=note.end_column)
        key = _key(note.code, note.said or note.message)
        yield Problem(note.code, at, note.message, note.help, (), key)


def _accepted(
    problem: Problem, ask: Ask, marks: Mapping[int, Mark], used: set[tuple[str, int]]
) -> bool:
    at = problem.at
    for line in (at.line, at.line - 1):  # a CTE: the mark holds for `name as (`
        mark = marks.get(line)
        if mark is not None and any(problem.code.startswith(code) for code in mark.codes):
            used.add((at.path, mark.at))
            if mark.reason:
                return True
    return any(
        PurePath(at.path).match(each.path)
        and problem.code.startswith(each.code)
        and each.expression in problem.message
        for each in ask.intended
    )


def _idle(path: str, marks: Sequence[Mark], used: set[tuple[str, int]]) -> Iterator[Problem]:
    """Marks without a reason, and marks that hold nothing back."""
    for mark in marks:
        at = Place(path, mark.at, 1, mark.at)
        codes = ", ".join(mark.codes)
        if not mark.reason:
            message = "an ignore mark without a reason counts for nothing"
            yield Problem("IGNORE", at, message, "write the reason behind it", (),
                          _key("IGNORE", codes))  # fmt: skip
        elif (path, mark.at) not in used:
            message = f"nothing here is {codes or 'named'}: the ignore mark is not needed"
            yield Problem("IGNORE_UNUSED", at, message, "take it away", (),
                          _key("IGNORE_UNUSED", codes))  # fmt: skip


def _may_be_about_drift(mark: Mark) -> bool:
    """Whether only somebody who looks for contradictions knows what the mark takes out."""
    return bool(mark.reason) and any(code.startswith(_OF_ALL) for code in mark.codes)


def _key(code: str, said: str) -> str:
    return blake2b(f"{code} {said.lower()}".encode("utf-8", "surrogatepass"),
                   digest_size=8).hexdigest()  # fmt: skip
