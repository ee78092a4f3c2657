"""The command line: read the configuration, make one pipeline call, render the result.

The only place with exit codes: 0 fine, 1 findings or a failed proof, 2 wrong use or an internal
error, 130 interrupted. Data goes to stdout, all else to stderr. Commands import what they need
themselves, so that `unwet --help` stays fast.
"""

import atexit
import gc
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from unwet.lineage.errors import OutputReadOnly, UnwetError, UsageError

if TYPE_CHECKING:
    from unwet.lineage.asking import Ask
    from unwet.lineage.checking import Checked
    from unwet.lineage.config import Config, Intended
    from unwet.lineage.findings import Finding
    from unwet.lineage.inventory import Inventory
    from unwet.lineage.pile import Pile
    from unwet.lineage.survey import Lineage
    from unwet.rewrite.check.asked import Ask as AskCheck
    from unwet.rewrite.check.found import Problem
    from unwet.rewrite.demo import Case

F = TypeVar("F", bound=Callable[..., Any])
SHOWN = 20  # findings on stderr unless -v


class Border(click.Group):
    """Turns failures into messages and exit codes; nothing above it catches anything."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run and leave the process with an exit code."""
        # or the collector looks once more at millions of objects, which all go with the process
        atexit.unregister(gc.freeze)
        atexit.register(gc.freeze)
        try:
            with _terminable():
                code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            code = _interrupted()
        except UnwetError as error:
            _say(f"error: {error.message}", f"help: {error.help}" if error.help else "")
            _say(*getattr(error, "__notes__", ()))
            code = 2
        except BrokenPipeError:  # the reader has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 0
        except Exception as error:
            # DuckDB's word for a Ctrl-C during a query
            code = _interrupted() if str(error) == "Query interrupted" else _internal_error()
        sys.exit(code or 0)


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM unwinds like Ctrl-C, so that what was begun is cleaned up."""
    here = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)) if here else None
    try:
        yield
    finally:
        if here:
            signal.signal(signal.SIGTERM, before)


def _interrupted() -> int:
    _say("interrupted")
    return 130


def _internal_error() -> int:
    import traceback

    _say("internal error; please report it:", traceback.format_exc().rstrip())
    return 2


@click.group(cls=Border, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="unwet", prog_name="unwet")
def main() -> None:
    """Read a pile of copy-pasted SQL; rewrite it as a small, proven, modular project."""


# --- options all commands share --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line and the configuration ask for, together."""

    paths: tuple[str, ...]
    dialect: str
    schema: str | None
    default_schema: str
    params: dict[str, str] = field(default_factory=dict)
    format: str = "text"
    output: str | None = None
    quiet: bool = False
    verbose: bool = False
    intended: tuple["Intended", ...] = ()
    told: bool = False  # whether somebody asked for the format; else it is the usual one
    settings: "Config | None" = None  # all that the configuration says

    def load(self) -> "Pile":
        """The pile that was asked for."""
        from unwet.lineage.pile import load

        return load(
            self.paths,
            dialect=self.dialect,
            schema=self.schema,
            params=self.params,
            default_schema=self.default_schema,
        )

    def look(self, jobs: int | None, quotes: bool = False) -> "Lineage":
        """The lineage of the pile that was asked for, by so many processes."""
        from unwet.lineage.pile import look

        return look(
            self.paths,
            dialect=self.dialect,
            schema=self.schema,
            params=self.params,
            default_schema=self.default_schema,
            jobs=jobs,
            quotes=quotes,
        )


def shared(*formats: str, paths: str = "[PATH]...") -> Callable[[F], F]:
    """PATH... and the options of every command; the function gets them as one `Request`."""
    options = [
        click.argument("paths", nargs=-1, metavar=paths),
        click.option("--dialect", metavar="NAME", help="SQL dialect of the input (tsql, ...)."),
        click.option("--schema", metavar="FILE", help="Known columns: YAML, JSON, DDL or DuckDB."),
        click.option("--default-schema", metavar="NAME", help="Schema of unqualified names."),
        click.option("--param", "params", multiple=True, metavar="NAME=VALUE",
                     help="Bind a placeholder; may be repeated."),
        click.option("--format", "format", type=click.Choice(formats), default=formats[0],
                     show_default=True, help="Form of the output."),
        click.option("-o", "--output", metavar="FILE", help="Write there instead of to stdout."),
        click.option("--config", metavar="FILE", help="Instead of unwet.toml or pyproject.toml."),
        click.option("-q", "--quiet", is_flag=True, help="No notes on stderr."),
        click.option("-v", "--verbose", is_flag=True, help="All notes on stderr."),
    ]  # fmt: skip

    def decorate(command: F) -> F:
        def wrapped(**given: Any) -> Any:
            names = ("paths", "dialect", "schema", "default_schema", "params", "format", "output",
                     "config", "quiet", "verbose")  # fmt: skip
            mine = {name: given.pop(name) for name in names}
            source = click.get_current_context().get_parameter_source("format")
            told = source is not None and source.name != "DEFAULT"
            return command(_request(**mine, told=told), **given)

        wrapped.__name__, wrapped.__doc__ = command.__name__, command.__doc__
        wrapped.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped  # type: ignore[return-value]

    return decorate


