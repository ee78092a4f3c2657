"""What nobody followed: text that did not parse, control flow, commands, open templates.

Such text may write to any relation it names after INTO, UPDATE, TABLE and their like. What it may
have written is not known any more, and neither is what stands inside control flow.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from sqlglot import exp

from unwet.lineage.branches import APART, TWICE, WITHIN
from unwet.lineage.dialects import TSQL
from unwet.lineage.edited import line_column, line_starts
from unwet.lineage.findings import UNPARSED, Finding, Span
from unwet.lineage.languages import is_javascript
from unwet.lineage.parse import AS_IF_RUN, Script, Statement
from unwet.lineage.resolve import Resolved
from unwet.lineage.trees import found_in
from unwet.rewrite.beside import beside
from unwet.rewrite.changed_by_text import (
    NAME,
    changed_by,
    last_parts,
    may_change,
    plain,
    uncommented,
    words,
)
from unwet.rewrite.files_written import told_of_files, writes_files
from unwet.rewrite.open_names import open_name
from unwet.rewrite.table_actions import changes_nothing

_WRITTEN = re.compile(
    r"\b(?:INTO|UPDATE|TABLE|VIEW|MERGE|DELETE(?:\s+FROM)?|TRUNCATE|OVERWRITE|COPY|RENAME|TO|"
    r"SWAP\s+WITH)"
    r"\s+(?:TOP\s*(?:\([^()]*\)|\d+)\s*(?:PERCENT\s+)?)?"
    r"(?:(?:INTO|FROM|TO|TABLE|VIEW|ONLY|LOW_PRIORITY|QUICK|IGNORE|IF\s+(?:NOT\s+)?EXISTS)\s+)*"
    rf"({NAME})",
    re.IGNORECASE,
)
_CHANGES = frozenset({"insert", "update", "delete", "merge"})
# of these it is known what they do; a routine that is made does nothing before it is called
_FILLING = (exp.Create, exp.Copy, exp.Export, exp.LoadData, exp.MultitableInserts, exp.Attach)
_CREATING = re.compile(r"\s*CREATE\b", re.IGNORECASE)
_ROUTINE = re.compile(
    r"\s*(?:CREATE|ALTER)\s+(?:OR\s+ALTER\s+)?(?:PROC|PROCEDURE|FUNCTION|VIEW)\b", re.IGNORECASE
)
# Statements that touch no rows of any relation.
_HARMLESS = (exp.Set, exp.Use, exp.Comment, exp.Analyze, exp.Grant, exp.Describe, exp.Pragma,
             exp.Transaction, exp.Commit, exp.Rollback, exp.Declare, exp.Show)  # fmt: skip
_HARMLESS_WORDS = frozenset(
    {"PRINT", "GRANT", "REVOKE", "DENY", "VACUUM", "ANALYZE", "EXPLAIN", "SHOW", "USE", "SET",
     "COMMENT", "REINDEX", "OPTIMIZE", "CLUSTER", "CHECKPOINT", "RETURN", "RAISERROR", "THROW",
     "WAITFOR", "UPDATE STATISTICS", "BEGIN", "COMMIT", "ROLLBACK", "DISCARD", "LOCK", "LISTEN",
     "NOTIFY"}
)  # fmt: skip
# it is what its query says, whenever it was refreshed (BigQuery's reference, system procedures)
_REFRESHING = re.compile(
    r"\s*CALL\s+`?BQ`?\s*\.\s*`?REFRESH_MATERIALIZED_VIEW`?\s*\(\s*(?:'[^'\\]*'|\"[^\"\\]*\")\s*\)\s*;?\s*",
    re.IGNORECASE,
)
_CACHING = frozenset({"databricks", "hive", "spark", "spark2"})  # REFRESH reads files again there
_SETTING = frozenset({"SET", "DECLARE", "LET"})
_UNTABLED = frozenset({"INDEX", "SCHEMA", "DATABASE", "SEQUENCE", "TYPE", "EXTENSION", "ROLE"})
_EXECUTING = re.compile(
    r"\s*(?:EXEC|EXECUTE|CALL|RENAME|EXCHANGE|REPLACE|DO"
    r"|CREATE\s+(?:OR\s+REPLACE\s+)?(?:\w+\s+)?(?:RULE|SYNONYM|TRIGGER))\b",
    re.IGNORECASE,
)
_LIMITING = re.compile(
    r"\s*SET\s+(?:ROWCOUNT\s+(?!0\s*;?\s*$)|(?:SESSION\s+|@@(?:SESSION\s*\.\s*)?)?SQL_SELECT_LIMIT\b)",
    re.IGNORECASE,
)
_READING = re.compile(r"\b(?:SELECT|PIVOT|UNPIVOT|CLONE)\b", re.IGNORECASE)
# T-SQL: PRINT 'x' DELETE FROM q; GRANT UPDATE ON q TO r DELETE FROM q, whose first words are rights
_GOES_ON = re.compile(
    r"\s*(?:(?:GRANT|REVOKE|DENY)\b.*?\b(?:TO|FROM)|(?!GRANT\b|REVOKE\b|DENY\b)\w+)\b.*?"
    r"\b(?:INSERT|UPDATE|DELETE|MERGE|TRUNCATE|DROP|ALTER|INTO|EXEC|EXECUTE|WRITETEXT|UPDATETEXT)\b",
    re.IGNORECASE | re.DOTALL,
)
_TEXTS = re.compile(r"'[^']*'")
_GLUED = re.compile(
    r"(p__[a-z\d]+(?:_[a-z\d]+)*__p)(?=[a-z])(?!p__[a-z\d]+(?:_[a-z\d]+)*__p)", re.IGNORECASE
)
_MEASURED = re.compile(
    r"\s*(?:EXPLAIN\b.*?\bANALY[SZ]E\b.*?|ANALYZE\s+(?:FORMAT\s*=\s*\w+\s+)?)"
    r"\b(?:INSERT|UPDATE|DELETE|MERGE|REPLACE|CREATE|INTO|EXECUTE)\b",
    re.IGNORECASE | re.DOTALL,
)
_STATEMENT = re.compile(
    r"\s*(?:INSERT\s+INTO|UPDATE(?=.*\bSET\b)|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE|ALTER|DROP|CREATE)\s",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\$\$.*?\$\$", re.DOTALL)


def last_part(relation: str) -> str:
    """What names of unfollowed text are compared by."""
    return plain(relation.rpartition(".")[2])


def unfollowed(resolved: Resolved) -> str:
    """Why a statement of no known kind may make something, in words; empty when it does not."""
    statement = resolved.statement
    if told := told_of_files(statement):
        return told
    if resolved.kind != "other" or is_harmless(statement):
        return ""
    text = uncommented(statement.text, statement.dialect)
    if _READING.search(text) and _WRITTEN.search(text):
        return f"line {statement.span.line} is not understood: {' '.join(text.split())[:60]}"
    return ""


def runs_code(resolved: Resolved) -> bool:
    """Whether a statement runs a routine or dynamic SQL, which may write anything."""
    statement = resolved.statement
    if resolved.kind != "other" or is_harmless(statement):
        return False
    text = uncommented(statement.text, statement.dialect)
    return isinstance(statement.tree, exp.Execute) or bool(_EXECUTING.match(text))


def misread(script: Script) -> dict[int, str]:
    """By statement index: what its tree does not say, so that equal trees may mean two things."""
    found: dict[int, str] = {}
    noted = {f.at: f.message for f in script.findings if f.code in ("WARNING", "BUDGET")}
    for statement in script.statements:
        if statement.span in noted:
            found[statement.index] = f"not all of it is understood: {noted[statement.span]}"
        elif "$" in statement.text and statement.dialect == "bigquery":
            for table in statement.tree.find_all(exp.Table):
                if "$" in table.name:
                    found[statement.index] = f"{table.name} is one partition of a table"
    return found


def spaces(scripts: Iterable[Script]) -> frozenset[str]:
    """The schemas that the scripts of a pile make the place of bare names, as they are written."""
    texts = (s.text for script in scripts for s in script.statements)
    return frozenset(" ".join(text.lower().split()) for text in texts if _SPACE.match(text))


def renamed_schemas(resolved: Resolved) -> frozenset[str]:
    """The schemas that a statement gives other names."""
    hit = _SCHEMA_RENAMED.match(resolved.statement.text)
    return frozenset(map(plain, hit.groups())) if hit else frozenset()


def obstacles(script: Script, spaces: frozenset[str] = frozenset()) -> dict[int, str]:
    """By statement index: why a statement that was read may not mean what it says.

    `spaces`: what all scripts of the pile say about the place of bare names."""
    found: dict[int, str] = {}
    placed = sorted(script.statements, key=lambda statement: statement.span)
    starts = [(s.span.line, s.span.column) for s in placed]
    for note in placed[0].masked.findings if placed else ():
        if note.message.endswith(("by what is known so far", APART, TWICE, WITHIN)):
            continue
        reason = f"a template decides what it is: line {note.at.line}: {note.message}"
        at = bisect_right(starts, (note.at.line, note.at.column))
        inside = at > 0 and _within(note.at, placed[at - 1].span)
        for statement in placed[at - 1 : at] if inside else placed[at:]:
            found.setdefault(statement.index, reason)
    for index, reason in misread(script).items():
        found.setdefault(index, reason)
    limited = 0
    for statement in placed:
        if told := open_name(statement) or _glued(statement):
            found.setdefault(statement.index, told)
        if statement.on_error:
            found.setdefault(statement.index, "it runs only where something before it has failed")
        if _LIMITING.match(statement.text):
            limited = statement.span.line
        elif limited:
            found.setdefault(statement.index, f"line {limited} limits how many rows there are")
    for statement, line in _in_another_space(placed, len(spaces) > 1):
        found.setdefault(statement.index, f"line {line} changes what a bare name means")
    first = min((f.at for f in script.findings if _is_control(f)), default=None)
    for statement in placed:
        if first is not None and first <= statement.span:
            reason = f"it may stand in control flow that is not followed (line {first.line})"
            found.setdefault(statement.index, reason)
    return found


def _glued(statement: Statement) -> str:
    """Whether letters stand behind a placeholder: where `t_{{ x }}rows` and a name of the pile's,
    `step__x__price`, are written alike, no project says which of them it is."""
    if not _GLUED.search(statement.text):
        return ""
    own = {each.token.lower(): each.text for each in statement.masked.placeholders}
    hits = (own.get(hit[1].lower(), "") for hit in _GLUED.finditer(statement.text))
    text = next((each for each in hits if each), "")
    return f"letters stand behind {text}, which no model can tell from a name" if text else ""


def _in_another_space(
    placed: Sequence[Statement], several: bool
) -> Iterator[tuple[Statement, int]]:
    """Statements whose bare names a USE or SET search_path before them moves, and its line.

    One at the head of a script moves nothing if all scripts that have one say the same."""
    line, begun = 0, False
    for statement in placed:
        if _SPACE.match(statement.text):
            line = statement.span.line if begun or several else 0
            continue
        tables = found_in(statement.tree, exp.Table)
        begun = begun or bool(tables)
        if line and any(table.args.get("db") is None for table in tables):
            yield statement, line


# --- names ------------------------------------------------------------------------------------


def written_beside(resolved: Resolved) -> Iterator[str]:
    """Names that a parsed statement may write apart from its own target."""
    statement, tree = resolved.statement, resolved.statement.tree
    if writes_files(statement):
        return
    if resolved.kind not in ("drop", "truncate"):  # of those each target has its own step
        yield from (last_part(each.target) for each in resolved.more if each.target)
    for node in found_in(tree, exp.Insert, exp.Update, exp.Delete, exp.Merge):
        if node is not tree:
            yield from (plain(t.name) for t in node.find_all(exp.Table))
    yield from map(plain, beside(resolved))
    if resolved.kind in _CHANGES and not resolved.target:  # through an inline view
        yield from words(uncommented(statement.text, statement.dialect))
    if resolved.kind == "other" and not is_harmless(statement):
        yield from _of_unknown_kind(statement)
    if resolved.kind == "query" and (_says_change(statement) or _hands_change(statement)):
        yield from words(uncommented(statement.text, statement.dialect))


def _of_unknown_kind(statement: Statement) -> Iterable[str]:
    text = uncommented(statement.text, statement.dialect)
    if "\\'" in text:  # nobody is sure what is a comment
        return words(statement.text)
    if "IGNORE_DUP_KEY" in text.upper():
        return words(text)
    if isinstance(statement.tree, exp.Execute) or _EXECUTING.match(text):
        return words(text)
    if _goes_on(statement) and not _ROUTINE.match(text):
        return words(text)
    if isinstance(statement.tree, _FILLING) or _CREATING.match(text):
        return (part for hit in _WRITTEN.finditer(text) for part in last_parts(hit[1]))
    return changed_by(text, statement.dialect)


def is_harmless(statement: Statement) -> bool:
    """Whether a statement touches no rows of any relation."""
    tree = statement.tree
    if changes_nothing(uncommented(statement.text, statement.dialect)):
        return True
    if statement.dialect == "bigquery" and _REFRESHING.fullmatch(uncommented(statement.text)):
        return True
    if isinstance(tree, exp.Create) and is_javascript(tree):
        return True  # its words are no SQL: 'user-select', 'grid-template', a comment of it
    if isinstance(tree, exp.Create | exp.Drop):
        odd = "IGNORE_DUP_KEY" in statement.text.upper()  # an index that keeps rows out
        return str(tree.args.get("kind") or "").upper() in _UNTABLED and not odd
    if isinstance(tree, exp.Refresh):
        return statement.dialect in _CACHING
    if _goes_on(statement) or _says_change(statement) or _is_explained(statement):
        return False
    if isinstance(tree, exp.Command):
        words = f"{tree.this} {tree.args.get('expression') or ''}".upper().split()
        return words[0] in _HARMLESS_WORDS or " ".join(words[:2]) in _HARMLESS_WORDS
    return isinstance(tree, _HARMLESS)


def _goes_on(statement: Statement) -> bool:
    """Whether a command of T-SQL has another statement in it, which may change rows."""
    if statement.dialect not in TSQL or not isinstance(statement.tree, exp.Command | exp.Set):
        return False
    text = _TEXTS.sub(" ", uncommented(statement.text, statement.dialect))
    return _GOES_ON.match(text) is not None


def _says_change(statement: Statement) -> bool:
    """Whether a variable gets a text that changes something: EXEC (@text) may stand behind it."""
    tree = statement.tree
    sets = isinstance(tree, exp.Declare | exp.Set) or _gives_variables(tree)
    if not sets and not (isinstance(tree, exp.Command) and str(tree.this).upper() in _SETTING):
        return False
    texts = _QUOTED.findall(uncommented(statement.text, statement.dialect))
    return any(may_change(text) and len(text.split()) > 1 for text in texts)


def _is_explained(statement: Statement) -> bool:
    """Whether a statement is run to be measured: EXPLAIN ANALYZE, and ANALYZE of MariaDB."""
    return isinstance(statement.tree, exp.Command) and _MEASURED.match(statement.text) is not None


def _gives_variables(tree: exp.Expr) -> bool:
    """SELECT @text = '...' of T-SQL, SELECT @text := '...' of MySQL."""
    given = (e.this for e in tree.expressions if isinstance(e, exp.EQ | exp.PropertyEQ))
    return isinstance(tree, exp.Select) and any(isinstance(each, exp.Parameter) for each in given)


def _hands_change(statement: Statement) -> bool:
    """Whether a query gives somebody's function a statement: SELECT run('DELETE FROM q')."""
    calls = found_in(statement.tree, exp.Anonymous)
    texts = (each for call in calls for each in call.find_all(exp.Literal) if each.is_string)
    return any(_STATEMENT.match(text.name) for text in texts)


