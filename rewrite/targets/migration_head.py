"""The head of MIGRATION.md: what came of the pile in a few lines, and folder by folder."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from unwet.lineage.counted import counted
from unwet.rewrite.called_once import macros_left
from unwet.rewrite.not_carried import NotCarried
from unwet.rewrite.project import Project
from unwet.rewrite.repeats import Repeat
from unwet.rewrite.sizes import Size
from unwet.rewrite.verdicts import MEANING, Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Overview:
    """Sizes before and after, and what is still there more than once; ``edited``: the files of the
    project that stay as somebody has edited them; ``paths``: all of its files;
    ``not_carried``: what the scripts say about tables that no model says."""

    before: Size
    after: Size
    repeats: tuple[Repeat, ...] = ()
    edited: tuple[str, ...] = ()
    paths: frozenset[str] = frozenset()
    not_carried: tuple[NotCarried, ...] = ()


def head(project: Project, verdicts: Sequence[Verdict], overview: Overview | None
         ) -> Iterator[str]:  # fmt: skip
    """Sizes, what the project is made of, and how many reports ended how."""
    if overview is not None:
        before, after = overview.before, overview.after
        old = f"{counted(len(verdicts), 'report')} in {counted(before.files, 'script')}"
        yield f"{old} of {before.lines:,} lines became {after.lines:,} lines:"
        yield f"{_made_of(project, overview.paths)}."
        yield ""
    counts = Counter(v.outcome for v in verdicts)
    yield from (
        f"- **{counts[what]} {what}**: {MEANING[what]}." for what in MEANING if counts[what]
    )


def _made_of(project: Project, paths: Collection[str]) -> str:
    made = [path for path in project.templates if path.startswith("models/")]
    macros = [path for path in project.templates if path.startswith("macros/")]
    left = [f"macros/{each.name}.sql" for each in macros_left(project.library)]
    files = [path for path in left if path in paths or not paths]  # SQLMesh may have blueprints
    parts = [
        counted(len(project.drafts) + len(made), "model"),
        counted(len(project.intermediates), "shared model"),
        counted(len(files) + len(macros), "macro"),
    ]
    if blueprints := len(left) - len(files):
        parts.append(counted(blueprints, "file of blueprints", "files of blueprints"))
    if project.originals:
        many = len(project.originals)
        parts.append(f"{counted(many, 'script')} kept as {'it was' if many == 1 else 'they were'}")
    return ", ".join(parts)


def folders(project: Project, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """How many reports of each folder ended how; nothing for one folder."""
    found: dict[str, Counter[Outcome]] = defaultdict(Counter)
    for verdict in verdicts:
        found[folder_of(project, verdict)][verdict.outcome] += 1
    if len(found) < 2:
        return
    kinds = [what for what in MEANING if any(counts[what] for counts in found.values())]
    yield from ("## Folder by folder", "")
    yield f"| folder | reports | {' | '.join(kinds)} |"
    yield f"| --- | --: |{' --: |' * len(kinds)}"
    for folder in sorted(found):
        counts = found[folder]
        cells = [str(counts[what] or "") for what in kinds]
        yield f"| [{folder or '.'}/](#{anchor(folder)}) | {counts.total()} | {' | '.join(cells)} |"
    yield ""


def folder_of(project: Project, verdict: Verdict) -> str:
    """The folder of the old script, as the project names it."""
    return project.below(verdict.path).rpartition("/")[0]


def anchor(folder: str) -> str:
    """What the heading of a folder is linked by: letters, digits, - and _, as GitHub makes it."""
    kept = (c for c in folder.lower() if c.isalnum() or c in "-_ ")
    return "".join(kept).replace(" ", "-")


def still(repeats: Sequence[Repeat]) -> Iterator[str]:
    """What to look at next."""
    if not repeats:
        return
    yield from ("## Still there more than once", "")
    yield "Models and macros that select from the same relations, in blocks of many lines. What is"
    yield "equal there is less than the limits of sharing ask for; somebody who knows the business"
    yield "may see that more should be."
    yield ""
    for each in repeats:
        over = ", ".join(f"`{name}`" for name in each.relations)
        hosts = ", ".join(f"`{name}`" for name in each.hosts[:8])
        more = f" and {len(each.hosts) - 8} more" if len(each.hosts) > 8 else ""
        yield f"- {each.lines:,} lines over {over}: {hosts}{more}"
    yield ""


def stars(project: Project) -> Iterator[str]:
    """Where a star says which columns a model has."""
    if not project.stars:
        return
    yield from (f"## Where a star stays ({len(project.stars)})", "")
    yield "A model that hands on all columns of a table lists them where they are declared, in the"
    yield from ("pile or by `--schema FILE`. A `*` is left over these tables:", "")
    for each in project.stars:
        more = f" and {len(each.models) - 5} more" if len(each.models) > 5 else ""
        shown = ", ".join(f"`{name}`" for name in each.models[:5])
        yield f"- `{project.said(each.relation)}`, as {each.why}: {shown}{more}"
    yield ""