def _request(
    *,
    paths: tuple[str, ...],
    dialect: str | None,
    schema: str | None,
    default_schema: str | None,
    params: Iterable[str],
    config: str | None,
    **rest: Any,
) -> Request:
    from unwet.lineage.config import read_config

    settings = read_config(config, Path.cwd())
    return Request(
        paths=paths or (".",),
        dialect=dialect if dialect is not None else settings.dialect,
        schema=schema or settings.schema or None,
        default_schema=default_schema or settings.default_schema,
        params={**settings.params, **_bindings(params)},
        intended=settings.intended,
        settings=settings,
        **rest,
    )


def _bindings(params: Iterable[str]) -> dict[str, str]:
    pairs = [param.partition("=") for param in params]
    for name, sign, _ in pairs:
        if not sign or not name:
            raise UsageError(f"--param {name} has no value", "write --param NAME=VALUE")
    return {name: value for name, _, value in pairs}


jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes that share the work.  "
    "[default: 1 for a small pile, else one per core]")  # fmt: skip


# --- output ----------------------------------------------------------------------------------


def emit(data: str | bytes, request: Request) -> None:
    """Data to stdout or to the file that -o names; the file appears only when it is complete."""
    # UTF-8 whatever the locale; file names may hold bytes that no encoding knows
    raw = data.encode(errors="backslashreplace") if isinstance(data, str) else data
    if request.output is None:
        _to_stdout(raw)
        return
    target = Path(request.output)
    if target.is_dir():
        raise OutputReadOnly(request.output or "''", "it is a folder")
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(raw)  # a device or a pipe stays one: nothing is put in its place
        else:
            _in_one_piece(raw, target.resolve())  # a link stays one, too
    except OSError as error:
        raise OutputReadOnly(str(target), error.strerror or "") from error


def _in_one_piece(raw: bytes, target: Path) -> None:
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(raw)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _to_stdout(raw: bytes) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:  # a full disk behind `> file`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or exit tries it again
        raise OutputReadOnly("standard output", error.strerror or "") from error


