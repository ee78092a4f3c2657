"""Where what several reports share is, for MIGRATION.md: only folders that the project has."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

_WIDTH = 100


def where_shared(first: str, kind: str, paths: Iterable[str]) -> str:
    """`first`, a sentence without its end, and where what several share is. `kind`: the folder of
    the layers; `paths`: all files of the project."""
    files = [*paths]
    said = [
        name
        for folder, name in (
            (f"{kind}/staging/", f"{kind}/staging/ (one source, cleaned)"),
            (f"{kind}/intermediate/", f"{kind}/intermediate/"),
            ("macros/", "macros/"),
        )
        if any(each.startswith(folder) and each.endswith(".sql") for each in files)
    ]
    if not said:
        return f"{first}."
    *most, last = said
    return f"{first}; what several share is below {', '.join(most)}{' and ' * bool(most)}{last}."


def wrapped(text: str) -> str:
    """A paragraph in lines that nobody has to scroll, where MIGRATION.md is read as a text."""
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
