"""Stars over tables whose columns are declared become lists of these columns:

    SELECT * FROM t  =  SELECT a, b FROM t      where t is declared to have just a and b

Only a star that decides which columns a model has (``handed_on``), and only in the end, as what
repeats is found just as well without. A list that several models would have is one model that they
read, a staging model of that source, if this makes fewer lines; or if the table is an argument:

    SELECT * FROM t WHERE p  =  SELECT * FROM s WHERE p      where s is SELECT a, b FROM t

The project is proved after it, like after anything else. That the table has no other columns by
then is taken for granted, and said so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.stars import USING_IN_PLACE
from unwet.rewrite.compose import Draft, Outside
from unwet.rewrite.handed_on import HandedOn, StarOver, copies
from unwet.rewrite.library import HOLE, Library, MacroCall, all_said_in, said_for, users_of
from unwet.rewrite.listed_columns import items_listed, may_be_staged, names_listed, why_not_listed
from unwet.rewrite.naming import free, snake
from unwet.rewrite.project import OpenStar, Project

_FILE: Final = 6  # lines that one more model has to save: SELECT, FROM, and a file to open

_Names = tuple[exp.Identifier, ...]
_Parameter = tuple[str, str]  # of a macro: its name and that one's


@dataclass(frozen=True, slots=True)
class Listed:
    """A project with columns listed: of which relations, and in which models; ``refused``: names
    that a model would have, which nobody wants."""

    project: Project
    relations: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()

    @property
    def assumptions(self) -> frozenset[str]:
        """What the lists take for granted."""
        end = "has the columns that are declared, no others"
        return frozenset(f"{relation} {end}" for relation in self.relations)


def with_columns_listed(
    project: Project, spoken: str, stay: AbstractSet[str], forbidden: AbstractSet[str]
) -> Listed:
    """``spoken``: the dialect of the old scripts; ``stay``: models that keep their words;
    ``forbidden``: names of what is never made."""
    return _Listing(project, spoken, stay, forbidden).run()


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A star to be written out, in a model or macro; ``names``: the lists of its sources, by the
    nodes of these."""

    host: str
    star: StarOver
    names: Mapping[int, _Names]

    @property
    def sources(self) -> tuple[exp.Table, ...]:
        return tuple(table for table in self.star.tables if id(table) in self.names)

    @property
    def whole(self) -> bool:
        """Whether its tables are written out together, or none is."""
        return bool(self.star.merged) or any(self.star.star.args.values())