def _colourful(request: Request) -> bool:
    """Whether somebody looks at the output who wants colours."""
    return request.output is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _problems(format: str, found: Sequence["Problem"], request: Request) -> str:
    """Problems in one of the forms of a check."""
    from importlib.metadata import version

    from unwet.rewrite.check.formats import View, render

    width = shutil.get_terminal_size((100, 24)).columns  # 100: a file, or the log of a build
    view = View(width=width, colour=_colourful(request), version=version("unwet"))
    return render(format, found, view)


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Label and value per line; fitted to the terminal when there is one."""
    from unwet.lineage.exports.table import aligned

    return aligned(rows, sys.stdout.isatty())


def notes(findings: Sequence["Finding"], request: Request) -> None:
    """Findings to stderr, one per line; the first few unless -v."""
    if request.quiet:
        return
    shown = findings if request.verbose else findings[:SHOWN]
    _say(*(str(finding) for finding in shown))
    if len(shown) < len(findings):
        _say(f"... and {len(findings) - len(shown)} more (-v shows all)")


def _say(*lines: str) -> None:
    for line in lines:
        if line:
            click.echo(line, err=True)


# --- scan ------------------------------------------------------------------------------------


@main.command()
@shared("text", "json")
@jobs_option
@click.option("--shard", metavar="I/N", help="Read every N-th file only, from the I-th on, and "
              "write a part for `unwet merge`.")  # fmt: skip
def scan(request: Request, jobs: int | None, shard: str | None) -> int:
    """Show what is there: files, statements, relations, reports, and what does not parse."""
    from unwet.lineage import inventory
    from unwet.lineage.pile import ask_all
    from unwet.lineage.sources import read_sources

    if shard is not None:
        emit(_part(request, shard), request)
        return 0
    reading = read_sources(request.paths, request.dialect)
    facts = ask_all(reading, request.dialect, request.params, jobs)
    how = (request.schema, request.dialect, request.default_schema)
    return _scanned(inventory.combined(facts, reading.findings, *how), request)


def _part(request: Request, shard: str) -> str:
    from unwet.lineage import parts

    at, _, of = shard.partition("/")
    if not (at.isdecimal() and of.isdecimal()):
        raise UsageError(f"--shard {shard} is no shard", "write --shard 1/4, 2/4 and so on")
    how = parts.settings(request.dialect, request.default_schema, request.params, request.schema)
    return parts.as_text(parts.part(request.paths, int(at), int(of), how))


def _scanned(found: "Inventory", request: Request) -> int:
    from unwet.lineage import inventory

    notes([*found.errors, *(found.findings if request.verbose else ())], request)
    if found.errors and not request.dialect and not request.quiet:
        _say("no dialect was given: --dialect NAME may read more of it")
    text = inventory.as_json(found) if request.format == "json" else table(inventory.rows(found))
    emit(text, request)
    return 1 if found.errors else 0


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="PART...")
@click.option("--format", "format", type=click.Choice(("text", "json")), default="text",
              show_default=True, help="Form of the output.")  # fmt: skip
@click.option("-o", "--output", metavar="FILE", help="Write there instead of to stdout.")
@click.option("-q", "--quiet", is_flag=True, help="No notes on stderr.")
@click.option("-v", "--verbose", is_flag=True, help="All notes on stderr.")
def merge(files: tuple[str, ...], format: str, **rest: Any) -> int:
    """Put the parts that `scan --shard` made together: the output is that of one scan."""
    from unwet.lineage import parts
    from unwet.lineage.errors import PathNotFound

    found = []
    for file in files:
        try:
            text = Path(file).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PathNotFound(file, f"parts are made by scan --shard ({error})") from error
        found.append(parts.from_text(text, file))
    dialect = found[0].settings.dialect
    request = Request((), dialect, None, "", format=format, **rest)
    return _scanned(parts.merged(found), request)


# --- lineage ---------------------------------------------------------------------------------


@main.command()
@shared("text", "json", "dot", "mermaid", "svg", "png", "html", "openlineage")
@click.option("--column", "columns", metavar="REL.COL", multiple=True, help="Only what feeds this "
              "column, or is fed by it; REL alone: all its columns. May be repeated.")  # fmt: skip
@click.option("--table", "tables", metavar="REL", multiple=True,
              help="The same for all columns of a table or view.")  # fmt: skip
@click.option("--upstream", is_flag=True, help="With --column or --table: only what feeds it.")
@click.option("--downstream", is_flag=True, help="With --column or --table: only what it feeds; "
              "with --kinds all, everything a change may have an impact on.")  # fmt: skip
@click.option("--depth", type=click.IntRange(min=1), metavar="N",
              help="At most N statements away.")  # fmt: skip
@click.option("--kinds", type=click.Choice(("direct", "all")), help="direct: what carries values; "
              "all: conditions too (filters, joins, ...).  "
              "[default: all for json and openlineage, else direct]")  # fmt: skip
@click.option("--without-temps", is_flag=True, help="Read temporary tables through: their sources "
              "feed their readers.")  # fmt: skip
@click.option("--link-template", metavar="URL", default="{path}", show_default=True,
              help="Where html's places lead to: {path} or {abspath}, {line}, {column}, as in "
              "vscode://file{abspath}:{line}:{column}.")  # fmt: skip
@click.option("--namespace", default="", metavar="URI", help="openlineage: where the tables are, "
              "such as postgres://host:5432.")  # fmt: skip
@click.option("--job-namespace", default="default", show_default=True, metavar="NAME",
              help="openlineage: whose jobs the statements are.")  # fmt: skip
@click.option("--event-time", default="", metavar="TIME", help="openlineage: as of when the SQL is "
              "so.  [default: 1970-01-01T00:00:00Z]")  # fmt: skip
@click.option("--check", "files", metavar="FILE", multiple=True, help="Exit 1 when FILE, made by "
              "-o with the same options, or a marked block of a Markdown FILE shows something else "
              "than the SQL has. May be repeated.")  # fmt: skip
@click.option("--write", is_flag=True, help="With --check: bring FILE up to date.")
@jobs_option
def lineage(
    request: Request, files: tuple[str, ...], write: bool, jobs: int | None, **asked: Any
) -> int:
    """Show how columns flow through the pile.

    html is a page to walk through: it holds all of the graph, and the options say what it shows
    first.
    """
    from unwet.lineage.asking import hint, is_page, made
    from unwet.lineage.checking import has_blocks

    if write and not files:
        raise UsageError("--write needs --check FILE", "to make a new file use -o FILE")
    if files and request.output:
        raise UsageError("--check and -o do not go together", "--check FILE --write updates FILE")
    piles = Piles(jobs)
    if files:
        checks = [_check(file, request, asked, piles, write) for file in files]
        return int(any(checks))
    if request.output and is_page(request.output) and has_blocks(request.output):
        return int(_check(request.output, request, asked, piles, write=True))
    ask = _ask(request, asked, request.output)
    pile = piles.of(request, ask.format)
    data = made(pile, ask)
    if not request.quiet:
        _say(hint(pile, ask))
    notes([each for each in pile.graph.unresolved if each.code == "BUDGET"], request)
    if ask.format == "openlineage" and not ask.namespace and not request.quiet:
        home = ask.options.naming.home
        _say(f"tables are in namespace {home}; say where they are with --namespace URI")
    emit(data, request)
    return 0


class Piles:
    """Piles that were read already: blocks of one page mostly show the same."""

    def __init__(self, jobs: int | None) -> None:
        self._jobs = jobs
        self._known: dict[str, Lineage] = {}

    def of(self, request: Request, format: str) -> "Lineage":
        """The pile that a request is about; its findings are noted once."""
        quotes = format == "openlineage"
        same = (request.paths, request.dialect, request.schema, request.default_schema)
        key = repr((*same, sorted(request.params.items()), quotes))
        if key not in self._known:
            self._known[key] = request.look(self._jobs, quotes)
            notes(self._known[key].findings, request)
        return self._known[key]


def _ask(request: Request, asked: dict[str, Any], output: str | None, usual: str = "") -> "Ask":
    """The format is the one given, else what the output's name says, else the usual one."""
    from unwet.lineage.asking import Ask, format_of

    told = request.told and request.format
    format = told or (output and format_of(output)) or usual or request.format
    return Ask(format, output=output, dialect=request.dialect, **asked)


