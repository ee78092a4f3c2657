"""Colours for a terminal; none where there is none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paint:
    """Puts words into colours that are readable on a dark and on a light ground."""

    on: bool

    def code(self, text: str) -> str:
        """A code, or what points at the fault."""
        return self._in("1;31", text)

    def strong(self, text: str) -> str:
        """What should be read first."""
        return self._in("1", text)

    def frame(self, text: str) -> str:
        """The frame around an excerpt."""
        return self._in("1;34", text)

    def help(self, text: str) -> str:
        """The word before a piece of advice."""
        return self._in("1;36", text)

    def _in(self, style: str, text: str) -> str:
        return f"\033[{style}m{text}\033[0m" if self.on and text else text
