"""Text becomes trees. The only module that calls sqlglot's parser; `printing` has the way back."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError
from sqlglot.tokenizer_core import Token, TokenType

from unwet.lineage.block_names import PROCEDURE, BlockNames
from unwet.lineage.bodies import bodies, loop_rows, recovered
from unwet.lineage.days_between import mark_days
from unwet.lineage.deletions import with_their_tables
from unwet.lineage.dialects import lexis
from unwet.lineage.earlier_states import with_their_states
from unwet.lineage.error_handlers import on_errors
from unwet.lineage.errors import UnknownDialect
from unwet.lineage.findings import Finding, Span
from unwet.lineage.languages import is_javascript
from unwet.lineage.misprints import body_of, misprint
from unwet.lineage.nesting import too_deep
from unwet.lineage.parser_notes import parser_notes
from unwet.lineage.parser_words import told
from unwet.lineage.phrases import plain
from unwet.lineage.rows import Left, long_runs
from unwet.lineage.separators import with_separators
from unwet.lineage.server_commands import filled_by_call, jump, server_command, told_as
from unwet.lineage.sources import Source
from unwet.lineage.splitting import CONTROL, Chunk, resplit, split
from unwet.lineage.taken_for_others import mark_functions
from unwet.lineage.templating import Masked
from unwet.lineage.tokenizing import Lost, Stretch, prepare, tokenize

# Asked for once: an Enum computes each access to a member, and there is one per token.
_OPENS, _CLOSES = TokenType.L_PAREN, TokenType.R_PAREN


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
    start: int = 0  # offset in the masked text
    # that its script has declared, and arguments of the routine around it, in lower case
    variables: frozenset[str] = frozenset()
    on_error: bool = False  # whether it runs only where something has failed

    @property
    def again(self) -> bool:
        """Whether it is another reading of a text that a statement before it has read, too."""
        return self.masked.is_again(self.start)

    def span_of(self, node: exp.Expr) -> Span:
        """The smallest span around the names and literals of `node`; else the statement's."""
        starts: list[int] = []
        ends: list[int] = []
        for part in node.walk():  # a joined name has no end
            start, end = part.meta.get("start"), part.meta.get("end")
            if start is not None and end is not None and not self._implied(part, start, end):
                starts.append(start)
                ends.append(end + 1)
        return self.masked.span(min(starts), max(ends)) if starts else self.span

    def _implied(self, part: exp.Expr, start: int, end: int) -> bool:
        """Whether the parser has made it up: DuckDB's DECIMAL is DECIMAL(18, 3), and these digits
        have their places in that word."""
        if not isinstance(part.parent, exp.DataTypeParam):
            return False
        return start < self.start or self.masked.text[start : end + 1] != part.name


@dataclass(frozen=True, slots=True)
class Script:
    """All statements of one source that could be parsed, and findings for the rest.

    `left`: stretches of the source that a template leaves out and that may be read all the same.

    `inner`: those in bodies of routines and other strings. When and whether they run is not
    known, so that they count for lineage only.
    """

    source: Source
    statements: tuple[Statement, ...]
    findings: tuple[Finding, ...]
    lines: int
    inner: tuple[Statement, ...] = ()
    left: tuple[tuple[int, int], ...] = ()

    @property
    def twice(self) -> bool:
        """Whether its text is read twice, as a template decides what is in it."""
        return any(s.masked.is_again(len(s.masked.text) - 1) for s in self.statements[:1])


def check_dialect(name: str) -> str:
    """The name of a known dialect in lower case; raises UnknownDialect."""
    if Dialect.get(name.lower()) is None and name:
        raise UnknownDialect(name, (known for known in Dialect.classes if known))
    return name.lower()


def parse(masked: Masked, dialect: str = "") -> Script:
    """Parse every statement on its own; what cannot be parsed is a finding with its span.

    The source's own dialect wins over `dialect`. Raises UnknownDialect.
    """
    name = check_dialect(masked.source.dialect or dialect)
    with parser_notes() as notes:
        reader = _Reader(masked, name, notes)
        reader.read()
    source = masked.source
    findings = sorted((*masked.findings, *reader.findings), key=lambda finding: finding.at)
    statements, inner = tuple(reader.statements), tuple(reader.inner)
    return Script(source, statements, tuple(findings), masked.lines, inner, masked.left)


NOT_SQL: Final = "mend the text; or it is SQL of another --dialect than this one"

