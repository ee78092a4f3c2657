"""What a macro that is called everywhere says, said by calls of it also where it is a few lines.

    JOIN (SELECT client, url FROM technologies WHERE app = 'WordPress') USING (client, url)
 -> JOIN ({{ technologies_rows(columns='url', condition="app = 'WordPress'") }}) USING (client, url)

A macro is made for no columns of one table and a filter, nor for what saves a line or two: it is
one name more to know. A name that a dozen calls say is known already: for tables of the kind that
it is called after.

with_known_readings(library, ...) -> the library with such calls
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import texts
from unwet.rewrite.deadline import Over, never
from unwet.rewrite.library import LISTED, Library, called_by, says_all
from unwet.rewrite.limits import Limits
from unwet.rewrite.merging import Gain, Merging
from unwet.rewrite.one_macro import is_plain
from unwet.rewrite.readings import KNOWN, what_is_read
from unwet.rewrite.source_tables import Parameter, table_parameters

_LEAST: Final = 2  # lines that a call of it saves


def with_known_readings(
    library: Library,
    dialect: str,
    most: int,
    alone: Collection[str],
    names: AbstractSet[str],
    limits: Limits,
    over: Over = never,
) -> Library:
    """``most``: parameters of a macro; ``alone``: models that stay as they are, and the macros that
    they call; ``names``: what no macro may be called. No macro has a parameter more afterwards.
    No more is looked for when the time is ``over``."""
    stay = frozenset({*alone, *called_by(library, alone)})
    work = Merging(library, dialect, most, stay, names, limits, fewer=True, least=_LEAST)
    while not over() and _step(work):
        pass
    return work.library()


def _step(work: Merging) -> bool:
    """One call in each model and macro, where that saves most; whether there was any."""
    work.look_inside(trivial=True)
    found = sorted(_gains(work), key=lambda gain: (-gain.saved, gain.name, gain.taken))
    touched: set[str] = set()
    for gain in found:
        places = {gain.name, work.host(gain.taken)}
        if not places & touched and work.apply(gain):
            touched.add(work.host(gain.taken))
    return bool(touched)


def _gains(work: Merging) -> Iterator[Gain]:
    """What calls of known macros save in place of queries that read tables of the same kind."""
    schemas = table_parameters(work.library())
    queries = [
        (name, what)
        for name, (host, _, query) in work.inner.items()
        if _may_be_called(query) and (what := _what(host, query, schemas))
    ]
    for macro in _known(work):
        mine = _what(macro, work.tree(macro), schemas)
        for name, what in queries:
            gain = work.merged(macro, name) if what == mine and work.host(name) != macro else None
            if gain is not None and not gain.more:
                yield gain


def _what(host: str, query: exp.Expr, schemas: Mapping[Parameter, str]) -> str:
    """What a query reads first: under the name of a table nobody looks for another one."""
    source = query.args.get("from_")
    return what_is_read(host, source.this, schemas) if source is not None else ""


def _may_be_called(query: exp.Query) -> bool:
    """Whether no word in it means something where it stands only, and nobody has noted anything."""
    if any(node.comments for node in query.walk()):
        return False
    return not any(LISTED.search(text) for text in texts(query))


def _known(work: Merging) -> list[str]:
    """Macros that are queries and that everybody knows."""
    found = []
    for name, macro in work.macros.items():
        own = work.own.get(name, ())
        plain = macro.kind == "query" and is_plain(macro)
        if plain and len(own) >= KNOWN and says_all(macro, [work.calls[n] for n in own]):
            found.append(name)
    return found
