"""The models of a rendered project as queries, and which of them others need."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlglot import exp

from unwet.lineage.errors import EngineError
from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.prove.adapt import volatile
from unwet.rewrite.prove.rendered import RenderedModel, RenderedProject


def needed(
    project: RenderedProject, wanted: Sequence[str], given: Collection[str] = ()
) -> set[str]:
    """Names of models and seeds: the wanted ones, and all that these read. `given`: models whose
    rows are there already."""
    refs = {model.name: model.refs for model in project.models if model.name not in given}
    found, waiting = set(wanted), list(wanted)
    while waiting:
        for name in refs.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def query_of(model: RenderedModel, dialect: str) -> exp.Query:
    """Raises EngineError when it is no single query, or another one each time."""
    script = parse(verbatim(Source(model.path, model.sql)), dialect)
    lost = [finding.message for finding in script.findings]
    if lost or len(script.statements) != 1:
        raise EngineError(lost[0] if lost else f"holds {len(script.statements)} statements")
    tree = script.statements[0].tree
    if not isinstance(tree, exp.Query):
        raise EngineError("is no query")
    if names := volatile(tree):
        raise EngineError(f"cannot be tested: uses {', '.join(names)}")
    return tree


def check_built(
    model: str,
    old: tuple[str, ...],
    failed: Mapping[str, str],
    borrowed: Mapping[str, Collection[tuple[str, ...]]],
) -> None:
    """Raises EngineError for a model that was not built from data. `failed`: why not, by model;
    `borrowed`: the legacy results that each built one reads, in lower case; `old`: the one that it
    should replace."""
    if model in failed:
        raise EngineError(f"model {model}: {failed[model]}")
    if model not in borrowed:
        raise EngineError(f"the project has no model {model}")
    if tuple(part.lower() for part in old) in borrowed[model]:
        raise EngineError(f"model {model} reads the old result it should replace")
