"""python -m bench.drift [almanac] [--first 20] [--write]: the surest contradictions of a real
pile, each with what somebody who read the SQL said of it.

The verdicts are in a file beside this one, by code and place; a finding without one is told, and
the exit code is 1: a list is only as good as its last line.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.corpora import CACHE, fetch, load, parse_mirrors
from bench.drift.verdicts import VERDICTS, Judged, judged, read
from bench.errors import BenchError
from bench.process import run
from bench.results import put

_WIDEST = 60  # characters of an expression


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    try:
        known = read(Path(__file__).with_name(f"{options.pile}.toml"))
        findings, seconds = _findings(options)
        rows = judged(findings[: options.first], known)
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    text = table(rows, findings, seconds, options.pile)
    print(text)
    if options.write:
        command = f"`python -m bench.drift {options.pile} --write`"
        put("drift", f"## Drift in a real pile: {options.pile}\n\n{command}\n\n{text}")
    return 1 if any(row.verdict is None for row in rows) else 0


def table(
    rows: Sequence[Judged], findings: Sequence[Mapping[str, Any]], seconds: float, pile: str
) -> str:
    """Markdown: how many of each verdict, and a line for each finding."""
    places = sum(len(finding["outliers"]) for finding in findings)
    counts = Counter(row.verdict.verdict for row in rows if row.verdict is not None)
    counts["not judged"] = sum(row.verdict is None for row in rows)
    words = {**VERDICTS, "not judged": "not judged"}
    said = ", ".join(f"{counts[word]} {text}" for word, text in words.items() if counts[word])
    lines = [
        f"{pile}: {len(findings)} contradictions in {places} places, {seconds:.0f} CPU seconds. "
        f"The first {len(rows)}, read by hand: {said}.",
        "",
        "| # | code | vote | about | the majority | the outlier | verdict |",
        "| --: | --- | --- | --- | --- | --- | --- |",
    ]
    for at, row in enumerate(rows, 1):
        lines.append(f"| {at} | {' | '.join(_cells(row))} |")
    return "\n".join(lines)


def _cells(row: Judged) -> tuple[str, ...]:
    finding = row.finding
    more = len(finding["outliers"]) - 1
    others = f" and {more} more" if more else ""
    expression = finding["outliers"][0]["expression"]
    verdict = "**not judged**"
    if row.verdict is not None:
        verdict = f"{row.verdict.verdict}: {row.verdict.reason}"
    return (
        finding["code"].removeprefix("DRIFT_"),
        " : ".join(map(str, finding["vote"])),
        finding["about"].rpartition(".")[2],
        _code(finding["majority"]) or "nothing of the kind",
        f"{row.at}{others} {_code(expression)}".rstrip(),
        verdict,
    )


def _code(text: str) -> str:
    short = text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
    return "`" + short.replace("|", "\\|").replace("`", "") + "`" if text else ""


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.drift")
    add = parser.add_argument
    add("pile", nargs="?", default="almanac", help="a pile of corpora.toml that has verdicts")
    add("--first", type=int, default=20, help="findings that are shown")
    add("--cache", type=Path, default=CACHE)
    add("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    add("--work", type=Path, default=Path("build/drift"), help="where the findings are written")
    add("--unwet", default=f"{sys.executable} -m unwet", help="how to call it")
    add("--write", action="store_true", help="put the list into bench/RESULTS.md")
    return parser.parse_args(words)


def _findings(options: argparse.Namespace) -> tuple[Sequence[Mapping[str, Any]], float]:
    corpora = load()
    if options.pile not in corpora:
        raise BenchError(f"no corpus {options.pile!r}", f"one of: {', '.join(corpora)}")
    corpus = corpora[options.pile]
    folder = fetch(corpus, options.cache, parse_mirrors(options.mirror))
    result = (options.work / f"{options.pile}.json").resolve()
    result.parent.mkdir(parents=True, exist_ok=True)
    words = ["drift", ".", "--dialect", corpus.dialect, "--format", "json", "-q", "-o", str(result)]
    done = run([*options.unwet.split(), *words], result.with_suffix(".log"), cwd=folder)
    if done.code:
        raise BenchError(f"unwet drift: {done.output.strip()[-300:]}", "run it alone")
    found: Sequence[Mapping[str, Any]] = json.loads(result.read_text("utf-8"))["findings"]
    return found, done.cpu


if __name__ == "__main__":
    sys.exit(main())