# --- places -----------------------------------------------------------------------------------


def gaps(script: Script) -> Iterator[str]:
    """The stretches of text between statements in which something did not parse."""
    return (text for _, _, text in gap_places(script))


def gap_places(script: Script) -> Iterator[tuple[tuple[int, int], int, str]]:
    """These stretches, with the line and column where each begins, and the first line that does
    not parse."""
    lost = [f for f in script.findings if f.code in UNPARSED or _is_control(f)]
    places = sorted((f.at.line, f.at.column) for f in lost)
    spans = sorted(statement.span for statement in script.statements) if lost else []
    lines = script.source.text.splitlines()
    start = (1, 1)
    ends = [((s.line, s.column), (s.end_line, s.end_column)) for s in spans]
    for end, next_start in [*ends, ((len(lines) + 1, 1), (0, 0))]:
        at = bisect_left(places, start)
        if at < len(places) and places[at] <= end:
            yield start, places[at][0], _text(lines, start, end)
        start = next_start


def left_out(script: Script) -> Iterator[tuple[tuple[int, int], str]]:
    """What a template leaves out as nobody knows better, if it may change something; and where."""
    text = script.source.text
    starts = line_starts(text) if script.left else ()
    for start, stop in sorted(script.left):
        if may_change(text[start:stop]):
            yield line_column(starts, start), text[start:stop]


