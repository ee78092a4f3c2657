"""Problems in one of the forms of a check; `unwet drift` has them too."""

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from unwet.lineage.commands.output import colourful
from unwet.lineage.commands.request import Request

if TYPE_CHECKING:
    from unwet.rewrite.check.found import Problem


def in_form(format: str, found: Sequence["Problem"], request: Request) -> str:
    """Problems in one of the forms of a check."""
    from importlib.metadata import version

    from unwet.rewrite.check.formats import View, render

    width = shutil.get_terminal_size((100, 24)).columns  # 100: a file, or the log of a build
    view = View(width=width, colour=colourful(request), version=version("unwet"))
    return render(format, found, view)
