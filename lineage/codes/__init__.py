"""What each code of a finding means: what it does, why it is bad, an example, a fix.

The text is data: one Markdown file per family of codes lies beside this module. `unwet explain`,
docs/codes.md and the rules of SARIF are made of it, and a test executes its examples.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final

from unwet.lineage.errors import UsageError

FAMILIES: Final = (  # in the order in which a pile meets them
    "files",
    "statements",
    "columns",
    "reports",
    "drift",
    "copies",
    "marks",
)
SECTIONS: Final = ("What it does", "Why is this bad?", "Example", "Fix")
_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of SQL, or of shell, in an explanation.

    `about`: what its place cannot show, such as `dialect`, `param` or the `file` that it stands in.
    """

    language: str
    text: str
    about: tuple[tuple[str, str], ...] = ()


Part = str | Block  # a paragraph, or code


@dataclass(frozen=True, slots=True)
class Explanation:
    """One code. `summary` is one line; the other four are paragraphs and blocks of code."""

    code: str
    summary: str
    what: tuple[Part, ...]
    why: tuple[Part, ...]
    example: tuple[Part, ...]
    fix: tuple[Part, ...]

    @property
    def sections(self) -> tuple[tuple[str, tuple[Part, ...]], ...]:
        """The headings and what stands below them, in order."""
        parts = (self.what, self.why, self.example, self.fix)
        return tuple(zip(SECTIONS, parts, strict=True))


@dataclass(frozen=True, slots=True)
class Family:
    """Codes that belong together, with some words about all of them."""

    title: str
    intro: str
    explanations: tuple[Explanation, ...]


class UnknownCode(UsageError):
    """A code that no finding carries; ``others``: where the known ones are told."""

    def __init__(
        self, code: str, known: Iterable[str], others: str = "`unwet explain` lists all codes"
    ) -> None:
        near = get_close_matches(code.upper(), list(known), n=1, cutoff=0.7)
        hint = f"did you mean {near[0]}?" if near else others
        super().__init__(f"unknown code: {code}", hint)
        self.code = code


@cache
def families() -> tuple[Family, ...]:
    """All that is explained, family by family."""
    return tuple(_family((_FOLDER / f"{name}.md").read_text("utf-8")) for name in FAMILIES)


@cache
def explanations() -> dict[str, Explanation]:
    """Every explanation by its code, in the order of the families."""
    return {each.code: each for family in families() for each in family.explanations}


def explain(word: str) -> tuple[Explanation, ...]:
    """What a code means, in any case; a word stands for all codes that begin with it and `_`,
    as in an ignore mark. Raises UnknownCode."""
    known, asked = explanations(), word.upper()
    if asked in known:
        return (known[asked],)
    found = tuple(each for code, each in known.items() if code.startswith(f"{asked}_"))
    if not found:
        raise UnknownCode(word, known)
    return found


def difference(word: str) -> str:
    """A code, or the word that several begin with, of what somebody may accept, in capitals:
    contradictions, and what is noticed of reports; raises UnknownCode for any other."""
    noticed = (each.code for each in families()[FAMILIES.index("reports")].explanations)
    known = [*(code for code in explanations() if code.startswith("DRIFT")), *noticed]
    asked = word.upper()
    if asked not in known and not any(code.startswith(f"{asked}_") for code in known):
        raise UnknownCode(word, known, f"known: {', '.join(known)}")
    return asked


# --- reading ---------------------------------------------------------------------------------

_FENCE: Final = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.M | re.S)


def _family(text: str) -> Family:
    head, *chapters = re.split(r"^## ", text, flags=re.M)
    title, _, intro = head.removeprefix("# ").partition("\n")
    return Family(title, intro.strip(), tuple(map(_explanation, chapters)))


def _explanation(chapter: str) -> Explanation:
    head, *sections = re.split(r"^### ", chapter, flags=re.M)
    code, _, summary = head.partition("\n")
    parts: dict[str, tuple[Part, ...]] = {}
    for section in sections:
        heading, _, body = section.partition("\n")
        parts[heading] = tuple(_parts(body))
    if tuple(parts) != SECTIONS:
        raise ValueError(f"{code} must have the sections {', '.join(SECTIONS)}")
    return Explanation(code, " ".join(summary.split()), *parts.values())


def _parts(body: str) -> Iterator[Part]:
    done = 0
    for fence in _FENCE.finditer(body):
        yield from _paragraphs(body[done : fence.start()])
        about = (word.partition("=") for word in fence[2].split())
        yield Block(fence[1], fence[3].rstrip("\n"), tuple((k, v) for k, _, v in about))
        done = fence.end()
    yield from _paragraphs(body[done:])


def _paragraphs(text: str) -> Iterator[str]:
    for each in text.split("\n\n"):
        if each.strip():
            yield " ".join(each.split())
