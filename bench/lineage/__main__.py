"""Run the peers' tests through unwet and the peers, side by side.

python -m bench.lineage [--peers a,b,...] [--suites a,b,...] [--write]
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.corpora import parse_mirrors
from bench.errors import BenchError
from bench.lineage import disagreements, report, tools
from bench.lineage.case import Case, write
from bench.lineage.normal import normal
from bench.lineage.running import answers
from bench.lineage.scoring import Answer, Verdict, judge, judge_tables
from bench.lineage.suites.gather import SUITES, gather
from bench.results import put

BAR = 97.0  # percent exact, after corrections
LIMIT = 20.0  # seconds per case
OURS = "unwet"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Verdicts by tool: columns as the suites expect, corrected, and tables; CPU seconds."""

    cases: tuple[Case, ...]
    columns: dict[str, list[Verdict]]
    corrected: dict[str, list[Verdict]]
    tables: dict[str, list[Verdict]]
    cpu: dict[str, float]


def main(words: Sequence[str] | None = None) -> int:
    options = _parse(words)
    try:
        outcome = _run(options)
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    text = _text(outcome)
    print(text)
    _write_failures(outcome, options.work)
    _note_needless(outcome)
    if options.write:
        put("lineage", text)
    exact = report.total(outcome.corrected[OURS]).exact_percent
    crashed = report.total([*outcome.columns[OURS], *outcome.tables[OURS]]).crashes
    return int(exact < BAR or crashed > 0)


def _write_failures(outcome: Outcome, work: Path) -> None:
    """failures.md and failures_tables.md are ours; each peer has its own beside them."""
    by_id = {case.id: case for case in outcome.cases}
    for verdicts, suffix in ((outcome.corrected, ""), (outcome.tables, "_tables")):
        for tool, found in verdicts.items():
            name = f"failures{suffix}.md" if tool == OURS else f"failures{suffix}_{tool}.md"
            page = report.failures(tool, found, by_id)
            (work / name).write_text(page, "utf-8")
            if tool == OURS:
                print(f"{work / name}: {page.splitlines()[0].lstrip('# ')}", file=sys.stderr)


def _note_needless(outcome: Outcome) -> None:
    """A correction where unwet says what the suite says has had its day."""
    known = disagreements.load()
    for verdict in outcome.columns[OURS]:
        if verdict.exact and disagreements.find(verdict.id, known) is not None:
            print(f"needless correction: {verdict.id}", file=sys.stderr)


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.lineage", description=__doc__)
    peers = [name for name in tools.TOOLS if name != OURS]
    parser.add_argument("--peers", default=",".join(peers), help=f"of {', '.join(peers)}; or ''")
    parser.add_argument("--suites", default=",".join(SUITES), help=f"of {', '.join(SUITES)}")
    parser.add_argument("--work", type=Path, default=Path("build/lineage"))
    parser.add_argument("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    return parser.parse_args(words)


def _run(options: argparse.Namespace) -> Outcome:
    names = options.suites.split(",")
    for name in names:
        if name not in SUITES:
            raise BenchError(f"no suite {name!r}", f"one of: {', '.join(SUITES)}")
    cases = gather(names, options.work, parse_mirrors(options.mirror))
    write(cases, options.work / "cases.jsonl")
    said = {
        name: _ask(name, cases, options.work)
        for name in [OURS, *filter(None, options.peers.split(","))]
    }
    by_column = [case for case in cases if case.columns and normal(case, case.columns)]
    by_table = [case for case in cases if case.tables is not None]
    right = disagreements.corrected(by_column, disagreements.load())
    return Outcome(
        cases,
        {tool: [judge(case, found[case.id]) for case in by_column] for tool, found in said.items()},
        {tool: [judge(case, found[case.id]) for case in right] for tool, found in said.items()},
        {
            tool: [judge_tables(case, found[case.id]) for case in by_table]
            for tool, found in said.items()
        },
        {tool: sum(answer.cpu for answer in found.values()) for tool, found in said.items()},
    )


def _ask(name: str, cases: Sequence[Case], work: Path) -> dict[str, Answer]:
    command = [
        str(tools.python(name, work)),
        *("-W", "ignore", "-m", "bench.lineage.worker", tools.TOOLS[name].adapter),
    ]
    questions = [case.question() for case in cases]
    found = answers(command, questions, LIMIT, work / "log" / f"{name}.log")
    return {answer.id: answer for answer in found}


def _text(outcome: Outcome) -> str:
    known = len(outcome.cases)
    parts = [
        "## Lineage, by the peers' own tests",
        "`python -m bench.lineage --write`",
        f"{known} cases, {len(outcome.columns[OURS])} of them with column edges. "
        "Where they come from, and how names are made comparable: bench/README.md.",
        "Columns, as the suites expect:",
        report.table(outcome.columns, outcome.cpu),
        report.by_origin(outcome.columns),
        f"Columns, corrected by bench/lineage/disagreements.toml (bar: {BAR:.0f} % exact):",
        report.table(outcome.corrected, outcome.cpu),
        "Relations read and written:",
        report.table(outcome.tables, outcome.cpu),
    ]
    if len(outcome.columns) > 2:
        score = report.together(outcome.columns, OURS)
        parts.insert(5, f"All peers together: {score.exact_percent:.1f} % exact.")
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