def _check(file: str, request: Request, asked: dict[str, Any], piles: Piles, write: bool) -> bool:
    """Whether a file, or a block in it, is out of date and stays so; says what is."""
    from unwet.lineage.asking import format_of, is_page, made
    from unwet.lineage.checking import check_file, check_page

    if is_page(file):

        def of_block(words: tuple[str, ...]) -> "tuple[Lineage, Ask]":
            inner, given = _block(words, request, asked)
            ask = _ask(inner, given, None, usual="mermaid")
            return piles.of(inner, ask.format), ask

        checked, text = check_page(file, of_block)
        data: str | bytes = text.encode(errors="surrogateescape")
    else:
        if not request.told and format_of(file) is None:
            raise UsageError(f"what format has {file}?", "say so with --format")
        ask = _ask(request, asked, file)
        checked, data = [check_file(file, piles.of(request, ask.format), ask)], ""
        if write and checked[0].stale:
            data = made(piles.of(request, ask.format), ask)
    stale = [one for one in checked if one.stale]
    for one in stale:
        _show_stale(one, request)
    if stale and write:
        emit(data, replace(request, output=file))
    if not request.quiet:
        after = "updated" if write else "out of date; --write brings it up to date"
        _say(f"{file} is {after if stale else 'up to date'}")
    return bool(stale) and not write


def _show_stale(checked: "Checked", request: Request) -> None:
    if checked.stale:
        lines = checked.stale.lines(None if request.verbose else SHOWN)
        head = f"{checked.place} is out of date: {checked.stale.summary}"
        emit("\n".join([head, *(f"  {line}" for line in lines), ""]), replace(request, output=None))


def _block(
    words: tuple[str, ...], request: Request, asked: dict[str, Any]
) -> tuple[Request, dict[str, Any]]:
    """The words of a block as on the command line; what they leave out is as it was there."""
    try:
        context = lineage.make_context("unwet lineage", list(words))
    except click.UsageError as error:
        raise UsageError(error.format_message()) from error
    for name in ("files", "write", "output"):
        if context.params.pop(name):
            raise UsageError(f"a block cannot say {'--check' if name == 'files' else '--' + name}")
    said = {
        name
        for name in context.params
        if (source := context.get_parameter_source(name)) and source.name != "DEFAULT"
    }
    own = {name: value for name, value in context.params.items() if name in said}
    if "config" in own:
        raise UsageError("a block cannot say --config")
    shared_names = {"paths", "dialect", "schema", "default_schema", "format"} & said
    inner = replace(request, **{name: own.pop(name) for name in shared_names})
    params = {**request.params, **_bindings(own.pop("params", ()))}
    inner = replace(inner, params=params, told=request.told or "format" in said)
    return inner, {**asked, **{name: value for name, value in own.items() if name in asked}}


# --- check -----------------------------------------------------------------------------------


