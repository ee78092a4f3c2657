"""Sections of RESULTS.md, each between its own marks, so that one bench does not undo another."""

import re
import subprocess
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"


def put(name: str, section: str, file: Path = RESULTS) -> None:
    """Replace the section of that name, or add it at the end."""
    old = file.read_text("utf-8") if file.exists() else "# Results\n"
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    marked = f"{begin}\n{section.strip()}\n\nCommit {commit()}.\n{end}"
    pattern = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
    found = pattern.search(old)
    new = pattern.sub(lambda _: marked, old) if found else f"{old.rstrip()}\n\n{marked}\n"
    file.write_text(new, "utf-8")


def commit() -> str:
    """The commit that was measured, short; `unknown` outside of a checkout."""
    command = ["git", "rev-parse", "--short=10", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()
