"""Texts compared and edited without their layout."""

from __future__ import annotations

import re
from itertools import pairwise

_TOKEN = re.compile(r"\w+|\S")


def flat(text: str) -> str:
    """On one line and in small letters, nothing between brackets and what is in them."""
    return " ".join(text.lower().split()).replace("( ", "(").replace(" )", ")")


def replaced(text: str, old: str, new: str) -> str:
    """The text with something else where it says the old first, on however many lines."""
    tokens = _TOKEN.findall(old)
    gaps = [r"\s+" if a[-1].isalnum() and b[0].isalnum() else r"\s*" for a, b in pairwise(tokens)]
    pattern = "".join(re.escape(t) + g for t, g in zip(tokens, [*gaps, ""], strict=True))
    edge = r"\b" if tokens[0][0].isalnum() else ""
    result, times = re.subn(edge + pattern, lambda _: new, text, count=1, flags=re.IGNORECASE)
    assert times, f"{old} is not in {text}"
    return result
