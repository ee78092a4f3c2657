"""What a template does not say: a value of which only the expression is known that makes it.

It prints as a word of its own, the same for the same expression. What is computed of it is unknown,
too; where a template asks whether it is true, it is decided both ways, one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final, Protocol

from unwet.rewrite.prove.sandbox import TemplateFailure

WORD: Final = re.compile(r"unwet__[0-9a-f]{16}__")
RESERVED: Final = "unwet__"
_LONGEST = 2_000  # characters of an expression; people write a hundred


class Decide(Protocol):
    """Who is asked whether an expression is true, and hears what is printed and called."""

    def __call__(self, key: str) -> bool: ...
    def printed(self, key: str) -> None: ...
    def called(self, key: str) -> None: ...


class Unknown:
    """``key``: the expression, as the text that a reader is told; ``text``: what is printed."""

    __slots__ = ("_decide", "_key", "_text")

    def __init__(self, key: str, decide: Decide, text: str = "") -> None:
        if len(key) > _LONGEST:
            raise TemplateFailure(f"an expression that is too long to be followed: {key[:60]}...")
        self._key, self._decide = key, decide
        self._text = text or f"{RESERVED}{digest(key)}__"

    def __str__(self) -> str:
        self._decide.printed(self._key)
        return self._text

    def __bool__(self) -> bool:
        return self._decide(self._key)

    def __iter__(self) -> None:
        raise TemplateFailure(f"a loop over {self._key}, which is not known")

    def __contains__(self, item: object) -> bool:
        return self._decide(f"{said(item)} in {self._key}")

    def __getattr__(self, name: str) -> Unknown:
        # what jinja2 asks of everything that it calls must not be answered
        if name.startswith(("_", "jinja_")) or name in ("unsafe_callable", "alters_data"):
            raise AttributeError(name)
        return self._made(f"{self._key}.{name}")

    def __getitem__(self, item: object) -> Unknown:
        return self._made(f"{self._key}[{said(item)}]")

    def __call__(self, *args: object, **kwargs: object) -> Unknown:
        given = [*map(said, args), *(f"{name}={said(value)}" for name, value in kwargs.items())]
        made = self._made(f"{self._key}({', '.join(given)})")
        self._decide.called(made._key)
        return made

    def __eq__(self, other: object) -> Unknown:  # type: ignore[override]
        return self._made(f"{self._key} == {said(other)}")

    def __ne__(self, other: object) -> Unknown:  # type: ignore[override]
        return self._made(f"{self._key} != {said(other)}")

    def __lt__(self, other: object) -> Unknown:
        return self._made(f"{self._key} < {said(other)}")

    def __le__(self, other: object) -> Unknown:
        return self._made(f"{self._key} <= {said(other)}")

    def __gt__(self, other: object) -> Unknown:
        return self._made(f"{self._key} > {said(other)}")

    def __ge__(self, other: object) -> Unknown:
        return self._made(f"{self._key} >= {said(other)}")

    __hash__ = None  # type: ignore[assignment]  # as a key of a dictionary it is not followed

    def _made(self, key: str) -> Unknown:
        return Unknown(key, self._decide)


def digest(key: str) -> str:
    """The same for the same text, and for no other."""
    return blake2b(key.encode(), digest_size=8).hexdigest()


def is_unknown(value: object) -> bool:
    """Whether it is such a value, or holds one."""
    match value:
        case Unknown():
            return True
        case list() | tuple():
            return any(map(is_unknown, value))
        case dict():
            return any(map(is_unknown, value.values()))
        case _:
            return False


def said(value: object) -> str:
    """An argument as it is told. Raises TemplateFailure for what cannot be compared by its text."""
    match value:
        case Unknown():
            return value._key
        case str() | bool() | int() | float() | None:
            return repr(value)
        case list() | tuple():
            return _listed(value, type(value).__name__)
        case dict():
            return _dictionary(value)
        case _:
            raise TemplateFailure(f"an argument that is not followed: a {type(value).__name__}")


def _listed(values: Sequence[object], kind: str) -> str:
    inner = ", ".join(map(said, values))
    return f"[{inner}]" if kind == "list" else f"({inner})"


def _dictionary(values: Mapping[object, object]) -> str:
    return "{" + ", ".join(f"{said(key)}: {said(value)}" for key, value in values.items()) + "}"
