"""Text becomes trees. The only module that calls sqlglot's tokenizer and parser."""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, ParseError, TokenError, UnsupportedError
from sqlglot.tokenizer_core import Token

from unwet.lineage.edited import line_starts
from unwet.lineage.errors import RenderError, UnknownDialect
from unwet.lineage.findings import Finding, Span
from unwet.lineage.lexer import pieces
from unwet.lineage.sources import Source
from unwet.lineage.splitting import CONTROL, Chunk, resplit, split
from unwet.lineage.templating import Masked


@dataclass(frozen=True, slots=True)
class Statement:
    """One parsed statement; `text` is its masked text, `span` its place in the source.

    Nobody changes `tree`: copy it before editing.
    """

    path: str
    index: int
    span: Span
    text: str
    tree: exp.Expression
    dialect: str
    masked: Masked = field(repr=False)

    def span_of(self, node: exp.Expr) -> Span:
        """The smallest span around the names and literals of `node`; else the statement's."""
        starts: list[int] = []
        ends: list[int] = []
        for part in node.walk():
            if (start := part.meta.get("start")) is not None:
                starts.append(start)
                ends.append(part.meta["end"] + 1)
        return self.masked.span(min(starts), max(ends)) if starts else self.span


@dataclass(frozen=True, slots=True)
class Script:
    """All statements of one source that could be parsed, and findings for the rest."""

    source: Source
    statements: tuple[Statement, ...]
    findings: tuple[Finding, ...]
    lines: int


def check_dialect(name: str) -> str:
    """The name of a known dialect in lower case; raises UnknownDialect."""
    if name.lower() not in Dialect.classes:
        raise UnknownDialect(name, (known for known in Dialect.classes if known))
    return name.lower()


def parse(masked: Masked, dialect: str = "") -> Script:
    """Parse every statement on its own; what cannot be parsed is a finding with its span.

    The source's own dialect wins over `dialect`. Raises UnknownDialect.
    """
    name = check_dialect(masked.source.dialect or dialect)
    reader = _Reader(masked, name, Dialect.get_or_raise(name))
    with _parser_notes() as notes:
        for start, stop in reader.tokenizable():
            reader.read(start, stop, notes)
    lines = len(line_starts(masked.source.text))
    ordered = sorted((*masked.findings, *reader.findings), key=lambda finding: finding.at)
    return Script(masked.source, tuple(reader.statements), tuple(ordered), lines)


def render(tree: exp.Expr, dialect: str, pretty: bool = True) -> str:
    """The tree as SQL, comments kept; raises RenderError rather than drop what has no words."""
    try:
        with _parser_notes():
            return tree.sql(
                dialect=dialect,
                pretty=pretty,
                comments=True,
                unsupported_level=ErrorLevel.RAISE,
            )
    except UnsupportedError as error:
        raise RenderError(f"cannot be written in {dialect or 'standard SQL'}: {error}") from error


# --- reading ---------------------------------------------------------------------------------


