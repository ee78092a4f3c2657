"""Which files of a pile are templates that a plan of one branch says too little of.

set_apart(pile) -> Apart: the models, the macros that they may call, and the pile without them
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

from unwet.lineage.findings import UNPARSED
from unwet.lineage.parse import Script
from unwet.lineage.pile import Pile
from unwet.lineage.sources import Source
from unwet.rewrite.lost import obstacles

_MODEL: Final = re.compile(r"\{\{[-+]?\s*(?:config|ref|source)\s*\(")
_CONFIGURED: Final = re.compile(r"\{\{[-+]?\s*config\s*\(")
_OTHER: Final = re.compile(r"\{%[-+]?\s*(?:macro|test|data_test|snapshot|materialization|docs)\b")


@dataclass(frozen=True, slots=True)
class Apart:
    """``models``: one report each, by the name of the file; ``macros``: files that define some;
    ``rest``: the ``whole`` pile without all of them."""

    whole: Pile
    models: tuple[Source, ...]
    macros: tuple[Source, ...]
    rest: Pile


def set_apart(pile: Pile) -> Apart:
    """Models of dbt whose rows a template decides, or that are configured; no other report is read
    from such a file."""
    names = Counter(name_of(script.source) for script in pile.scripts)
    models = [
        script.source
        for script in pile.scripts
        if names[name_of(script.source)] == 1 and _is_template(script)
    ]
    if not models:
        return none_apart(pile)
    macros = [s.source for s in pile.scripts if _OTHER.search(s.source.text)]
    paths = {source.path for source in (*models, *macros)}
    rest = pile.with_scripts(s for s in pile.scripts if s.source.path not in paths)
    findings = tuple(each for each in pile.findings if each.at.path not in paths)
    return Apart(pile, tuple(models), tuple(macros), replace(rest, findings=findings))


def none_apart(pile: Pile) -> Apart:
    """Where a project has no templates."""
    return Apart(pile, (), (), pile)


def name_of(source: Source) -> str:
    """What dbt calls the model of a file."""
    return PurePath(source.path).name.partition(".")[0].lower()


def _is_template(script: Script) -> bool:
    text = script.source.text
    if not _MODEL.search(text) or _OTHER.search(text):
        return False
    lost = any(finding.code in UNPARSED for finding in script.findings)
    return lost or bool(_CONFIGURED.search(text)) or bool(obstacles(script))
