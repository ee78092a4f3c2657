"""The command line: read the configuration, make one pipeline call, render the result."""

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="unwet", prog_name="unwet")
def main() -> None:
    """Read a pile of copy-pasted SQL; rewrite it as a small, proven, modular project."""