@main.command()
@shared("full", "concise", "json", "github", "gitlab", "sarif", paths="[FILE]...")
@click.option("--min-lines", type=click.IntRange(min=1), default=3, show_default=True,
              metavar="N", help="Leave out copies of fewer printed lines.")  # fmt: skip
@click.option("--update-baseline", is_flag=True, help="Accept what is found now: it goes into the "
              "baseline file, and is not told again.")  # fmt: skip
@click.option("--ci", is_flag=True, help="The baseline may only shrink: what it has and nobody "
              "finds any more is told, and nothing new gets in. Also when CI is set.")  # fmt: skip
@click.option("--drift/--no-drift", default=None, help="Contradictions, too; for them all of the "
              "pile is read.  [default: as `drift` in the configuration, else not]")  # fmt: skip
@click.option("--no-index", is_flag=True, help="Neither read nor write .unwet_cache.")
def check(
    request: Request,
    min_lines: int,
    update_baseline: bool,
    ci: bool,
    drift: bool | None,
    no_index: bool,
) -> int:
    """Check changed files: what do they repeat, what is wrong with them?

    FILE is a file that has changed; without any, all files are checked. They are compared with the
    whole pile: the `paths` of the configuration, else the current folder.

    \b
    DUP_EXACT       a query that stands in the pile already
    DUP_PARAMETRIC  the same but for some constants or names
    PARSE, ...      what cannot be read
    DRIFT_...       with --drift: what the other copies say otherwise

    Exit code 1 when there is anything to tell; `unwet explain CODE` says what each code means.
    What is meant stays out with `-- unwet: ignore[DUP] reason` in the SQL or [[intended]] in the
    configuration, what was there before with a baseline.
    """
    from unwet.rewrite.check import baseline as accepted
    from unwet.rewrite.check.run import check as run

    known = accepted.read_baseline(_baseline(request))
    found = run(
        _asked(request, min_lines, drift, no_index), lambda text: _progress(text, request.quiet)
    )
    if request.verbose and not request.quiet:
        _say(*found.notes)
    strict = accepted.is_ci(ci, os.environ)
    everything = (*found.problems, *found.firsts)
    if update_baseline:
        now = accepted.updated(everything, known, found.changed, found.pile, strict)
        accepted.write(now)
        (count, files), (before, _) = accepted.sizes(now.entries), accepted.sizes(known.entries)
        if not request.quiet:
            _say(f"{now.path.name}: {count:,} problems in {files:,} files (before: {before:,})")
        return 0
    left = accepted.unknown(found.problems, known)
    past = accepted.stale(everything, known, found.changed, found.pile)
    if past and not strict and not request.quiet:
        entries, them = ("entry", "it") if len(past) == 1 else ("entries", "them")
        _say(f"{known.path.name}: {len(past)} {entries} that nobody needs any more; "
             f"--update-baseline takes {them} out")  # fmt: skip
    if not request.dialect and not request.quiet and any(p.code == "PARSE" for p in left):
        _say("no dialect was given: --dialect NAME, or in unwet.toml, may read more of it")
    shown = [*left, *(past if strict else ())]
    emit(_problems(request.format, shown, request), request)
    return 1 if shown else 0


def _asked(request: Request, min_lines: int, drift: bool | None, no_index: bool) -> "AskCheck":
    from unwet.rewrite.check.asked import Ask
    from unwet.rewrite.check.index import FOLDER

    settings = request.settings
    if "-" in request.paths:
        raise UsageError("a check reads files, not standard input", "name the files")
    return Ask(
        paths=settings.paths if settings else (),
        named=() if request.paths == (".",) else request.paths,
        dialect=request.dialect,
        schema=request.schema,
        default_schema=request.default_schema,
        params=request.params,
        intended=request.intended,
        home=None if no_index or not settings else Path(settings.home, FOLDER),
        min_lines=min_lines,
        drift=drift if drift is not None else bool(settings and settings.drift),
    )


def _baseline(request: Request) -> Path:
    from unwet.rewrite.check.baseline import NAME

    settings = request.settings
    given = settings.baseline if settings else ""
    return Path(given) if given else Path(settings.home if settings else ".", NAME)


# --- explain ---------------------------------------------------------------------------------


@main.command()
@click.argument("codes", nargs=-1, metavar="[CODE]...")
@click.option("--format", "format", type=click.Choice(("text", "json", "markdown")),
              default="text", show_default=True, help="Form of the output.")  # fmt: skip
