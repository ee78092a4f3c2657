"""What macros are called: the authors' own words for what they stand for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlglot import exp

from unwet.rewrite.abstract import BRANCH, Family, Unit
from unwet.rewrite.item_runs import name_of
from unwet.rewrite.naming import RESERVED, common_words, hole_name, majority, slug, snake
from unwet.rewrite.shapes import after_tables
from unwet.rewrite.unions import branches, is_top

_FEW = 4  # words of relations behind a name that another macro has, too
_VERSION = re.compile(r"v?\d*")
_Said = tuple[str, str]  # an output, and the text that is written into it


class Labels:
    """The texts that branches of a UNION ALL write into an output each: a metric, a kind of row."""

    def __init__(self, hosts: Mapping[str, exp.Expr]) -> None:
        self._many: Counter[tuple[str, _Said]] = Counter()
        self._branches: Counter[str] = Counter()
        for host, tree in hosts.items():
            for union in [node for node in tree.find_all(exp.Union) if is_top(node)]:
                for branch in branches(union):
                    self._branches[host] += 1
                    self._many.update((host, said) for said in _said(branch))

    def of(self, units: Sequence[Unit]) -> str:
        """A word that all units write, and not nearly all branches; empty where there is none."""
        host = units[0].host
        common = set.intersection(*(set(_said(unit.node)) for unit in units))
        telling = [
            (self._many[host, said], at, said[1])
            for at, said in enumerate(_said(units[0].node))
            if said in common and 3 * self._many[host, said] <= 2 * self._branches[host]
        ]
        return slug(min(telling)[2]) if telling else ""


def _said(branch: exp.Expr) -> Iterator[_Said]:
    for item in branch.expressions if isinstance(branch, exp.Select) else ():
        node = item.unalias()
        while isinstance(node, exp.Cast | exp.Paren):
            node = node.this
        texts = isinstance(node, exp.Literal) and node.is_string
        if texts and any(map(str.isalpha, node.name)) and node.name.lower() not in RESERVED:
            yield item.alias_or_name.lower(), node.name


def names_for(family: Family, all_hosts: Sequence[str], labels: Labels) -> tuple[str, ...]:
    """What most of the authors call it: a block by its alias, a report by the words that its copies
    begin with, unless half of the pile begins so; else by the words that comments share. Copies of
    all names by what they compute. A branch by the report and a constant that it writes; then by
    what it reads, too. The best name first."""
    if family.units[0].kind == "items":
        return _of_items(family.units)
    if family.units[0].kind == "expression":
        return _of_expression(family.units)
    if name := name_of(family.units[0].node):
        return (name,)
    hosts = list(dict.fromkeys(unit.host for unit in family.units))
    kinds = {unit.kind for unit in family.units}
    label = _usual([snake(unit.label) for unit in family.units])
    tables = after_tables(family.units[0].node)
    if "whole" not in kinds and label != BRANCH:
        return (label if len(label) > 2 else tables,)
    stem = common_stem(hosts)
    if "whole" not in kinds:
        name = f"{slug(stem)}_{labels.of(family.units) or BRANCH}"
        more = _other_words(tables.removesuffix("_rows"), name)
        return (name, f"{name}_{more}") if more else (name,)
    stem = _beginning(hosts, stem)
    telling = len(stem) > 2 and 2 * sum(h.startswith(stem) for h in all_hosts) < len(all_hosts)
    words = common_words([unit.comment for unit in family.units])
    if words and not telling:
        return (slug(words),)
    of_one = 2 * sum(host.startswith(stem) for host in hosts) <= len(hosts)
    return (of_one and _made(family.units[0].node)) or (slug(stem),)


def _made(query: exp.Expr) -> tuple[str, ...]:
    """The first outputs that a query computes: two of them, three, or more."""
    names = [snake(name) for name in _computed(query) if "__" not in name and len(name) > 2]
    return tuple(slug("_".join(names[:n])) for n in range(min(2, len(names)), len(names) + 1) if n)


def _computed(query: exp.Expr) -> Iterator[str]:
    for item in query.expressions if isinstance(query, exp.Select) else ():
        if isinstance(item, exp.Star):
            yield from (each.alias_or_name for each in item.args.get("replace") or ())
        elif isinstance(item, exp.Alias) and not isinstance(item.this, exp.Column):
            yield item.alias


def _other_words(tables: str, name: str) -> str:
    """The words of relations that a name does not have yet, without numbers of versions."""
    known = frozenset(name.split("_"))
    words = [w for w in tables.split("_") if w not in known and not _VERSION.fullmatch(w)]
    return "_".join(words[:_FEW])


def name_of_list(select: exp.Select) -> str:
    """What a list of columns is called."""
    names = [snake(item.alias_or_name) for item in select.expressions]
    own = [name for name in names if "__" not in name]
    return _of_names(own)[0] if len(own) > 1 else slug("_".join((*own, "columns")))


def _of_items(units: Sequence[Unit]) -> tuple[str, ...]:
    """The words that most of the columns begin with; else the first and the last of them."""
    return _of_names(_telling(units))


def _of_names(names: Sequence[str]) -> tuple[str, ...]:
    stem = common_stem(names)
    numbers = [name.removeprefix(f"{stem}_") for name in names]
    if len(names) > 1 and all(map(str.isdecimal, numbers)):
        return (f"{slug(stem)}_{numbers[0]}_to_{numbers[-1]}",)
    if stem not in names:
        return (slug(f"{stem}_columns"),)
    return (f"{slug(names[0], 4)}_to_{slug(names[-1], 4)}",)


def _telling(units: Sequence[Unit]) -> list[str]:
    """The names of the columns; of all spellings that with most words."""
    said = [[item.alias_or_name for item in unit.node.expressions[unit.skip : unit.stop]]
            for unit in units]  # fmt: skip
    spelled = [max(map(snake, names), key=lambda name: (name.count("_"), name))
               for names in zip(*said, strict=True)]  # fmt: skip
    return [name for name in spelled if "__" not in name] or spelled


def _of_expression(units: Sequence[Unit]) -> tuple[str, ...]:
    """What most outputs that it is are called, or the words that they share; then the column that
    it is of, too."""
    if isinstance(units[0].node, exp.GroupingSets):
        return _of_grouping_sets(units[0].node)
    labels = [snake(unit.label) for unit in units if unit.label]
    columns = {c.name.lower() for unit in units for c in unit.node.find_all(exp.Column)}
    column = slug(columns.pop()) if len(columns) == 1 else ""
    name = _usual(labels)
    if not (name and _is_agreed(name, labels)) and (of_elements := _of_elements(units)):
        return (of_elements,)
    if not name:
        host = common_stem(dict.fromkeys(unit.host for unit in units))
        return (slug(f"{column or host}_{units[0].node.key}"),)
    return slug(name), slug(f"{column or common_stem(unit.host for unit in units)}_{name}")


def _of_grouping_sets(node: exp.GroupingSets) -> tuple[str, ...]:
    """Its first columns, as many as it takes to tell it from others."""
    names = [*dict.fromkeys(snake(column.name) for column in node.find_all(exp.Column, bfs=False))]
    own = [name for name in names if "__" not in name] or ["all"]
    return tuple(slug(f"{'_'.join(own[:n])}_grouping_sets") for n in range(1, len(own) + 1))


def _is_agreed(name: str, labels: Sequence[str]) -> bool:
    """Whether most outputs are called so, or begin or end so."""
    return 2 * labels.count(name) > len(labels) or all(name in label for label in labels)


def _of_elements(units: Sequence[Unit]) -> str:
    """What an expression over the elements of an array computes, and of which array, or which
    column of the elements, where it is that in all of them."""
    key, words = "", list[tuple[str, str]]()
    for unit in units:
        array, total = unit.node.find(exp.Unnest), unit.node.find(exp.Select)
        found = total and next(total.expressions[0].find_all(exp.AggFunc), None)
        if array is None or found is None:
            return ""
        key = found.key
        words.append((_last_name(array.expressions[0]), _last_name(found)))
    alike = [each[0] for each in zip(*words, strict=True) if len({*each}) == 1]
    return slug(f"{key}_{next(filter(None, alike), 'elements')}")


def _last_name(node: exp.Expr) -> str:
    """The last word of a path."""
    word = node.find(exp.Identifier)
    return snake(word.name) if word is not None else ""


def _usual(labels: Sequence[str]) -> str:
    """What most are called; where no name is most, the words that all begin or end with: one word
    only where a number is all that the others have beside it."""
    name = majority(labels)
    if 2 * labels.count(name) > len(labels):
        return name
    shared = hole_name(labels, "")
    numbers = name.removeprefix(f"{shared}_").isdecimal()
    return shared if "_" in shared or (shared and numbers) else name


def _beginning(names: Sequence[str], stem: str) -> str:
    """What all names begin with, where that is most of what most of them do."""
    words = stem.split("_")
    for n in range(len(words), len(words) // 2, -1):
        head = "_".join(words[:n])
        if all(f"{name}_".startswith(f"{head}_") for name in names):
            return head
    return stem


def common_stem(names: Iterable[str]) -> str:
    """The longest beginning that most of the names share, in whole words."""
    split = [tuple(name.removeprefix("int_").split("_")) for name in names]
    most = len(split) / 2
    heads = Counter(words[:n] for words in split for n in range(1, len(words) + 1))
    shared = [head for head, times in heads.items() if times > most] or split
    return "_".join(sorted(shared, key=lambda head: (-len(head), head))[0])
