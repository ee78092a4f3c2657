"""A scan on a Dask cluster of two local processes."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from unwet.lineage import on_dask, parts
from unwet.lineage.errors import PathNotFound, UnknownDialect, UsageError
from unwet.lineage.inventory import as_json

distributed = pytest.importorskip("distributed")
SHOP = Path(__file__).parents[2] / "fixtures/shop/pile"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the cluster, about ports and temporary folders
        with (
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client


def test_a_cluster_gives_the_inventory_of_one_run(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_dask, "TASK", 7)
    how = parts.settings("postgres")
    paths = [str(SHOP / "base"), str(SHOP / "crm")]
    alone = parts.merged([parts.part(paths, 1, 1, how)])
    assert alone.files > 14
    assert as_json(on_dask.scan(paths, how, client)) == as_json(alone)


def test_what_goes_wrong_on_a_worker_is_told(client: Any) -> None:
    with pytest.raises(UnknownDialect, match="nosuch"):
        on_dask.scan([str(SHOP / "base")], parts.settings("nosuch"), client)
    with pytest.raises(PathNotFound):
        on_dask.scan(["no/such"], parts.settings(), client)
    with pytest.raises(UsageError, match="is no client"):
        on_dask.scan([str(SHOP)], parts.settings(), "tcp://x")  # type: ignore[arg-type]
