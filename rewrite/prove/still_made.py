"""What models read as a source, and the legacy scripts make: of kept reports, for one.

Somebody has to run these scripts before; in another engine, where they cannot run, somebody has to
bring the rows there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from unwet.rewrite.definitions import spoken_in
from unwet.rewrite.prove.roundtrip import ReadBack
from unwet.rewrite.script import Report


def still_made(
    reports: Iterable[Report], found: Mapping[str, ReadBack], dialect: str
) -> frozenset[str]:
    """What is taken for granted of these. ``found``: the models of a project in ``dialect``."""
    makers = {r.relation.lower(): r for r in reports if r.relation}
    return frozenset(
        _said(name, source, makers[source.lower()], dialect)
        for name, model in found.items()
        for source in model.sources
        if source.lower() in makers
    )


def _said(model: str, source: str, maker: Report, dialect: str) -> str:
    spoken = spoken_in(maker.definition, dialect)
    if spoken == dialect:
        return f"model {model} reads {source}, which the legacy scripts still make"
    return (
        f"model {model} reads {source}, which has to be there: its script is written in"
        f" {spoken or 'SQL'}, and nothing makes it in {dialect or 'SQL'}"
    )
