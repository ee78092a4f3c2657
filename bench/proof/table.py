"""The figures as Markdown, and the survivors as a text to work through."""

from collections import Counter
from collections.abc import Iterable, Sequence

from bench.proof.scored import Attempt, Mistake, Pile, Scored, added
from unwet.rewrite.prove.mutants import OPERATORS
from unwet.rewrite.prove.strength import Tally

EXECUTES, RETURNS, KILLED, OPERATOR = 97.0, 95.0, 90.0, 75.0
"""The bars, in percent; and no false proof."""

_HEAD = """Every report of every pile is run on databases that are made from the queries alone, then
with one mistake in it, made on purpose (`{command}`, see README.md). *Killed*: of the mistakes that
DuckDB runs and that are not proved to mean the same, those that change the rows on one of the
databases, or on one that a bounded search finds for them, as it does for a model. *Equivalent*:
proved to mean the same; the search is tried on these, too, and would show a *false proof*.
*Refused*: DuckDB runs it, but the report's own dialect has no words for it. Of a
large pile only a sample of reports at equal distances may be measured: the
column says how many."""


def head(names: Sequence[str], most: int | None, start: int) -> str:
    """What was measured, and how to measure it again."""
    options = [*names, *([f"--most {most}"] if most is not None else [])]
    title, words = "Proof: data from the queries alone", [_HEAD]
    if start:
        title += ", another sample"
        options.append(f"--from {start}")
        words.append(
            f"Another sample than the one above, on whose survivors the data was worked: of each "
            f"pile the reports {start} places behind those."
        )
    command = " ".join(["python -m bench.proof", *options, "--write"])
    return "\n\n".join([f"## {title}", *words]).replace("{command}", command)


def text(piles: Sequence[Pile]) -> str:
    """Both tables and what is wrong."""
    return "\n\n".join(part for part in (_piles(piles), _operators(piles), _faults(piles)) if part)


def _piles(piles: Sequence[Pile]) -> str:
    lines = [
        "| pile | reports | execute | return rows | mutants | killed | equivalent "
        "| order-dependent | false proofs | CPU s |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    lines += [_row(pile.name, pile) for pile in piles]
    if len(piles) > 1:
        lines.append(_row("all", together(piles)))
    return "\n".join(lines)


def together(piles: Sequence[Pile]) -> Pile:
    """All piles as one."""
    scored = [each for pile in piles for each in pile.scored]
    return Pile("all", scored, sum(pile.seconds for pile in piles))


def _row(name: str, pile: Pile) -> str:
    many = len(pile.scored)
    total = sum_of(pile.tallies.values())
    cells = [
        name,
        str(many),
        percent(pile.count(lambda s: s.executes), many),
        percent(pile.count(lambda s: s.returns), many),
        str(total.valid),
        percent(total.killed, total.valid),
        str(total.equivalent),
        str(pile.count(lambda s: s.unstable)),
        str(pile.false_proofs),
        f"{pile.seconds:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def _operators(piles: Sequence[Pile]) -> str:
    lines = [
        f"| operator | {' | '.join(pile.name for pile in piles)} | all | of | equivalent "
        "| refused |",
        f"| --- |{' --: |' * (len(piles) + 4)}",
    ]
    every = added(pile.tallies for pile in piles)
    for name in OPERATORS:
        tally = every.get(name, Tally())
        own = [pile.tallies.get(name, Tally()) for pile in piles]
        cells = [percent(t.killed, t.valid) for t in (*own, tally)]
        counts = (tally.valid, tally.equivalent, tally.refused)
        lines.append(f"| {name} | {' | '.join((*cells, *map(str, counts)))} |")
    return "\n".join(lines)


def _faults(piles: Sequence[Pile]) -> str:
    found = [
        f"FALSE PROOF in {pile.name}, {each.name}: {fault.operator} at {fault.place}"
        f"\n\n```diff\n{fault.diff}\n```"
        for pile in piles
        for each in pile.scored
        for fault in each.false_proofs
    ]
    return "\n\n".join(found)


def misses(piles: Sequence[Pile]) -> list[str]:
    """The bars that are not reached, in words."""
    every = together(piles)
    many, total = len(every.scored), sum_of(every.tallies.values())
    figures = [
        ("execute", EXECUTES, every.count(lambda s: s.executes), many),
        ("return rows", RETURNS, every.count(lambda s: s.returns), many),
        ("killed", KILLED, total.killed, total.valid),
        *((name, OPERATOR, t.killed, t.valid) for name, t in every.tallies.items()),
    ]
    found = [
        f"{name}: {100 * part / whole:.1f} % of {whole}, wanted {bar:g} %"
        for name, bar, part, whole in figures
        if whole and 100 * part / whole < bar
    ]
    if every.false_proofs:
        found.append(f"{every.false_proofs} false proofs")
    return found


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """One tally of many."""
    many = list(tallies)
    return Tally(
        sum(t.valid for t in many),
        sum(t.killed for t in many),
        sum(t.equivalent for t in many),
        sum(t.refused for t in many),
    )


def percent(part: int, whole: int) -> str:
    """Without its sign; a dash where there is no whole."""
    return f"{100 * part / whole:.1f}" if whole else "-"


# --- to work through --------------------------------------------------------------------------


def survivors(pile: Pile) -> str:
    """Everything that lived, by operator; what did not run, and what returned nothing."""
    counts = Counter(s.operator for each in pile.scored for s in each.survivors)
    parts = [f"# {pile.name}: survivors\n"]
    parts += [f"- {name}: {counts[name]}" for name in OPERATORS if counts[name]]
    parts.append("\n## Do not run\n")
    parts += [f"- {each.name}: {each.failure}" for each in pile.scored
              if not each.executes]  # fmt: skip
    parts.append("\n## Return no rows\n")
    parts += [f"- {each.name}: {each.path}" for each in pile.scored
              if each.executes and not each.returns]  # fmt: skip
    for operator in OPERATORS:
        if counts[operator]:
            parts.append(f"\n## {operator}")
            parts += [_of_unit(each, operator) for each in pile.scored]
    return "\n".join(part for part in parts if part) + "\n"


def _of_unit(each: Scored, operator: str) -> str:
    found = [_shown(s) for s in each.survivors if s.operator == operator]
    return f"\n### {each.name}\n" + "\n".join(found) if found else ""


def _shown(mistake: Mistake) -> str:
    return f"{mistake.place}\n```diff\n{mistake.diff}\n```"


def whole(each: Attempt) -> str:
    """One unit with its data: what to look at when something lives that should not."""
    found = each.strength
    parts = [f"{each.unit.name}: rows {found.rows}, {found.failure or 'runs'}; "
             f"{found.killed} of {found.valid} killed, {found.equivalent} equivalent; "
             f"{each.making:.2f} s to make, {each.trying:.2f} s to try"]  # fmt: skip
    parts += [s.text for script in each.unit.scripts for s in script.statements]
    for number, database in enumerate(each.databases, 1):
        parts.append(f"--- database {number}: {database.aim}")
        for name, table in sorted(database.tables.items()):
            parts.append(f"{name}({', '.join(f'{c} {k}' for c, k in table.columns)})")
            parts += ["  " + " | ".join("NULL" if c is None else c for c in row)
                      for row in table.rows]  # fmt: skip
    parts += [f"--- lives: {s.operator}\n{_shown(s)}" for s in map(Mistake.of, found.survivors)]
    return "\n".join(parts)
