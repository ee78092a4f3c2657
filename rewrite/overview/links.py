"""Where the places on the page lead to: the same slots as the lineage page has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Links:
    """``template``: an address with {path}, {abspath} and {line} put in. ``base`` leads from the
    page's folder to the one that paths are relative to; ``root`` is that folder's own path."""

    template: str = "{path}"
    base: str = ""
    root: str = ""

    def to(self, path: str, line: int = 1) -> str:
        """The address of a line of a source; a path is never taken for anything but a path."""
        plain = path.replace("\\", "/") if PureWindowsPath(path).drive else path
        absolute = PureWindowsPath(path).drive or PurePosixPath(path).is_absolute()
        shown = quote(plain, safe="/")
        near = shown if absolute or not self.template.startswith("{path}") else self._below(shown)
        root = quote(self.root, safe="/:")
        whole = (shown if absolute else f"{root}/{shown}").lstrip("/")
        slots = {"path": near, "abspath": f"/{whole}", "line": str(line), "column": "1"}
        text = self.template
        for name, value in slots.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def _below(self, path: str) -> str:
        """Not to be taken for a scheme, whatever the first folder is called."""
        return (self.base or "./") + path
