"""`unwet explain`: what the code of a finding means."""

import shutil

import click

from unwet.lineage.commands.output import colourful, emit
from unwet.lineage.commands.request import Request


@click.command()
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
    colour, width = colourful(request), shutil.get_terminal_size().columns
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