# X'1F' is a string of bits there, or a number where one is wanted (their manuals, "Bit-String
# Constants" and "Hexadecimal Literals"); elsewhere it is bytes
BIT_STRINGS = frozenset({"postgres", "redshift", "materialize", "risingwave", "mysql",
                         "singlestore", "doris", "starrocks"})  # fmt: skip


def _mark_bits(tokens: Sequence[Token], trees: Sequence[exp.Expr | None]) -> None:
    """The parser has one node for bits and bytes: those of bits say so."""
    if any(token.token_type is TokenType.HEX_STRING for token in tokens):
        for node in (n for tree in trees if tree is not None for n in tree.find_all(exp.HexString)):
            node.set("bits", True)


# Formats that the parser takes for another one, and that are printed as that: YYYY is the year of
# the week in Hive ("SimpleDateFormat" in Java's manual), DATENAME(dy, ...) the day of the year in
# T-SQL, %-d has no blank before it in BigQuery, % is itself in PostgreSQL.
_HIVE_FORMATS = re.compile(r"'[^']*'|(Y)")
_STRINGS = frozenset({TokenType.STRING, TokenType.NATIONAL_STRING, TokenType.RAW_STRING})
_LIKE_HIVE = frozenset({"hive", "spark", "spark2", "databricks"})
_LIKE_POSTGRES = frozenset({"postgres", "redshift", "materialize", "risingwave"})


def _is_merged(text: str, dialect: str) -> bool:
    """Whether a format means another than what the parser makes of it."""
    if dialect in _LIKE_HIVE:
        return any(hit[1] for hit in _HIVE_FORMATS.finditer(text))
    if dialect == "tsql":
        return text.lower() in ("dy", "y")
    if dialect == "bigquery":
        return "%-d" in text
    return dialect in _LIKE_POSTGRES and "%" in text


def _mark_formats(
    tokens: Sequence[Token], trees: Sequence[exp.Expr | None], name: str, dialect: Dialect
) -> None:
    """A format that stands for another one says how it was written."""
    merged: dict[str, set[str]] = {}
    parts = (t for f, _, t in zip(tokens, tokens[1:], tokens[2:], strict=False)
             if f.text.upper() == "DATENAME")  # fmt: skip
    texts = (token for token in tokens if token.token_type in _STRINGS)
    for token in (*texts, *parts):
        if _is_merged(token.text, name):
            read = dialect.format_time(exp.Literal.string(token.text))
            merged.setdefault(read.name if read is not None else "", set()).add(token.text)
    if not merged:
        return
    for node in (n for tree in trees if tree is not None for n in tree.find_all(exp.Func)):
        said = node.args.get("format")
        if isinstance(said, exp.Literal) and said.name in merged:
            node.set("written", ", ".join(sorted(merged[said.name])))


# BigQuery's other names of INT64 ("Data types", "Integer type")
_INTEGERS = frozenset({TokenType.INT, TokenType.SMALLINT, TokenType.TINYINT})
_SMALLER = frozenset({exp.DType.INT, exp.DType.SMALLINT, exp.DType.TINYINT})


def _as_one_integer(trees: Sequence[exp.Expr | None]) -> None:
    """INT, SMALLINT and the like are INT64 there, as they are printed."""
    for node in (n for tree in trees if tree is not None for n in tree.find_all(exp.DataType)):
        if node.this in _SMALLER:
            node.set("this", exp.DType.BIGINT)


# TIMESTAMP has a time zone there (Databricks SQL, "TIMESTAMP type"; Spark SQL, "Data types")
_ONE_TIMESTAMP = frozenset({"databricks", "spark", "spark2"})


def _as_written_out(tokens: Sequence[Token], trees: Sequence[exp.Expr | None]) -> None:
    """What the functions `to_timestamp(x)` and `timestamp(x)` make has the type of a cast to
    TIMESTAMP, as which they are printed; the parser takes it for the one without a time zone."""
    if any("timestamp" in token.text.lower() for token in tokens):
        for node in (n for tree in trees if tree is not None for n in tree.find_all(exp.DataType)):
            if node.this == exp.DType.TIMESTAMP:
                node.set("this", exp.DType.TIMESTAMPTZ)


def _has_column_all(tokens: Sequence[Token]) -> bool:
    """Whether a name in quotes is what the parser takes for the word of ORDER BY ALL."""
    return any(t.token_type is TokenType.IDENTIFIER and t.text.upper() == "ALL" for t in tokens)


def _by_all(first: Token, second: Token) -> bool:
    plain_word = second.token_type is not TokenType.IDENTIFIER
    return plain_word and (first.text.upper(), second.text.upper()) == ("BY", "ALL")


