"""The tables of RESULTS.md, and the pairs that do not meet."""

from collections import Counter
from collections.abc import Sequence

from bench.pairs.dialects import Dialects
from bench.pairs.merged import Merged
from bench.pairs.scored import Scored
from unwet.rewrite.plan_sql import to_sql

MOST = 40  # classes that are listed


HEAD = """## Pairs of queries

`python -m bench.pairs --write`

Outputs are compared by value; *with types*: as the proof of a project compares them, where SUM of
COUNT is no COUNT, as another query may divide it."""


def text(scored: Sequence[Scored]) -> str:
    """Both tables, and the faults."""
    return "\n\n".join([_counts(scored), _classes(scored), _faults(scored)])


def _counts(scored: Sequence[Scored]) -> str:
    lines = [
        "| set | pairs | parsed | understood | meet | % | with types | % "
        "| sqlglot's optimizer | % | run on DuckDB "
        "| other rows there | need declared keys or NOT NULL | faults |",
        "| --- |" + " --: |" * 13,
    ]
    for each in scored:
        size = len(each.judged)
        parsed = size - each.count("not parsed")
        understood = parsed - each.count("not understood")
        met, typed = each.count("meets"), sum(pair.typed for pair in each.judged)
        cells = [
            size, parsed, understood, met, _percent(met, size), typed, _percent(typed, size),
            each.baseline,
            _percent(each.baseline, size), each.ran, len(each.wrong), len(each.declared),
            len(each.faults),
        ]  # fmt: skip
        lines.append(f"| {each.name} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"


def _classes(scored: Sequence[Scored]) -> str:
    out = []
    for each in scored:
        found = each.classes().most_common()
        shown = [f"{count} {name}" for name, count in found[:MOST]]
        rest = sum(count for _, count in found[MOST:])
        more = [f"{rest} others"] if rest else []
        if "refuted" not in each.name:
            out.append(f"{each.name}, what is in the way: " + "; ".join([*shown, *more]) + ".")
    return "\n\n".join(out)


def _faults(scored: Sequence[Scored]) -> str:
    faults = [fault for each in scored for fault in each.faults]
    return "Faults: none." if not faults else "Faults:\n" + "\n".join(f"- {f}" for f in faults)


def of_mutants(found: Sequence[Merged]) -> str:
    """Mutants per pile, and the false merges."""
    lines = [
        "| mutants of | queries | mutants | share the fingerprint | other rows: false merges "
        "| of those not run on DuckDB | data tells others apart |",
        "| --- |" + " --: |" * 6,
    ]
    for each in found:
        met = sum(each.met.values())
        told = f"{each.told} of {each.sampled}"
        cells = [each.queries, each.mutants, met, len(each.false), each.unproved, told]
        lines.append(f"| {each.name} | {' | '.join(map(str, cells))} |")
    by_operator = sum((each.met for each in found), Counter[str]())
    shares = ", ".join(f"{count} {name}" for name, count in by_operator.most_common())
    lines += ["", f"Mutants that share the fingerprint, by operator: {shares}."]
    lines += [f"- false merge: {text}" for each in found for text in each.false]
    return "\n".join(lines)


def of_dialects(found: Dialects) -> str:
    """MIMIC's reports by pair of dialects."""
    lines = ["| MIMIC's reports in | both | understood | meet |", "| --- | --: | --: | --: |"]
    for pair in found.both:
        cells = (found.both[pair], found.understood[pair], found.met[pair])
        lines.append(f"| {' and '.join(pair)} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def details(scored: Sequence[Scored]) -> str:
    """Each pair that does not meet: both texts and both normal forms."""
    out = []
    for each in scored:
        for found in each.judged:
            obstacle = each.obstacle(found)
            if not obstacle:
                continue
            out.append(f"## {each.name} {found.pair.name}: {obstacle}")
            out.extend(f"    {sql}" for sql in (found.pair.first, found.pair.second))
            out.extend(f"    -- {to_sql(plan)}" for plan in found.normal)
    return "\n\n".join(out) + "\n"
