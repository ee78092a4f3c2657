"""Reports under the names that somebody has decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from unwet.rewrite.decisions.shaping import Rename
from unwet.rewrite.meaning import Meaning


def renamed(meaning: Meaning, renames: Iterable[Rename]) -> tuple[Meaning, tuple[str, ...]]:
    """The pile with its reports called so, and what could not be done. What is no report may be a
    macro or an intermediate model."""
    wanted = [each for each in renames if not each.parameter]
    if not wanted:
        return meaning, ()
    reports = meaning.state.reports
    known = {r.relation.lower(): r.name for r in reports if r.relation}
    known |= {report.name.lower(): report.name for report in reports}
    names: dict[str, str] = {}
    notes: list[str] = []
    for each in wanted:
        name = known.get(each.name)
        taken = {r.name for r in reports if r.name not in names} | {*names.values()}
        if name is not None and each.to in taken - {name}:
            notes.append(f"{each}: not carried out: there is a report {each.to} already")
        elif name is not None:
            names[name] = each.to
    if not names:
        return meaning, tuple(notes)
    before = {first: names.get(name, name) for first, name in meaning.names.items()}
    return replace(meaning, names={**names, **before}), tuple(notes)