def _as_columns(trees: Sequence[exp.Expr | None]) -> None:
    """In place: ORDER BY "all" is by a column."""
    for item in (n for tree in trees if tree is not None for n in tree.find_all(exp.Ordered)):
        if isinstance(item.this, exp.Var) and item.this.name.upper() == "ALL":
            item.set("this", exp.column(exp.to_identifier("all", quoted=True)))


def _ends_in_comma(token: Token, after: Token) -> bool:
    return token.token_type is TokenType.COMMA and after.token_type is TokenType.R_PAREN


def _as_subqueries(trees: Sequence[exp.Expr | None]) -> None:
    """(SELECT a,) is a query: the parser takes the comma for that of a tuple."""
    for one in [n for tree in trees if tree is not None for n in tree.find_all(exp.Tuple)]:
        match one.expressions:
            case [exp.Select() as query] if one.parent is not None:
                one.replace(exp.Subquery(this=query))


# --- reading ---------------------------------------------------------------------------------

Outcome = exp.Expression | Finding
# Seen on broken SQL, where a ParseError was due; a file must not be lost over it.
_PARSER_BUGS = (TypeError, ValueError, AttributeError, LookupError, AssertionError)


class _Reader:
    """Collects the statements and findings of one masked text."""

    def __init__(self, masked: Masked, name: str, notes: list[str]) -> None:
        self._masked, self._name, self._notes = masked, name, notes
        self._dialect = Dialect.get_or_raise(name)
        self._bare = lexis(name).bare_statements
        self._matches = "MATCH_RECOGNIZE" in masked.text.upper()
        self.statements: list[Statement] = []
        self.findings: list[Finding] = []
        self.inner: list[Statement] = []
        self._variables = BlockNames(name)
        self._handled: tuple[tuple[int, int], ...] = ()
        self._long: tuple[Left, ...] = ()
        self._loops: list[tuple[int, int, str, str]] = []  # index, offset, variable, its rows

    def read(self) -> None:
        """Read the whole text."""
        self._long = long_runs(self._masked.text, self._name)
        self._handled = on_errors(self._masked.text, self._name)
        self._read_text(self._masked.text, 0)
        self._read_bodies()

    def _read_text(self, text: str, base: int) -> None:
        """Read a part of the masked text that begins at offset `base`."""
        for part in tokenize(prepare(text, self._name), self._name):
            match part:
                case Lost(at, near):
                    where = self._masked.span(base + at, base + at + 1)
                    help = "close the quote or the comment"
                    shown = self._masked.restore(near)
                    self._find("TOKENIZE", f"never closed: {shown}", where, help)
                case Stretch():
                    part = replace(part, start=part.start + base) if base else part
                    for chunk in split(part.tokens, part.text, self._name):
                        self._read_chunk(part, chunk)

    def _read_bodies(self) -> None:
        """The statements inside strings, after all others; what is odd there is told as such."""
        outer, found = list(self.statements), list(self.findings)
        for statement in outer:
            carried = [*bodies(statement.text, self._name)]
            if not carried and isinstance(statement.tree, exp.Command):
                carried = [body] if (body := recovered(statement.text)) else []
            for body in carried:
                before = len(self.statements)
                self._read_text(body.text, statement.start + body.start)
                if body.to:
                    made = (_unloaded(each, body.to) for each in self.statements[before:])
                    self.statements[before:] = made
        for index, start, variable, text in self._loops:
            before = len(self.statements)
            self._read_text(text, start)
            made = (_looped(each, variable, index) for each in self.statements[before:])
            self.statements[before:] = made
        self.inner, self.statements = self.statements[len(outer) :], outer
        inside = self.findings[len(found) :]
        self.findings = [*found, *(_told_inside(f) for f in inside if f.code != "OPAQUE")]

    def _read_chunk(self, part: Stretch, chunk: Chunk) -> None:
        outcome = self._outcome(part, chunk)
        if not self._bare and _is_doubtful(outcome):
            pieces = resplit(part.tokens, part.text, chunk)
            outcomes = [self._outcome(part, piece) for piece in pieces]
            if len(pieces) > 1 and not all(map(_is_doubtful, outcomes)):
                for piece, found in zip(pieces, outcomes, strict=True):
                    if _is_doubtful(found) and not _is_balanced(part, piece):
                        rest = Chunk(piece.first, chunk.last)  # what follows may be its tail
                        self._take(part, rest, self._outcome(part, rest))
                        return
                    self._take(part, piece, found)  # a semicolon was forgotten
                return
            outcome = self._outcome(part, chunk)
        self._take(part, chunk, outcome)

    def _take(self, part: Stretch, chunk: Chunk, outcome: Outcome | None) -> None:
        match self._told_by_server(part, chunk, outcome):
            case Finding() as outcome:
                self.findings.append(outcome)
            case exp.Expression() as outcome:
                self._keep(part, chunk, outcome)
            case None:
                pass

    def _told_by_server(
        self, part: Stretch, chunk: Chunk, outcome: Outcome | None
    ) -> Outcome | None:
        """What is no query for the parser, and a command for the server."""
        match outcome:
            case Finding(code="PARSE") | exp.Column() | exp.Alias() | exp.Dot():
                tokens = part.tokens[chunk.first : chunk.last]
                if said := jump(tokens, self._name):
                    return Finding("OPAQUE", f"{UNFOLLOWED}: {said}", self._span(part, chunk))
                if isinstance(outcome, Finding) and (said := filled_by_call(tokens)):
                    return Finding("PARSE", said, self._span(part, chunk))
                return server_command(tokens, part.text, self._name) or outcome
            case _:
                return outcome

    def _outcome(self, part: Stretch, chunk: Chunk) -> Outcome | None:
        """The tree of a chunk, a finding in its place, or None for an empty statement."""
        self._notes.clear()
        if chunk.kind == CONTROL:
            self._note_loop(part, chunk)
            words = [token.text for token in part.tokens[chunk.first : chunk.last + 1]]
            inside = chunk.last - chunk.first
            self._variables.border(words[:inside], "".join(words[inside:]))
            return self._control(part, chunk)
        tokens, note = plain(list(part.tokens[chunk.first : chunk.last]), self._name)
        if declaring := self._variables.declaration(tokens):
            return exp.Command(this=declaring, expression="")
        if self._bare and tokens[0].token_type in (TokenType.COMMAND, TokenType.FETCH):
            rest = part.text[tokens[0].end + 1 : tokens[-1].end + 1]
            return exp.Command(this=tokens[0].text.upper(), expression=rest.strip())
        try:
            if too_deep(tokens, part.text, self._dialect):
                raise RecursionError
            trees = self._dialect.parser().parse(tokens, part.text)
            self._notes.extend([note] if note else ())
            if self._name in BIT_STRINGS:
                _mark_bits(tokens, trees)
            if self._name == "databricks":
                mark_days(tokens, trees)
            if self._name == "bigquery" and any(t.token_type in _INTEGERS for t in tokens):
                _as_one_integer(trees)
            if self._name in _ONE_TIMESTAMP:
                _as_written_out(tokens, trees)
            _mark_formats(tokens, trees, self._name, self._dialect)
            mark_functions(tokens, trees, self._name)
            with_separators(trees, self._name)
            if any(map(_ends_in_comma, tokens, tokens[1:])):
                _as_subqueries(trees)
            with_their_tables(trees, self._name)
            with_their_states(trees, self._name)
            if _has_column_all(tokens):
                if any(map(_by_all, tokens, tokens[1:])):
                    raise ParseError('ORDER BY ALL beside a column "all"')
                _as_columns(trees)
        except ParseError as error:
            return self._parse_error(part, chunk, error)
        except RecursionError:
            where = self._span(part, chunk)
            return Finding("PARSE", "nested too deeply to be parsed", where)
        except _PARSER_BUGS as error:
            message = f"the parser itself failed: {type(error).__name__}: {_short(str(error))}"
            return Finding("PARSE", message, self._span(part, chunk))
        tree = next((tree for tree in trees if isinstance(tree, exp.Expression)), None)
        if isinstance(tree, exp.Command) and (wrong := self._wrong_body(part, chunk, tokens)):
            return wrong
        why = self._misread(tree, tokens) if tree is not None else ""
        return Finding("PARSE", why, self._span(part, chunk)) if why else tree

    def _wrong_body(self, part: Stretch, chunk: Chunk, tokens: list[Token]) -> Finding | None:
        """What is wrong in the query of a CREATE that the parser takes for text as a whole."""
        if not (first := body_of(tokens)):
            return None
        try:
            self._dialect.parser().parse(tokens[first:], part.text)
        except ParseError as error:
            return self._parse_error(part, chunk, error)
        except (RecursionError, *_PARSER_BUGS):
            return None  # it stays a text
        return None

    def _misread(self, tree: exp.Expression, tokens: Sequence[Token]) -> str:
        """Why a tree is not what the text says, or cannot be printed; empty where it is."""
        if self._matches:
            found = tree.find_all(exp.MatchRecognize)
            if any(not node.args.get("define") for node in found):  # no printer can write it
                return "MATCH_RECOGNIZE without DEFINE"
        if self._name not in _RUN_COMMENTS or tree.find(exp.Select) is None:
            return ""
        run = any(text.startswith("!") for token in tokens for text in token.comments)
        return "a comment that the server runs: /*! ... */" if run else ""

    def _note_loop(self, part: Stretch, chunk: Chunk) -> None:
        """FOR r IN (query) LOOP: inside, r is a row of the query."""
        start, stop = _offsets(part, chunk)
        loop = loop_rows(self._masked.text[start:stop])
        if loop is not None:
            self._loops.append((len(self.statements) - 1, start, *loop))

    def _control(self, part: Stretch, chunk: Chunk) -> Finding | None:
        if chunk.trivial:
            return None
        start, stop = _offsets(part, chunk)
        header = self._masked.restore(self._masked.text[start:stop])
        where = self._span(part, chunk)
        shown = _short(header)
        said = AS_IF_RUN if PROCEDURE.match(shown) else UNFOLLOWED
        return Finding("OPAQUE", f"{said}: {shown}", where)

    def _parse_error(self, part: Stretch, chunk: Chunk, error: ParseError) -> Finding:
        first = error.errors[0] if error.errors else {}
        place = first.get("line"), first.get("col")
        tokens = part.tokens[chunk.first : chunk.last]
        at = next((n for n, each in enumerate(tokens) if (each.line, each.col) == place), None)
        if at is None:
            return Finding("PARSE", self._told(first), self._span(part, chunk), NOT_SQL)
        if (wrong := misprint(tokens, at)) is not None:
            token, meant = wrong
            message = f"{token.text} for {meant}? {self._told(first)}"
            return Finding("PARSE", message, self._token_span(part, token), f"write {meant}")
        return Finding("PARSE", self._told(first), self._token_span(part, tokens[at]), NOT_SQL)

    def _told(self, error: Mapping[str, object]) -> str:
        said = told(str(error.get("description") or ""), str(error.get("highlight") or ""))
        return _short(self._masked.restore(said))

    def _keep(self, part: Stretch, chunk: Chunk, tree: exp.Expression) -> None:
        start, stop = _offsets(part, chunk)
        cut = next((run for run in self._long if start < run.start <= stop), None)
        span = self._masked.span(start, stop := max(stop, cut.stop if cut else 0))
        _shift(tree, part.start)
        _sign_quotients(tree, self._name)
        path, index = self._masked.source.path, len(self.statements)
        text = self._masked.text[start:stop]
        names = self._variables.names
        on_error = any(first <= start < last for first, last in self._handled)
        self.statements.append(
            Statement(
                path, index, span, text, tree, self._name, self._masked, start, names, on_error
            )
        )
        if isinstance(tree, exp.Declare):
            self._variables.add(_variables(tree))
        elif isinstance(tree, exp.Set) and self._name in _ONE_TIMESTAMP:
            self._variables.add(_set_variables(tree))
        if cut is not None:
            message = f"only the first {cut.kept:,} of {cut.rows:,} rows are read"
            self._find("BUDGET", message, span, "load them from a file")
        if (opaque := _opaque(tree)) is not None:
            self._find("OPAQUE", opaque, span)
        elif self._notes:
            self._find("WARNING", _short(self._masked.restore("; ".join(self._notes))), span)

    def _find(self, code: str, message: str, at: Span, help: str = "") -> None:
        self.findings.append(Finding(code, message, at, help))

    def _span(self, part: Stretch, chunk: Chunk) -> Span:
        return self._masked.span(*_offsets(part, chunk))

    def _token_span(self, part: Stretch, token: Token) -> Span:
        return self._masked.span(part.start + token.start, part.start + token.end + 1)


