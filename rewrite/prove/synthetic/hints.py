"""What the name of a column says about its type, for columns of which nothing else does."""

from __future__ import annotations

import re
from typing import Final

from unwet.rewrite.prove.synthetic.types import Kind

# In this order: `is_created_at` is a flag, `count_date` a date.
_NAMES: Final[tuple[tuple[str, Kind], ...]] = (
    (r"^(is|has|did|was|can|should)_|_(flag|bool|enabled)$|^(active|enabled|deleted)$", "boolean"),
    (r"timestamp|datetime|_at$|_ts$|(^|_)time$|charttime|intime$|outtime$", "timestamp"),
    (r"(^|_)date$|date$|^date|(^|_)(day|dt|month|week)$", "date"),
    (r"amount|price|cost|revenue|budget|(^|_)(rate|ratio|pct|percent|avg|mean)($|_)", "double"),
    (r"(^|_)(num|count|cnt|n|total|sum|qty|quantity|age)($|_)", "integer"),
    (r"(^|_)(days|hours|minutes|seconds)($|_)", "integer"),
    (r"(^|_)(year|ms|rank|size|score|clicks|impressions|bits|bytes|position)$|duration", "integer"),
    (r"(^|_)(id|sk|no|nr|number)$|\wkey$", "integer"),
)  # fmt: skip
_PATTERNS: Final = tuple((re.compile(pattern), kind) for pattern, kind in _NAMES)


def named_kind(name: str) -> Kind | None:
    """The type that columns of such a name mostly have; None when the name says nothing."""
    lower = name.lower()
    return next((kind for pattern, kind in _PATTERNS if pattern.search(lower)), None)
