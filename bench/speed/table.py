"""Measurements as Markdown tables."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """One run: CPU and wall seconds, peak memory, and what the run counted."""

    cpu: float
    wall: float
    peak_mb: float
    edges: int = 0
    refused: int = 0
    families: int = 0
    own: float = 0.0  # CPU of the process that others help

    def busiest(self, processes: int) -> float:
        """CPU of the busiest of the processes: with a core for each, the wall is not far above."""
        return max(self.own, (self.cpu - self.own) / max(processes - 1, 1))


@dataclass(frozen=True, slots=True)
class Pile:
    """Runs over one pile: bare parsing, lineage, lineage with all edges."""

    name: str
    files: int
    lines: int
    parse: tuple[Timing, ...]
    trace: tuple[Timing, ...]
    edges: tuple[Timing, ...]

    def ratio(self, runs: Sequence[Timing]) -> float:
        """Median CPU over median CPU of bare parsing."""
        return _median(runs) / _median(self.parse)


@dataclass(frozen=True, slots=True)
class Peer:
    """CPU of tools over a sample of a pile, beside bare parsing of the same texts."""

    name: str
    files: int
    lines: int
    parse: float
    cpu: Mapping[str, float]
    crashes: Mapping[str, int]


def ratios(piles: Sequence[Pile]) -> str:
    """One row per pile."""
    rows = [
        "| pile | files | lines | parse CPU s | lineage CPU s | ratio (least) "
        "| ratio with all edges | edges | of them direct | peak MB |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for p in piles:
        least = min(t.cpu for t in p.trace) / min(t.cpu for t in p.parse)
        rows.append(
            f"| {p.name} | {p.files:,} | {p.lines:,} | {_median(p.parse):.2f} "
            f"| {_median(p.trace):.2f} | **{p.ratio(p.trace):.2f}** ({least:.2f}) "
            f"| {p.ratio(p.edges):.2f} | {p.edges[0].edges:,} | {p.trace[0].edges:,} "
            f"| {max(t.peak_mb for t in p.trace):.0f} |"
        )
    return "\n".join(rows)


def growth(found: Sequence[tuple[int, Timing, Timing]]) -> str:
    """Lines, lineage, bare parsing: a row per size."""
    rows = [
        "| lines | CPU s | CPU ms per 1,000 lines | wall s | peak MB | edges | parse CPU s |",
        "| --: | --: | --: | --: | --: | --: | --: |",
    ]
    for lines, traced, parsed in found:
        rows.append(
            f"| {lines:,} | {traced.cpu:.2f} | {1e6 * traced.cpu / lines:.0f} | {traced.wall:.2f} "
            f"| {traced.peak_mb:.0f} | {traced.edges:,} | {parsed.cpu:.2f} |"
        )
    return "\n".join(rows)


def peers(found: Sequence[Peer]) -> str:
    """CPU of each tool over that of bare parsing, per sample; crashes in parentheses."""
    tools = list(found[0].cpu)
    rows = [
        f"| sample | files | lines | parse CPU s | {' | '.join(f'{tool} x' for tool in tools)} |",
        f"| --- | --: | --: | --: |{' --: |' * len(tools)}",
    ]
    for p in found:
        cells = " | ".join(
            f"{p.cpu[tool] / p.parse:.1f}" + (f" ({p.crashes[tool]})" if p.crashes[tool] else "")
            for tool in tools
        )
        rows.append(f"| {p.name} | {p.files} | {p.lines:,} | {p.parse:.2f} | {cells} |")
    return "\n".join(rows)


def _median(runs: Sequence[Timing]) -> float:
    return statistics.median(run.cpu for run in runs)
