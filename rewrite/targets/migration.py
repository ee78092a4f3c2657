"""MIGRATION.md: for the team that takes over. First what needs a person, then what is taken for
granted, then what became of every report, folder by folder."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from unwet.lineage.counted import counted
from unwet.lineage.findings import UNPARSED, Finding
from unwet.rewrite.data_tests.values import words
from unwet.rewrite.drift import Deviation, DriftFinding
from unwet.rewrite.not_carried import NotCarried
from unwet.rewrite.not_understood import by_message, not_understood
from unwet.rewrite.project import Project
from unwet.rewrite.targets.granted import said_together
from unwet.rewrite.targets.migration_head import Overview, folder_of, folders, head, stars, still
from unwet.rewrite.targets.placing import MAIN, home, unplaced
from unwet.rewrite.targets.target import Target
from unwet.rewrite.targets.variables import unset
from unwet.rewrite.verdicts import MEANING, Outcome, Verdict


class Obeyed(Protocol):
    """A decision, which says in words what it is about."""

    @property
    def date(self) -> str:
        """When."""

    @property
    def reason(self) -> str:
        """Why."""


_NOT_READ: Final = ("BINARY", "UNREADABLE", "LOG")
_PERSON: Final[tuple[tuple[Outcome, str], ...]] = (
    ("failed", "Old and new disagree"),
    ("changed", "Changed on purpose"),
    ("kept", "Kept as they were"),
    ("order-dependent", "The old query has no firm answer"),
)
_APART: Final = frozenset({"tested", *(outcome for outcome, _ in _PERSON)})
_HEAD: Final = "| old report | was | model | verdict | why |"
_MISTAKES: Final = (
    "Generated data sets are small tables that unwet made up from the queries alone. To see what",
    "they are worth, mistakes were put into the old query on purpose, one at a time (`>` became",
    "`>=`, a condition was lost, ...): 28 of 32 says that 28 of these gave other rows, and 4 the",
    "same ones.",
)

_FEW: Final = 5  # names that stand for all
_PLACES: Final = 20  # of statements that are alike
_VALUES: Final = {
    "dbt": "they stand below `vars:` in dbt_project.yml, or behind `dbt build --vars`",
    "sqlmesh": "they stand below `variables:` in config.yaml",
}  # where a project of each kind has them


def migration(
    project: Project,
    target: Target,
    verdicts: Sequence[Verdict],
    findings: Sequence[Finding] = (),
    assumptions: Sequence[str] = (),
    contradictions: Sequence[DriftFinding] = (),
    obeyed: Sequence[Obeyed] = (),
    overview: Overview | None = None,
) -> str:
    """The text, in Markdown; of the findings, the files that were not read at all, statements
    that nobody followed, and changes in an order that nothing tells. ``obeyed``: decisions about
    the shape of the project."""
    lines = [f"# {project.name}: what became of each report", ""]
    lines += [*head(project, verdicts, overview), "", *_how_to(project, target, overview), ""]
    lines += folders(project, verdicts)
    edited = overview.edited if overview is not None else ()
    carried = overview.not_carried if overview is not None else ()
    needed = [*_edited(edited), *_by_outcome(project, verdicts),
              *_contradictions(project, contradictions), *_unread(project, findings),
              *_not_understood(project, _untold(findings, verdicts), carried),
              *_not_carried(project, carried),
              *_unordered(project, findings),
              *_switched_off(project, target)]  # fmt: skip
    if needed:
        lines += ["## What needs a person", "", *needed]
    lines += _obeyed(obeyed)
    granted = [
        *(_plain(_below(project, each)) for each in said_together(assumptions)),
        *_places(project, target),
    ]
    if granted:
        lines += ["## What the proofs take for granted", "", *(f"- {each}" for each in granted), ""]
    lines += _assumed_tests(project, target)
    lines += _tested(project, verdicts)
    lines += stars(project)
    lines += still(overview.repeats if overview is not None else ())
    lines += ["## Every report", "", *_table(project, verdicts)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _how_to(project: Project, target: Target, overview: Overview | None) -> list[str]:
    """What the files are, how they are built, and how they are checked."""
    return [
        *target.how_to_build(project, overview.paths if overview else ()).splitlines(),
        "After every change `unwet verify OLD-SCRIPTS THIS-FOLDER` says again what is proved, and",
        "with `--data` what is tested.",
    ]


# --- what needs a person ---------------------------------------------------------------------


def _edited(paths: Sequence[str]) -> Iterator[str]:
    if paths:
        yield from (f"### Edited by hand ({len(paths)})", "")
        yield "These files stay as somebody has edited them. What this page says of reports is of"
        yield from ("the files as unwet writes them; `unwet verify` tells what they say now.", "")
        yield from (*(f"- {_code(path)}" for path in paths), "")


def _by_outcome(project: Project, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Reports that somebody has to look at, those with one reason together."""
    for outcome, title in _PERSON:
        some = [verdict for verdict in verdicts if verdict.outcome == outcome]
        if some:
            yield from (f"### {title} ({len(some)})", "", *_by_reason(project, some), "")