def _unloaded(statement: Statement, to: str) -> Statement:
    """UNLOAD ('query') TO 'place' is COPY (query) TO 'place'."""
    place = exp.Literal.string(to)
    copy = exp.Copy(this=exp.Subquery(this=statement.tree), kind=False, files=[place])
    return replace(statement, tree=copy)


def _looped(statement: Statement, variable: str, index: int) -> Statement:
    """The rows of a loop as a temporary table, which statements after `index` can read."""
    name, kind = exp.to_identifier(variable), exp.Properties(expressions=[exp.TemporaryProperty()])
    made = exp.Create(
        this=exp.Table(this=name), kind="TABLE", expression=statement.tree, properties=kind
    )
    return replace(statement, tree=made, index=index)


def _variables(tree: exp.Declare) -> Iterator[str]:
    """The names that DECLARE a, b INT64 makes, in lower case."""
    for item in tree.expressions:
        named = item.this if isinstance(item.this, list) else [item.this]
        yield from (each.name.lower() for each in named if isinstance(each, exp.Identifier))


def _set_variables(tree: exp.Set) -> Iterator[str]:
    """The names that SET VAR a = 1 sets, which may be declared elsewhere; in lower case."""
    for item in tree.expressions:
        if str(item.args.get("kind") or "").upper() in ("VAR", "VARIABLE") and item.this:
            yield from (each.name.lower() for each in item.this.this.find_all(exp.Column))


