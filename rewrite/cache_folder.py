"""The folder for what later runs may use again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = ".unwet_cache"


def make_folder(folder: Path) -> None:
    """Make it, with a .gitignore of its own, so that nobody commits it. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
