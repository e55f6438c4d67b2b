"""What Airflow's DAG processor meets: quick, light, and never broken by one corpus."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from samples.airflow_home import ROOT, environment

HEAVY = {
    *("numpy", "pandas", "pyarrow", "spacy", "presidio_analyzer", "unstructured", "openvino"),
    *("onnxruntime", "lancedb", "tokenizers", "langchain_core", "sqlalchemy", "PIL"),
}

PARSE = """
import json, sys, time
import airflow.sdk
import airflow.models.asset, airflow.providers.standard.decorators.python  # of any asset and @task
before = set(sys.modules)
start = time.process_time()
sys.path.insert(0, sys.argv[1])
import sluice_corpora
seconds = time.process_time() - start
dags = {name: dag for name, dag in vars(sluice_corpora).items() if name.startswith("sluice_")}
for dag in dags.values():
    dag.validate()
print(json.dumps({
    "airflow": start, "file": seconds,
    "modules": sorted({name.partition(".")[0] for name in set(sys.modules) - before}),
    "dags": {name: {"schedule": str(dag.schedule), "tags": sorted(dag.tags), "doc": dag.doc_md,
                    "tasks": sorted(dag.task_ids), "paused": dag.is_paused_upon_creation}
             for name, dag in dags.items()},
}))
"""


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The DAG file over a folder with right and wrong corpora."""
    state = tmp_path_factory.mktemp("parsed")
    folder = state / "corpora"
    folder.mkdir()
    for name, text in {
        "right.yaml": "corpus: right\nsource: {url: documents}\nschedule: '@daily'\n",
        "other.yml": "corpus: other\nsource: {url: documents}\n",
        "misspelt.yaml": "corpus: misspelt\nsauce: {url: documents}\n",
        "never.yaml": "corpus: never\nsource: {url: documents}\nschedule: '99 * * * *'\n",
        "renamed.yaml": "corpus: right\nsource: {url: documents}\n",
        "not a name.yaml": "[",
        "notes.txt": "corpus: ignored\n",
    }.items():
        (folder / name).write_text(text)
    return parse(state)


def parse(state: Path) -> dict[str, Any]:
    """Import the DAG file as Airflow's DAG processor does, with the corpora of a folder."""
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(ROOT / "dags")],
        env=environment(state, state),
        cwd=state,
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_the_file_takes_less_than_half_of_what_airflow_itself_takes(parsed: dict[str, Any]) -> None:
    assert parsed["file"] < parsed["airflow"] / 2  # some 0.15 s and 1.1 s of processor time


def test_it_imports_nothing_heavy(parsed: dict[str, Any]) -> None:
    assert HEAVY.isdisjoint(parsed["modules"])


def test_each_corpus_has_a_dag(parsed: dict[str, Any]) -> None:
    tasks = ["plan", "publish", "shard", "sync", "verify"]
    for name in ("sluice_right", "sluice_other"):
        assert parsed["dags"][name]["tasks"] == tasks
        assert "sluice quarantine" in parsed["dags"][name]["doc"]
    assert "@daily" in parsed["dags"]["sluice_right"]["schedule"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("sluice_misspelt", "misspelt.yaml:2: sauce"),
        ("sluice_never", "never.yaml:3: schedule: has a cron field that is out of range"),
        ("sluice_renamed", "renamed.yaml declares the corpus right"),
        ("sluice_not_a_name", "not a name.yaml:1"),
    ],
)
def test_a_wrong_corpus_file_is_a_dag_that_says_so(
    parsed: dict[str, Any], name: str, says: str
) -> None:
    """And takes no other DAG away: the right ones are there, see above."""
    assert parsed["dags"][name]["tags"] == ["broken", "sluice"]
    assert parsed["dags"][name]["tasks"] == ["corpus_file"]
    assert says in parsed["dags"][name]["doc"]
    assert len(parsed["dags"]) == 6


def test_a_corpus_in_a_knowledge_base_waits_for_its_ingestion_jobs(tmp_path: Path) -> None:
    folder = tmp_path / "corpora"
    folder.mkdir()
    (folder / "based.yaml").write_text(
        "corpus: based\nsource: {url: documents}\ntargets: [{kind: knowledge_base, "
        "id: KB12345678, data_source: DS12345678, url: s3://bucket/corpus}]\n"
    )
    parsed = parse(tmp_path)
    tasks = parsed["dags"]["sluice_based"]["tasks"]
    assert tasks == ["begin", "plan", "publish", "settle", "shard", "sync", "verify", "wait"]
    assert "ingestion job" in parsed["dags"]["sluice_based"]["doc"]
    assert parsed["file"] < parsed["airflow"], "the amazon provider's sensor, and little else"
    assert {"lancedb", "openvino", "spacy", "langchain_core"}.isdisjoint(parsed["modules"])


def test_a_folder_without_corpora_is_no_error(tmp_path: Path) -> None:
    assert parse(tmp_path)["dags"] == {}
