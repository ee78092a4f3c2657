"""Explanations in the forms that people and programs read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Final

from unwet.lineage.codes import Block, Explanation, Family, Part

_WIDEST: Final = 88  # longer lines are hard to read, however wide the terminal is


def as_text(found: Sequence[Explanation], width: int = _WIDEST, colour: bool = False) -> str:
    """For a terminal that many columns wide; bold headings with ``colour``."""
    texts = ("\n".join(_text(each, min(width, _WIDEST), colour)) for each in found)
    return "\n\n\n".join(texts) + "\n"


def as_list(found: Iterable[Family], width: int = _WIDEST, colour: bool = False) -> str:
    """Every code with its summary, one a line where the terminal is wide enough."""
    chosen = tuple(found)
    wide = max(len(each.code) for family in chosen for each in family.explanations)
    blocks = []
    for family in chosen:
        lines = [_strong(family.title, colour)]
        for each in family.explanations:
            first, *rest = wrap(each.summary, max(20, width - wide - 4))
            lines += [f"  {each.code:<{wide}}  {first}", *(" " * (wide + 4) + r for r in rest)]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def as_json(found: Iterable[Explanation]) -> str:
    """A list with one object a code; the sections are Markdown."""
    data = [
        {
            "code": each.code,
            "summary": each.summary,
            "what": markdown_of(each.what),
            "why": markdown_of(each.why),
            "example": markdown_of(each.example),
            "fix": markdown_of(each.fix),
        }
        for each in found
    ]
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def as_markdown(found: Iterable[Explanation], level: int = 1) -> str:
    """A chapter a code, its heading that deep."""
    return "\n\n".join(_chapter(each, level) for each in found) + "\n"


def as_page(found: Iterable[Family]) -> str:
    """All families as one page below a heading of its own: a list to jump from, then each code."""
    chosen = tuple(found)
    rows = [
        f"| [{each.code}](#{each.code.lower()}) | {_sentence(each.summary)} |"
        for family in chosen
        for each in family.explanations
    ]
    chapters = [
        f"## {family.title}\n\n{family.intro}\n\n{as_markdown(family.explanations, 3)}"
        for family in chosen
    ]
    return "\n".join(["| code | is about |", "| --- | --- |", *rows, "", "\n".join(chapters)])


def markdown_of(parts: Iterable[Part]) -> str:
    """Paragraphs and fenced code."""
    return "\n\n".join(_fenced(p) if isinstance(p, Block) else p for p in parts)


def plain_of(parts: Iterable[Part], width: int, indent: str = "") -> str:
    """Wrapped paragraphs, and code four columns further in, as it is."""
    blocks = []
    for part in parts:
        if isinstance(part, Block):
            blocks.append("\n".join(f"{indent}    {line}".rstrip() for line in _code(part)))
        else:
            lines = wrap(part, width, initial_indent=indent, subsequent_indent=indent,
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


# ---------------------------------------------------------------------------------------------


def _text(one: Explanation, width: int, colour: bool) -> Iterator[str]:
    head = f"{one.code}: {_sentence(one.summary)}"
    first, *rest = wrap(head, width, subsequent_indent="  ")
    yield "\n".join([first.replace(one.code, _strong(one.code, colour), 1), *rest])
    for heading, parts in one.sections:
        yield ""
        yield _strong(heading, colour)
        yield plain_of(parts, width, "  ")


def _chapter(one: Explanation, level: int) -> str:
    lines = [f"{'#' * level} {one.code}", one.summary]
    for heading, parts in one.sections:
        lines += [f"{'#' * (level + 1)} {heading}", markdown_of(parts)]
    return "\n\n".join(lines)


def _fenced(block: Block) -> str:
    return "\n".join([f"```{block.language}", *_code(block), "```"])


def _code(block: Block) -> Iterator[str]:
    """The lines, with the file and the dialect above them where they matter."""
    about = dict(block.about)
    if "file" in about:
        yield f"-- {about['file']}"
    if "dialect" in about:
        yield f"-- in {about['dialect']}"
    yield from block.text.splitlines()


def _sentence(summary: str) -> str:
    return summary.rstrip(".")


def _strong(text: str, colour: bool) -> str:
    return f"\033[1m{text}\033[0m" if colour else text