def _told_inside(found: Finding) -> Finding:
    """What is wrong in a body is not wrong with the script around it."""
    if found.code not in ("PARSE", "TOKENIZE"):
        return found
    return replace(found, code="OPAQUE", message=f"part of a body not understood: {found.message}")


def _is_doubtful(outcome: Outcome | None) -> bool:
    """Not parsed, or only taken as text although it does not begin like a command."""
    if isinstance(outcome, exp.Command):
        return str(outcome.this).upper() in ("CREATE", "ALTER", "DROP", "WITH", "SELECT")
    return not isinstance(outcome, exp.Expression)


def _is_balanced(part: Stretch, chunk: Chunk) -> bool:
    """Whether each parenthesis of the chunk has its other half in it."""
    depth = lowest = 0
    for token in part.tokens[chunk.first : chunk.last]:
        kind = token.token_type
        depth += (kind == _OPENS) - (kind == _CLOSES)
        lowest = min(lowest, depth)
    return depth == lowest == 0


def _opaque(tree: exp.Expression) -> str | None:
    """What of a parsed statement is not looked into, in words."""
    match tree:
        case exp.Command():
            return f"not understood: {_short(told_as(tree))}"
        case exp.Execute() if isinstance(tree.this, exp.Var):
            return f"not followed: {tree.this.name}"
        case exp.Execute():
            return "what it executes is not followed"
        case exp.Create() if _has_queries(tree):
            return f"body of {str(tree.args['kind']).lower()} not followed"
        case exp.IfBlock() | exp.WhileBlock() | exp.Block():
            return UNFOLLOWED
        case _:
            return None