@click.option("-o", "--output", metavar="FILE", help="Write there instead of to stdout.")
def explain(codes: tuple[str, ...], format: str, output: str | None) -> int:
    """Say what the code of a finding means, why it is bad, and what to do about it.

    A word stands for all codes that begin with it, as in an ignore mark: DRIFT. Without CODE:
    the list of all.
    """
    from unwet.lineage import codes as known
    from unwet.lineage.codes import forms

    found = [each for code in codes for each in known.explain(code)]
    found = list(dict.fromkeys(found)) or list(known.explanations().values())
    request = Request((), "", None, "", output=output)
    colour, width = _colourful(request), shutil.get_terminal_size().columns
    match format:
        case "json":
            text = forms.as_json(found)
        case "markdown":
            text = forms.as_markdown(found)
        case _ if codes:
            text = forms.as_text(found, width, colour)
        case _:
            text = forms.as_list(known.families(), width, colour)
    emit(text, request)
    return 0


# --- dups, drift, refactor, verify, report, demo ---------------------------------------------


@main.command()
@shared("text", "json")
@click.option("--min-lines", type=click.IntRange(min=1), default=3, show_default=True,
              metavar="N", help="Leave out copies of fewer printed lines.")  # fmt: skip
@click.option("--check", is_flag=True, help="Exit 1 when there are any families.")
def dups(request: Request, min_lines: int, check: bool) -> int:
    """Show the queries, and the parts of queries, that stand there more than once.

    \b
    exact       the same rows, whatever names, order and nesting look like
    parametric  the same but for a few holes: literals, columns, expressions, relations
    core        the same relations, joined alike; other columns, filters or grain
    near        most of the query is the same, and most of what it puts out

    Copies are whole queries, blocks inside them, branches of set operations, items of one SELECT
    that are a loop written out, or expressions of several lines.

    Each hole is told with its value in every copy. `saves` are the printed lines that one
    definition for all would save; what saves most comes first, what saves nothing is not told.
    Exit code 0 unless --check is given.
    """
    from unwet.rewrite import family_forms
    from unwet.rewrite.families import duplicates

    pile = request.load()
    found = duplicates(pile, min_lines)
    notes(pile.findings, request)
    on_terminal = request.output is None and sys.stdout.isatty()
    form = family_forms.as_json(found) if request.format == "json" else ""
    emit(form or family_forms.as_text(found, on_terminal, request.verbose), request)
    return 1 if check and found.families else 0


@main.command()
@shared("text", "json", "full", "concise", "github", "gitlab", "sarif")
@click.option("--data", metavar="URL", default="", help="DuckDB file, or folder of CSV and Parquet "
              "files, to look for rows that show it.")  # fmt: skip
@click.option("--check", is_flag=True, help="Exit 1 when there are any findings.")
def drift(request: Request, data: str, check: bool) -> int:
    """Show definitions that contradict each other: of many copies, the few that look wrong.

    \b
    DRIFT_FILTER      a filter that the other copies have, or that no copy has
    DRIFT_JOIN        JOIN for LEFT JOIN, or the other way round
    DRIFT_BOUNDARY    < for <=, or the other way round
    DRIFT_LITERAL     another constant
    DRIFT_AGGREGATE   COUNT for COUNT DISTINCT, SUM for AVG, ...
    DRIFT_NULL        COALESCE lost or added
    DRIFT_TIMEZONE    a time zone lost or added
    DRIFT_WINDOW      a window that is ordered or partitioned otherwise
    DRIFT_GRAIN       GROUP BY one thing more, DISTINCT or ALL lost or added
    DRIFT_ORDER       the last rows for the first, below a LIMIT
    DRIFT_NAME        the same CTE under another name
    DRIFT_EXPRESSION  anything else that an output or a condition says otherwise

    The surest comes first; exit code 0 unless --check is given. What is meant stays out with
    `-- unwet: ignore[DRIFT] reason` in the SQL or [[intended]] in the configuration.

    With --data each finding shows a row on which it and its copies differ, and how many rows
    there are; what no row shows falls in the list.
    """
    from unwet.rewrite import drift as job
    from unwet.rewrite import drift_forms
    from unwet.rewrite.check.drift_problems import problems

    pile = request.load()
    found = job.drift(pile, request.intended)
    if data:
        from unwet.rewrite.prove.witness import witnessed

        found = witnessed(found, pile, data)
    notes([*pile.findings, *found.notes], request)
    on_terminal = request.output is None and sys.stdout.isatty()
    match request.format:
        case "text":
            text = drift_forms.as_text(found, on_terminal, request.verbose)
        case "json":
            text = drift_forms.as_json(found)
        case form:
            text = _problems(form, problems(found), request)
    emit(text, request)
    return 1 if check and found.findings else 0


