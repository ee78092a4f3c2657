"""`--data` and `--scratch`: the same for every command that runs old and new."""

from collections.abc import Callable
from typing import TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., object])


def data_options(command: Command) -> Command:
    """Adds `data` and `scratch` to the arguments of a command."""
    command = click.option(
        "--scratch", metavar="SCHEMA", default="",
        help="Schema of the server that may be written to; all that is made there is dropped.",
    )(command)  # fmt: skip
    return click.option(
        "--data", metavar="WHERE", default="",
        help="Data to run old and new on: a DuckDB file, a folder of CSV and Parquet files, or a "
        "server (postgresql://..., spark://local/FOLDER, env:NAME, dbt:PROFILE), only read.",
    )(command)  # fmt: skip
