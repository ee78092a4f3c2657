"""What must never be shown: passwords and tokens of a connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from unwet.lineage.errors import without_secrets

SHORTEST = 3  # a shorter one would blot out half the message, and the pattern catches it anyway
_SECRET_KEYS = frozenset({"password", "passwd", "pwd", "pass", "token", "secret", "sslpassword"})


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
    try:
        parts = urlsplit(dsn)
        words = [parts.password, *(v for k, v in parse_qsl(parts.query) if k in _SECRET_KEYS)]
    except ValueError:  # not even a URL: what stands before the host is taken for secret
        words = [dsn.partition("://")[2].rpartition("@")[0]]
    return Secrets(tuple(word for word in words if word))
