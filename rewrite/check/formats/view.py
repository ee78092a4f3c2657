"""What all forms share: for whom they are, the order of problems, and text that stays harmless."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from unwet.rewrite.check.found import Problem


def text_of(path: str) -> str | None:
    """The text of a file; None when there is none (any more)."""
    try:
        return Path(path).read_text("utf-8-sig", errors="replace")
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None


@dataclass(frozen=True, slots=True)
class View:
    """For whom problems are shown.

    `read` gives the text of a file, for excerpts; None: there is none. `width`: columns of the
    terminal. `version`: of unwet, where a form names it.
    """

    read: Callable[[str], str | None] = text_of
    width: int = 80
    colour: bool = False
    version: str = ""


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """By place, then by what they say."""
    return sorted(problems, key=lambda p: (p.at, p.code, p.message, p.key, p.help, p.others))


def one_line(text: str) -> str:
    """Text that stays one line and does nothing to a terminal."""
    return harmless(" ".join(text.split()) if "\n" in text or "\r" in text else text)


def harmless(text: str) -> str:
    """Text with a sign in place of each character that does not print."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def slashed(path: str) -> str:
    """A path as other programs want it: with slashes, and nothing to be resolved in it."""
    return posixpath.normpath(path.replace(os.sep, "/"))


def fingerprints(problems: Sequence[Problem]) -> list[str]:
    """What each problem is known by in other programs: by code, file and key, never by line; a
    number tells the ones apart that are alike in all of them."""
    seen: dict[tuple[str, str, str], int] = {}
    found = []
    for each in problems:
        alike = (each.code, slashed(each.at.path), each.key)
        seen[alike] = number = seen.get(alike, 0) + 1
        whole = "\0".join((*alike, str(number)))
        found.append(blake2b(octets(whole), digest_size=16).hexdigest())
    return found


def octets(text: str) -> bytes:
    """Text in UTF-8; bytes of a file name that are no UTF-8 are themselves again."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # half of a pair, which no file name has on most systems
        return text.encode(errors="surrogatepass")


def counted(number: int, what: str) -> str:
    """3 problems, 1 problem."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def total(problems: Sequence[Problem]) -> str:
    """The last line for people."""
    if not problems:
        return "No problems found."
    files = len({each.at.path for each in problems})
    return f"Found {counted(len(problems), 'problem')} in {counted(files, 'file')}."
