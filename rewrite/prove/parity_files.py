"""The comparison of every report with its model as files of SQL, for somebody else to run.

No connection is needed, so nothing is known of the data: columns come from the pile and a given
schema, their types are not known, and floats are compared as they are. The clock is not pinned
either: both sides stand in one statement, and within one the clock stands still.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from unwet.lineage.errors import EngineError, UnwetError
from unwet.lineage.parse import Script
from unwet.rewrite.prove.before import Before, ReportRef
from unwet.rewrite.prove.elsewhere import NEW, OLD, SiteModels
from unwet.rewrite.prove.legacy import run_scripts
from unwet.rewrite.prove.projects import read_project
from unwet.rewrite.prove.servers.flavours import Flavour
from unwet.rewrite.prove.servers.parity import Sides
from unwet.rewrite.prove.servers.sites import SCRATCH, Data, Nested
from unwet.rewrite.prove.tested import placed
from unwet.rewrite.prove.worlds import bound, filled, random_in, tokens_of

INDEX = "README.md"
_EPOCH = datetime(2000, 1, 1)  # nobody reads it: the clock is not pinned


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report with the names of its columns; none where nobody knows them."""

    report: ReportRef
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParityFiles:
    """File name -> text, the index among them; report -> why there is no file for it."""

    files: Mapping[str, str]
    missing: Mapping[str, str]


def parity_files(
    scripts: Sequence[Script],
    project_root: Path,
    wanted: Sequence[Wanted],
    flavour: Flavour,
    dialect: str,
    vars: Mapping[str, str],
) -> ParityFiles:
    """A file for each report, by its name. `dialect`: of the project; the files are written in
    that of `flavour`. Raises UnwetError when the project cannot be read at all."""
    tokens = tokens_of(scripts, vars)
    filled_in = tuple(bound(script, tokens) for script in scripts)
    data = Data(())
    old = Nested(flavour, data, OLD, pinned=False)
    run = run_scripts(old, (), filled_in, _EPOCH)
    before = Before(run, filled_in, random_in(filled_in), old)
    new = Nested(flavour, data, NEW, below=old, pinned=False)
    models = SiteModels(new, read_project(project_root, vars, placed), dialect, _EPOCH)
    models.build(sorted({each.report.model for each in wanted}))
    files: dict[str, str] = {}
    missing: dict[str, str] = {}
    for each in wanted:
        relation = filled(each.report.relation, tokens)
        try:
            files[f"{each.report.name}.sql"] = _file(each, relation, before, old, models, flavour)
        except UnwetError as error:
            missing[each.report.name] = error.message.replace(SCRATCH, _ONE_QUERY)
    files[INDEX] = _index(wanted, missing, flavour)
    return ParityFiles(files, missing)


def _file(
    wanted: Wanted, relation: str, before: Before, old: Nested, models: SiteModels, flavour: Flavour
) -> str:
    report = wanted.report
    models.check(report.model)
    if not wanted.columns:
        raise EngineError("its columns are not known: give a schema with --schema")
    answer = before.answer(replace(report, relation=relation))
    model = models.place(report.model, answer.place)
    definitions = (*old.definitions(answer.place), *models.site.definitions(model))
    sides = Sides(
        flavour,
        f"SELECT * FROM {old.full(answer.place)}",
        f"SELECT * FROM {models.site.full(model)}",
        (None,) * len(wanted.columns),
        tuple(range(len(wanted.columns))),
        tuple(dict(definitions).items()),
    )
    title = _comment(f"{relation or report.name}, {report.path}:{report.line}")
    return _TEMPLATE.format(
        title=title,
        model=_comment(report.model),
        dialect=flavour.dialect,
        buckets=sides.buckets(),
        rows=sides.report(wanted.columns),
    )


_ONE_QUERY = "no query says that"  # a scratch schema is for verify --data

_TEMPLATE = """\
-- Does the model {model} return the same rows as the report
-- {title}?
-- For {dialect}. Both queries only read. Old and new stand in one statement each, so both see the
-- same data where the engine has snapshots.

-- 1. A row for each of some 2,000 groups of rows in which old and new differ. No rows: they are
--    equal, and there is nothing more to do.
{buckets};

-- 2. The rows that differ. copies > 0: the old report has this row so many times more often;
--    copies < 0: the new model does. No rows: they are equal. Floats that differ in the last
--    digits only are shown too: look at them before you call them different.
{rows};
"""


def _index(wanted: Sequence[Wanted], missing: Mapping[str, str], flavour: Flavour) -> str:
    lines = [
        "# Do the new models return what the old reports returned?",
        "",
        f"One file for each report, for {flavour.dialect}. Run it where the data is. Each has two "
        "queries, which only read:",
        "the first returns no rows when old and new are equal; the second shows the rows that "
        "differ, with `copies` above 0",
        "where the old report has more of a row, and below 0 where the new model has.",
        "",
        "Tables are called as the scripts and the project call them. Where that means something "
        "else to your session, set",
        "its schema (or search path) first.",
        "",
        "| report | file | from |",
        "| --- | --- | --- |",
    ]
    for each in wanted:
        report = each.report
        if report.name not in missing:
            name = _cell(report.relation or report.name)
            file = f"[{_cell(report.name)}.sql]({_cell(report.name)}.sql)"
            lines.append(f"| {name} | {file} | {_cell(report.path)}:{report.line} |")
    if missing:
        lines += ["", "No file was written for:", ""]
        lines += [f"- {_cell(name)}: {_cell(why)}" for name, why in sorted(missing.items())]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> str:
    """Fit for a line that begins with two dashes."""
    return re.sub(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+", " ", text)


def _cell(text: str) -> str:
    return _comment(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