@main.command()
@shared("text", "json", paths="[NAME] [PATH]...")
@click.option("--expression", metavar="SQL", default="", help="Instead of NAME: an expression of "
              "this shape; ? is any constant.")  # fmt: skip
@click.option("--table", metavar="REL", default="", help="Instead of NAME: what makes this table "
              "or view, and what reads it.")  # fmt: skip
def search(request: Request, expression: str, table: str) -> int:
    """Find logic: where a column, an expression or a table is defined, and where it is used.

    \b
    unwet search revenue                     outputs of this name, and what reads it
    unwet search orders.amount               a base column, whatever it is called on the way
    unwet search --expression 'sum(a * b)'   expressions of this shape, in any spelling
    unwet search --table orders              what makes it, and what reads it

    Definitions come before uses, exact matches before similar ones, what stands there most often
    first; equal definitions are one hit. Exit code 1 when nothing is found.
    """
    from unwet.rewrite import search as job
    from unwet.rewrite import search_forms

    if expression and table:
        raise UsageError("--expression and --table do not go together")
    name, paths = "", request.paths
    if not expression and not table:
        name, paths = paths[0], paths[1:] or (".",)
        if name == ".":
            raise UsageError("search for what?", "unwet search NAME [PATH]...")
    pile = replace(request, paths=paths).load()
    found = job.search(pile, job.Wanted(name, expression, table))
    notes(pile.findings, request)
    on_terminal = request.output is None and sys.stdout.isatty()
    form = search_forms.as_json(found) if request.format == "json" else ""
    emit(form or search_forms.as_text(found, on_terminal, request.verbose), request)
    return 0 if found.hits else 1


@main.command()
@shared("text", "json")
@click.option("--target", type=click.Choice(["dbt"]), default="dbt", show_default=True,
              help="Kind of project to write.")  # fmt: skip
@click.option("--out", metavar="DIR", help="Where the project goes.")
@click.option("--to-dialect", metavar="NAME", default="", help="Dialect of the project.")
@click.option("--data", metavar="URL", default="", help="DuckDB file or folder to test on.")
@click.option("--name", metavar="NAME", default="unwet_project", help="Name of the project.")
@click.option("--plan", is_flag=True, help="Show what would come out; write nothing.")
@click.option("--force", is_flag=True, help="Write into a folder that is not empty.")
@click.option("--strict", is_flag=True, help="Exit 1 unless every report is proved or tested.")
def refactor(
    request: Request,
    target: str,
    out: str | None,
    to_dialect: str,
    data: str,
    name: str,
    plan: bool,
    force: bool,
    strict: bool,
) -> int:
    """Rewrite the pile as a modular project that returns the same rows, and prove it."""
    from unwet.rewrite import refactor as job
    from unwet.rewrite import summary

    if out is None and not plan:
        raise UsageError("no output folder", "add --out DIR, or --plan to only look")
    wanted = job.Request(
        out=None if plan or out is None else Path(out),
        name=name,
        to_dialect=to_dialect,
        data=data,
        force=force,
        values=request.params,
    )
    result = job.refactor(request.load(), wanted, lambda text: _progress(text, request.quiet))
    notes(result.findings, request)
    if not request.quiet:
        _say(*summary.open_reports(result))
    form = summary.as_json(result) if request.format == "json" else table(summary.rows(result))
    emit(form, request)
    if wanted.out and not request.quiet:
        _say(f"what became of each report: {wanted.out / 'MIGRATION.md'}")
    outcomes = {v.outcome for v in result.verdicts}
    return 1 if "failed" in outcomes or (strict and "kept" in outcomes) else 0


@main.command()
@shared("text", "json", paths="LEGACY... PROJECT")
@click.option("--data", metavar="URL", default="", help="DuckDB file, or folder of CSV and Parquet "
              "files, to run old and new on.")  # fmt: skip
@click.option("--to-dialect", metavar="NAME", default="", help="Dialect of the project; default: "
              "as it remembers, else that of LEGACY.")  # fmt: skip
def verify(request: Request, data: str, to_dialect: str) -> int:
    """Check that the dbt project PROJECT returns what the reports in LEGACY return.

    \b
    proved           same normal form: the same rows on any data
    tested           the same rows on the given data
    order-dependent  the old rows themselves depend on the order of their input
    kept             no model, or neither a proof nor a test; with the reason
    failed           the rows differ; some of them are shown

    Exit code 0 when every report is proved, tested, or kept for a reason that the project
    remembers from `unwet refactor`; else 1.
    """
    from unwet.rewrite import verified
    from unwet.rewrite import verify as job

    *legacy, project = request.paths
    if not legacy:
        raise UsageError("verify needs LEGACY and PROJECT", "name the pile, then the project")
    job.check_project(Path(project))
    wanted = job.Request(Path(project), to_dialect, data, request.params)
    pile = replace(request, paths=tuple(legacy)).load()
    found = job.verify(pile, wanted, lambda text: _progress(text, request.quiet))
    notes(found.findings, request)
    emit(verified.as_json(found) if request.format == "json" else verified.as_text(found), request)
    return 0 if found.ok else 1


