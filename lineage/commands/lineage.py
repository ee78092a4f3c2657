"""`unwet lineage`: the graph of columns in all its forms, and the check of pictures in pages."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from unwet.lineage.commands.output import SHOWN, emit, notes, say
from unwet.lineage.commands.request import Request, bindings, jobs_option, shared
from unwet.lineage.errors import UsageError

if TYPE_CHECKING:
    from unwet.lineage.asking import Ask
    from unwet.lineage.checking import Checked
    from unwet.lineage.survey import Lineage


@click.command()
@shared("text", "json", "dot", "mermaid", "svg", "png", "html", "openlineage", own_endings=False)
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
        say(hint(pile, ask))
    notes([each for each in pile.graph.unresolved if each.code == "BUDGET"], request)
    if ask.format == "openlineage" and not ask.namespace and not request.quiet:
        home = ask.options.naming.home
        say(f"tables are in namespace {home}; say where they are with --namespace URI")
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
    from unwet.lineage.asking import Ask, ending_of, format_of

    told = request.told and request.format
    named = output and format_of(output)
    format = told or named or usual or request.format
    if output and not (told or named or usual or request.quiet) and (ending := ending_of(output)):
        say(f"{output}: {ending} says no format, so {format} is written; --format NAME for another")
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
        say(f"{file} is {after if stale else 'up to date'}")
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
    params = {**request.params, **bindings(own.pop("params", ()))}
    inner = replace(inner, params=params, told=request.told or "format" in said)
    return inner, {**asked, **{name: value for name, value in own.items() if name in asked}}
