"""The old side of a test: what the legacy scripts leave on the data, run once.

Several projects, or several states of one, can be compared with it; each builds its own new side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType

from unwet.lineage.parse import Script, parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import TOKEN, verbatim
from unwet.rewrite.prove.adapt import order_sensitive, volatile
from unwet.rewrite.prove.engines import DATA, DuckEngine, open_duckdb
from unwet.rewrite.prove.legacy import LegacyRun, run_scripts
from unwet.rewrite.prove.places import Places

LEGACY, SHUFFLED = "unwet_legacy", "unwet_shuffled"
SEED = 20_150  # of the shuffle: any number, always the same


class OldSide:
    """The worlds of the legacy scripts: over the data as it is, and over shuffled tables."""

    def __init__(
        self,
        engine: DuckEngine,
        scripts: Sequence[Script],
        tokens: Mapping[str, str],
        clock: datetime,
        still: bool = False,
    ) -> None:
        """``still``: the rows of the data have one order only."""
        self.engine, self.clock, self._tokens = engine, clock, tokens
        self.scripts = tuple(bound(script, tokens) for script in scripts)
        self.run, self.places = self._run(LEGACY, None)
        self.random = random_in(self.scripts)
        self._still = still and not self.random
        self._orders: dict[int, Places] = {}

    @cached_property
    def sensitive(self) -> bool:
        """Whether anything in the scripts could depend on the order of its input."""
        return bool(self.random) or is_sensitive(self.scripts)

    @property
    def shuffled(self) -> Places:
        """What the scripts leave when they run over the same rows in another order."""
        return self.reordered(0)

    def reordered(self, turn: int) -> Places:
        """The same, each `turn` in an order of its own."""
        if self._still:
            return self.places
        if turn not in self._orders:
            world = f"{SHUFFLED}_{turn}" if turn else SHUFFLED
            _, self._orders[turn] = self._run(world, SEED + turn)
        return self._orders[turn]

    def filled(self, name: str) -> str:
        """A name from the scripts with values in place of its placeholders."""
        return filled(name, self._tokens)

    def _run(self, world: str, shuffle: int | None) -> tuple[LegacyRun, Places]:
        self.engine.world(world, shuffle)
        self.engine.use(world)
        places = Places(self.engine, world)
        return run_scripts(places, self.engine.tables(DATA), self.scripts, self.clock), places


class Worlds:
    """Opens the data when the first test asks, and runs the scripts then; later tests with the
    same scripts get the same old side. The clock stands still for all of them.

    `seconds`: limit for each statement. `clock`: what all SQL takes for the present moment
    (default: now).
    """

    def __init__(
        self,
        data: Path | str | None,
        seconds: float | None = 600.0,
        clock: datetime | None = None,
    ) -> None:
        self.data, self._seconds = data, seconds
        self._clock = clock or datetime.now().replace(microsecond=0)
        self._side: OldSide | None = None
        self._scripts: Sequence[Script] = ()
        self._asked: object = None

    def old(
        self, scripts: Sequence[Script], values: Mapping[str, str], readable: Sequence[Path]
    ) -> OldSide:
        """The old side of `scripts`, with `values` for their placeholders; `readable` are the
        files that the new side reads. Raises EngineError and UsageError for the data."""
        tokens = tokens_of(scripts, values)
        asked = (tokens, list(map(str, readable)))
        if self._side is None or self._scripts is not scripts or self._asked != asked:
            self.close()
            engine = open_duckdb(self.data, seconds=self._seconds, readable=readable)
            try:
                self._side = OldSide(engine, scripts, tokens, self._clock)
            except BaseException:
                engine.close()
                raise
            self._scripts, self._asked = scripts, asked
        return self._side

    def close(self) -> None:
        """Give memory and spill space back."""
        if self._side is not None:
            self._side.engine.close()
            self._side = None

    def __enter__(self) -> Worlds:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def tokens_of(scripts: Sequence[Script], values: Mapping[str, str]) -> dict[str, str]:
    """Token (lower case) -> value, for every placeholder that has one."""
    masks = {id(s.masked): s.masked for script in scripts for s in script.statements[:1]}
    places = (place for masked in masks.values() for place in masked.placeholders)
    return {p.token.lower(): values[p.name] for p in places if p.name in values}


def random_in(scripts: Sequence[Script]) -> dict[str, list[str]]:
    """Path -> names of what in a script returns something else each time, sorted; of scripts that
    have any."""
    found = {
        script.source.path: sorted({n for s in script.statements for n in volatile(s.tree)})
        for script in scripts
    }
    return {path: names for path, names in found.items() if names}


def is_sensitive(scripts: Sequence[Script]) -> bool:
    """Whether anything in the scripts could depend on the order of its input."""
    return any(order_sensitive(s.tree) for script in scripts for s in script.statements)


def filled(masked: str, tokens: Mapping[str, str]) -> str:
    """Masked text with values in place of tokens; those without one stay."""
    return TOKEN.sub(lambda hit: tokens.get(hit.group().lower(), hit.group()), masked)


def bound(script: Script, tokens: Mapping[str, str]) -> Script:
    """The script with values in place of its placeholders; others stay what they are."""
    if not tokens or not script.statements or not script.statements[0].masked.placeholders:
        return script
    first = script.statements[0]
    source = Source(script.source.path, filled(first.masked.text, tokens), script.source.dialect)
    return parse(verbatim(source), first.dialect)
