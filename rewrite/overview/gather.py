"""Everything that the page shows, found in a pile, and in a project when there is one.

overview(pile, intended, project, progress) -> Overview
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from unwet.lineage import inventory
from unwet.lineage.pile import Pile
from unwet.rewrite import verify
from unwet.rewrite.accepted import Accepting
from unwet.rewrite.drift import drift
from unwet.rewrite.families import duplicates
from unwet.rewrite.meaning import Meaning, meaning_of
from unwet.rewrite.noticed import noticed
from unwet.rewrite.overview.content import Overview, Rewriting
from unwet.rewrite.own_functions import OwnFunction
from unwet.rewrite.prove.projects import kind_of
from unwet.rewrite.sizes import code_lines, maintained, part_size
from unwet.rewrite.targets.known import target_of
from unwet.rewrite.targets.place import is_as_written
from unwet.rewrite.targets.record import read_record

_NOT_WRITTEN = ("target", "dbt_packages", "logs")  # what dbt makes below a project


def overview(
    pile: Pile,
    intended: Iterable[Accepting] = (),
    project: verify.Request | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Overview:
    """The page of a pile without title and links. Raises UnwetError as verify does."""
    meaning = meaning_of(pile)
    progress("scanning")
    scanned = inventory.scan(pile)
    progress("looking for contradictions")
    drifted = drift(pile, intended)
    progress("looking for copies")
    copies = duplicates(meaning)
    made = None
    if project is not None:
        found = verify.verify(meaning, project, progress)
        made = _rewriting(meaning, project.project, found)
    told = noticed(meaning.state.findings, pile, intended)
    return Overview("", scanned, copies, drifted, made, noticed=told)


def _rewriting(meaning: Meaning, root: Path, found: verify.Verification) -> Rewriting:
    pile = meaning.written
    kept = {report.path for report in found.reports if report.verdict == "kept"}
    before = part_size(pile, {source.path for source in pile.sources}).lines
    after = read_record(root).lines if is_as_written(root) else 0
    if not after:  # somebody else's, or edited: counted as it stands
        after = sum(map(code_lines, _models(root, meaning.functions))) + part_size(pile, kept).lines
    return Rewriting("", before, after, found.reports, found.assumptions)


def _models(root: Path, functions: Mapping[str, OwnFunction]) -> list[str]:
    """The SQL that a maintainer of the project reads: models and macros."""
    paths = (file.relative_to(root) for file in sorted(root.rglob("*.sql")))
    files = {
        path.as_posix(): (root / path).read_text(encoding="utf-8", errors="replace")
        for path in paths
        if path.parts[0] not in _NOT_WRITTEN
    }
    return maintained(target_of(kind_of(root).name).counted(files, functions))