def _tested(project: Project, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What was not proved and why, and on what it was tested, in full."""
    some = [verdict for verdict in verdicts if verdict.outcome == "tested"]
    if not some:
        return
    yield from (f"## Tested, not proved ({len(some)})", "")
    yield from ("`a against b`: the old query says a where the model says b.", "")
    if any(verdict.score is not None for verdict in some):
        yield from (*_MISTAKES, "")
    yield from (*_by_reason(project, some), "")


def _by_reason(project: Project, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Reports of one outcome, the reason that most of them have first."""
    reasons: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        reasons[verdict.reason].append(verdict)
    for reason, some in sorted(reasons.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        names = ", ".join(f"{_code(v.relation or v.name)} ({_at(project, v)})" for v in some)
        said = _plain(_below(project, reason)) or MEANING[some[0].outcome]
        yield f"- {said}: {names}"


def _contradictions(project: Project, found: Sequence[DriftFinding]) -> Iterator[str]:
    """Where copies of one logic say different things, the surest first."""
    if not found:
        return
    yield from (f"### Copies that contradict each other ({len(found)})", "")
    yield "The models say what each report said. Which side is right is for you to decide:"
    yield from ("`unwet drift --format toml` drafts a decision for each.", "")
    for each in found:
        about = f" ({_plain(each.about)})" if each.about else ""
        copies = counted(each.votes, "copy says", "copies say")
        others = counted(each.against, "says", "say")
        if each.signs is not None:  # the constants are others in each report
            one, other = (_code(f"{sign} ...") for sign in each.signs)
            like = "".join(f" (as {_place(project, v)} does)" for v in each.voters[:1])
            yield f"- {each.code}{about}: {copies} {one}{like}, {others} {other}:"
            yield f"  - {', '.join(_place(project, outlier) for outlier in each.outliers)}"
        else:
            yield f"- {each.code}{about}: {copies} {_said(each.majority)}, {others} otherwise:"
            for said, some in _alike(each).items():
                yield f"  - {_said(said)}: {', '.join(_place(project, o) for o in some)}"
    yield ""


def _place(project: Project, at: Deviation) -> str:
    return _code(project.below(f"{at.path}:{at.line}"))


def _alike(found: DriftFinding) -> dict[str, list[Deviation]]:
    """The outliers of a contradiction by what stands there."""
    places: dict[str, list[Deviation]] = defaultdict(list)
    for outlier in found.outliers:
        places[outlier.expression].append(outlier)
    return places


def _unread(project: Project, findings: Sequence[Finding]) -> Iterator[str]:
    lost = [finding for finding in findings if finding.code in _NOT_READ]
    if lost:
        yield from ("### Not read, and so in none of the above", "")
        yield from (f"- {project.below(f.at.path)}: {_plain(f.message)}" for f in lost)
        yield ""


def _untold(findings: Sequence[Finding], verdicts: Sequence[Verdict]) -> list[Finding]:
    """The findings without text that does not parse and is told as a report that is kept."""
    kept = (v for v in verdicts if v.outcome == "kept")
    told = {(v.path, v.line) for v in kept if v.reason.startswith(f"line {v.line} does not parse")}
    return [f for f in findings if f.code not in UNPARSED or (f.at.path, f.at.line) not in told]


def _not_understood(
    project: Project, findings: Sequence[Finding], carried: Sequence[NotCarried]
) -> Iterator[str]:
    lost = not_understood(findings, {each.at for each in carried})
    if not lost:
        return
    yield from (f"### Statements that no model has ({len(lost)})", "")
    yield "Nobody followed them, so what they do is left to the old scripts:"
    yield ""
    for message, some in by_message(lost).items():
        places = [_code(project.below(f"{f.at.path}:{f.at.line}")) for f in some]
        more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
        yield f"- {_plain(message)}: {', '.join(places[:_PLACES])}{more}"
    yield ""


def _not_carried(project: Project, found: Sequence[NotCarried]) -> Iterator[str]:
    """What stands beside the queries and goes with the old scripts."""
    if not found:
        return
    yield from (f"### What the project does not carry ({len(found)})", "")
    yield "Rights, comments, indexes, triggers and the upkeep of tables are in no model. What is"
    yield from ("still wanted belongs to the tables that the project builds:", "")
    kinds: dict[str, list[NotCarried]] = defaultdict(list)
    for each in found:
        kinds[each.what].append(each)
    for what, some in sorted(kinds.items()):
        yield f"- {what}:"
        for each in some[:_PLACES]:
            place = _code(project.below(f"{each.at.path}:{each.at.line}"))
            yield f"  - {place}: {_code(each.begins)}"
        if len(some) > _PLACES:
            yield f"  - and {len(some) - _PLACES} more"
    yield ""


def _unordered(project: Project, findings: Sequence[Finding]) -> Iterator[str]:
    found = [finding for finding in findings if finding.code == "CHANGE_ORDER"]
    if found:
        yield from (f"### Changed in an order that nothing tells ({len(found)})", "")
        yield "The models have the rows of the scripts as their files are sorted:"
        yield ""
        for f in found:
            yield f"- {_code(project.below(f'{f.at.path}:{f.at.line}'))}: {_plain(f.message)}"
        yield ""


def _switched_off(project: Project, target: Target) -> Iterator[str]:
    """Models that are not built before somebody gives a value to what the pile had none for."""
    where = _VALUES.get(target.NAME)
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for draft, variables in unset(project).items() if where is not None else ():
        needed = tuple(each for each in variables if project.placeholders.get(each, each) == each)
        if needed:
            found[needed].append(draft)
    if not found:
        return
    yield from (f"### Not built before a value is given ({sum(map(len, found.values()))})", "")
    yield from (f"The old scripts have no values for these; {where}.", "")
    for variables, names in sorted(found.items()):
        more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
        shown = ", ".join(map(_code, sorted(names)[:_FEW]))
        yield f"- {', '.join(map(_code, variables))}: {shown}{more}"
    yield ""


def _obeyed(found: Sequence[Obeyed]) -> Iterator[str]:
    if found:
        yield from (f"## Decisions that this project obeys ({len(found)})", "")
        yield from (f"- {_plain(str(each))}; {each.date}: {_plain(each.reason)}" for each in found)
        yield ""


def _places(project: Project, target: Target) -> Iterator[str]:
    """Where tables are that the scripts name without a schema; views name them so, too."""
    bare = sorted(project.said(each.relation) for each in unplaced(project))
    schema = home(project) or ("main" if target.NAME == "sqlmesh" else "")
    if not bare or target.NAME not in _VALUES or project.dialect in MAIN:
        return
    more = f" and {len(bare) - _FEW} more" if len(bare) > _FEW else ""
    shown = ", ".join(map(_code, bare[:_FEW])) + more
    where = f"are in {_code(schema)}" if schema else "are where the project's profile says"
    other = "`--default-schema NAME` says another"
    yield f"tables that the scripts name without a schema ({shown}) {where}; {other}"


def _assumed_tests(project: Project, target: Target) -> Iterator[str]:
    """What may turn out wrong of the data: warnings of a project that tests it."""
    found = {**project.evidence.sources, **project.evidence.models}
    said = project.said
    lines = [
        f"- {_code(said(name))}: {_plain(said(words(test)))} ({_plain(test.evidence)})"
        for name, tests in sorted(found.items())
        for test in tests
        if not test.certain
    ]
    if lines:
        yield from (f"## What is assumed of the data ({len(lines)})", "")
        if target.UNITS:
            yield "The project tests each of these. A test that fails is a warning: the data is not"
            yield from ("what the old reports, or the declarations, take it to be.", "")
        else:
            yield "Nothing in the project tests these: it is what the old reports, or declarations,"
            yield from ("take the data to be.", "")
        yield from (*lines, "")


# --- every report ----------------------------------------------------------------------------


def _table(project: Project, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A table for each folder of the old reports."""
    found: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        found[folder_of(project, verdict)].append(verdict)
    for folder in sorted(found):
        if len(found) > 1:
            yield from (f"### {folder or '.'}/", "")
        yield from (_HEAD, "| --- | --- | --- | --- | --- |")
        for verdict in found[folder]:
            cells = [verdict.relation or verdict.name, _at(project, verdict), verdict.model]
            why = "see above" if verdict.outcome in _APART else _below(project, verdict.reason)
            yield "| " + " | ".join(map(_cell, [*cells, verdict.outcome, why])) + " |"
        yield ""


def _at(project: Project, verdict: Verdict) -> str:
    return f"{project.below(verdict.path)}:{verdict.line}"


def _below(project: Project, text: str) -> str:
    """Words with the paths in them as the project names them."""
    if not project.root:
        return text
    return re.sub(rf"(?<![\w./-]){re.escape(project.root)}", "", text)


# --- Markdown --------------------------------------------------------------------------------


def _said(text: str) -> str:
    return _code(text) if text else "nothing of the kind"


def _code(text: str) -> str:
    """SQL as it is, whatever is in it."""
    text = " ".join(text.split())
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    gap = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{gap}{text}{gap}{ticks}"


def _plain(text: str) -> str:
    """Words in which nothing is a sign of Markdown or HTML."""
    return re.sub(r"([\\<*`])", r"\\\1", " ".join(text.split()))


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")
