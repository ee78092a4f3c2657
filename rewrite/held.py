"""What each relation holds while the scripts of a pile run: of all, of the one that runs, and
until it ends.

Held(...).begins(unit, catalog) -> a script runs; current(name), put(definition)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from unwet.lineage.resolve import Resolved
from unwet.lineage.tables import Catalog
from unwet.rewrite.altered import Change
from unwet.rewrite.at_the_end import is_filled, may_write
from unwet.rewrite.definitions import Definition
from unwet.rewrite.in_turn import as_own, nearest, settled
from unwet.rewrite.script_order import Unit
from unwet.rewrite.shown_by_views import Shown, shown_anew, stale_under, temporaries_under


@dataclass
class Held:
    """``conflicts``: why nobody knows what a relation holds; ``in_turn``: those that several
    scripts fill, each anew; ``touched``: by relation, what text that nobody follows may write
    to it.

    The relations that are ``shared``, or the ``own`` ones of the script that runs, as it leaves
    some ``apart``; its ``temps``, of which some are ``scratch``, and what it has ``dropped``."""

    conflicts: Mapping[str, str]
    in_turn: frozenset[str]
    touched: Mapping[str, Mapping[str, int]]
    shown: Shown = field(default_factory=Shown)
    shared: dict[str, Definition] = field(default_factory=dict)
    temps: dict[str, Definition] = field(default_factory=dict)
    own: dict[str, Definition] = field(default_factory=dict)
    scratch: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()  # a report of its own from the start
    dropped: set[str] = field(default_factory=set)
    path: str = ""  # of the script that runs

    def begins(self, unit: Unit, catalog: Catalog) -> None:
        """A script runs; the temporary tables of the one before are gone."""
        self.temps, self.scratch, self.dropped = {}, unit.scratch, set()
        self.path, self.own = unit.path, {}
        self.apart = settled(unit, self.in_turn - unit.scratch, catalog.get)

    def ends(self) -> None:
        """What the script leaves in relations that several fill is a report of its own."""
        for name in (self.in_turn - self.scratch) & self.temps.keys():
            made = as_own(self.temps[name], self.path)
            self.shared[made.relation] = made

    def current(self, name: str) -> Definition | None:
        """What a name means to the script that runs."""
        return self.temps.get(name) or self.own.get(name) or self.shared.get(name)

    def put(self, definition: Definition) -> None:
        """A relation holds something else from here on."""
        if not definition.temp and (definition.of or definition.relation) in self.apart:
            problem = definition.problem or self._doubted(definition)
            self._keep_apart(replace(definition, problem=problem))
            return
        place = self.temps if definition.temp else self.shared
        before = place.get(definition.relation)
        if before is definition:
            return
        problem = definition.problem or self._doubted(definition)
        if problem:
            definition = replace(definition, plan=None, problem=problem)
        if before is not None and not definition.temp and definition.relation in self.conflicts:
            parts = tuple(dict.fromkeys((*before.parts, *definition.parts)))
            definition = replace(definition, parts=parts)  # nothing of either script is lost
        place[definition.relation] = definition
        if definition.temp and before is not None:
            self._outdate(before)
        if definition.temp or is_filled(before) or is_filled(definition):
            self.show_anew(definition.relation)
        self.shown.note(definition)

    def drop(self, name: str, path: str) -> Definition | None:
        """What another script than that at ``path`` has made stays, and is returned."""
        self.dropped.add(name)
        if self.temps.pop(name, None) is not None:
            return None
        made = self.own.pop(name, None)
        current = self.shared.get(made.relation if made is not None else name)
        if current is None or current.path != path:
            return current
        del self.shared[current.relation]
        self.show_anew(name)
        return None

    def meet(self, change: Change) -> None:
        """What nobody follows: views may show other rows from here on, and code that is run may
        have changed the temporary tables of its session."""
        for name in () if change.adds else self.shown.named(change.names | change.spaces):
            if not change.drops or name not in self.shared:
                self.show_anew(name)
        lasting = self.scratch | self.in_turn
        for name, made in [*self.temps.items()] if change.runs else ():
            if name[:1] != "@" and name not in lasting and not made.is_view:
                why = made.problem or f"line {change.line} runs code that may change it"
                self.put(replace(made, plan=None, problem=why))

    def _outdate(self, before: Definition) -> None:
        """Views over a temporary table show what it holds later; their models what it held."""
        for name, made in [*self.shared.items()]:
            own = made.path == self.path and before.relation in temporaries_under(made)
            if own and made.is_view:
                why = made.problem or f"it is a view over {before.relation}, which is changed later"
                self.shared[name] = replace(made, plan=None, problem=why)

    def show_anew(self, name: str) -> None:
        """Who has read a view over what changes now has read an earlier state of it, too."""
        for view in self.shown.above(name):
            made = self.shared.get(view)
            if made is not None and made.is_view:
                self.shared[view] = shown_anew(made)

    def _keep_apart(self, definition: Definition) -> None:
        made = as_own(definition, self.path)
        made = replace(made, plan=None) if made.problem else made
        self.own[made.of] = self.shared[made.relation] = made

    def _doubted(self, definition: Definition) -> str:
        """Why a relation's rows are uncertain whatever its statements say."""
        name = definition.of or definition.relation
        if not definition.temp and name in self.conflicts.keys() - self.in_turn:
            return self.conflicts[name]
        scripts = may_write(self.touched, name)
        writing = [s for s in scripts if s == definition.path or not definition.temp]
        if not writing:
            return ""
        line = scripts[writing[0]]
        return f"{writing[0]} has text that is not understood and may write to it: line {line}"

    def is_temp(self, resolved: Resolved) -> bool:
        """Whether what a statement fills is a temporary table, or like one."""
        return resolved.temp or resolved.target in self.scratch | (self.in_turn - self.apart)

    def near(self, name: str) -> Definition | None:
        """What the one script leaves in a relation that is nearer to the script that runs, by
        folders, than all others that fill it."""
        return nearest([d for d in self.shared.values() if d.of == name and d.parts], self.path)

    def broken(self, reads: Iterable[Definition]) -> str:
        """What is wrong with a temporary table that is read, or with a view over one."""
        for read in reads:
            if read.temp and read.problem:
                return f"it reads {read.relation}: {read.problem}"
            stale = stale_under(read, self.current, self.dropped) if read.is_view else None
            if stale is not None:
                return f"it reads the view {read.relation} over {stale.relation}, made anew since"
        return ""
