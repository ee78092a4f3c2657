"""What is left when all scripts have run: whether it can be a model, and what it takes for granted.

A report that has read another one before that one was finished cannot be one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from unwet.rewrite.altered import Changes, read_before
from unwet.rewrite.definitions import Definition
from unwet.rewrite.lost import last_part
from unwet.rewrite.shown_by_views import behind, is_shown_by
from unwet.rewrite.writes import EMPTYING

EMPTY: Final = "it is empty in the end"

Touched = Mapping[str, Mapping[str, int]]  # by last part of a name, script and first line


def may_write(touched: Touched, name: str) -> Mapping[str, int]:
    """The scripts that may write to a relation unfollowed, and the first line that may."""
    return touched.get(last_part(name), {}) if name else {}


def is_filled(definition: Definition | None) -> bool:
    """Whether statements put rows into it, and do not only take some away."""
    parts = definition.parts if definition is not None else ()
    return any(part.kind not in EMPTYING for part in parts)


@dataclass(frozen=True, slots=True)
class Ending:
    """What the relations hold in the end, and what may have happened to them. ``presumed`` and
    ``procedures``: by script, what its expressions take for granted, and that they have run."""

    shared: Mapping[str, Definition]
    touched: Touched
    unfollowed: Changes
    presumed: Mapping[str, set[str]]
    procedures: Mapping[str, frozenset[str]]

    def checked(self, definition: Definition) -> Definition:
        """The definition as a report: without a plan where it has no model."""
        problem = definition.problem or self._problem(definition)
        if definition.doubt == EMPTY and not definition.parts:
            problem = problem or EMPTY
        if problem:
            return replace(definition, plan=None, problem=problem)
        paths = {part.statement.path for part in definition.parts}
        ran = (self.procedures.get(path, frozenset()) for path in paths)
        assumed = (*ran, *(each.assumed for each in (definition, *behind(definition))))
        return replace(definition, assumed=self._leaning(definition).union(*assumed))

    def scripts(self, reports: Iterable[Definition]) -> frozenset[str]:
        """The scripts that may write, in a way nobody followed, what a report is or reads."""
        names = {n for each in reports for n in (each.of or each.relation, *_outside(each))}
        return frozenset(script for name in names for script in may_write(self.touched, name))

    def _problem(self, definition: Definition) -> str:
        for read in (definition, *behind(definition)):
            late = next((d for d in read.reads if self._is_late(d, definition)), None)
            if late is not None:
                return f"it reads an earlier state of {late.relation}"
            if problem := read_before(read, self.unfollowed):
                return problem
            for name in sorted(read.early):
                if is_filled(self.shared.get(name)):
                    return f"it reads {name} before it is made"
        return ""

    def _leaning(self, definition: Definition) -> frozenset[str]:
        """What a report takes for granted of relations that unfollowed text may write: that a
        model reads them as the old query did, behind that text or before it."""
        outside, when = _outside(definition), definition.relation or definition.path
        written = frozenset(
            f"{script} has text that is not understood: what it writes to {name} is there "
            f"when {when} is built, as it was before"
            for name in outside
            for script in may_write(self.touched, name)
        )
        paths = {definition.path, *(part.statement.path for part in definition.parts)}
        presumed = (self.presumed.get(path, set()) for path in paths)
        return written.union(*presumed) | {
            f"{path} takes rows out of {name}, which no script fills: "
            f"it is read as it is when {when} is built"
            for name in outside
            if (made := self.shared.get(name)) is not None and not is_filled(made)
            for path in ({p.statement.path for p in made.parts} or _emptying(made))
        }

    def _is_late(self, read: Definition, reader: Definition) -> bool:
        """Whether what is read is not the relation's last state, nor, of what a script has for its
        own, one that differs from that in nothing that is read of it."""
        last = self.shared.get(read.relation)
        if read.temp or last is read:
            return False
        return last is None or not (read.of or is_shown_by(reader, read, last))


def _emptying(made: Definition) -> tuple[str, ...]:
    """The script that leaves a table empty, if one does."""
    return (made.path,) if made.doubt == EMPTY else ()


def _outside(definition: Definition) -> frozenset[str]:
    """The relations whose rows a definition reads from elsewhere, through temporary tables too."""
    reading = (definition, *behind(definition))
    made = {d.of or d.relation for each in reading for d in each.reads if not d.temp}
    return frozenset(made.union(*(each.early for each in reading)))
