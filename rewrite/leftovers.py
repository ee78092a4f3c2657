"""The scripts of a pile that go on as they are: those of kept reports, and those nobody follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unwet.lineage.parse import Script
from unwet.lineage.pile import Pile
from unwet.rewrite.lost import unparsed_text
from unwet.rewrite.script import EndState, Report


@dataclass(frozen=True, slots=True)
class Left:
    """The paths of scripts that go on as they are; of the ``broken`` ones all that did parse has
    become models."""

    all: frozenset[str]
    broken: frozenset[str]


def left(state: EndState, kept: Sequence[Report]) -> Left:
    """The scripts that still have to run when only ``kept`` stays as it was."""
    broken = [r for r in kept if not (r.definition.parts or r.definition.relation)]
    others = [r for r in kept if r.definition.parts or r.definition.relation]
    whole = state.unfollowed.union(*map(_paths, others))
    only = frozenset().union(*map(_paths, broken)) - whole
    return Left(whole | only, only)


def originals(pile: Pile, scripts: Left, root: str) -> dict[str, str]:
    """The texts of these scripts, by their places below ``root``, none of which leads out of it."""
    found = {
        script.source.path: _text(script, script.source.path in scripts.broken)
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


def _text(script: Script, broken: bool) -> str:
    """All of a script; of a broken one in which some statements did parse what did not."""
    return unparsed_text(script) if broken and script.statements else script.source.text


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