def _heading(path: str) -> str:
    """A path as a title: a folder that is only dots by its name."""
    return path if path == "-" or Path(path).name.strip(".") else Path(path).resolve().name


@main.command()
@shared("html")
@click.option("--out", metavar="FILE", help="The same as -o.")
@click.option("--project", metavar="DIR", default="", help="With what became of each report in "
              "this dbt project: it is verified.")  # fmt: skip
@click.option("--data", metavar="URL", default="", help="With --project: DuckDB file, or folder of "
              "CSV and Parquet files, to run old and new on.")  # fmt: skip
@click.option("--to-dialect", metavar="NAME", default="", help="Dialect of the project.")
@click.option("--lineage", metavar="URL", default="", help="Link to this page of the lineage.")
@click.option("--title", default="", help="Heading of the page; default: the paths.")
@click.option("--link-template", metavar="URL", default="{path}", show_default=True,
              help="Where places lead to: {path} or {abspath}, and {line}.")  # fmt: skip
def report(
    request: Request,
    out: str | None,
    project: str,
    data: str,
    to_dialect: str,
    lineage: str,
    title: str,
    link_template: str,
) -> int:
    """Write one offline page of it all: inventory, copies, contradictions, verdicts."""
    from unwet.lineage.exports.html import way_back
    from unwet.rewrite import verify as job
    from unwet.rewrite.overview.gather import overview
    from unwet.rewrite.overview.links import Links
    from unwet.rewrite.overview.page import page

    if not project and (data or to_dialect):
        raise UsageError("--data and --to-dialect need --project DIR")
    if project:
        job.check_project(Path(project))
    request = replace(request, output=out or request.output)
    pile = request.load()
    links = Links(link_template, way_back(request.output), Path.cwd().as_posix())
    asked = job.Request(Path(project), to_dialect, data, request.params) if project else None
    found = overview(pile, request.intended, asked, lambda text: _progress(text, request.quiet))
    notes(pile.findings, request)
    shown = replace(found, title=title or ", ".join(map(_heading, request.paths)), lineage=lineage)
    emit(page(shown, links), request)
    return 0


@main.command()
@click.option("--out", metavar="DIR", default="unwet-demo", show_default=True,
              help="Where pile, data, project and pages go.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), metavar="N", default=None,
              help="Another pile, made now; default: the one that is bundled.")  # fmt: skip
@click.option("--size", type=click.FloatRange(0, 1), metavar="SHARE", default=1.0,
              help="Share of the pile's copies, for a quick look: 0.1.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write into a folder that is not empty.")
@click.option("-q", "--quiet", is_flag=True, help="No notes on stderr.")
@click.option("-v", "--verbose", is_flag=True, help="Also the CPU seconds of each stage.")
def demo(out: str, seed: int | None, size: float, force: bool, quiet: bool, verbose: bool) -> int:
    """Run everything on the bundled case, a shop's reports of five years."""
    from unwet.lineage.exports.progress import watched
    from unwet.rewrite import demo as job

    def say(line: str) -> None:
        if not quiet:
            _say(line)

    bar = sys.stderr.isatty() and not quiet
    with watched(job.STAGES, bar, say) as watch:
        found = job.demo(_bundled(seed, size), Path(out), force, watch)
    if verbose:
        _say(*(f"{stage}: {used:.1f} s CPU" for stage, used in found.seconds.items()))
    _to_stdout(table(job.rows(found)).encode())
    if not quiet:
        _say(" ", *job.next_steps(found))
    return 0 if found.verified.ok else 1


def _bundled(seed: int | None, size: float) -> "Case":
    """The case that is shipped beside this file; the stages know nothing of it."""
    from unwet.fixtures.shop import case as shop
    from unwet.rewrite.demo import Case

    try:
        made = shop.case(shop.DEFAULT if seed is None else seed, size)
    except OSError as error:
        hint = "install unwet anew"
        raise UsageError(f"the bundled pile cannot be read: {error}", hint) from error
    return Case(made.files, made.build, shop.DIALECT, made.answers["placeholders"])


def _progress(text: str, quiet: bool) -> None:
    """What is being done now; only for somebody who watches."""
    if sys.stderr.isatty() and not quiet:
        click.echo(f"... {text}", err=True)
