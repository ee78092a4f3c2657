"""The pile beside a project that was made of it, with the values that it was made with."""

from dataclasses import replace
from pathlib import Path

from unwet.lineage.commands.output import say
from unwet.lineage.commands.request import Request
from unwet.lineage.pile import Pile
from unwet.rewrite.bound_values import texts, told, with_remembered


def beside(request: Request, project: Path) -> tuple[Request, Pile]:
    """The request with these values, too, and its pile; what nobody gave, or nothing asks for, is
    said on stderr."""
    with_all = replace(request, params=with_remembered(project, request.params))
    pile = replace(with_all, given=()).load()
    if not request.quiet:
        say(*told(project, request.params))
    request.tell_strangers(pile.sources, texts(project))
    return with_all, pile