class _Reader:
    """Collects the statements and findings of one masked text."""

    def __init__(self, masked: Masked, name: str, dialect: Dialect) -> None:
        self._masked, self._name, self._dialect = masked, name, dialect
        self._text = _delimited(masked.text)
        self._tokens: dict[tuple[int, int], list[Token]] = {}
        self._base = 0
        self.statements: list[Statement] = []
        self.findings: list[Finding] = []

    def tokenizable(self) -> Iterator[tuple[int, int]]:
        """Stretches of the text that the tokenizer accepts: all of it, unless a quote is open."""
        if self._try(0, len(self._text)):
            yield 0, len(self._text)
            return
        borders = [*_borders(self._text), len(self._text)]
        at = 0
        while at < len(borders) - 1:
            start, stop = borders[at], borders[at + 1]
            if self._try(start, stop):
                yield start, stop
            elif at + 2 < len(borders) and not self._try(stop, borders[at + 2]):
                if self._try(start, borders[at + 2]):
                    yield start, borders[at + 2]  # the string was meant to cross the border
                    at += 1
                else:
                    self._lose(start, stop)
            else:
                self._lose(start, stop)
            at += 1

    def read(self, start: int, stop: int, notes: list[str]) -> None:
        """Parse the statements of one stretch."""
        text, tokens = self._text[start:stop], self._tokens.pop((start, stop))
        self._base = start
        for chunk in split(tokens, text, self._name):
            if chunk.kind == CONTROL:
                self._control(tokens, chunk)
            else:
                self._statement(tokens, text, chunk, notes)

    def _try(self, start: int, stop: int) -> bool:
        try:
            tokens = self._dialect.tokenize(self._text[start:stop])
        except TokenError:
            return False
        self._tokens[start, stop] = tokens
        return True

    def _lose(self, start: int, stop: int) -> None:
        text = self._text[start:stop]
        open_at = next((p.start for p in pieces(text, self._name) if not p.closed), 0)
        shown = text[open_at : open_at + 30].split("\n")[0]
        message = f"never closed: {shown}" if text.strip() else "cannot be read"
        where = self._masked.span(start + open_at, start + open_at + 1)
        self.findings.append(
            Finding("TOKENIZE", message, where, help="close the quote or the comment")
        )

    def _control(self, tokens: Sequence[Token], chunk: Chunk) -> None:
        if not chunk.trivial:
            words = " ".join(token.text for token in tokens[chunk.first : chunk.last])
            self.findings.append(
                Finding(
                    "OPAQUE",
                    f"control flow not followed: {_short(words)}",
                    self._chunk_span(tokens, chunk),
                )
            )

    def _statement(
        self, tokens: Sequence[Token], text: str, chunk: Chunk, notes: list[str]
    ) -> None:
        trees, error = self._parse(tokens, text, chunk, notes)
        if error is not None:
            self._recover(tokens, text, chunk, error, notes)
        for tree in trees:
            self._keep(tokens, chunk, tree, notes)

    def _recover(
        self,
        tokens: Sequence[Token],
        text: str,
        chunk: Chunk,
        error: Finding,
        notes: list[str],
    ) -> None:
        """A forgotten semicolon: read the pieces if one of them can be read, else report."""
        parts = resplit(tokens, text, chunk)
        if len(parts) < 2:
            self.findings.append(error)
            return
        for part in parts:
            if part.kind == CONTROL:
                self._control(tokens, part)
                continue
            trees, problem = self._parse(tokens, text, part, notes)
            if problem is not None:
                self.findings.append(problem)
            for tree in trees:
                self._keep(tokens, part, tree, notes)

    def _parse(
        self, tokens: Sequence[Token], text: str, chunk: Chunk, notes: list[str]
    ) -> tuple[list[exp.Expression], Finding | None]:
        notes.clear()
        try:
            found = self._dialect.parser().parse(list(tokens[chunk.first : chunk.last]), text)
        except ParseError as error:
            return [], self._parse_error(tokens, text, chunk, error)
        except RecursionError:
            where = self._chunk_span(tokens, chunk)
            return [], Finding("PARSE", "nested too deeply to be parsed", where)
        return [tree for tree in found if isinstance(tree, exp.Expression)], None

    def _parse_error(
        self, tokens: Sequence[Token], text: str, chunk: Chunk, error: ParseError
    ) -> Finding:
        first = error.errors[0] if error.errors else {}
        reason = re.sub(
            r"<Token .*?text: (.*?), line.*?>", r"\1", str(first.get("description", ""))
        )
        near = str(first.get("highlight") or "")
        where = self._chunk_span(tokens, chunk)
        for token in tokens[chunk.first : chunk.last]:
            if (token.line, token.col) == (first.get("line"), first.get("col")):
                where = self._masked.span(self._base + token.start, self._base + token.end + 1)
                break
        message = f"{reason.strip().rstrip('.') or 'syntax error'}" + (
            f" near {near}" if near else ""
        )
        return Finding("PARSE", _short(self._masked.restore(message)), where)

    def _keep(
        self, tokens: Sequence[Token], chunk: Chunk, tree: exp.Expression, notes: list[str]
    ) -> None:
        span = self._chunk_span(tokens, chunk)
        start, stop = self._offsets(tokens, chunk)
        text = self._masked.text[start:stop]
        if self._base:
            _shift(tree, self._base)
        self.statements.append(
            Statement(
                self._masked.source.path,
                len(self.statements),
                span,
                text,
                tree,
                self._name,
                self._masked,
            )
        )
        self._report(tree, span, notes)

    def _report(self, tree: exp.Expression, span: Span, notes: list[str]) -> None:
        if isinstance(tree, exp.Command):
            what = f"not understood: {_short(str(tree.this))}"
            self.findings.append(Finding("OPAQUE", what, span))
        for note in () if isinstance(tree, exp.Command) else notes:
            self.findings.append(Finding("WARNING", _short(self._masked.restore(note)), span))
        notes.clear()

    def _offsets(self, tokens: Sequence[Token], chunk: Chunk) -> tuple[int, int]:
        first, last = tokens[chunk.first], tokens[chunk.last - 1]
        return self._base + first.start, self._base + last.end + 1

    def _chunk_span(self, tokens: Sequence[Token], chunk: Chunk) -> Span:
        return self._masked.span(*self._offsets(tokens, chunk))


def _shift(tree: exp.Expression, base: int) -> None:
    """Positions of a stretch become positions of the whole text."""
    for node in tree.walk():
        if "start" in node.meta:
            node.meta["start"] += base
            node.meta["end"] += base


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else line[:157] + "..."


# --- text around statements ------------------------------------------------------------------

_BORDER = re.compile(
    r"(?:;[ \t]*(?:--[^\n]*)?\r?\n|\n[ \t]*\r?\n|^[ \t]*GO[ \t]*\r?\n)(?=\s*(?:--|/\*|[A-Za-z(]))",
    re.I | re.M,
)
_DELIMITER = re.compile(r"^[ \t]*DELIMITER[ \t]+(\S+)[^\n]*", re.I | re.M)


def _borders(text: str) -> Iterator[int]:
    """Offsets where a statement probably begins, whatever the quotes say."""
    yield 0
    for hit in _BORDER.finditer(text):
        yield hit.end()


def _delimited(text: str) -> str:
    """MySQL's DELIMITER lines carried out: same length, only semicolons."""
    marks = list(_DELIMITER.finditer(text))
    if not marks:
        return text
    parts = [text[: marks[0].start()]]
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        body = text[mark.end() : following.start() if following else len(text)]
        sign = mark[1]
        if sign != ";":
            body = body.replace(sign, ";" + " " * (len(sign) - 1))
        parts += [" " * len(mark.group()), body]
    return "".join(parts)


@contextmanager
def _parser_notes() -> Iterator[list[str]]:
    """What sqlglot would print while the block runs, as a list instead."""
    notes: list[str] = []
    handler, logger = logging.Handler(), logging.getLogger("sqlglot")
    handler.emit = lambda record: notes.append(record.getMessage())  # type: ignore[method-assign]
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield notes
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
