"""What a script has read before it gives that, or its columns, another name or takes it away.

A model reads it when the script is through: it is not there any more, or is another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from unwet.lineage.resolve import Resolved
from unwet.rewrite.definitions import Definition
from unwet.rewrite.lost import (
    is_harmless,
    last_part,
    of_renamed_schemas,
    uncommented,
    written_beside,
)
from unwet.rewrite.script_order import base_reads

_ALTERING = re.compile(
    r"\s*(?:RENAME\b|EXCHANGE\b|EXEC(?:UTE)?\b.*?\bSP_RENAME\b|SP_RENAME\b"
    r"|ALTER\s+(?:(?:MATERIALIZED|EXTERNAL|FOREIGN|DYNAMIC|ICEBERG)\s+)?(?:TABLE|VIEW|SCHEMA|DATABASE)\b.*?"
    r"\b(?:RENAME|SWAP|SWITCH|EXCHANGE|TRANSFER|SET\s+SCHEMA|TRUNCATE|MODIFY|CHANGE|ALTER|AS"
    r"|DROP(?!\s+(?:CONSTRAINT|INDEX|PRIMARY|FOREIGN|UNIQUE|CHECK|KEY|DEFAULT)\b))\b)",
    re.IGNORECASE | re.DOTALL,
)


def is_altering(resolved: Resolved) -> bool:
    """Whether a statement alters relations, and does not only add something to them."""
    if resolved.kind != "other" or is_harmless(resolved.statement):
        return False
    return bool(_ALTERING.match(uncommented(resolved.statement.text)))


def alters(statement: Resolved, names: Iterable[str]) -> Iterator[str]:
    """Those of the relations that it may alter."""
    several = [*names]
    hit = {*written_beside(statement), *of_renamed_schemas([statement], several)}
    return (name for name in several if last_part(name) in hit)


def read_before(definition: Definition, changes: Sequence[Resolved]) -> str:
    """Why a definition whose statements stand before such changes has no model; empty if it has.
    ``changes``: of its own scripts, where it is certain which is first."""
    lasting = {read.of or read.relation for read in definition.reads if not read.temp}
    lasting |= definition.early
    for part in definition.parts if changes else ():
        names = sorted(lasting & base_reads(part.query)) if part.query is not None else ()
        here = part.statement
        for change in changes:
            there = change.statement
            if there.path == here.path and there.index > here.index:
                for name in alters(change, names):
                    return f"it reads {name} before line {there.span.line} alters it"
    return ""
