"""What authors wrote inside of copies, kept where these become one.

A comment stands at a node of a tree. The copies of a template have one shape, so their nodes are
laid side by side, and what most of them say at a node is said there by the template. A sentence
goes on in the next lines, each a comment of its own: it stands there whole or not at all. It is a
note on the node until the template is printed: nothing that compares, counts or rebuilds trees sees
it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.shapes import as_leaf

SAID: Final = "said"  # note on a node: the comments that most copies have there


def note_common(members: Sequence[Sequence[exp.Expr]]) -> None:
    """In place: the first member's nodes with a note of the comments that more than half of all
    members have there. A member is its nodes in their order; those of all are as many."""
    if len({len(nodes) for nodes in members}) != 1:
        return
    for place in zip(*members, strict=True):
        found = [tuple(_said_at(node)) for node in place]
        if not any(found):
            continue
        votes = Counter(comment for comments in found for comment in {*comments})
        usual = {c for c in votes if 2 * votes[c] > len(members)}
        place[0].meta[SAID] = tuple(dict.fromkeys(_whole(max(found, key=len), usual)))


def _whole(comments: Sequence[str], usual: Container[str]) -> Iterator[str]:
    """The comments that are usual, without sentences of which some lines are not."""
    sentence: list[str] = []
    for comment in (*comments, ""):
        if sentence and _goes_on(sentence, comment):
            sentence.append(comment)
            continue
        if all(line in usual for line in sentence):
            yield from sentence
        sentence = [comment]


def _goes_on(sentence: Sequence[str], comment: str) -> bool:
    """Whether a line that begins small belongs to a sentence that has a capital and no end yet."""
    first, last = sentence[0].strip()[:1], sentence[-1].strip()[-1:]
    return comment.strip()[:1].islower() and first.isupper() and last not in ".!?:;"


def hand_on(old: exp.Expr, new: exp.Expr) -> None:
    """In place: what is said at a node, at another one that takes its place."""
    if old._meta is not None and SAID in old._meta:
        new.meta[SAID] = old.meta[SAID]


def aloud(tree: exp.Expr) -> exp.Expr:
    """A copy in which the notes are comments."""
    made = copied(tree)
    for node in made.walk():
        if node._meta is not None and SAID in node._meta:
            node.comments = list(node.meta[SAID]) or None
    return made


def _said_at(node: exp.Expr) -> list[str]:
    """The comments at a node, with those inside of it where it is a leaf."""
    inside = node.walk() if as_leaf(node) is not None else (node,)
    return [
        f" {comment.strip()} "
        for each in inside
        for comment in (*(each.comments or ()), *_noted(each))
        if comment.strip()
    ]


def _noted(node: exp.Expr) -> Sequence[str]:
    """What a template says here already, whose macro is a member."""
    said: Sequence[str] = node.meta.get(SAID, ()) if node._meta is not None else ()
    return said
