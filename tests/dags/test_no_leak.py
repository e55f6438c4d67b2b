"""What Airflow keeps of a run: nothing personal, not even when the run fails."""

from __future__ import annotations

from pathlib import Path

from tests.dags.airflow import Runner
from tests.leaks.planted import IDENTIFIERS, scanner


def test_airflow_database_and_logs_hold_no_identifier(tested: Runner, tmp_path: Path) -> None:
    rig, folder = tested.rig, tested.rig.state / "documents" / "personal"
    _, state = tested.run("sluice_personal")
    assert state == "success"
    assert len(rig.index("personal")) > 10
    for letter in folder.rglob("*.docx"):
        letter.unlink()
    _, state = tested.run("sluice_personal")
    assert state == "failed", "more would be deleted than is allowed"
    assert "discharge-letter-PERSON_" in rig.log(), "the log names what would go, masked"

    given = {"documents", "corpora", "airflow", "airflow.cfg"}
    everything = [*rig.state.iterdir(), *(rig.state / "airflow").iterdir()]
    written = [one for one in everything if one.name not in given]
    assert {"airflow.db", "sluice", "dag-runs.log"} <= {one.name for one in written}
    planted = tmp_path / "task.log"
    planted.write_text(f"a line of a log about {IDENTIFIERS[0]}\n")
    assert scanner().scan([planted]), "the scan finds what is there"
    assert scanner().scan(written) == []
