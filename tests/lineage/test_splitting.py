"""Where one statement ends and the next begins. Cases: fixtures/splitting/*.sql."""

import re
from pathlib import Path

import pytest

from unwet.lineage.splitting import CONTROL, split
from unwet.lineage.tokenizing import Stretch, prepare, tokenize

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "splitting"
CASE = re.compile(r"^-- case: (.*)\n", re.M)


def cases() -> list[tuple[str, str, str, list[str]]]:
    """(title, dialect, input, expected chunks) of all case files; the file is the dialect."""
    found = []
    for path in sorted(FOLDER.glob("*.sql")):
        _, *parts = CASE.split(path.read_text(encoding="utf-8"))
        for title, body in zip(parts[::2], parts[1::2], strict=True):
            text, _, expected = body.partition("-- expect:\n")
            chunks = re.findall(r"^-- > (.*)$", expected, re.M)
            found.append((title, path.stem, text, chunks))
    return found


def chunks(text: str, dialect: str) -> list[str]:
    """One line per chunk; headers of blocks in brackets, trivial ones left out."""
    found = []
    for part in tokenize(prepare(text, dialect), dialect):
        assert isinstance(part, Stretch)
        for chunk in split(part.tokens, part.text, dialect):
            first, last = part.tokens[chunk.first], part.tokens[chunk.last - 1]
            words = " ".join(part.text[first.start : last.end + 1].split())
            if not chunk.trivial:
                found.append(f"[{words}]" if chunk.kind == CONTROL else words)
    return found


@pytest.mark.parametrize(
    ("title", "dialect", "text", "expected"), cases(), ids=lambda value: str(value)[:40]
)
def test_case(title: str, dialect: str, text: str, expected: list[str]) -> None:
    assert expected, title
    assert chunks(text, dialect) == expected


def test_every_token_is_in_at_most_one_chunk() -> None:
    for _, dialect, text, _ in cases():
        for part in tokenize(prepare(text, dialect), dialect):
            assert isinstance(part, Stretch)
            last = 0
            for chunk in split(part.tokens, part.text, dialect):
                assert last <= chunk.first < chunk.last <= len(part.tokens)
                last = chunk.last
