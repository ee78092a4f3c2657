"""Sections of RESULTS.md, each between its own marks, so that one bench does not undo another.

The file is put together anew with each section: a head that says when each was measured, and the
sections in the order of PARTS.
"""

import re
import subprocess
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"

# What the sections are about, and which there are; one that ends in a dash stands for all that
# begin so.
PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Piles rewritten",
        ("shop-sizes", "shop", "achilles", "refactor", "refactor-", "parts", "rounds-", "by-hand"),
    ),
    (
        "What a proof is worth",
        ("pairs", "proof", "proof-again", "proved", "rows", "types", "comparison"),
    ),
    ("Copies", ("dups", "jscpd")),
    ("Contradictions", ("shop-drift", "drift", "drift-spellbook")),
    ("Lineage", ("lineage", "coverage", "oracle", "openlineage", "explorer")),
    ("What it costs", ("startup", "check", "speed", "jobs", "scale", "closures")),
)
HEAD = """# Results

Each section is what a bench has written that measured the commit named at its end; its first lines
say the command ([README.md](README.md) says what it does). A figure is current as long as nothing
that it measures has changed since that commit; where two sections tell the same, the newer one
counts. CPU seconds are user and system time of a machine with two cores that did other work as
well, which makes them up to a half larger than alone; wall seconds are said to be such.
"""
_SECTION = re.compile(r"<!-- ([\w-]+) -->\n(.*?)\n<!-- /\1 -->", re.DOTALL)
_MEASURED = re.compile(r"^Commit (.+)\.\Z", re.MULTILINE)


def put(name: str, section: str, file: Path = RESULTS) -> None:
    """Replace the section of that name, or add it in its place."""
    sections = read(file.read_text("utf-8") if file.exists() else "")
    sections[name] = f"{section.strip()}\n\nCommit {commit()}."
    file.write_text(written(sections), "utf-8")


def read(text: str) -> dict[str, str]:
    """The sections of a file, by name."""
    return {found[1]: found[2].strip() for found in _SECTION.finditer(text)}


def written(sections: dict[str, str]) -> str:
    """The file that has these sections."""
    names = sorted(sections, key=_place)
    rows = [_row(name, sections[name]) for name in names]
    contents = "\n".join(["| about | section | measured at |", "| --- | --- | --- |", *rows])
    marked = [f"<!-- {name} -->\n{sections[name]}\n<!-- /{name} -->" for name in names]
    return "\n\n".join([f"{HEAD}\n{contents}", *marked]) + "\n"


def _place(name: str) -> tuple[int, int, str]:
    """Where a section stands; one that no part has comes last."""
    for part, (_, known) in enumerate(PARTS):
        for number, each in enumerate(known):
            if name == each or (each.endswith("-") and name.startswith(each)):
                return part, number, name
    return len(PARTS), 0, name


def _row(name: str, section: str) -> str:
    title = section.partition("\n")[0].lstrip("# ")
    anchor = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
    part = _place(name)[0]
    about = PARTS[part][0] if part < len(PARTS) else ""
    measured = _MEASURED.search(section)
    return f"| {about} | [{title}](#{anchor}) | {measured[1] if measured else 'unknown'} |"


def commit() -> str:
    """The commit that was measured, short, and its day; `unknown` outside of a checkout."""
    command = ["git", "show", "--no-patch", "--abbrev=10", "--format=%h, %cs"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()
