"""Runs in Airflow, by ``dag.test()``: the same tasks as under a scheduler, in one process."""

from __future__ import annotations

import re
from typing import Any

from tests.dags.airflow import Runner, text

ID = re.compile(r"[0-9a-f]{16,64}")


def test_a_run_indexes_the_corpus_in_mapped_shards(tested: Runner) -> None:
    run, state = tested.run("sluice_notes")
    rig = tested.rig
    assert state == "success", rig.log()[-4000:]
    assert {row[4] for row in rig.index("notes").values()} == {f"p{n}.txt" for n in range(8)}
    assert rig.leases("notes") == 0

    # One document a shard would make 8 of them; Airflow maps no more than its setting allows, 3.
    labels = rig.airflow(
        "select rendered_map_index from task_instance where run_id=? and task_id='shard'", run
    )
    assert sorted(label[:7] for (label,) in labels) == ["shard 1", "shard 2", "shard 3"]
    assert all(re.fullmatch(r"shard \d: documents \d, chunks \d", label) for (label,) in labels)

    # Nothing but references and counts passes between tasks.
    handed_on = rig.xcoms("sluice_notes", run)
    assert {task for task, _, _ in handed_on} == {"plan", "shard", "sync", "verify", "publish"}
    known = {run, re.sub(r"[^A-Za-z0-9_.-]+", "_", run)[:64], "notes"}
    for task, key, value in handed_on:
        assert key == "return_value"
        assert only_references(value, known), (task, value)

    # Whoever waits for this corpus is told.
    [(uri, extra)] = rig.airflow(
        "select a.uri, e.extra from asset_event e join asset a on a.id = e.asset_id "
        "where e.source_dag_id='sluice_notes' and e.source_run_id=?",
        run,
    )
    assert uri == "sluice://corpus/notes"
    assert '"chunks": 8' in extra

    again, _ = tested.run("sluice_notes")
    assert rig.tasks("sluice_notes", again)["shard"][0] == "skipped", "nothing is redone"
    assert rig.tasks("sluice_notes", again)["publish"][0] == "success"

    refreshed, _ = tested.run("sluice_notes", full_refresh=True)
    [published] = [v for t, _, v in rig.xcoms("sluice_notes", refreshed) if t == "publish"]
    assert (published["parsed"], published["documents"]["changed"]) == (8, 8)


def only_references(value: Any, known: set[str]) -> bool:
    """Whether a value is made of ids, counts, and words of ours."""
    if isinstance(value, dict):
        names = all(re.fullmatch(r"[A-Za-z_]+|[a-z]+/[a-z.+-]+", name) for name in value)
        return names and all(only_references(one, known) for one in value.values())
    if isinstance(value, list | tuple):
        return all(isinstance(one, str) and ID.fullmatch(one) for one in value)
    return isinstance(value, bool | int | float) or value in known


def test_a_dry_run_changes_and_publishes_nothing(tested: Runner) -> None:
    run, state = tested.run("sluice_rehearsed", dry_run=True)
    rig = tested.rig
    assert state == "success"
    tasks = rig.tasks("sluice_rehearsed", run)
    assert (tasks["shard"][0], tasks["publish"][0]) == ("skipped", "skipped")
    [planned] = [v for t, _, v in rig.xcoms("sluice_rehearsed", run) if t == "publish"]
    assert planned["documents"]["new"] == 2
    assert rig.ledger("select count(*) from documents where corpus='rehearsed'") == [(0,)]
    assert rig.airflow("select * from asset_event where source_dag_id='sluice_rehearsed'") == []
    assert rig.leases("rehearsed") == 0


def test_a_mass_deletion_stops_the_run_at_once_until_it_is_allowed(tested: Runner) -> None:
    rig, folder = tested.rig, tested.rig.state / "documents" / "shrinking"
    tested.run("sluice_shrinking")
    for number in range(4):
        (folder / f"p{number}.txt").unlink()
    run, state = tested.run("sluice_shrinking")
    assert state == "failed"
    assert rig.tasks("sluice_shrinking", run)["plan"] == ("failed", 1), "a retry would not help"
    assert "p3.txt" in rig.log()
    assert len(rig.index("shrinking")) == 6, "nothing was deleted"
    assert rig.leases("shrinking") == 0, "the failed run lets go of the corpus"

    allowed, state = tested.run("sluice_shrinking", allow_mass_delete=True)
    assert (state, len(rig.index("shrinking"))) == ("success", 2)
    assert rig.tasks("sluice_shrinking", allowed)["publish"][0] == "success"


def test_an_empty_source_is_tried_again_and_then_fails_without_deleting(tested: Runner) -> None:
    rig, folder = tested.rig, tested.rig.state / "documents" / "emptied"
    tested.run("sluice_emptied")
    for path in folder.iterdir():
        path.unlink()
    run, state = tested.run("sluice_emptied")
    assert state == "failed"
    # It may be a share that is not mounted yet: that mends itself.
    assert rig.tasks("sluice_emptied", run)["plan"] == ("failed", 3)
    assert "The source lists no documents" in rig.log()
    assert len(rig.index("emptied")) == 2
    assert rig.leases("emptied") == 0
    (folder / "p7.txt").write_text(text(7))
    (folder / "p0.txt").write_text(text(0))
    assert tested.run("sluice_emptied")[1] == "success"
