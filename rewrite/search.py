"""Search: where a column, an expression or a table is defined and used. Logic, not text.

search(pile, Wanted("revenue"))            -> outputs of that name, what is computed from them
search(pile, Wanted("orders.amount"))      -> the base column, whatever it is called on the way
search(pile, Wanted(expression="sum(?)"))  -> expressions of that shape, however they are written
search(pile, Wanted(table="orders"))       -> what makes it, what reads it
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, Literal

from sqlglot import exp

from unwet.lineage.errors import UsageError
from unwet.lineage.findings import Span
from unwet.lineage.names import deep_stack
from unwet.lineage.parse import parse
from unwet.lineage.pile import Pile
from unwet.lineage.sources import Source
from unwet.lineage.tables import tail
from unwet.lineage.templating import verbatim
from unwet.rewrite.algebra import Col, Expr
from unwet.rewrite.blocks import Places
from unwet.rewrite.matching import found_in
from unwet.rewrite.reads import relations
from unwet.rewrite.spoken import Saying, Words, sayings

What = Literal["definition", "use"]
Match = Literal["exact", "traced", "similar"]
"""``traced``: so when columns are written out as what they are computed from; ``similar``: a name
with this word in it, or an expression with other constants."""

SUGGESTIONS: Final = 3
_WIDEST: Final = 400  # characters of an expression that is told


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched: a name of a column (``revenue``, ``orders.amount``), or the shape of an
    expression in which ``?`` is any constant, or a table."""

    name: str = ""
    expression: str = ""
    table: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A place; ``relation``: the CTE, alias or target of the query that it is in."""

    path: str
    line: int
    column: int
    end_line: int
    relation: str


@dataclass(frozen=True, slots=True)
class Hit:
    """What is said at one place or more. ``clause``: select, where, having, qualify, on; or from
    and make of a table. ``name``: of an output, or of a table."""

    what: What
    match: Match
    clause: str
    name: str
    expression: str
    places: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The hits, best first; names that may have been meant when there are none."""

    hits: tuple[Hit, ...]
    suggestions: tuple[str, ...] = ()


def search(pile: Pile, wanted: Wanted) -> Found:
    """Everything that the pile says about what is wanted.

    Definitions before uses, exact matches before similar ones, what is said most often first.
    Equal definitions are one hit, whatever their aliases. Raises UsageError for an expression
    that cannot be read."""
    with deep_stack():
        finder = _Finder(pile)
        if wanted.expression:
            finder.expression(wanted.expression)
        elif wanted.table:
            finder.table(wanted.table)
        else:
            finder.name(wanted.name)
            if not finder.hits():
                finder.table(wanted.name)
        hits = finder.hits()
        if hits:
            return Found(hits)
        return Found((), finder.suggestions(wanted.table or wanted.name))


_Key = tuple[What, Match, str, str, str]  # what, how, clause, name, digest


