"""What must never be shown: passwords and tokens of a connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from unwet.lineage.errors import without_secrets

SHORTEST = 3  # a shorter one would blot out half the message, and the pattern catches it anyway
_SECRET_KEY = re.compile(r"pass|pwd|token|secret|(?:^|[._])key$", re.IGNORECASE)
_ENDS = re.compile(r"[@/?#]")  # where one reader or another of URLs takes a login to be over


@dataclass(frozen=True, slots=True)
class Secrets:
    """Words to take out of every message; not shown when printed itself."""

    words: tuple[str, ...] = field(default=(), repr=False)

    def hide(self, message: str) -> str:
        """The message with three stars in place of each of them, however it is spelled."""
        spelled = {s for w in self.words for s in (w, quote(w, safe=""), quote(w), unquote(w))}
        for word in sorted(spelled, key=lambda each: (-len(each), each)):
            if len(word) >= SHORTEST:
                message = message.replace(word, "***")
        return without_secrets(message)


def secrets_of(dsn: str) -> Secrets:
    """The secrets within a connection string."""
    return Secrets(tuple(dict.fromkeys(word for word in _words(dsn) if word)))


def _words(dsn: str) -> Iterator[str]:
    try:
        parts = urlsplit(dsn)
        yield parts.password or ""
        yield from (v for k, v in parse_qsl(parts.query) if _SECRET_KEY.search(k))
    except ValueError:  # not even a URL: what stands before the host is taken for secret
        yield dsn.partition("://")[2].rpartition("@")[0]
    # A password with a sign in it that should have been escaped: where it ends, libpq and Python
    # do not agree, and the server may be told a piece of it as the name of a host, and tell it.
    written = dsn.partition("://")[2].rpartition("@")[0].partition(":")[2]
    yield written
    yield from _ENDS.split(written)
