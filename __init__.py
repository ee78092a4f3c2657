"""unwet: reads a pile of copy-pasted SQL and rewrites it as a small, proven, modular project.

The public API is the five names below. They load on first use, so ``import unwet`` stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unwet.lineage.pile import trace as trace
    from unwet.lineage.sources import Source as Source

_HOME = {
    "Source": "unwet.lineage.sources",
    "trace": "unwet.lineage.pile",
    "find_families": "unwet.rewrite.families",
    "refactor": "unwet.rewrite.refactor",
    "verify": "unwet.rewrite.verify",
}

__version__ = "0.1.0"
__all__ = ["Source", "find_families", "refactor", "trace", "verify"]


def __getattr__(name: str) -> Any:
    """Import the stage that owns `name` (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
