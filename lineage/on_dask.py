"""`unwet scan` on a Dask cluster: one task per group of files, and the inventory of all of them.

Needs the extra `unwet[dask]`. The workers have to see the files under the same paths.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from unwet.lineage.errors import UsageError
from unwet.lineage.inventory import Inventory
from unwet.lineage.parts import Settings, Share, gathered, share
from unwet.lineage.sources import files_of

if TYPE_CHECKING:
    from distributed import Client

TASK = 50  # files: enough that sending a task takes next to nothing beside it


def scan(paths: Sequence[str], how: Settings, client: "Client") -> Inventory:
    """The inventory of a pile, made by the workers of a cluster: that of `unwet scan`.

    Raises UsageError for paths that are not there, standard input, and a missing extra; what goes
    wrong on a worker is raised here.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError("Dask is not installed", "pip install 'unwet[dask]'") from error
    if not isinstance(client, Client):
        raise UsageError(f"{client!r} is no client of a cluster", "give a distributed.Client")
    files = list(enumerate(files_of(paths)))
    groups = [files[at : at + TASK] for at in range(0, len(files), TASK)]
    cluster: Any = client  # its methods have no types
    found = cluster.gather(cluster.map(_shares, groups, how=how, pure=False))
    return gathered([each for group in found for each in group], how)


def _shares(files: Iterable[tuple[int, str]], how: Settings) -> tuple[Share, ...]:
    return tuple(share(number, path, how) for number, path in files)
