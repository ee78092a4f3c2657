"""Text inside PNG pictures (PNG specification, 11.3.4.5 iTXt): what was drawn, for the check."""

import zlib
from collections.abc import Iterator

_START = b"\x89PNG\r\n\x1a\n"
_KEY = b"unwet lineage"


def with_text(png: bytes, text: str) -> bytes:
    """The picture with a compressed text in it; raises ValueError for what is no PNG."""
    chunks = list(_chunks(png))
    body = _KEY + b"\0\1\0\0\0" + zlib.compress(text.encode(errors="backslashreplace"), 9)
    chunks.insert(len(chunks) - 1, (b"iTXt", body))  # the last one is IEND
    return _START + b"".join(map(_written, chunks))


def text_of(png: bytes) -> str:
    """The text that `with_text` put there; "" when there is none. Raises ValueError."""
    for kind, body in _chunks(png):
        if kind == b"iTXt" and body.startswith(_KEY + b"\0\1\0\0\0"):
            try:
                return zlib.decompress(body[len(_KEY) + 5 :]).decode()
            except zlib.error as error:
                raise ValueError("damaged text in a PNG") from error
    return ""


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not png.startswith(_START):
        raise ValueError("no PNG")
    at = len(_START)
    while at + 12 <= len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def _written(chunk: tuple[bytes, bytes]) -> bytes:
    kind, body = chunk
    check = zlib.crc32(kind + body)
    return len(body).to_bytes(4, "big") + kind + body + check.to_bytes(4, "big")
