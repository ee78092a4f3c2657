"""Every proof is tested, too: the models that `refactor` proves, on data from the queries alone.

proved(name, meaning, most) -> Proved
"""

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from unwet.rewrite import refactor
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.against import dialect_of, reference
from unwet.rewrite.prove.generated import Budget, gather

SECONDS = 3600.0


@dataclass(slots=True)
class Proved:
    """Of one pile: how many proved reports were run, what came of them, and the false ones."""

    name: str
    outcomes: Counter[str] = field(default_factory=Counter)
    false: list[str] = field(default_factory=list)


def proved(name: str, meaning: Meaning, most: int | None = None) -> Proved:
    """All proved reports, or `most` of them at equal distances."""
    found = Proved(name)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        made = refactor.refactor(meaning, refactor.Request(root))
        names = {v.name for v in made.verdicts if v.outcome == "proved"}
        reports = [r for r in meaning.state.reports if r.name in names]
        if most is not None and most < len(reports):
            reports = [reports[at * len(reports) // most] for at in range(most)]
        refs = [reference(report) for report in reports]
        budget = Budget(report=0, all=SECONDS)
        evidence = gather(meaning, root, refs, dialect_of(meaning.pile), {}, budget)
    for each in evidence.values():
        found.outcomes[each.verdict.verdict] += 1
        if each.verdict.verdict == "different":
            found.false.append(f"{each.verdict.name}: {each.words}\n\n{each.counterexample}")
    return found


def head(most: int | None) -> str:
    """What was measured."""
    some = f", at most {most} of each pile" if most is not None else ""
    option = f" --most {most}" if most is not None else ""
    return (
        "## Proofs, tested\n\n"
        f"`python -m bench.proof --proved{option} --write`: what `refactor` proves{some}, run on "
        "data from the queries alone, old beside new. With other rows it is a false proof."
    )


def text(many: list[Proved]) -> str:
    """A table, and what is wrong."""
    lines = [
        "| proved reports of | run | same rows | order-dependent | not run | other rows: false |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    for each in many:
        counts = each.outcomes
        cells = [counts.total(), counts["identical"], counts["order-dependent"],
                 counts["not run"], counts["different"]]  # fmt: skip
        lines.append(f"| {each.name} | {' | '.join(map(str, cells))} |")
    faults = [f"FALSE PROOF in {each.name}, {fault}" for each in many for fault in each.false]
    return "\n\n".join(["\n".join(lines), *faults])
