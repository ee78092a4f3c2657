"""Texts become records: the part of a check that parses. Imported only when a text is new."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import TypedDict

from sqlglot import exp

from unwet.lineage.findings import Finding, Span, whole
from unwet.lineage.names import deep_stack, relation_name
from unwet.lineage.parse import Script, parse
from unwet.lineage.pile import Pile, assemble
from unwet.lineage.schema import read_schema
from unwet.lineage.sources import Source, decode
from unwet.lineage.tables import Table, tail
from unwet.lineage.templating import mask
from unwet.rewrite.accepted import marks_of
from unwet.rewrite.blocks import Places
from unwet.rewrite.check.asked import Ask
from unwet.rewrite.check.copies import LINES_PER_DIFFERENCE
from unwet.rewrite.check.leaves import leaves
from unwet.rewrite.check.records import Alone, Block, Mark, Remark
from unwet.rewrite.check.texts import Text
from unwet.rewrite.fingerprint import literals
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.open_form import Register, opened
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.skeletons import skeleton
from unwet.rewrite.units import BARE, SIMPLE, Unit, units

TOLD = frozenset({"PARSE", "TOKENIZE", "UNREADABLE", "BINARY", "ENCODING", "EMPTY"})
_NEWLINE = re.compile(r"\r\n|\r|\n")
_LASTING = frozenset({"view", "ctas", "select_into"})
KEPT_PILES = 100  # so few changes take a third less; of all of a large pile they fill the memory
MANY_LEAVES = 300  # of a block: a larger one is compared for constants only
MANY_CONSTANTS = 200  # of one block that are kept one by one


class Shape(TypedDict):
    """The part of a block that says what it is but for its leaves."""

    skeleton: str
    leaves: tuple[str, ...]


@dataclass
class Reader:
    """Reads the texts of one pile; each is parsed once."""

    ask: Ask
    texts: Mapping[str, Text]
    _scripts: dict[str, tuple[Script, tuple[Finding, ...]]] = field(default_factory=dict)
    _normalizer: Normalizer = field(default_factory=Normalizer)
    _register: Register = field(default_factory=Register)
    _piles: dict[tuple[str, ...], Pile] = field(default_factory=dict)

    @cached_property
    def schema(self) -> tuple[Table, ...]:
        """The tables of the given schema."""
        return read_schema(self.ask.schema, self.ask.dialect)

    def alone(self, path: str) -> Alone:
        """What a text says without any other."""
        script, before = self._script(path)
        pile = self._shared([path])
        with deep_stack():
            made = {tail(name) for name in pile.studied.made}
            made |= {tail(w.target) for w in pile.writes if w.target}
            uses = pile.used
        found = [*before, *script.findings]
        return Alone(
            makes=tuple(sorted(made)),
            mentions=tuple(sorted(_mentioned(script))),
            uses=uses,
            notes=tuple(self._note(path, each) for each in found if each.code in TOLD),
            marks=self._marks(path),
        )

    def asked(self, company: Sequence[str]) -> Sequence[str]:
        """The relations of which it matters what columns the rest of the pile uses."""
        return self._shared(company).asked

    def blocks(
        self, path: str, company: Sequence[str], uses: Mapping[str, Sequence[str]]
    ) -> list[Block]:
        """The query blocks of a file that may be copies, read in its company."""
        pile = replace(self._shared(company), elsewhere=uses)
        self._piles.pop(tuple(company), None)
        with deep_stack():
            # the pile's names of functions would be those of this company, not of the whole pile
            meaning = Meaning(pile, self._normalizer, tells_functions=False)
            found = units(meaning, only={path})
            numbers = {id(unit): at for at, unit in enumerate(found)}
            places = Places()
            return [self._block(path, unit, numbers, places) for unit in found]

    def script(self, path: str) -> Script:
        """The statements of a text."""
        return self._script(path)[0]

    # --- scripts

    def _shared(self, company: Sequence[str]) -> Pile:
        """A pile that nobody has told anything yet; some are kept for the next question."""
        pile = self._piles.get(tuple(company)) or self._pile(company)
        if len(self._piles) < KEPT_PILES:
            self._piles[tuple(company)] = pile
        return pile

    def _pile(self, paths: Iterable[str]) -> Pile:
        scripts = tuple(self._script(path)[0] for path in paths)
        return assemble(scripts, self.schema, self.ask.default_schema)

    def _script(self, path: str) -> tuple[Script, tuple[Finding, ...]]:
        if path not in self._scripts:
            self._scripts[path] = self._parsed(self.texts[path])
        return self._scripts[path]

    def _parsed(self, text: Text) -> tuple[Script, tuple[Finding, ...]]:
        found: list[Finding] = []
        if text.trouble:
            found.append(Finding("UNREADABLE", text.trouble, whole(text.path)))
        if text.compiled is not None:
            words: str | None = text.compiled.text
        else:
            words, odd = decode(text.data, text.path)
            found += [odd] if odd is not None else []
        if words is not None and not words.strip() and not text.trouble:
            found.append(Finding("EMPTY", "file is empty", whole(text.path)))
        source = Source(text.path, words or "", self.ask.dialect or None)
        return parse(mask(source, self.ask.params), self.ask.dialect), tuple(found)

    # --- records

    def _note(self, path: str, finding: Finding) -> Remark:
        at = finding.at
        said = _said(self._script(path)[0].source.text, at)
        return Remark(finding.code, finding.message, finding.help, *self._own(path, at), said)

    def _marks(self, path: str) -> tuple[Mark, ...]:
        text = self.texts[path]
        raw = text.compiled.raw if text.compiled is not None else self._script(path)[0].source.text
        if "unwet:" not in raw:
            return ()
        found = sorted(marks_of(raw, self.ask.dialect).items())
        return tuple(Mark(line, m.at, m.codes, m.reason) for line, m in found)

    def _block(self, path: str, unit: Unit, numbers: Mapping[int, int], places: Places) -> Block:
        statement, node = unit.resolved.statement, unit.query.node
        span = statement.span if unit.whole else places.span(statement, node)
        line, column, end, end_column = self._own(path, span)
        is_copy = unit.triviality < BARE
        lines = tree_lines(node, statement.dialect) if is_copy else 0
        return Block(
            strict=unit.strict,
            recurring=unit.recurring,
            triviality=unit.triviality,
            whole=unit.whole,
            relation=unit.relation,
            readable=unit.whole and unit.resolved.kind in _LASTING and not unit.resolved.temp,
            line=line,
            column=column,
            end_line=end,
            end_column=end_column,
            lines=lines,
            around=tuple(numbers[id(each)] for each in unit.ancestors()),
            constants=_constants(unit) if is_copy else (),
            text=_hash(_said(statement.masked.source.text, span)),
            **self._shape(unit, lines),
        )

    def _shape(self, unit: Unit, lines: int) -> Shape:
        form = None
        if unit.triviality < SIMPLE and lines >= LINES_PER_DIFFERENCE:  # else none may differ
            form = opened(unit.rel, unit.names, self._register)
        if form is None:
            return Shape(skeleton="", leaves=())
        found = leaves(form, self._register, unit.resolved.statement.masked.restore)
        if len(found) > MANY_LEAVES:
            return Shape(skeleton="", leaves=())
        return Shape(skeleton=skeleton(form).hex(), leaves=found)

    def _own(self, path: str, at: Span) -> tuple[int, int, int, int]:
        """(line, column, last line, column behind) of a place in the file itself, as in Place."""
        early = at.end_column == 1 and at.end_line > at.line
        last = at.end_line - early
        compiled = self.texts[path].compiled
        if compiled is None:
            known = not early and (at.end_line, at.end_column) > (at.line, at.column)
            return at.line, at.column, last, at.end_column if known else 0
        first = compiled.line(at.line)
        return first, 1, max(first, compiled.line(last)), 0


def _mentioned(script: Script) -> set[str]:
    """The last parts of all names of relations."""
    return {
        tail(relation_name(table, statement.dialect))
        for statement in script.statements
        for table in statement.tree.find_all(exp.Table)
    }


def _constants(unit: Unit) -> tuple[str, ...]:
    """The literals that the recurring form leaves open, as they are written."""
    found = literals(unit.rel)
    restore = unit.resolved.statement.masked.restore
    kept = [restore(f"'{lit.text}'" if lit.kind == "string" else lit.text) for lit in found]
    if len(kept) <= MANY_CONSTANTS:
        return tuple(kept)
    return (*kept[:MANY_CONSTANTS], _hash("\n".join(kept)))


def _said(text: str, at: Span) -> str:
    """The words at a place, in one line."""
    lines = _NEWLINE.split(text)[at.line - 1 : at.end_line]
    if lines:
        lines[-1] = lines[-1][: at.end_column - 1] if at.end_column > 1 else lines[-1]
        lines[0] = lines[0][at.column - 1 :] if len(lines) > 1 or at.column > 1 else lines[0]
    return " ".join(" ".join(lines).split())


def _hash(text: str) -> str:
    return blake2b(text.lower().encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