@dataclass
class _Finder:
    pile: Pile
    words: Words = field(init=False)
    _places: Places = field(default_factory=Places)
    _found: dict[_Key, dict[Spot, str]] = field(default_factory=lambda: defaultdict(dict))
    _names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.words = Words(self.pile)

    # --- a column

    def name(self, name: str) -> None:
        """Outputs of a name, and what reads a column of it."""
        relation, _, column = name.lower().rpartition(".")
        for saying in sayings(self.pile):
            self._names.add(saying.name)
            if relation:
                self._note_traced(saying, relation, column)
            else:
                self._note_named(saying, column)

    def _note_named(self, saying: Saying, name: str) -> None:
        said = saying.name.lower()
        hands_on = saying.is_bare and isinstance(saying.node, exp.Column)
        if said == name and not (hands_on and saying.node.name.lower() == name):
            self._note("definition", "exact", saying, self._digest(saying))
        elif name in said.split("_") and not hands_on:
            self._note("definition", "similar", saying, self._digest(saying))
        if hands_on and said == name and saying.node.name.lower() == name:
            self._note("use", "exact", saying, "as it is", name)
        elif any(column.name.lower() == name for column in _columns(saying.node)):
            self._note("use", "exact", saying, self._digest(saying))

    def _note_traced(self, saying: Saying, relation: str, name: str) -> None:
        """Uses of a base column under whatever name, and outputs of a relation that is made."""
        if saying.name.lower() == name and _is(saying.label, relation):
            self._note("definition", "exact", saying, self._digest(saying))
            return
        tracer = self.words.tracer
        for column in _columns(saying.node):
            term = tracer.term(saying.query, column, saying.clause)
            if not isinstance(term, Col):
                continue
            table, base = tracer.terms.names[term.index]
            self._names.add(f"{tail(table)}.{base}")
            if base.lower() == name and _is(table, relation):
                digest = "as it is" if saying.is_bare else self._digest(saying)
                self._note("use", "exact", saying, digest, name if saying.is_bare else "")
                return

    def _digest(self, saying: Saying) -> str:
        """What equal definitions share."""
        term = self.words.base(saying) or self.words.written(saying)
        return term.digest.hex() if term is not None else _text(saying).lower()

    # --- an expression

    def expression(self, text: str) -> None:
        """Expressions that have a part of this shape."""
        pattern = self.words.plain(_parsed(text, self._dialect()))
        if pattern is None:
            raise UsageError(f"no expression of columns: {text}", "write one without a query in it")
        loose = self.words.terms.masked(pattern)
        for saying in sayings(self.pile):
            written, traced = self.words.written(saying), self.words.traced(saying)
            hit = self._matched(pattern, "exact", written) or self._matched(
                pattern, "traced", traced
            )
            if hit is None and loose != pattern and written is not None:
                hit = self._matched(loose, "similar", self.words.terms.masked(written))
            if hit is not None:
                self._note_part(saying, *hit)

    def _matched(
        self, pattern: Expr, match: Match, term: Expr | None
    ) -> tuple[Match, Expr, Expr] | None:
        part = found_in(pattern, term) if term is not None else None
        return (match, part, term) if part is not None and term is not None else None

    def _note_part(self, saying: Saying, match: Match, part: Expr, term: Expr) -> None:
        """A whole output is a definition; what is only a part of something is a use."""
        if part == term and saying.name and match != "traced":
            self._note("definition", match, saying, part.digest.hex())
        else:
            self._note("use", match, saying, term.digest.hex(), node=self._node(saying, part))

    def _node(self, saying: Saying, part: Expr) -> exp.Expr:
        """The syntax behind a part of a term, the whole where it is spelled otherwise."""
        for node in saying.node.walk():
            if isinstance(node, (exp.Column, exp.Identifier, exp.Literal)):
                continue
            if (term := self.words.plain(node)) is not None and term == part:
                return node
        return saying.node

    def _dialect(self) -> str:
        return next((each.statement.dialect for each in self.pile.resolved), "")

    # --- a table

    def table(self, name: str) -> None:
        """What makes a table, and what reads it."""
        for resolved in self.pile.resolved:
            statement, restore = resolved.statement, resolved.statement.masked.restore
            if resolved.target:
                target = restore(resolved.target)
                self._note_table("definition", "make", target, name, resolved.kind, statement.span)
            if resolved.query is None:
                continue
            for item in relations(resolved.query):
                read = restore(item.relation or "")
                span = self._places.item(statement, item.node)
                label = restore(resolved.target or "")
                self._note_table("use", "from", read, name, f"FROM {read}", span, label)

    def _note_table(
        self, what: What, clause: str, found: str, wanted: str, text: str, at: Span, label: str = ""
    ) -> None:
        self._names.add(found)
        if _is(found, wanted):
            match: Match = "exact"
        elif wanted.lower() in tail(found).lower().split("_"):
            match = "similar"
        else:
            return
        spot = Spot(at.path, at.line, at.column, at.end_line, label)
        self._found[what, match, clause, found, text.lower()][spot] = text

    # --- hits

    def _note(
        self,
        what: What,
        match: Match,
        saying: Saying,
        digest: str,
        name: str = "",
        node: exp.Expr | None = None,
    ) -> None:
        at = saying.resolved.statement.span_of(node or saying.node)
        spot = Spot(at.path, at.line, at.column, at.end_line, saying.label)
        name = saying.name if what == "definition" else name
        self._found[what, match, saying.clause, name.lower(), digest][spot] = _text(saying)

    def hits(self) -> tuple[Hit, ...]:
        """Best first."""
        made = []
        for (what, match, clause, name, _), spots in self._found.items():
            first = min(spots)
            made.append(Hit(what, match, clause, name, spots[first], tuple(sorted(spots))))
        made.sort(key=_rank)
        return tuple(made)

    def suggestions(self, name: str) -> tuple[str, ...]:
        """Names that are spelled nearly like one."""
        known = {each.lower() for each in self._names if each}
        known |= {tail(each) for each in known}
        return tuple(get_close_matches(name.lower(), sorted(known), SUGGESTIONS))


_ORDER: Final[tuple[Match, ...]] = ("exact", "traced", "similar")


def _rank(hit: Hit) -> tuple[bool, int, int, Spot, str]:
    match = _ORDER.index(hit.match)
    return hit.what == "use", match, -len(hit.places), hit.places[0], hit.name


def _is(name: str, wanted: str) -> bool:
    """Whether a relation is meant: by its whole name or the end of it."""
    name, wanted = name.lower(), wanted.lower()
    return name == wanted or name.endswith(f".{wanted}")


def _columns(node: exp.Expr) -> Iterator[exp.Column]:
    """The columns of an expression itself, not those of queries inside."""
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, exp.Column):
            yield part
        elif not isinstance(part, exp.Query):
            stack.extend(part.iter_expressions())


def _text(saying: Saying) -> str:
    statement = saying.resolved.statement
    text = saying.node.sql(dialect=statement.dialect or None, comments=False)
    text = statement.masked.restore(text)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."


def _parsed(text: str, dialect: str) -> exp.Expression:
    """The tree of an expression that somebody typed."""
    script = parse(verbatim(Source("expression", f"SELECT {text}", dialect)), dialect)
    trees = [statement.tree for statement in script.statements]
    if script.findings or len(trees) != 1 or len(getattr(trees[0], "expressions", ())) != 1:
        reason = script.findings[0].message if script.findings else "it is not one expression"
        hint = "write it as in a SELECT list; --dialect NAME says whose SQL it is"
        raise UsageError(f"cannot read the expression {text!r}: {reason}", hint)
    found = trees[0].expressions[0].unalias()
    assert isinstance(found, exp.Expression)
    return found
