"""The options that all commands share, and what they and the configuration ask for together."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from unwet.lineage.errors import OutputReadOnly, PathNotFound, UsageError

if TYPE_CHECKING:
    from unwet.lineage.config import Config, Intended
    from unwet.lineage.pile import Inputs, Pile
    from unwet.lineage.sources import Source
    from unwet.lineage.survey import Lineage

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line and the configuration ask for, together."""

    paths: tuple[str, ...]  # named, else those of the configuration, else the current folder
    dialect: str
    schema: str | None
    default_schema: str
    params: dict[str, str] = field(default_factory=dict)
    format: str = "text"
    output: str | None = None
    quiet: bool = False
    verbose: bool = False
    intended: tuple["Intended", ...] = ()
    named: tuple[str, ...] = ()  # as the command line has them
    told: bool = False  # whether somebody asked for the format; else it is the usual one
    settings: "Config | None" = None  # all that the configuration says
    given: tuple[str, ...] = ()  # the names of --param; those of the configuration serve others too

    def load(self, sources: "Inputs | None" = None) -> "Pile":
        """The pile that was asked for; of other ``sources``, where some are given."""
        from unwet.lineage.pile import load

        pile = load(
            self.paths if sources is None else sources,
            dialect=self.dialect,
            schema=self.schema,
            params=self.params,
            default_schema=self.default_schema,
        )
        if sources is None:
            self.tell_strangers(pile.sources)
        trusted = self.settings is not None and self.settings.trust_keys
        return replace(pile, trust_keys=True) if trusted else pile

    def look(self, jobs: int | None, quotes: bool = False) -> "Lineage":
        """The lineage of the pile that was asked for, by so many processes."""
        from unwet.lineage.pile import look
        from unwet.lineage.sources import read_sources

        if self.given and "-" not in self.paths:  # which can be read once
            self.tell_strangers(read_sources(self.paths, self.dialect).sources)
        return look(
            self.paths,
            dialect=self.dialect,
            schema=self.schema,
            params=self.params,
            default_schema=self.default_schema,
            jobs=jobs,
            quotes=quotes,
        )

    def tell_strangers(self, sources: "Iterable[Source]", words: Iterable[str] = ()) -> None:
        """Say which --param nobody asks for, on stderr. `words`: as `strangers` takes them."""
        if self.quiet or not self.given:
            return
        from unwet.lineage.params import told

        for line in told(self.given, sources, words):
            click.echo(line, err=True)


_FORMS = frozenset({"csv", "dot", "html", "json", "mmd", "png", "sarif", "svg", "toml", "xml",
                    "yaml", "yml"})  # fmt: skip
WRITE = "Write there instead of to stdout."


def shared(
    *formats: str, paths: str = "[PATH]...", output: str = WRITE, own_endings: bool = True
) -> Callable[[F], F]:
    """PATH... and the options of every command; the function gets them as one `Request`. `output`:
    what -o is for; `own_endings`: its file's ending says one of the formats, by its name."""
    options = [
        click.argument("paths", nargs=-1, metavar=paths),
        click.option("--dialect", metavar="NAME", help="SQL dialect of the input (tsql, ...)."),
        click.option("--schema", metavar="FILE", help="Known columns: YAML, JSON, DDL or DuckDB."),
        click.option("--default-schema", metavar="NAME", help="Schema of unqualified names."),
        click.option("--param", "params", multiple=True, metavar="NAME=VALUE",
                     help="Bind a placeholder; may be repeated."),
        click.option("--format", "format", type=click.Choice(formats), default=formats[0],
                     show_default=True, help="Form of the output."),
        click.option("-o", "--output", metavar="FILE", help=output),
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
            if not told and own_endings and mine["output"]:
                mine["format"] = _by_ending(mine["output"], formats, bool(mine["quiet"]))
            return command(_request(**mine, told=told), **given)

        wrapped.__name__, wrapped.__doc__ = command.__name__, command.__doc__
        wrapped.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped  # type: ignore[return-value]

    return decorate


def _by_ending(output: str, formats: tuple[str, ...], quiet: bool) -> str:
    """The format that the ending of a file says, else the usual one, which is said if the ending
    looks like another."""
    ending = os.path.splitext(output)[1]
    is_device = os.path.exists(output) and not os.path.isfile(output)
    if (named := ending[1:].lower()) in formats:
        return named
    if not is_device and named in _FORMS and not quiet:
        click.echo(f"{output}: {ending} says no format of this command, so {formats[0]} is written",
                   err=True)  # fmt: skip
    return formats[0]


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

    if (file := rest["output"]) is not None and os.path.isdir(file or os.curdir):
        hint = "-o names a file for what stdout would get"
        raise OutputReadOnly(file or "''", "it is a folder", hint)
    settings = read_config(config, Path.cwd())
    return Request(
        paths=paths or usual_paths(settings),
        named=paths,
        dialect=dialect if dialect is not None else settings.dialect,
        schema=schema or settings.schema or None,
        default_schema=default_schema or settings.default_schema,
        params={**settings.params, **bindings(params)},
        given=tuple(bindings(params)),
        intended=settings.intended,
        settings=settings,
        **rest,
    )


def usual_paths(settings: "Config | None") -> tuple[str, ...]:
    """What is read when nobody names a path: the `paths` of the configuration, as seen from the
    current folder if below it; else that folder. Raises PathNotFound."""
    here = f"{Path.cwd()}{os.sep}"
    named = settings.paths if settings else ()
    for path in named:
        if not os.path.lexists(path) and not set("*?[") & set(path):
            raise PathNotFound(path, "the configuration names it in `paths`")
    return tuple(path.removeprefix(here) for path in named) or (".",)


_BIND = "write --param NAME=VALUE"


def bindings(params: Iterable[str]) -> dict[str, str]:
    """NAME=VALUE as a mapping. Raises UsageError without NAME or =, with blanks around NAME, and
    for a name with two values."""
    found: dict[str, str] = {}
    for param in params:
        name, sign, value = param.partition("=")
        if not name.strip():
            raise UsageError(
                f"--param {repr(param) if not param or name else param} has no name", _BIND
            )
        if not sign:
            raise UsageError(f"--param {name} has no value", _BIND)
        if name.split() != [name]:
            help = f"write --param {''.join(name.split())}={value.strip()}"
            raise UsageError(f"--param {param!r}: a name has no blanks", help)
        if found.setdefault(name, value) != value:
            help = "a placeholder has one value in a run"
            raise UsageError(f"--param {name} is given twice: {found[name]} and {value}", help)
    return found


jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes that share the work.  "
    "[default: 1 for a small pile, else one per core]")  # fmt: skip
