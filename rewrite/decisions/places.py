"""Where in a pile the decisions hold, and what they change there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from sqlglot import exp

from unwet.lineage.parse import Statement, parse
from unwet.lineage.pile import Pile
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.decisions.mending import Mend, Refused, by_majority, by_sql, replacement
from unwet.rewrite.decisions.resolution import Resolution, words
from unwet.rewrite.drift import Drift, drift
from unwet.rewrite.prove.rephrase import Unspeakable
from unwet.rewrite.telling import Told


@dataclass(frozen=True, slots=True)
class Placed:
    """A decision with the changes that carry it out, or the reason why there are none."""

    decision: Resolution
    mends: tuple[Mend, ...]
    problem: str = ""


def placed(pile: Pile, decisions: Iterable[Resolution]) -> tuple[Placed, ...]:
    """Every decision, in their order."""
    wanted = tuple(decisions)
    if not wanted:
        return ()
    told = drift(pile)
    return tuple(_placed(each, pile, told) for each in wanted)


def _placed(decision: Resolution, pile: Pile, found: Drift) -> Placed:
    try:
        mends = tuple(_mends(decision, pile, found))
    except (Refused, Unspeakable) as error:
        return Placed(decision, (), str(error))
    if not mends:
        return Placed(decision, (), f"nothing is told there any more: {_wanted(decision)}")
    return Placed(decision, mends)


def _wanted(decision: Resolution) -> str:
    about = f" ({decision.about})" if decision.about else ""
    return f"{decision.drift}{about}: {decision.expression or 'something missing'}"


def _mends(decision: Resolution, pile: Pile, found: Drift) -> Iterator[Mend]:
    """Raises Refused and Unspeakable."""
    told = list(_told(decision, found))
    if not decision.sql:
        assert found.tracer is not None or not told
        yield from (by_majority(each, found.tracer) for each in told if found.tracer is not None)
    elif told:
        for each in told:
            yield by_sql(each, _expression(decision, each.block.resolved.statement.dialect))
    else:
        yield from _by_words(decision, pile)


def _told(decision: Resolution, found: Drift) -> Iterator[Told]:
    """What drift tells of the place, at each place once."""
    seen: set[tuple[str, int]] = set()
    for finding, group in zip(found.findings, found.told, strict=True):
        for each in group:
            at = each.deviation
            about = decision.about in ("", each.about, finding.about)
            fits = about and decision.fits(each.code, at.path, at.expression)
            if fits and (at.path, at.line) not in seen:
                seen.add((at.path, at.line))
                yield each


def _by_words(decision: Resolution, pile: Pile) -> Iterator[Mend]:
    """The one place where the expression stands, when drift does not tell it: the majority may be
    another one by now, and the decision still holds."""
    wanted = words(decision.expression)
    nodes = [
        (statement, node)
        for script in pile.scripts
        if wanted and PurePath(script.source.path).match(decision.path)
        for statement in script.statements
        for node in _saying(wanted, statement)
    ]
    if len(nodes) > 1:
        raise Refused(f"{decision.expression} stands there {len(nodes)} times")
    for statement, node in nodes:
        yield replacement(statement, node, _expression(decision, statement.dialect))


def _saying(wanted: str, statement: Statement) -> Iterator[exp.Expression]:
    """The largest parts of a statement that are printed so."""
    stack: list[exp.Expression] = [statement.tree]
    while stack:
        node = stack.pop()
        text = node.sql(dialect=statement.dialect, comments=False)
        if words(statement.masked.restore(text)) == wanted:
            yield node
        else:
            stack.extend(
                part for part in node.iter_expressions() if isinstance(part, exp.Expression)
            )


def _expression(decision: Resolution, dialect: str) -> exp.Expression:
    """The tree of the expression that was decided."""
    script = parse(verbatim(Source("decision", f"SELECT {decision.sql}", dialect)), dialect)
    trees = [each.tree for each in script.statements]
    outputs = trees[0].expressions if len(trees) == 1 and isinstance(trees[0], exp.Select) else ()
    if script.findings or len(outputs) != 1 or trees[0].args.get("from_") is not None:
        reason = script.findings[0].message if script.findings else "it is not one expression"
        raise Refused(f"cannot read sql = {decision.sql!r}: {reason}")
    found = outputs[0]
    assert isinstance(found, exp.Expression)
    return found.pop()
