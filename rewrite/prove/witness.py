"""Rows that show a contradiction: for each outlier one row of the data on which it and its copies
differ, and how many there are.

The tables of the data are read as they are; where a block reads what the pile itself makes, the
legacy scripts run first, in a world of their own. What no row shows falls in the list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from sqlglot import exp

from unwet.lineage.errors import UnwetError
from unwet.lineage.names import deep_stack, is_token
from unwet.lineage.pile import Pile
from unwet.lineage.resolve import Resolved
from unwet.lineage.trees import copied
from unwet.rewrite.drift import Drift, DriftFinding
from unwet.rewrite.evidence import Witness
from unwet.rewrite.prove.adapt import relations, to_duckdb
from unwet.rewrite.prove.engines import DuckEngine, Row, open_duckdb
from unwet.rewrite.prove.legacy import run_legacy
from unwet.rewrite.prove.places import Places
from unwet.rewrite.prove.rephrase import Unspeakable
from unwet.rewrite.prove.trials import MAJORITY, OUTLIER, Trial, trial
from unwet.rewrite.telling import Told

UNSEEN: Final = 0.5  # of the score is left when no row of the data shows a difference
SECONDS: Final = 60.0  # for each statement
_WIDEST: Final = 60  # characters of a value
_DEEP: Final = 20  # temporary tables made of temporary tables
_PLAIN, _RUN = "unwet_plain", "unwet_run"


def witnessed(found: Drift, pile: Pile, data: Path | str, seconds: float = SECONDS) -> Drift:
    """The same contradictions with what the data says about them, the surest first.

    `data`: a DuckDB file (or duckdb://file), or a folder of CSV and Parquet files. Raises
    EngineError, PathNotFound and UsageError for data that cannot be read.
    """
    with deep_stack(), open_duckdb(data, seconds=seconds) as engine:
        court = _Court(engine, pile, found)
        findings = [court.finding(*each) for each in zip(found.findings, found.told, strict=True)]
    order = sorted(range(len(findings)), key=lambda at: (-findings[at].score, at))
    return replace(
        found,
        findings=tuple(findings[at] for at in order),
        told=tuple(found.told[at] for at in order),
    )


@dataclass(frozen=True, slots=True)
class _Sides:
    """The two sides of a trial as SQL."""

    trial: Trial
    query: str
    other: str


class _Court:
    """Tries the outliers of one pile on one set of data."""

    def __init__(self, engine: DuckEngine, pile: Pile, found: Drift) -> None:
        self._engine, self._pile, self._found = engine, pile, found
        self._clock = datetime.now().replace(microsecond=0)
        engine.world(_PLAIN)
        self._plain = Places(engine, _PLAIN)
        self._written = {
            _tail(each.target)
            for resolved in pile.resolved
            for each in resolved.all()
            if each.target and each.kind != "create_table"
        }

    @cached_property
    def _run(self) -> Places:
        """The world in which the scripts have run."""
        self._engine.world(_RUN)
        run_legacy(self._engine, _RUN, self._pile.scripts, self._clock)
        return Places(self._engine, _RUN)

    def finding(self, finding: DriftFinding, told: Sequence[Told]) -> DriftFinding:
        """A finding with a witness for each of its outliers."""
        places = {(each.deviation.path, each.deviation.line): each for each in told}
        found = tuple(self._witness(places[o.path, o.line]) for o in finding.outliers)
        unseen = all(each.rows == 0 for each in found)
        score = round(finding.score * UNSEEN, 3) if unseen else finding.score
        return replace(finding, witnesses=found, score=score)

    def _witness(self, told: Told) -> Witness:
        at = told.deviation
        try:
            sides = self._sides(told)
            if sides.trial.other is not None:
                return self._whole_rows(told, sides)
            return self._row_by_row(told, sides)
        except Unspeakable as error:
            return Witness(at.path, at.line, reason=str(error))
        except UnwetError as error:
            return Witness(at.path, at.line, reason=f"cannot be run: {error.message}")

    # --- running

    def _row_by_row(self, told: Told, sides: _Sides) -> Witness:
        differs = f"{OUTLIER} IS DISTINCT FROM {MAJORITY}"
        counted = f"SELECT count(*), count(*) FILTER (WHERE {differs}) FROM ({sides.query})"
        [(total, rows)] = self._engine.rows(counted)
        at = told.deviation
        shown: tuple[tuple[str, str], ...] = ()
        right = wrong = ""
        if rows:
            one = f"SELECT * FROM ({sides.query}) WHERE {differs} ORDER BY ALL LIMIT 1"
            [row] = self._engine.rows(one)
            shown = _named(sides.trial.names, row)
            say = _kept if sides.trial.keeps else _value
            right, wrong = say(row[-2]), say(row[-1])
        return Witness(at.path, at.line, _int(rows), _int(total), shown, right, wrong,
                       "" if rows else "no row of the data shows it")  # fmt: skip

    def _whole_rows(self, told: Told, sides: _Sides) -> Witness:
        mine, theirs, at = sides.query, sides.other, told.deviation
        [(total,)] = self._engine.rows(f"SELECT count(*) FROM ({mine})")
        found: list[tuple[str, str, Row]] = []
        rows = 0
        for left, right, words in ((mine, theirs, ("no such row", "has the row")),
                                   (theirs, mine, ("has the row", "no such row"))):  # fmt: skip
            except_all = f"(({left}) EXCEPT ALL ({right}))"
            [(count,)] = self._engine.rows(f"SELECT count(*) FROM {except_all}")
            rows += _int(count)
            if count:
                [row] = self._engine.rows(f"SELECT * FROM {except_all} ORDER BY ALL LIMIT 1")
                found.append((*words, row))
        if not found:
            reason = "no row of the data shows it"
            return Witness(at.path, at.line, 0, _int(total), reason=reason)
        majority, outlier, row = found[0]
        shown = _named(sides.trial.names, row)
        return Witness(at.path, at.line, rows, _int(total), shown, majority, outlier)

    # --- building

    def _sides(self, told: Told) -> _Sides:
        assert self._found.tracer is not None
        made = trial(told, self._found.tracer)
        path = told.deviation.path
        query = self._text(made.query, path)
        return _Sides(made, query, self._text(made.other, path) if made.other is not None else "")

    def _text(self, query: exp.Query, path: str) -> str:
        tree = self._with_temporaries(query, path)
        for name in _tokens(tree):
            raise Unspeakable(f"a placeholder has no value: {name}")
        tables = [table.name.lower() for table in relations(tree)]
        places = self._run if self._written.intersection(tables) else self._plain
        return to_duckdb(tree, self._clock, places.located)

    def _with_temporaries(self, query: exp.Query, path: str) -> exp.Query:
        """Temporary tables are gone when their script has run: what they are made of instead."""
        tree = copied(query)
        for _ in range(_DEEP):
            todo = [(t, made) for t in list(relations(tree)) for made in self._made(t, path)]
            if not todo:
                return tree
            for table, made in todo:
                assert made.query is not None
                body = exp.Subquery(this=copied(made.query.node))
                body.set("alias", exp.TableAlias(this=exp.to_identifier(table.alias_or_name)))
                table.replace(body)
        raise Unspeakable("temporary tables are made of one another, too deep")

    def _made(self, table: exp.Table, path: str) -> Iterator[Resolved]:
        found = self._temporaries.get((path, _tail(table.name)), ())
        if len(found) > 1:
            raise Unspeakable(f"the temporary table {table.name} is filled more than once")
        yield from found

    @cached_property
    def _temporaries(self) -> Mapping[tuple[str, str], tuple[Resolved, ...]]:
        """By script and name: what fills a table that is gone when the script has run."""
        gone = {
            (each.statement.path, _tail(each.target))
            for each in self._pile.resolved
            if each.target and (each.temp or each.kind == "drop")
        }
        made: dict[tuple[str, str], tuple[Resolved, ...]] = {}
        for each in self._pile.resolved:
            key = each.statement.path, _tail(each.target or "")
            if each.query is not None and key in gone:
                made[key] = (*made.get(key, ()), each)
        return made


def _tail(relation: str) -> str:
    """The bare name; that of a temporary table may have its script behind an @."""
    name = relation[:1] + relation[1:].partition("@")[0]
    return name.rpartition(".")[2].lower().lstrip("#")


def _tokens(tree: exp.Expr) -> Iterator[str]:
    for node in tree.find_all(exp.Identifier, exp.Literal):
        if is_token(str(node.this)):
            yield str(node.this)[3:-3]


def _named(names: Sequence[str], row: Row) -> tuple[tuple[str, str], ...]:
    return tuple(zip(names, map(_value, row), strict=False))


def _value(value: object) -> str:
    text = "NULL" if value is None else str(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."


def _kept(value: object) -> str:
    return "kept" if value else "left out"


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value
