"""The scripts of a pile that go on as they are: those of kept reports, and those nobody follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from unwet.lineage.parse import Script
from unwet.lineage.pile import Pile
from unwet.rewrite.lost import has_gaps, text_at, unparsed_text
from unwet.rewrite.script import EndState, Report
from unwet.rewrite.writes import EMPTYING


@dataclass(frozen=True, slots=True)
class Left:
    """The paths of scripts that go on as they are; of the ``broken`` ones all that did parse has
    become models, but for the statements in ``cut``, by their index: they take rows out of tables
    that no script fills."""

    all: frozenset[str]
    broken: frozenset[str]
    cut: Mapping[str, frozenset[int]] = field(default_factory=dict)


def left(state: EndState, kept: Sequence[Report]) -> Left:
    """The scripts that still have to run when only ``kept`` stays as it was."""
    broken = [r for r in kept if not (r.definition.parts or r.definition.relation)]
    others = [r for r in kept if r.definition.parts or r.definition.relation]
    emptying = [r for r in others if _only_empties(r)]
    whole = state.unfollowed.union(*(_paths(r) for r in others if not _only_empties(r)))
    cut: dict[str, frozenset[int]] = {}
    for statement in (p.statement for r in emptying for p in r.definition.parts):
        if statement.path not in whole:
            known = cut.get(statement.path, frozenset())
            cut[statement.path] = known | {statement.index}
    only = frozenset(cut).union(*map(_paths, broken)) - whole
    return Left(whole | only, only, cut)


def _only_empties(report: Report) -> bool:
    parts = report.definition.parts
    return bool(parts) and all(part.kind in EMPTYING for part in parts)


def originals(pile: Pile, scripts: Left, root: str) -> dict[str, str]:
    """The texts of these scripts, by their places below ``root``, none of which leads out of it."""
    found = {
        script.source.path: _text(
            script,
            script.source.path in scripts.broken,
            scripts.cut.get(script.source.path, frozenset()),
        )
        for script in pile.scripts
        if script.source.path in scripts.all
    }
    placed: dict[str, str] = {}
    for path, text in sorted(found.items()):
        placed[_free(path.removeprefix(root).replace("..", "_"), placed)] = text
    return placed


def _free(path: str, placed: Mapping[str, str]) -> str:
    """The path, or another one where a file system that ignores case has a file there already."""
    taken, candidate, n = {each.lower() for each in placed}, path, 1
    while candidate.lower() in taken:
        n += 1
        folder, _, name = path.rpartition("/")
        stem, dot, ending = name.partition(".")
        candidate = f"{folder}/{stem}_{n}{dot}{ending}".lstrip("/")
    return candidate


def _text(script: Script, broken: bool, cut: frozenset[int]) -> str:
    """All of a script; of a broken one in which some statements did parse what did not, and the
    statements that are cut out of it."""
    if not broken or not script.statements or script.twice:
        return script.source.text
    found = [each for each in script.statements if each.index in cut]
    lost = unparsed_text(script) if has_gaps(script) else ""
    return lost + "".join(f"{text_at(script, each.span).strip()};\n" for each in found)


def common_root(paths: list[str]) -> str:
    """The folder all paths lie in, with its slash; empty when there is none."""
    folders = [path.rsplit("/", 1)[0].split("/") if "/" in path else [] for path in paths]
    same: list[str] = []
    for words in zip(*folders, strict=False):
        if len(set(words)) != 1:
            break
        same.append(words[0])
    return "/".join(same) + "/" if same else ""


def _paths(report: Report) -> tuple[str, ...]:
    own = tuple(part.statement.path for part in report.definition.parts)
    return (*own, report.definition.path)
