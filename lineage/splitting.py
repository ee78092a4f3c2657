"""Tokens become chunks, one statement each, so that a bad statement loses only itself.

Statements end at a semicolon, at a GO line, at the border of a BEGIN..END block, and in T-SQL
wherever the next statement begins on a new line. Headers of blocks (IF, WHILE, CREATE PROCEDURE)
are chunks of their own: what they contain are ordinary statements.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlglot.tokenizer_core import Token, TokenType

from unwet.lineage.dialects import lexis

STATEMENT, CONTROL = "statement", "control"
# Asked for once: an Enum computes each access to a member, and there is one per token.
_OPEN, _CLOSE, _SEMICOLON = TokenType.L_PAREN, TokenType.R_PAREN, TokenType.SEMICOLON
_ENDS = (TokenType.STRING, TokenType.IDENTIFIER, TokenType.STAR)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STARTERS = _words(
    "SELECT WITH INSERT UPDATE DELETE MERGE CREATE ALTER DROP TRUNCATE DECLARE SET EXEC"
    " EXECUTE IF WHILE BEGIN END ELSE PRINT RETURN USE GRANT REVOKE DENY COMMIT ROLLBACK"
    " RAISERROR THROW BREAK CONTINUE WAITFOR OPEN CLOSE FETCH DEALLOCATE GOTO BULK DBCC"
    " SAVE"
)
# a statement does not end after one of these
_OPEN_ENDED = _words(
    "AS UNION ALL EXCEPT INTERSECT DISTINCT OR AND NOT ON IN FROM JOIN SELECT WHERE BY"
    " THEN WHEN ELSE FOR OF AFTER INTO SET TABLE VIEW EXISTS HAVING CASE LIKE BETWEEN"
    " ORDER GROUP VALUES USING UPDATE DELETE INSERT COLUMN ADD DROP ALTER CREATE REPLACE"
    " DEFAULT IF WITH TOP APPLY EXPLAIN ANALYZE"
)
_PHRASES = frozenset({"UPDATE STATISTICS"})  # tokens of two words
_OPERATORS = _words(", ( . = < > <= >= <> != + - * / % || && | & ^ :: := =>")
_VERBS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"})
_SOURCES = frozenset({"SELECT", "VALUES", "EXEC", "EXECUTE", "DEFAULT", "WITH", "TABLE"})
_ROUTINES = frozenset({"PROC", "PROCEDURE", "FUNCTION", "TRIGGER"})
_TRANSACTION = frozenset({"TRAN", "TRANSACTION", "WORK", "DISTRIBUTED"})
_LABELED = frozenset({"LOOP", "REPEAT", "WHILE", "FOR", "BEGIN"})
_ENDINGS = frozenset({"IF", "LOOP", "WHILE", "FOR", "REPEAT", "CASE", "TRY", "CATCH"})


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tokens [first, last) of one statement, or of a block header (`control`).

    `trivial`: a header that says nothing about which rows there are (BEGIN, END, IF EXISTS...).
    """

    first: int
    last: int
    kind: str = STATEMENT
    trivial: bool = False


def split(tokens: Sequence[Token], text: str, dialect: str | None) -> list[Chunk]:
    """Cut the tokens of `text` into chunks; separators belong to none."""
    return list(_Splitter(tokens, text, lexis(dialect).bare_statements).chunks())


def resplit(tokens: Sequence[Token], text: str, chunk: Chunk) -> list[Chunk]:
    """The pieces of a chunk when statements may follow each other without a semicolon."""
    part = tokens[chunk.first : chunk.last]
    pieces = _Splitter(part, text, True).chunks()
    return [
        Chunk(piece.first + chunk.first, piece.last + chunk.first, piece.kind, piece.trivial)
        for piece in pieces
    ]


