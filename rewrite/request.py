"""What the main job is asked for, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from unwet.lineage.config import USUAL_SHARING, Sharing
from unwet.lineage.findings import Finding
from unwet.rewrite.accepted import Accepting
from unwet.rewrite.decisions.file import NONE, Decisions
from unwet.rewrite.drift import DriftFinding
from unwet.rewrite.not_carried import NotCarried
from unwet.rewrite.planned import Abstraction
from unwet.rewrite.prove.generated import Budget, Known
from unwet.rewrite.prove.on_data import Store
from unwet.rewrite.prove.servers.dbapi import Connected
from unwet.rewrite.sizes import Size
from unwet.rewrite.verdicts import Verdict

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. Without ``out`` nothing is left behind; ``data`` is what DuckDB
    can open, or a server, of which only the schema ``scratch`` is written to; ``values`` are
    run-time values of placeholders that are not bound in the SQL. ``decisions`` say what the
    project shall return instead of what the pile does; ``intended``: differences that are meant.
    ``seconds``: limit for each statement on data; ``store``: where verdicts of a run that is
    stopped are kept, ``known``: what generated data has said before; ``generated``: the time for
    tests on data made from the queries alone, None for none; ``target``: the kind of project;
    ``before``: a project of an earlier run, whose names stay; ``unit_tests``: some are made;
    ``check_proofs``: what is proved is tested on such data, too; ``sharing``: what pays.
    ``search``: the seconds of work for looking for what repeats, None for as many as it takes."""

    out: Path | None = None
    name: str = "unwet_project"
    to_dialect: str = ""
    data: str | Connected = field(default="", repr=False)  # may hold a password
    force: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    decisions: Decisions = NONE
    scratch: str = ""
    intended: tuple[Accepting, ...] = ()
    seconds: float = 600.0
    store: Store | None = field(default=None, compare=False)
    known: Known | None = field(default=None, compare=False)
    generated: Budget | None = None
    target: str = "dbt"
    before: Path | None = None
    unit_tests: bool = False
    check_proofs: bool = False
    sharing: Sharing = USUAL_SHARING
    search: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: sizes before and after, a verdict for each report, findings. ``notes``:
    what else a person has to know, such as decisions that stand for nothing, and what the data
    lack; ``edited``: files that stay as somebody edited them, which no verdict is about;
    ``contradictions``: those that nobody has accepted. ``counterexamples``: a script for DuckDB, by
    report, that shows how its model differs on generated data. ``abstractions``: what is written
    once, and what that saves; ``contradicted``: proved reports whose rows differ on generated data.
    ``rounds``: of each time that the project was proved, the reports that meant something else
    beside the others and therefore share less in the next; the last has none. ``not_carried``:
    what the scripts say about tables that no model says; ``noticed``: what there is to say of the
    tables that several scripts write, also among the findings.
    """

    before: Size
    after: Size
    parameter_lines: int
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]
    assumptions: tuple[str, ...]
    macros: int
    files: Mapping[str, str]
    notes: tuple[str, ...] = ()
    contradictions: tuple[DriftFinding, ...] = ()
    counterexamples: Mapping[str, str] = field(default_factory=dict)
    abstractions: tuple[Abstraction, ...] = ()
    contradicted: tuple[str, ...] = ()
    edited: tuple[Path, ...] = ()
    rounds: tuple[tuple[str, ...], ...] = ()
    not_carried: tuple[NotCarried, ...] = ()
    noticed: tuple[Finding, ...] = ()
