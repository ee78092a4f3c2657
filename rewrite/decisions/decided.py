"""A pile as somebody has decided it shall be: what is expected of a project that stands for it.

Exactly those reports and columns may change that the decisions name; what the new rows are is what
the changed pile says, and is proved and tested like the meaning of any pile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from unwet.lineage.counted import counted
from unwet.rewrite.decisions.calling import renamed
from unwet.rewrite.decisions.effects import effects
from unwet.rewrite.decisions.file import Decisions
from unwet.rewrite.decisions.mending import Mend, Refused
from unwet.rewrite.decisions.places import Placed, placed
from unwet.rewrite.decisions.resolution import Changes, Resolution
from unwet.rewrite.decisions.rewording import reworded
from unwet.rewrite.definitions import Definition, Report
from unwet.rewrite.meaning import Meaning


@dataclass(frozen=True, slots=True)
class Change:
    """What decisions do to a report. `columns` that may change, ("*",) for rows that may come and
    go; `reason`: who decided it when and why; `problem`: what it changes although no decision
    names it."""

    columns: tuple[str, ...]
    reason: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """`meaning`: of the pile as decided; `legacy`: of the pile as it is, the same one where there
    is nothing to decide. `changes` by the report's name. `notes`: decisions, and names in them,
    that stand for nothing any more."""

    legacy: Meaning
    meaning: Meaning
    changes: Mapping[str, Change]
    notes: tuple[str, ...] = ()


def decided(meaning: Meaning, decisions: Decisions, values: Mapping[str, str]) -> Decided:
    """Carries out the decisions; `values` are those of the pile's placeholders."""
    meaning, told = renamed(meaning, decisions.renames)
    if not decisions.resolutions:
        return Decided(meaning, meaning, {}, told)
    carried, after, found = with_effects(meaning, decisions.resolutions, values)
    live = [each for each in carried if not each.problem]
    reports = {report.name: report for report in after.state.reports}
    names = {name.lower() for name in reports}
    changes = {
        name: _change(reports[name], columns, live, names)
        for name, columns in sorted(found.items())
    }
    notes = [f"{each.decision}: not carried out: {each.problem}" for each in carried
             if each.problem]  # fmt: skip
    notes += [note for each in live for note in _idle(each.decision, reports, found)]
    return Decided(meaning, after, changes, (*told, *notes))


def with_effects(
    meaning: Meaning, decisions: Sequence[Resolution], values: Mapping[str, str]
) -> tuple[list[Placed], Meaning, dict[str, frozenset[str]]]:
    """Where decisions hold, the meaning of the pile then, and which columns of which reports are
    others."""
    after, carried = _carried_out(meaning, placed(meaning.written, decisions), values)
    return carried, after, effects(meaning.state, after.state, meaning.normalizer)


def names_of(columns: Mapping[str, Iterable[str]]) -> Changes:
    """What a decision says that it changes: columns by report."""
    return tuple((name, tuple(columns[name])) for name in sorted(columns))


def _carried_out(
    meaning: Meaning, places: Sequence[Placed], values: Mapping[str, str]
) -> tuple[Meaning, list[Placed]]:
    """The meaning with all decisions that can be carried out; the others with their problem."""
    by_path: dict[str, list[tuple[int, Mend]]] = defaultdict(list)
    for at, each in enumerate(places):
        for mend in each.mends:
            by_path[mend.statement.path].append((at, mend))
    problems: dict[int, str] = {}
    scripts = {script.source.path: script for script in meaning.written.scripts}
    for path, found in sorted(by_path.items()):
        try:
            scripts[path] = reworded(scripts[path], [mend for _, mend in found], values)
        except Refused as error:
            problems |= {at: f"{path}: {error}" for at, _ in found}
    done = [replace(each, problem=each.problem or problems.get(at, ""))
            for at, each in enumerate(places)]  # fmt: skip
    old = meaning.written
    pile = old.with_scripts(scripts[s.source.path] for s in old.scripts)
    return replace(meaning, written=pile), done


def _change(
    report: Report, columns: frozenset[str], live: Sequence[Placed], names: Set[str]
) -> Change:
    """What happens to a report, and whether somebody has said that it may. `names`: of all."""
    called = {report.name.lower(), *({report.relation.lower()} - names)}
    near = of_scripts(report.definition)
    mine = [each.decision for each in live if any(m.statement.path in near for m in each.mends)]
    mine = mine or [each.decision for each in live]
    named = [each for each in mine if _named(each, called)]
    allowed = {column for each in named for column in _named(each, called)}
    missing = set() if "*" in allowed else set(columns) - allowed
    shown = tuple(sorted(columns))
    reason = "; ".join(f"decided on {each.date}: {each.reason} ({each})" for each in named)
    if not missing:
        return Change(shown, reason)
    what = "rows come and go" if "*" in missing else f"{counted(len(missing), 'column')} changes"
    listed = ", ".join(f'"{column}"' for column in sorted(missing))
    whose = ", ".join(each.at for each in mine)
    return Change(
        shown,
        reason,
        f"by {whose} its {what}, which no decision names: "
        f"add {{ {report.name} = [{listed}] }} to changes if that is meant",
    )


def _named(decision: Resolution, called: Set[str]) -> tuple[str, ...]:
    """The columns of a report that a decision lets change. What is one report's name and another's
    relation means the name."""
    return tuple(c for name, columns in decision.changes if name in called for c in columns)


def of_scripts(definition: Definition) -> set[str]:
    """The scripts that a report comes from, directly or not."""
    paths: set[str] = set()
    seen: set[int] = set()
    stack = [definition]
    while stack:
        each = stack.pop()
        if id(each) not in seen:
            seen.add(id(each))
            paths |= {part.statement.path for part in each.parts}
            stack.extend(each.reads)
    return paths


def _idle(
    decision: Resolution, reports: Mapping[str, Report], found: Mapping[str, frozenset[str]]
) -> Iterator[str]:
    """What a decision names and does not change."""
    by_name = {report.relation.lower(): name for name, report in reports.items()}
    by_name |= {name.lower(): name for name in reports}
    for named, columns in decision.changes:
        name = by_name.get(named)
        if name is None:
            yield f"{decision}: there is no report {named}"
        elif name not in found:
            yield f"{decision}: it does not change {named}"
        else:
            idle = sorted({*columns} - found[name] - {"*"}) if "*" not in found[name] else []
            if idle:
                yield f"{decision}: of {named} it does not change {', '.join(idle)}"
