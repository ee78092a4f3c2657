"""Files that hold lineage, against the SQL: are they still true, and what would make them so?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from unwet.lineage.asking import Ask, made, view
from unwet.lineage.errors import PathNotFound, UsageError
from unwet.lineage.exports.staleness import Stale, compare, drawn_lines
from unwet.lineage.pages import FENCED, Block, blocks, rewritten
from unwet.lineage.survey import Lineage

Asked = Callable[[tuple[str, ...]], tuple[Lineage, Ask]]


@dataclass(frozen=True, slots=True)
class Checked:
    """A file, or a block at a line of a page; `stale` is None when it is true."""

    place: str
    stale: Stale | None


def check_file(path: str, pile: Lineage, ask: Ask) -> Checked:
    """Whether a file shows what is asked for; SVG and PNG need no Graphviz for it."""
    old = read(path)
    drawn = ask.format in ("svg", "png")
    new = drawn_lines(view(pile, ask)) if drawn else made(pile, ask)
    return Checked(path, compare(old, ask.format, new))


def check_page(path: str, asked: Asked) -> tuple[list[Checked], str]:
    """The blocks of a page, and the page with all of them made anew.

    `asked` makes a pile and an Ask of the words of a block. Raises UsageError for a page without
    blocks, and for formats that are no text.
    """
    text = read(path).decode(errors="surrogateescape")
    found = blocks(text, path)
    if not found:
        raise UsageError(
            f"{path} has no block of unwet",
            "write <!-- unwet lineage PATH --column REL.COL --> and <!-- /unwet --> "
            "on lines of their own",
        )
    made_anew = list(_contents(found, path, asked))
    checked = [
        Checked(f"{path}:{block.start + 1}", compare(block.content().encode(), format, content))
        for block, format, content in made_anew
    ]
    return checked, rewritten(text, made_anew)


def has_blocks(path: str) -> bool:
    """Whether a file is there and has a block."""
    return Path(path).is_file() and bool(blocks(read(path).decode(errors="replace"), path))


def read(path: str) -> bytes:
    """The bytes of a file; raises PathNotFound, and UsageError for what cannot be read."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise PathNotFound(
            path, "make it with the same options and -o instead of --check"
        ) from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error


def _contents(
    found: tuple[Block, ...], path: str, asked: Asked
) -> Iterator[tuple[Block, str, str]]:
    for block in found:
        try:
            pile, ask = asked(block.words)
            if ask.format not in FENCED:
                raise UsageError(
                    f"a block holds {', '.join(FENCED)}, not {ask.format}",
                    f"write a file with --format {ask.format} -o FILE, and check that",
                )
            content = str(made(pile, ask))
        except UsageError as error:
            raise UsageError(f"{path}:{block.start + 1}: {error.message}", error.help) from error
        yield block, ask.format, content