def unparsed_text(script: Script) -> str:
    """What of a script did not parse, without the statements around it."""
    return "\n\n".join(text.strip().removeprefix(";").strip() for text in gaps(script)) + "\n"


def has_gaps(script: Script) -> bool:
    """Whether anything in a script did not parse."""
    return next(gaps(script), None) is not None


def text_at(script: Script, span: Span) -> str:
    """What stands at a place of a script."""
    lines = script.source.text.splitlines()
    return _text(lines, (span.line, span.column), (span.end_line, span.end_column))


def _text(lines: Sequence[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    taken = list(lines[start[0] - 1 : end[0]])
    if taken and len(taken) == end[0] - start[0] + 1:
        taken[-1] = taken[-1][: end[1] - 1]
    if taken:
        taken[0] = taken[0][start[1] - 1 :]
    return "\n".join(taken)


_SPACE = re.compile(
    r"\s*(?:USE\s+(?!ROLE\b|WAREHOUSE\b|SECONDARY\b)|SET\s+(?:SESSION\s+|LOCAL\s+)?"
    r"(?:SEARCH_PATH|SCHEMA|CURRENT\s+SCHEMA|CURRENT_SCHEMA)\b"
    r"|ALTER\s+SESSION\s+SET\s+CURRENT_SCHEMA\b)",
    re.IGNORECASE,
)
_SCHEMA_RENAMED = re.compile(
    r"\s*ALTER\s+(?:SCHEMA|DATABASE)\s+(?:IF\s+EXISTS\s+)?(\S+)\s+(?:RENAME\s+TO|SWAP\s+WITH)"
    r"\s+([^\s;]+)",
    re.IGNORECASE,
)


def _is_control(finding: Finding) -> bool:
    """Control flow around statements; the header of a procedure is none, its body runs as it is."""
    return finding.code == "OPAQUE" and "control flow not followed" in finding.message


def procedures(script: Script) -> frozenset[str]:
    """That the procedures of a script have run: what their bodies make is taken for what it is, as
    that of a script is."""
    heads = (f.at for f in script.findings if is_procedure(f))
    return frozenset(f"the procedure of {at.path}:{at.line} has run" for at in heads)


def is_procedure(finding: Finding) -> bool:
    """The header of a procedure whose body is followed."""
    return finding.code == "OPAQUE" and finding.message.startswith(AS_IF_RUN)


def _within(place: Span, span: Span) -> bool:
    at = (place.line, place.column)
    return (span.line, span.column) <= at <= (span.end_line, span.end_column)
