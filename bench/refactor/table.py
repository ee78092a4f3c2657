"""The section of RESULTS.md."""

from collections.abc import Sequence

from bench.refactor.outcome import WIDTH, Outcome
from bench.refactor.piles import PILES

REASONS = 5


HEAD = """## Real piles, rewritten

`unwet refactor --no-generated` on other people's SQL: lines a maintainer reads (models, macros with
the rows of their loops, and scripts that are kept), without data. Parameters: those of the lines
that are rows of loops. E is the size that a human refactoring would leave, estimated from eight
real ones; the wall is that of whatever share of the machine this had."""


def section(each: Outcome) -> str:
    """What came of one pile, as Markdown."""
    command, title = f"python -m bench.refactor {each.name} --write", f"{each.name}, rewritten"
    if each.target != "dbt":
        command, title = f"{command} --target {each.target}", f"{title} for {each.target}"
    return "\n\n".join([f"### {title}", f"`{command}`", table([each]), _details(each)])


def table(found: Sequence[Outcome]) -> str:
    """A row per pile."""
    rows = [
        "| pile | lines | parameters | E | goal | nodes | files | proved | order-dependent "
        "| tested | kept | macros | CPU s | wall s | peak MB |",
        "| --- " + "| --: " * 14 + "|",
    ]
    return "\n".join([*rows, *map(_row, found)])


def _row(each: Outcome) -> str:
    before, after, verdicts = each.result["before"], each.result["after"], each.verdicts
    pile, reports = PILES[each.name], sum(verdicts.values())
    human = f"{pile.human:,}" if pile.human else "-"
    return (
        f"| {each.name} | {before['lines']:,} -> {after['lines']:,} "
        f"| {after['parameter_lines']:,} | {human} | {pile.goal or '-'} "
        f"| {before['nodes']:,} -> {after['nodes']:,} | {before['files']} -> {after['files']} "
        f"| {verdicts['proved']} of {reports} | {verdicts['order-dependent']} "
        f"| {verdicts['tested']} "
        f"| {verdicts['kept'] + verdicts['failed']} "
        f"| {each.result['macros']} | {each.cost.cpu:.1f} | {each.cost.seconds:.1f} "
        f"| {each.cost.peak_mb:.0f} |"
    )


def _details(each: Outcome) -> str:
    lines = [f"Lines of more than {WIDTH} characters hide {each.folds:,} more.", ""]
    if each.reasons:
        told = [f"{many} x {why}" for why, many in each.reasons[:REASONS]]
        more = sum(many for _, many in each.reasons[REASONS:])
        lines += ["Kept:", "", *(f"- {why}" for why in told)]
        lines += [f"- {more} for other reasons"] if more else []
    if each.repeated:
        lines += ["", "Still repeated in the project:", "", *(f"- {r}" for r in each.repeated)]
    return "\n".join(lines).strip()