def _has_queries(create: exp.Create) -> bool:
    """Procedures, and functions whose quoted body holds SQL; in JavaScript it is only words."""
    kind, body = str(create.args.get("kind")).upper(), create.args.get("expression")
    if kind == "PROCEDURE":
        return True
    quoted = isinstance(body, exp.Heredoc | exp.RawString | exp.Literal | exp.Block)
    may_hold = kind == "FUNCTION" and quoted and not is_javascript(create)
    return may_hold and bool(_QUERY.search(str(body)))


UNFOLLOWED: Final = "control flow not followed"
AS_IF_RUN = "its statements are read as if it had run"  # of a procedure
_QUERY = re.compile(r"\bselect\b.*\bfrom\b", re.I | re.S)


def _offsets(part: Stretch, chunk: Chunk) -> tuple[int, int]:
    first, last = part.tokens[chunk.first], part.tokens[chunk.last - 1]
    return part.start + first.start, part.start + last.end + 1


def _shift(tree: exp.Expression, base: int) -> None:
    """Positions within a stretch become positions in the whole text."""
    if not base:
        return
    for node in tree.walk():
        if "start" in node.meta:
            node.meta["start"] += base
            if node.meta.get("end") is not None:  # a joined name has none
                node.meta["end"] += base


SIGNED: Final = "dialect"
"""The note of a quotient whose type its operands decide, where SUM of BIGINT is no integer
(PostgreSQL, 9.21; Redshift, "SUM function"): trees do not tell whose they are."""

_SIGNING: Final = frozenset({"postgres", "materialize", "risingwave", "redshift"})


def _sign_quotients(tree: exp.Expression, dialect: str) -> None:
    if dialect in _SIGNING:
        for node in tree.find_all(exp.Div):
            node.meta[SIGNED] = dialect


# "Comments" in MySQL's manual: what stands in /*! ... */ is SQL there
_RUN_COMMENTS: Final = frozenset({"mysql", "singlestore", "doris", "starrocks"})


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else line[:157] + "..."
