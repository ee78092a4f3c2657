"""Names that stay from run to run: of reports, and of what is made once.

A name with a number says in which order things were met, so one more report in the pile would give
others another name. What the last run called something is therefore remembered in the project, and
given again: to the same report, and to an abstraction that says the same or is for mostly the same
reports.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Final

from unwet.lineage.templating import restorer
from unwet.rewrite.compose import Draft
from unwet.rewrite.definitions import Report, own_folders
from unwet.rewrite.leftovers import common_root
from unwet.rewrite.library import texts_within
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.naming import free
from unwet.rewrite.planned import users
from unwet.rewrite.project import Project
from unwet.rewrite.prove.against import placeholders
from unwet.rewrite.renaming import named
from unwet.rewrite.staging import staged_source
from unwet.rewrite.targets.record import Sign

_ALIKE: Final = 0.5  # of all reports of two abstractions, the share that has both
_PRIVATE: Final = re.compile(r"(?:call|tail)__\d+__\w+|ref__(?:int|stg)_\w+?__ref", re.IGNORECASE)


# --- reports ---------------------------------------------------------------------------------


def identities(
    reports: Iterable[Report], root: str, restore: Callable[[str], str] = str
) -> dict[str, str]:
    """By what a report is (its relation, of which one script leaves what; or which query of its
    script): what it is called. Paths begin with the last folder of `root`, in which all scripts
    lie; ``restore`` gives names as the scripts have them."""
    found: dict[str, str] = {}
    counts: Counter[str] = Counter()
    above = len(root.rstrip("/").rpartition("/")[0])
    for report in sorted(reports, key=lambda each: each.span):
        path = report.span.path[above:].lstrip("/")
        counts[path] += not report.relation
        relation = restore(report.definition.of or report.relation)
        one = relation if relation and not report.definition.of else ""
        found[one or f"{path}#{relation or counts[path]}"] = report.name
    return found


def names_of(meaning: Meaning) -> dict[str, str]:
    """What the reports of a pile are called, by what they are."""
    root = common_root(sorted(source.path for source in meaning.pile.sources))
    restore = restorer(placeholders(meaning.pile))
    return identities(meaning.state.reports, root, restore)


def called_before(meaning: Meaning, before: Mapping[str, str]) -> Meaning:
    """The pile with its reports called as they were; new ones get other names."""
    if not before:
        return meaning
    now = names_of(meaning)
    names = {now[same]: name for each, name in before.items() if (same := _same(each, now))}
    taken, new = set(names.values()), set(now.values()) - names.keys()
    paths = {report.name: report.span.path for report in meaning.state.reports}
    holders = {other: name for name, other in names.items()}
    for name in sorted(new):
        own = own_folders(paths[name], paths[holders[name]]) if name in taken else ""
        to = f"{name}_{own}" if own else name
        names[name] = free(to, taken | new) if name in taken else name
        taken.add(names[name])
    names = {name: other for name, other in names.items() if name != other}
    return replace(meaning, names=names) if names else meaning


def _same(identity: str, now: Mapping[str, str]) -> str:
    """The report of that identity; its path may have got a folder more or less in front."""
    if identity in now or "#" not in identity:
        return identity if identity in now else ""
    alike = [each for each in now if each.endswith(f"/{identity}") or identity.endswith(f"/{each}")]
    return alike[0] if len(alike) == 1 else ""


# --- abstractions ----------------------------------------------------------------------------


def signs(project: Project) -> dict[str, Sign]:
    """All of a project's, by name."""
    reach = _reach(project)
    trees = {macro.name: ("macro", macro.tree) for macro in project.library.macros}
    for draft in project.intermediates:
        trees[draft.name] = ("model", project.library.models[draft.name])
    calls = project.library.calls
    # with what its calls say: all that are one call and nothing else would be the same thing
    return {
        name: Sign(kind, _digest(" ".join(texts_within(tree, calls))), reach.get(name, frozenset()))
        for name, (kind, tree) in trees.items()
    }


def _digest(words: str) -> str:
    return blake2b(_PRIVATE.sub("?", words).encode(), digest_size=8).hexdigest()


def _reach(project: Project) -> dict[str, frozenset[str]]:
    """By abstraction: the reports that use it, through others, too."""
    direct = users(project)
    found: dict[str, frozenset[str]] = {}
    for name in direct:
        seen: set[str] = set()
        stack = [name]
        while stack:
            for user in set(direct.get(stack.pop(), ())) - seen:
                seen.add(user)
                stack.append(user)
        found[name] = frozenset(seen & project.reports.keys())
    return found


def as_before(project: Project, before: Mapping[str, Sign]) -> Project:
    """The project with the names that its abstractions had."""
    if not before:
        return project
    now = signs(project)
    names = matched(now, before)
    taken = {*names.values(), *project.reports}
    for name in sorted(now.keys() - names.keys()):
        names[name] = free(name, taken) if name in taken else name
        taken.add(names[name])
    return named(project, {name: other for name, other in names.items() if name != other})


def matched(now: Mapping[str, Sign], before: Mapping[str, Sign]) -> dict[str, str]:
    """What is called what: the surest pairs first, each name once."""
    pairs = [
        (-score, name != old, old, name)
        for name, sign in now.items()
        for old, other in before.items()
        if (score := _likeness(sign, other)) > 0
    ]
    found: dict[str, str] = {}
    given: set[str] = set()
    for _, _, old, name in sorted(pairs):
        if name not in found and old not in given:
            found[name] = old
            given.add(old)
    return found


def _likeness(one: Sign, other: Sign) -> float:
    """0: another thing."""
    if one.kind != other.kind:
        return 0.0
    both, either = len(one.reports & other.reports), len(one.reports | other.reports)
    share = both / either if either else 0.0
    same = one.words == other.words
    return same + share if same or share >= _ALIKE else 0.0


# --- staging models --------------------------------------------------------------------------


def staging_names(project: Project) -> dict[str, str]:
    """What the staging models should be called. Of several for one source the one that most others
    read is called after its table alone, the rest have the authors' word for them behind it."""
    uses = users(project)
    of: dict[str, list[Draft]] = defaultdict(list)
    for draft in project.intermediates:
        if (source := staged_source(draft)) is not None:
            of[source.staging].append(draft)
    staged = {draft.name for drafts in of.values() for draft in drafts}  # which may have it already
    taken = {*project.reports, *(d.name for d in project.intermediates if d.name not in staged)}
    names: dict[str, str] = {}
    for staging, drafts in sorted(of.items()):
        drafts.sort(key=lambda each: (-len(uses.get(each.name, ())), each.name))
        for number, draft in enumerate(drafts):
            label = _label(draft.name, staging) if number else ""
            names[draft.name] = free(f"{staging}_{label}" if label else staging, taken)
            taken.add(names[draft.name])
    return names


def _label(name: str, staging: str) -> str:
    """The authors' word in the name of a model that is called after its source, or will be; empty
    where that is the word for the table itself."""
    if name.startswith(staging):
        return name.removeprefix(staging).strip("_")
    label = name.removeprefix("int_")
    return "" if staging.endswith(f"__{label}") else label
