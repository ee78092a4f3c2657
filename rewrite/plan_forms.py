"""What a run would make once, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from unwet.lineage.counted import counted
from unwet.rewrite.planned import Abstraction, Hole

WIDTH: Final = 100  # of the text form
_LEFT: Final = 30  # columns before what is said of each
_NAMED: Final = 4  # members and values; JSON has all of them
SHOWN: Final = 30  # abstractions unless -v


def as_values(found: Iterable[Abstraction]) -> list[dict[str, object]]:
    """For JSON; `members` and the `values` of each hole are of one length."""
    return [
        {
            "name": each.name,
            "kind": each.kind,
            "uses": len(each.members),
            "members": list(each.members),
            "lines": each.lines,
            "before": each.before,
            "after": each.after,
            "saves": each.saves,
            "why": each.why,
            "holes": [{"name": h.name, "values": list(h.values)} for h in each.holes],
        }
        for each in found
    ]


def as_text(found: Sequence[Abstraction], everything: bool) -> str:
    """A table, what saves most first; no line is longer than WIDTH."""
    if not found:
        return "nothing is worth having once\n"
    shown = found if everything else found[:SHOWN]
    lines = [f"{'saves':>7}  {'lines':<14}{'uses':>5}  what"]
    for each in shown:
        span = f"{each.before:,} -> {each.after:,}"
        head = f"{each.saves:>7,}  {span:<14}{len(each.members):>5}  {each.kind} {each.name}"
        lines += [_cut(head), *(_cut(" " * (_LEFT + 2) + line) for line in _details(each))]
    if len(shown) < len(found):
        rest = sum(each.saves for each in found[SHOWN:])
        more = counted(len(found) - SHOWN, "more abstraction")
        lines.append(f"{rest:>7,}  by {more} (-v shows all, JSON has all of it)")
    return "\n".join(lines) + "\n"


def _details(each: Abstraction) -> Iterator[str]:
    if each.why:
        yield each.why
    yield _fitting("in ", list(dict.fromkeys(each.members)))
    for hole in each.holes:
        yield _fitting(f"{hole.name}: ", _values(hole))


def _values(hole: Hole) -> list[str]:
    """The values, the most frequent first."""
    counts = sorted(Counter(hole.values).items(), key=lambda pair: (-pair[1], pair[0]))
    return [(" ".join(value.split()) or "nothing") + (f" ({n} times)" if n > 1 else "")
            for value, n in counts]  # fmt: skip


def _fitting(head: str, items: list[str]) -> str:
    """As many items as fit into what is left of a line, one at least."""
    shown = min(_NAMED, len(items))
    while True:
        more = f" and {len(items) - shown} more" if shown < len(items) else ""
        line = head + ", ".join(items[:shown]) + more
        if len(line) <= WIDTH - _LEFT - 2 or shown <= 1:
            return line
        shown -= 1


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."
