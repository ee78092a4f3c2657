"""Families in the forms other programs and people read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from io import StringIO

from unwet.rewrite.families import Duplicates, Family

SHOWN_MEMBERS = 12
SHOWN_HOLES = 12
SHOWN_VALUES = 12
_WIDE = 60  # a longer value is cut in the text form


def as_json(found: Duplicates) -> str:
    """The families with the keys of the documented JSON form."""
    data = {
        "families": [_family(family) for family in found.families],
        "lines": found.lines,
        "duplicated_lines": found.duplicated_lines,
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def as_text(found: Duplicates, terminal: bool = False, full: bool = False) -> str:
    """One paragraph a family, what saves most first; ``full`` leaves nothing out."""
    from rich.console import Console

    out = StringIO()
    console = Console(
        file=out, width=None if terminal else 10_000, force_terminal=terminal, highlight=False
    )
    for family in found.families:
        console.print(_headline(family), style="bold", markup=False)
        for line in (*_members(family, full), *_holes(family, full)):
            console.print(line, markup=False, soft_wrap=True)
        console.print()
    console.print(_total(found), markup=False)
    return out.getvalue()


def _family(family: Family) -> dict[str, object]:
    return {
        "id": family.id,
        "kind": family.kind,
        "what": family.what,
        "size": family.size,
        "lines": family.lines,
        "saves": family.saves,
        "holes": [{"name": h.name, "kind": h.kind, "values": list(h.values)} for h in family.holes],
        "members": [
            {
                "path": m.path,
                "line": m.line,
                "end_line": m.end_line,
                "relation": m.relation,
                "whole": m.whole,
            }
            for m in family.members
        ],
    }


_COPIES = {
    "query": "copies",
    "branch": "branches",
    "item": "items of SELECT",
    "expression": "copies of an expression",
}


def _headline(family: Family) -> str:
    parts = [family.kind, f"{family.size} {_COPIES[family.what]}"]
    parts.append(f"{family.lines} line{'s' if family.lines > 1 else ''} each")
    if family.holes:
        parts.append(f"{len(family.holes)} hole{'s' if len(family.holes) > 1 else ''}")
    return f"{', '.join(parts)}, saves {family.saves}  [{family.id}]"


def _members(family: Family, full: bool) -> Iterator[str]:
    shown = family.members if full else family.members[:SHOWN_MEMBERS]
    for member in shown:
        name = member.relation or ("query" if member.whole else "part of a query")
        more = f"-{member.end_line}" if member.end_line > member.line else ""
        yield f"  {member.path}:{member.line}{more} ({name})"
    if len(shown) < family.size:
        yield f"  ... and {family.size - len(shown)} more (-v shows all)"


def _holes(family: Family, full: bool) -> Iterator[str]:
    """One line a hole: its name and its values in the order of the members, each once."""
    shown = family.holes if full else family.holes[:SHOWN_HOLES]
    wide = max((len(hole.name) for hole in shown), default=0)
    for hole in shown:
        counts = Counter(hole.values)
        texts = [_value(value, count, full) for value, count in counts.items()]
        more = ["..."] if not full and len(texts) > SHOWN_VALUES else []
        line = " | ".join([*(texts if full else texts[:SHOWN_VALUES]), *more])
        yield f"    {hole.name.ljust(wide)} = {line}"
    if len(shown) < len(family.holes):
        yield f"    ... and {len(family.holes) - len(shown)} more holes (-v shows all)"


def _value(value: str, count: int, full: bool) -> str:
    text = value if full or len(value) <= _WIDE else f"{value[: _WIDE - 27]} ... {value[-22:]}"
    return (text or "(nothing)") + (f" ({count} times)" if count > 1 else "")


def _total(found: Duplicates) -> str:
    share = 100 * found.duplicated_lines / found.lines if found.lines else 0
    word = "family" if len(found.families) == 1 else "families"
    return (
        f"{len(found.families):,} {word}; {found.duplicated_lines:,} of {found.lines:,} lines "
        f"({share:.0f} %) are copies"
    )