class _Splitter:
    def __init__(self, tokens: Sequence[Token], text: str, bare: bool) -> None:
        self._tokens, self._text, self._bare = tokens, text, bare
        self._words = ["" if t.token_type in _QUOTED else t.text.upper() for t in tokens]
        self._marks = [at for at, word in enumerate(self._words) if word in _MARKS]

    def chunks(self) -> Iterator[Chunk]:
        at, count = 0, len(self._tokens)
        while at < count:
            if self._separates(at):
                at += 1
            elif self._is_go(at):
                at = self._after_line(at)
            elif (end := self._control_end(at)) > at:
                yield Chunk(at, end, CONTROL, self._is_trivial(at, end))
                at = end
            else:
                end = self._statement_end(at)
                yield Chunk(at, end)
                at = end

    # --- borders ---

    def _separates(self, at: int) -> bool:
        if self._tokens[at].token_type == _SEMICOLON:
            return True
        return self._tokens[at].text == "/" and self._line_starts(at) and self._line_ends(at)

    def _line_starts(self, at: int) -> bool:
        if at == 0:
            return True
        between = self._text[self._tokens[at - 1].end + 1 : self._tokens[at].start]
        return "\n" in between or "\r" in between

    def _line_ends(self, at: int) -> bool:
        return at + 1 >= len(self._tokens) or self._line_starts(at + 1)

    def _is_go(self, at: int) -> bool:
        if self._words[at] != "GO" or not self._line_starts(at):
            return False
        number = at + 1 < len(self._tokens) and self._tokens[at + 1].text.isdigit()
        return self._line_ends(at) or (number and self._line_ends(at + 1))

    def _after_line(self, at: int) -> int:
        while not self._line_ends(at):
            at += 1
        return at + 1

    def _statement_end(self, first: int) -> int:
        depth = cases = 0
        for mark in range(bisect_left(self._marks, first), len(self._marks)):
            at = self._marks[mark]
            word = self._words[at]
            if self._separates(at) or (at > first and self._is_go(at)):
                return at
            if word == "(":
                depth += 1
            elif word == ")":
                depth = max(0, depth - 1)
            elif word == "CASE":
                cases += 1
            elif word == "END" and cases:
                cases -= 1
            elif not depth and not cases and at > first and self._begins(first, at):
                return at
        return len(self._tokens)

    def _begins(self, first: int, at: int) -> bool:
        """Whether another statement begins at `at`, without a semicolon before it."""
        word = self._words[at]
        if word == "END" or (word == "ELSE" and self._bare):
            return self._tokens[at - 1].text not in _OPERATORS
        if word not in _STARTERS | _PHRASES or not self._line_starts(at):
            return False
        if not self._bare or self._expects_more(first, at):
            return False
        return self._may_begin(first, at)

    def _expects_more(self, first: int, at: int) -> bool:
        before = self._tokens[at - 1]
        if self._words[first] == "SET":  # SET NOCOUNT ON
            return before.text in _OPERATORS
        if before.token_type in _ENDS:
            return False
        return self._words[at - 1] in _OPEN_ENDED or before.text in _OPERATORS

    def _may_begin(self, first: int, at: int) -> bool:
        word, after, head = self._words[at], self._word(at + 1), self._words[first]
        before = self._words[first:at]
        match word:
            case "WITH":
                if head in ("CREATE", "ALTER") and "VIEW" in before and "AS" not in before:
                    return False  # CREATE VIEW v WITH SCHEMABINDING AS ...
                return self._is_cte(at) and not self._awaits_query(head, before)
            case "SELECT" | "EXEC" | "EXECUTE":
                return not self._awaits_query(head, before)
            case "INSERT" | "UPDATE" | "DELETE" | "MERGE":
                return not (head == "WITH" and self._awaits_verb_in(before))
            case "SET":
                return not (head in ("UPDATE", "ALTER", "MERGE", "WITH") and "SET" not in before)
            case "DROP" | "ALTER":
                return after not in ("COLUMN", "CONSTRAINT", "PARTITION")
            case "IF":
                return after != "EXISTS" or before[-1] not in ("TABLE", "VIEW", "DATABASE")
            case "FETCH":  # FETCH NEXT 3 ROWS ONLY is a query's, FETCH NEXT FROM a cursor's
                return after not in ("NEXT", "FIRST") or self._word(at + 2) == "FROM"
            case _:
                return True

    def _awaits_query(self, head: str, before: list[str]) -> bool:
        if head == "INSERT":
            return not _SOURCES & set(before)
        if head == "WITH":
            return self._awaits_verb_in(before)
        if head in ("CREATE", "ALTER"):  # CREATE VIEW v AS WITH a AS (...)
            pairs = pairwise(before)
            found = next((i for i, pair in enumerate(pairs) if pair == ("AS", "WITH")), None)
            return found is not None and self._awaits_verb_in(before[found + 2 :])
        return False

    def _awaits_verb_in(self, words: list[str]) -> bool:
        """Whether WITH a AS (...) still lacks the statement it serves, or its query."""
        depth = 0
        for at, word in enumerate(words):
            depth += (word == "(") - (word == ")")
            if depth == 0 and word in _VERBS:
                return word == "INSERT" and not _SOURCES & set(words[at + 1 :])
        return True

    def _is_cte(self, at: int) -> bool:
        return self._word(at + 1) == "RECURSIVE" or self._word(at + 2) in ("AS", "(")

    # --- control ---

    def _control_end(self, at: int) -> int:
        """The end of the block header at `at`; `at` itself when there is none."""
        match self._words[at]:
            case "BEGIN":
                return self._begin_end(at)
            case "END":
                return self._end_end(at)
            case "ELSE" | "LOOP" | "REPEAT" | "DO" if self._word(at + 1) != "$":
                return at + 1 if self._words[at] != "DO" else at
            case "IF" | "WHILE" | "ELSEIF" | "ELSIF" | "FOR":
                return self._condition_end(at)
            case "CREATE" | "ALTER":
                return self._routine_end(at)
            case "EXCEPTION" | "WHEN" if not self._bare:
                return self._handler_end(at)
            case "<" | "<<":
                return self._label_end(at)
            case _ if (
                not self._bare and self._word(at + 1) == ":" and self._word(at + 2) in _LABELED
            ):
                return at + 2
            case _:
                return at

    def _label_end(self, at: int) -> int:
        """<<label>>, whose signs some dialects have as two each."""
        words = self._words[at : at + 5]
        if words[0] == "<<":
            return at + 3 if words[2:3] == [">>"] else at
        return at + 5 if words[:2] == ["<", "<"] and words[3:] == [">", ">"] else at

    def _begin_end(self, at: int) -> int:
        after = self._word(at + 1)
        if after in _TRANSACTION:
            return at
        return at + 2 if after in ("TRY", "CATCH") else at + 1

    def _end_end(self, at: int) -> int:
        end = at + 1
        if self._word(end) in _ENDINGS and (
            not self._line_starts(end) or self._word(end) in ("TRY", "CATCH")
        ):
            end += 1
        return end

    def _condition_end(self, at: int) -> int:
        """IF and WHILE: up to THEN, DO, LOOP or, in T-SQL, the first statement."""
        depth = 0
        for here in range(at + 1, len(self._tokens)):
            word, sign = self._words[here], self._tokens[here].token_type
            depth += (sign == _OPEN) - (sign == _CLOSE)
            if depth:
                continue
            if word in ("THEN", "DO", "LOOP") and not self._bare:
                return here + 1
            if self._separates(here):
                return here
            if self._bare and word in _STARTERS and self._word(here + 1) != "(":
                return here
        return len(self._tokens)

    def _handler_end(self, at: int) -> int:
        """EXCEPTION WHEN ERROR THEN, WHEN OTHERS THEN: what follows runs on errors."""
        for here in range(at + 1, len(self._tokens)):
            if self._words[here] == "THEN":
                return here + 1
            if self._separates(here):
                break
        return at

    def _routine_end(self, at: int) -> int:
        """CREATE PROCEDURE ...: up to its body; functions that are one query stay whole."""
        kinds = [word for word in self._words[at + 1 : at + 5] if word in _ROUTINES]
        if not kinds:
            return at
        depth = 0
        for here in range(at + 2, len(self._tokens)):
            word, sign = self._words[here], self._tokens[here].token_type
            depth += (sign == _OPEN) - (sign == _CLOSE)
            if self._separates(here) or (depth == 0 and self._is_go(here)):
                return at
            if depth == 0 and word == "BEGIN":
                return here
            follows = self._word(here + 1)
            if self._bare and depth == 0 and word == "AS" and follows in _STARTERS - {"RETURN"}:
                return here + 1
        return at

    def _is_trivial(self, first: int, end: int) -> bool:
        words = self._words[first:end]
        if words[0] not in ("IF", "ELSEIF", "ELSIF", "WHILE", "FOR"):
            return words[0] not in ("CREATE", "ALTER", "LOOP", "REPEAT")
        return bool(_EXISTENCE & set(words)) or self._asks_catalog(first, end)

    def _asks_catalog(self, first: int, end: int) -> bool:
        names = {token.text.lower() for token in self._tokens[first:end]}
        return bool(names & {"sys", "sysobjects", "information_schema", "dual"})

    def _word(self, at: int) -> str:
        return self._words[at] if at < len(self._words) else ""


_EXISTENCE = frozenset(
    {"OBJECT_ID", "COL_LENGTH", "DB_ID", "SCHEMA_ID", "TYPE_ID", "INDEXPROPERTY"}
)
_QUOTED = frozenset(
    {TokenType.STRING, TokenType.IDENTIFIER, TokenType.NATIONAL_STRING, TokenType.RAW_STRING}
)
_MARKS = _STARTERS | _PHRASES | {"CASE", "(", ")", ";", "/", "GO"}  # all that can end a statement
