"""The figures of the runs, and how they are shown.

to_json(figures) / text(figures) / write(figures, RESULTS.md)
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.results import RESULTS, put

BUILT = ("built by dbt: identical", "built by dbt: different", "built by dbt: missing")
DECIDED = tuple(
    f"drift decided: {what}" for what in ("lines after", "nodes after", "changed", "kept", "failed")
)
VERDICTS = ("proved", "tested", "changed", "order-dependent", "kept", "failed")


@dataclass(frozen=True, slots=True)
class Figures:
    """One seed. `drift` is None while there is no such command; `families`: of whole reports;
    `built`: by parity of the tables that dbt built, if it did. `decided`: sizes and verdicts when
    the majority of each drift is taken for right, if that was asked for."""

    seed: int
    files: int
    reports: int
    before: Mapping[str, int]
    after: Mapping[str, int]
    families: Mapping[str, float]
    drift: Mapping[str, float] | None
    injected: int
    verdicts: Mapping[str, int]
    reasons: Mapping[str, int]
    seconds: float
    peak_mb: float
    built: Mapping[str, int] | None = None
    decided: Mapping[str, int] | None = None


def to_json(figures: Sequence[Figures]) -> str:
    shown = [asdict(one) for one in figures]
    return json.dumps(shown[0] if len(shown) == 1 else shown, indent=2)


def text(figures: Sequence[Figures]) -> str:
    """Markdown that also reads well on a terminal: a column per seed."""
    rows = [("seed", *(str(one.seed) for one in figures))]
    left_out = set(() if any(one.built for one in figures) else BUILT)
    left_out.update(() if any(one.decided for one in figures) else DECIDED)
    names = [name for name in _ROWS if name not in left_out]
    rows += [(name, *(_cell(one, name) for one in figures)) for name in names]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        " | ".join(c.ljust(w) if i == 0 else c.rjust(w)
                   for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]  # fmt: skip
    rule = " | ".join("-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths))
    table = "\n".join(f"| {line} |" for line in [lines[0], rule, *lines[1:]])
    return "\n\n".join([table, *_reasons(figures)])


_ROWS = (
    "files", "reports", "lines before", "lines after", "parameter lines after",
    "nodes before", "nodes after", *VERDICTS, *DECIDED, "family recall", "family precision",
    "drift injected", "drift recall", "drift precision", *BUILT, "seconds", "peak MB",
)  # fmt: skip


def _cell(one: Figures, name: str) -> str:
    missing = "no command yet"
    values: dict[str, object] = {
        "files": one.files,
        "reports": one.reports,
        "lines before": one.before["lines"],
        "lines after": one.after["lines"],
        "parameter lines after": one.after.get("parameter_lines", 0),
        "nodes before": one.before["nodes"],
        "nodes after": one.after["nodes"],
        **{verdict: one.verdicts.get(verdict, 0) for verdict in VERDICTS},
        "family recall": one.families["recall"],
        "family precision": one.families["precision"],
        "drift injected": one.injected,
        "drift recall": one.drift["recall"] if one.drift else missing,
        "drift precision": one.drift["precision"] if one.drift else missing,
        **{name: _built(one, name) for name in BUILT},
        **{name: _decided(one, name) for name in DECIDED},
        "seconds": f"{one.seconds:.0f}",
        "peak MB": f"{one.peak_mb:,.0f}",
    }
    value = values[name]
    if isinstance(value, float):
        return f"{value:.1%}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _built(one: Figures, name: str) -> object:
    return "not built" if one.built is None else one.built.get(name.rpartition(" ")[2], 0)


def _decided(one: Figures, name: str) -> object:
    return "not asked" if one.decided is None else one.decided[name.partition(": ")[2]]


def _reasons(figures: Sequence[Figures]) -> list[str]:
    out = []
    for one in figures:
        if one.reasons:
            lines = [f"- {count} x {reason}" for reason, count in list(one.reasons.items())[:8]]
            out.append("\n".join([f"Seed {one.seed}, not proved because:", "", *lines]))
    return out


def write(figures: Sequence[Figures], file: Path = RESULTS) -> None:
    """Put the table into its section of RESULTS.md; the rest of the file stays."""
    seeds = " ".join(str(one.seed) for one in figures)
    command = f"`python -m bench.shop --seed {seeds} --write`"
    note = "Seconds are those of the wall with whatever else the machine did."
    put("shop", f"## The shop\n\n{command}\n\n{note}\n\n{text(figures)}", file)
