"""Whether reports run and return rows at all on data from the queries alone: all of every pile.

    python -m bench.proof.rows [PILE ...] [--unit NAME] [--resume | --collect] [--write]

No mistakes are made, so that it takes no sample: databases are tried until one gives rows. Each
report is written down when it is there, so that piles can be measured one after the other.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bench import corpora
from bench.errors import BenchError
from bench.proof import piles, store
from bench.proof.options import parsed, parser
from bench.proof.table import EXECUTES, RETURNS, percent
from bench.results import put
from unwet.lineage.errors import UnwetError
from unwet.lineage.names import deep_stack
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.adapt import volatile
from unwet.rewrite.prove.bags import Runs
from unwet.rewrite.prove.generation import Generator, values_for
from unwet.rewrite.prove.strength import CLOCK, PARTS, SECONDS
from unwet.rewrite.prove.synthetic.database import Database
from unwet.rewrite.prove.synthetic.load import open_synthetic
from unwet.rewrite.prove.synthetic.parameters import bound
from unwet.rewrite.prove.synthetic.units import Unit, units

NONE = "no rows on any database"
HEAD = """## Rows on data from the queries alone

Every report of the piles named here (of Mozilla's, 300 files at equal distances) is run on the
databases that are made for it, until one gives rows (`python -m bench.proof.rows`). *Execute*: it
ran on one."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One report: on how many databases it ran, on one of them with rows; why not on another; CPU
    seconds for it, with what was made for the whole pile before it."""

    name: str
    path: str
    times: int
    has_rows: bool
    failure: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class Rows:
    """Of one pile."""

    name: str
    ran: list[Ran] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """CPU for all of it."""
        return sum(each.seconds for each in self.ran)

    @property
    def executing(self) -> int:
        return sum(1 for each in self.ran if each.times)

    @property
    def returning(self) -> int:
        return sum(1 for each in self.ran if each.has_rows)


def measured(
    name: str,
    meaning: Meaning,
    unit: str = "",
    tell: Callable[[Ran], None] = lambda _: None,
    done: Sequence[Ran] = (),
) -> Rows:
    """All reports of a pile, or those called `unit`, each told when it is there; `done` are those
    of an earlier run."""
    start, found = time.process_time(), Rows(name, list(done))
    known = {(each.name, each.path) for each in done}
    meaning = bound(meaning, values_for(meaning, {}))
    with closing(Generator(meaning, CLOCK)) as generator:
        for each in units(meaning):
            if unit in ("", each.name) and (each.name, each.report.span.path) not in known:
                ran = _ran(each, generator)
                now = time.process_time()
                found.ran.append(replace(ran, seconds=now - start))
                tell(found.ran[-1])
                start = now
    return found


def _ran(unit: Unit, generator: Generator) -> Ran:
    trees = [each.tree for script in unit.scripts for each in script.statements]
    random = sorted({name for tree in trees for name in volatile(tree)})
    if random or not trees:
        failure = f"uses {', '.join(random)}" if random else "not parsed"
        return Ran(unit.name, unit.report.span.path, 0, False, failure)
    times, failure = 0, ""
    with deep_stack():
        for many in _counts(unit, generator):
            if isinstance(many, str):
                failure = failure or many
                continue
            times += 1
            if many:
                return Ran(unit.name, unit.report.span.path, times, True, failure)
    return Ran(unit.name, unit.report.span.path, times, False, failure or NONE)


def _counts(unit: Unit, generator: Generator) -> Iterator[int | str]:
    """For each database the number of rows, or why it did not run; of such a one for its smallest
    part, too, as joins may take too long over many rows that are alike; then for other parts, as
    one row may be what it stumbles over."""
    broken: list[Database] = []
    for database in generator.databases(unit):
        found = _count(unit, database)
        yield found
        if isinstance(found, str):
            broken.append(database)
            if database.parts:
                yield _count(unit, _smallest(database))
    waiting = [part for database in broken for part in database.parts]
    for tried in range(PARTS):
        if tried == len(waiting):
            return
        found = _count(unit, waiting[tried])
        if isinstance(found, str):
            waiting += waiting[tried].parts
        yield found


def _smallest(database: Database) -> Database:
    """The rows of its first entity alone."""
    while database.parts:
        database = database.parts[0]
    return database


def _count(unit: Unit, database: Database) -> int | str:
    try:
        with open_synthetic(database, SECONDS) as engine:
            return Runs(engine, unit, CLOCK).bag().total()
    except UnwetError as error:
        return error.message


def text(many: Sequence[Rows]) -> str:
    """A table, and the bars that are missed."""
    lines = [
        "| pile | reports | execute | return rows | CPU s |",
        "| --- | --: | --: | --: | --: |",
    ]
    whole = Rows("all", [r for each in many for r in each.ran])
    for each in (*many, whole):
        cells = (each.name, str(len(each.ran)), percent(each.executing, len(each.ran)),
                 percent(each.returning, len(each.ran)), f"{each.seconds:.0f}")  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    bars = (("execute", EXECUTES, whole.executing), ("return rows", RETURNS, whole.returning))
    size = max(1, len(whole.ran))
    missed = [f"- not reached: {name}: {100 * part / size:.1f} %, wanted {bar:g} %"
              for name, bar, part in bars if 100 * part / size < bar]  # fmt: skip
    return "\n".join([*lines, "", *(missed or ["Both bars are reached."])])


def without(pile: Rows) -> str:
    """The reports that return nothing, and why."""
    found = [each for each in pile.ran if not each.has_rows]
    lines = [f"- {each.name} ({each.path}): {each.failure}" for each in found]
    return "\n".join([f"# {pile.name}: {len(found)} reports without rows\n", *lines]) + "\n"


def main(words: Sequence[str] | None = None) -> int:
    options = parsed(_parser(), words)
    names = options.piles or list(piles.PILES)
    try:
        many = [_of_pile(name, options) for name in names]
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    shown = text([each for each in many if each.ran])
    print(shown)
    if options.write:
        absent = [name for name, each in zip(names, many, strict=True) if not each.ran]
        absent += [name for name in piles.PILES if name not in names]
        told = f"\n\nNot measured so: {', '.join(absent)}." if absent else ""
        put("rows", f"{HEAD}\n\n{shown}{told}")
    return 1 if "not reached" in shown else 0


def _of_pile(name: str, options: argparse.Namespace) -> Rows:
    """One pile, measured or as it was measured before. One report alone is only shown."""
    file = options.details / f"{name}.rows.jsonl"
    if options.collect:
        return Rows(name, _read(file))
    where = piles.Where(options.cache, corpora.parse_mirrors(options.mirror))
    if options.unit:
        return measured(name, piles.load(name, where), options.unit)
    if not options.resume:
        file.unlink(missing_ok=True)
    tell, done = partial(store.append, file), _read(file)
    found = measured(name, piles.load(name, where), tell=tell, done=done)
    (options.details / f"{name}.rows.md").write_text(without(found), "utf-8")
    return found


def _read(file: Path) -> list[Ran]:
    return [Ran(**each) for each in store.lines(file)]


def _parser() -> argparse.ArgumentParser:
    made = parser("bench.proof.rows", "one report only", "where those without rows are")
    made.add_argument("--resume", action="store_true", help="keep what an earlier run has measured")
    made.add_argument("--collect", action="store_true", help="only put together what was measured")
    return made


if __name__ == "__main__":
    sys.exit(main())
