"""`unwet scan`, and `unwet merge` of its parts."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unwet.lineage.commands.output import emit, notes, say, table
from unwet.lineage.commands.request import Request, jobs_option, shared
from unwet.lineage.errors import UsageError

if TYPE_CHECKING:
    from unwet.lineage.inventory import Inventory


@click.command()
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
    request.tell_strangers(reading.sources)
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
        say("no dialect was given: --dialect NAME may read more of it")
    if found.findings and not request.verbose and not request.quiet and request.format == "text":
        say(f"-v lists {'what is opaque, and all other' if found.opaque else 'all'} notes")
    text = inventory.as_json(found) if request.format == "json" else table(inventory.rows(found))
    emit(text, request)
    return 1 if found.errors else 0


@click.command()
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
            raise PathNotFound(file, "parts are made by scan --shard") from error
        found.append(parts.from_text(text, file))
    dialect = found[0].settings.dialect
    request = Request((), dialect, None, "", format=format, **rest)
    return _scanned(parts.merged(found), request)
