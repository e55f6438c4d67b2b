from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from samples.airflow_home import migrate, password, served
from samples.opensearch_server import free_ports
from tests.dags.airflow import Api, Rig, Runner, copy, descendants, log_in, runner

# Airflow is imported, migrated and started once for all tests of this folder; each test has a
# corpus of its own, named after what it is about.


@pytest.fixture(scope="package")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    rig = Rig(tmp_path_factory.mktemp("airflow"))
    migrate(rig.env)
    return rig


@pytest.fixture(scope="package")
def tested(migrated: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """Runs of ``dag.test()``, with all corpora of the tests in one folder."""
    state = tmp_path_factory.mktemp("tested") / "state"
    settings = {
        "AIRFLOW__CORE__MAX_MAP_LENGTH": "3",
        "HOME": str(state / "user"),
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(state / "temporary")),
    }
    rig = replace(copy(migrated, state), settings=settings)
    rig.corpus("notes", 8, "shard_documents: 1")
    rig.corpus("rehearsed", 2)
    rig.corpus("shrinking", 6, source="max_delete: {share: 0.3, count: 2}")
    rig.corpus("emptied", 2)
    for folder in ("temporary", "user"):
        (rig.state / folder).mkdir()
    blocking = "privacy: {actions: {PASSPORT: block}}"
    rig.corpus("canary", 0, blocking, source="max_delete: {share: 0, count: 0}")
    with runner(rig) as process:
        yield process


@pytest.fixture(scope="package")
def scheduled(
    tested: Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Rig, Api]]:
    """A scheduler with the corpora ``notes`` and ``shrinking``, and the key of `tested`."""
    if not (tested.rig.home / "keys").exists():
        tested.run("sluice_notes")  # which makes the key
    rig = copy(tested.rig, tmp_path_factory.mktemp("scheduled") / "state")
    rig.corpus("notes", 8, "shard_documents: 3")
    rig.corpus("shrinking", 6, source="max_delete: {share: 0.3, count: 2}")
    before = descendants()
    with served(rig.env, free_ports(1)[0], ("api-server", "scheduler", "dag-processor")) as address:
        started = descendants() - before
        yield rig, log_in(address, password(rig.env), started)
    assert not [one for one in started if one.is_running()], "all of Airflow ends with the block"
