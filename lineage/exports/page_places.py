"""The places that the HTML page names, as numbers, with the lines of SQL that stand there."""

from collections.abc import Mapping, Sequence

from unwet.lineage.exports.page_tables import Flow, Numbers
from unwet.lineage.findings import Finding, Span

PLACES_EACH = 50  # places of one edge
PLACES_ALL = 400_000  # above it, one place of each edge
LINE = 200  # characters of a line of SQL
LINES_ALL = 1_500_000  # characters; above it, no SQL at all


class Places:
    """Files and places by number; what is cut off is counted."""

    def __init__(self, flows: Sequence[Flow], unresolved: Sequence[Finding]) -> None:
        paths = {at.path for f in flows for at in (*f.spans, *f.evidence)}
        last = sorted({finding.at.path for finding in unresolved} - paths)
        self.files = {path: i for i, path in enumerate([*sorted(paths), *last])}
        self.flat: Numbers = []
        self.left_out: list[str] = []
        total = sum(min(len(f.spans), PLACES_EACH) for f in flows)
        self._most = PLACES_EACH if total <= PLACES_ALL else 1
        cut = sum(max(0, len(f.spans) - self._most) for f in flows)
        if cut:
            kept = "the first place" if self._most == 1 else f"the first {self._most} places"
            self.left_out.append(f"{cut:,} places: of each edge, only {kept} are here")
        self._named: set[tuple[str, int]] = set()

    def add(self, spans: Sequence[Span]) -> int:
        """Put the places at the end of the list; how many were put."""
        for at in spans[: self._most]:
            self.flat += self._place(at)
        return min(len(spans), self._most)

    def evidence(self, flows: Sequence[Flow]) -> dict[str, Numbers]:
        """By index of the edge or condition."""
        return {
            str(i): [number for at in f.evidence[:PLACES_EACH] for number in self._place(at)]
            for i, f in enumerate(flows)
            if f.evidence
        }

    def finding(self, finding: Finding) -> list[object]:
        """Code, message, file, line, column."""
        return [finding.code, finding.message, *self._place(finding.at)]

    def lines(self, texts: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """By file and line, the text of every line that was named so far."""
        by_path: dict[str, list[int]] = {}
        for path, line in sorted(self._named):
            by_path.setdefault(path, []).append(line)
        found = {
            str(self.files[path]): _quoted(texts[path], numbers)
            for path, numbers in by_path.items()
            if path in texts
        }
        size = sum(len(line) for lines in found.values() for line in lines.values())
        if size <= LINES_ALL:
            return found
        self.left_out.append(f"the SQL at the places: {size:,} characters are too many")
        return {}

    def _place(self, at: Span) -> tuple[int, int, int]:
        self._named.add((at.path, at.line))
        return self.files[at.path], at.line, at.column


def _quoted(text: str, numbers: Sequence[int]) -> dict[str, str]:
    lines = text.split("\n")
    return {
        str(number): lines[number - 1].rstrip()[:LINE] for number in numbers if number <= len(lines)
    }
