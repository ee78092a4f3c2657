"""The scripts of a pile that go on as they are: those of kept reports, and those nobody follows."""

from __future__ import annotations

from collections.abc import Iterable

from unwet.lineage.pile import Pile
from unwet.rewrite.script import EndState, Report


def left(state: EndState, kept: Iterable[Report]) -> frozenset[str]:
    """The paths of the scripts that still have to run when only ``kept`` stays as it was."""
    return state.unfollowed.union(*(_paths(report) for report in kept))


def originals(pile: Pile, paths: Iterable[str], root: str) -> dict[str, str]:
    """The texts behind the paths, by their places below ``root``, none of which leads out of it."""
    texts = {script.source.path: script.source.text for script in pile.scripts}
    wanted = sorted(path for path in paths if path in texts)
    return {path.removeprefix(root).replace("..", "_"): texts[path] for path in wanted}


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