@dataclass(slots=True, eq=False)
class _Listing:
    project: Project
    spoken: str
    stay: AbstractSet[str]
    forbidden: AbstractSet[str]
    users: Mapping[str, frozenset[str]] = field(init=False)
    sources: Mapping[str, Outside] = field(init=False)
    open: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    handed: dict[_Parameter, set[str]] = field(default_factory=dict)  # the sources it may be
    refused: set[str] = field(default_factory=set)
    _names: dict[str, _Names | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.users = users_of(self.project.library)
        self.sources = {outside.token: outside for outside in self.project.outside()}

    def run(self) -> Listed:
        trees, found = copies(self.project.library)
        places = [place for host, stars in found.items() for place in self._places(host, stars)]
        hosts = {place.host for place in places} | {macro for macro, _ in self.handed}
        staged = self._staged(places)
        tokens = {t.name for p in places for t in p.sources} | set().union(*self.handed.values())
        for place in places:
            self._write(place, staged)
        made = self._made(trees, staged) if hosts else self.project
        opened = sorted((*key, tuple(sorted(names))) for key, names in self.open.items())
        return Listed(
            replace(made, stars=tuple(OpenStar(*each) for each in opened)),
            frozenset(self.sources[token].relation for token in tokens),
            frozenset().union(*(self.users[host] for host in hosts)),
            frozenset(self.refused),
        )

    # --- where

    def _places(self, host: str, found: HandedOn) -> Iterator[_Place]:
        users = self.users[host]
        for table, why in found.odd:
            self._note(table.name, why, users)
        for star in found.stars:
            if self.stay.isdisjoint(users):
                if (names := self._lists(host, star)) is not None:
                    place = _Place(host, star, names)
                    if why := self._why_not(place):
                        self._note_all(star, why, users)
                    elif names:
                        yield place
            else:
                self._note_all(star, "nothing else is the same as its author's words", users)

    def _lists(self, host: str, star: StarOver) -> dict[int, _Names] | None:
        """The columns of its sources; None where the star stays, as one of the tables is not known.
        A table that is a parameter is told by calls."""
        found: dict[int, _Names] = {}
        for table in star.tables:
            if table.name.lower() in self.sources:
                names = self._known(table.name, self.users[host])
                if names is None:
                    return None
                found[id(table)] = names
            elif not self._is_model(host, table.name):
                return None
        return found

    def _is_model(self, host: str, name: str) -> bool:
        hole = HOLE.fullmatch(name)
        return name.lower().startswith("ref__") or bool(hole and self._is_handed(host, hole[1]))

    def _is_handed(self, macro: str, parameter: str) -> bool:
        """Whether calls of a macro say declared sources, or models, for a parameter."""
        waiting, found = [(macro, parameter)], dict[_Parameter, set[str]]()
        while waiting:
            key = waiting.pop()
            if key in found:
                continue
            found[key] = set()
            for host, text in said_for(self.project.library, *key):
                hole = HOLE.fullmatch(text)
                if hole and host:
                    waiting.append((host, hole[1]))
                elif text in self.sources:
                    if self._known(text, self.users[macro]) is None:
                        return False
                    found[key].add(text)
                elif not text.startswith("ref__"):
                    return False
        self.handed.update(found)
        return True

    def _why_not(self, place: _Place) -> str:
        """Why a star is no list of columns that are known; empty where it is one."""
        star = place.star
        if place.whole and len(place.names) < len(star.tables):
            return "it is of several tables"
        for names in place.names.values():
            if items_listed(names, star.star, "", self.project.dialect) is None:
                return "it leaves out or replaces what is not declared"
        if star.merged and not _merges_in_order(place):
            return "where columns of USING stand is not certain"
        return ""

    def _known(self, token: str, users: frozenset[str]) -> _Names | None:
        if token not in self._names:
            self._names[token] = self._list(token)
        found = self._names[token]
        if isinstance(found, str):
            self._note(token, found, users)
            return None
        return found

    def _list(self, token: str) -> _Names | str:
        table = self.project.catalog.get(self.sources[token].relation)
        if table is None or (why := why_not_listed(table)):
            return why if table is not None else "nothing declares its columns"
        dialect = self.project.dialect
        listed = names_listed(table, self.spoken == dialect, dialect)
        return listed or "a column has a name that means another one in the project's dialect"

    def _note(self, token: str, why: str, users: frozenset[str]) -> None:
        if token.lower() in self.sources:
            self.open[self.sources[token.lower()].relation, why] |= users

    def _note_all(self, star: StarOver, why: str, users: frozenset[str]) -> None:
        for table in star.tables:
            self._note(table.name, why, users)

    # --- what instead

    def _staged(self, places: Sequence[_Place]) -> dict[str, str]:
        """By token of a source: the name of the new model that lists its columns."""
        counts: dict[str, int] = defaultdict(int)
        for place in places:
            for table in place.sources:
                counts[table.name] += may_be_staged(place.star.select, table)
        handed = set().union(*self.handed.values())
        names: dict[str, str] = {}
        taken = {*self.project.library.hosts, *self.project.reports}
        for token in sorted({*counts, *handed}):
            found = self._names[token]
            if token not in handed and (counts[token] - 1) * len(found) <= _FILE:
                continue
            wanted = self.sources[token].staging
            if wanted in self.forbidden:
                self.refused.add(wanted)
                continue
            names[token] = free(wanted, taken)
            taken.add(names[token])
        return names

    def _write(self, place: _Place, staged: Mapping[str, str]) -> None:
        """In place: the models that have lists instead of their tables, and lists of the others."""
        star = place.star
        read = [t for t in place.sources if t.name in staged and may_be_staged(star.select, t)]
        if place.whole and len(read) < len(place.sources):
            read = []
        rest = {id(table) for table in place.sources} - {*map(id, read)}
        if rest:
            items = [*self._items(place, rest)]
            items[0].comments = star.item.comments
            star.select.set("expressions", [
                each for item in star.select.expressions
                for each in (items if item is star.item else [item])
            ])  # fmt: skip
        for table in read:
            table.set("this", exp.to_identifier(f"ref__{staged[table.name]}__ref"))

    def _items(self, place: _Place, rest: AbstractSet[int]) -> Iterator[exp.Expr]:
        """The items instead of a star; of what is not in the ``rest`` all columns, as before."""
        star = place.star
        if star.alone and not star.qualified:
            yield from self._of(place, star.tables[0], "")
            return
        in_place = self.project.dialect in USING_IN_PLACE
        merged = () if in_place else star.merged
        yield from (self._of(place, star.tables[0], "")[at] for at in _positions(place, merged))
        for each in star.inputs:
            called = each.alias or self._called(each, star)
            if id(each) not in rest:
                yield exp.Column(this=exp.Star(), table=exp.to_identifier(called))
                continue
            assert isinstance(each, exp.Table)
            for item in self._of(place, each, called):
                if item.output_name.lower() not in star.merged:
                    yield item
                elif in_place and each is star.tables[0]:
                    yield exp.Column(this=item.this)

    def _of(self, place: _Place, table: exp.Table, called: str) -> Sequence[exp.Expr]:
        names = place.names[id(table)]
        found = items_listed(names, place.star.star, called, self.project.dialect)
        assert found is not None  # it fits
        return found

    def _called(self, each: exp.Expr, star: StarOver) -> str:
        """In place: the alias of a table that has none; what a name is, the project decides."""
        name = each.name
        if not name.lower().startswith(("src__", "ref__")):
            return name  # a CTE
        source = self.sources.get(name.lower())
        word = snake(source.table) if source is not None else name[len("ref__") : -len("__ref")]
        around = star.select.find_all(exp.Table, exp.Subquery, exp.CTE)
        alias = free(word, {other.alias_or_name.lower() for other in around if other is not each})
        each.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
        return alias

    # --- the project

    def _made(self, trees: Mapping[str, exp.Expr], staged: Mapping[str, str]) -> Project:
        library = self._library(trees, staged)
        new = [self._stage(token, name) for token, name in staged.items()]
        made = {**library.models, **{draft.name: draft.tree for draft in new}}
        names = {f"ref__{name}__ref": name for name in staged.values()}

        def also(draft: Draft) -> Draft:
            said = all_said_in(library, draft.name) if names else frozenset()
            more = {name for token, name in names.items() if token in said}
            return replace(draft, refs=tuple(sorted({*draft.refs, *more}))) if more else draft

        return replace(
            self.project,
            drafts=tuple(map(also, self.project.drafts)),
            intermediates=(*new, *map(also, self.project.intermediates)),
            library=replace(library, models=made),
        )

    def _library(self, trees: Mapping[str, exp.Expr], staged: Mapping[str, str]) -> Library:
        """The library with what is written otherwise, and other arguments."""
        library = self.project.library
        models = {name: trees.get(name, tree) for name, tree in library.models.items()}

        def read(macro: str, parameter: str, text: str) -> str:
            model = staged.get(text) if (macro, parameter) in self.handed else None
            return text if model is None else f"ref__{model}__ref"

        def call(each: MacroCall) -> MacroCall:
            args, unsaid = (
                tuple((p, replace(leaf, text=read(each.macro, p, leaf.text))) for p, leaf in some)
                for some in (each.args, each.unsaid)
            )
            return replace(each, args=args, unsaid=unsaid)

        macros = tuple(
            replace(
                macro,
                tree=trees.get(macro.name, macro.tree),
                defaults={p: read(macro.name, p, text) for p, text in macro.defaults.items()},
            )
            for macro in library.macros
        )
        return replace(library, models=models, macros=macros, calls=(*map(call, library.calls),))

    def _stage(self, token: str, name: str) -> Draft:
        names = self._names[token]
        items = [exp.Column(this=each.copy()) for each in names if isinstance(each, exp.Identifier)]
        table = exp.Table(this=exp.to_identifier(token))
        tree = exp.Select(expressions=items, from_=exp.From(this=table))
        return Draft(name, tree, (self.sources[token],), ())


def _positions(place: _Place, merged: Sequence[str]) -> list[int]:
    """Where the columns of USING stand among those of the first table."""
    names = [name.name.lower() for name in place.names[id(place.star.tables[0])]] if merged else []
    return [names.index(name) for name in merged]


def _merges_in_order(place: _Place) -> bool:
    """Whether each table has the columns of USING, and the first one in that order: in which of the
    two orders they come first, engines part."""
    names = [[name.name.lower() for name in place.names[id(t)]] for t in place.star.tables]
    merged = place.star.merged
    if not all({*merged} <= {*each} for each in names):
        return False
    return _positions(place, merged) == sorted(_positions(place, merged))
