"""Whose column is a bare name, when several tables nobody describes could have it?

The query itself says only that one of them does. What other queries say is tried first, then how
names are made: `l_orderkey` is a column of the table whose other columns begin with `l_`, or whose
name does.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from unwet.lineage.tables import tail
from unwet.rewrite.prove.synthetic.cells import Cell, unify
from unwet.rewrite.prove.synthetic.notes import Notes


class Owners:
    """Bare names that may be columns of several relations, and in the end of which they are."""

    def __init__(self, notes: Notes, hinted: Mapping[str, Container[str]]) -> None:
        """`hinted`: columns that a relation may have, by its name: those of a file of that name."""
        self._notes, self._hinted = notes, hinted
        self._open: dict[tuple[str, tuple[str, ...]], Cell] = {}

    def either(self, relations: Sequence[str], name: str) -> Cell:
        """The type of a column that one of the relations has."""
        return self._open.setdefault((name, tuple(relations)), Cell())

    def settle(self) -> None:
        """Decide for all of them, and note them as columns that are read."""
        having: dict[str, set[str]] = {}
        for relation, column in self._notes.columns:
            having.setdefault(relation, set()).add(column)
        names: dict[str, list[tuple[str, ...]]] = {}
        for name, relations in sorted(self._open, key=lambda key: (len(key[1]), key)):
            names.setdefault(name, []).append(relations)
        # fewest common candidates first: what they decide helps the others
        for name in sorted(names, key=lambda name: (len(_common(names[name])) or 99, name)):
            self._settle(name, names[name], having)

    def _settle(
        self, name: str, several: Sequence[tuple[str, ...]], having: dict[str, set[str]]
    ) -> None:
        """As few owners as give one to each place where the name stands."""
        open_places = [each for each in several if not self._is_had(name, each, having)]
        while open_places:
            candidates = dict.fromkeys(relation for each in open_places for relation in each)
            best = max(candidates, key=lambda r: self._worth(name, r, open_places, having))
            having.setdefault(best, set()).add(name)
            open_places = [each for each in open_places if best not in each]
        for relations in several:
            owner = next(each for each in relations if name in having.get(each, ()))
            unify(self._notes.cell(owner, name), self._open[name, relations])
            self._notes.read([(owner, (name,))])

    def _worth(
        self,
        name: str,
        relation: str,
        places: Sequence[tuple[str, ...]],
        having: Mapping[str, set[str]],
    ) -> tuple[int, bool, float, float]:
        share, fit = affinity(name, relation, having.get(relation, ()))
        hint = name in self._hinted.get(tail(relation), ())
        return sum(relation in each for each in places), hint, share, fit

    def _is_had(self, name: str, relations: Iterable[str], having: dict[str, set[str]]) -> bool:
        return any(name in having.get(each, ()) for each in relations)


def _common(several: Sequence[tuple[str, ...]]) -> set[str]:
    return set(several[0]).intersection(*several[1:])


def affinity(name: str, relation: str, columns: Iterable[str]) -> tuple[float, float]:
    """How well a name fits to a relation: by its other columns, by its name."""
    prefix = name.partition("_")[0] if "_" in name else ""
    several = list(columns)
    same = sum(1 for each in several if prefix and each.partition("_")[0] == prefix)
    return round(same / len(several), 1) if several else 0.0, _fit(prefix, tail(relation))


def _fit(prefix: str, table: str) -> float:
    """`cc` are the initials of call_center, `inv` begins inventory, `ps` is inside partsupp."""
    if not prefix:
        return 0
    if prefix == "".join(word[:1] for word in table.split("_")):
        return 3
    if table.startswith(prefix):
        return 2
    letters = iter(table)
    return 1.5 if table[:1] == prefix[0] and all(c in letters for c in prefix) else 0
