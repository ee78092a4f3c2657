"""The forms in which problems are told: one file each, one function `render(problems, view)`.

All of them are sorted, say the same on every run, and let no text of the pile act on a terminal or
on a program that reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from unwet.rewrite.check.formats import concise, full, github, gitlab, json, sarif
from unwet.rewrite.check.formats.view import View
from unwet.rewrite.check.found import Problem

Render = Callable[[Sequence[Problem], View], str]
FORMATS: Final[tuple[tuple[str, Render], ...]] = (
    ("full", full.render),  # first: what people get who ask for nothing
    ("concise", concise.render),
    ("json", json.render),
    ("github", github.render),
    ("gitlab", gitlab.render),
    ("sarif", sarif.render),
)
NAMES: Final = tuple(name for name, _ in FORMATS)


def render(format: str, problems: Sequence[Problem], view: View | None = None) -> str:
    """The problems in one of the forms that NAMES lists; raises KeyError for another."""
    return dict(FORMATS)[format](problems, view or View())


__all__ = ["FORMATS", "NAMES", "View", "render"]
