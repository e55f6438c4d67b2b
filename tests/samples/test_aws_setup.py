"""What docker-compose.yml's set-up leaves, against a real Postgres, an S3 server and localaws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from sqlalchemy import make_url

from rag.corpus_file import load
from rag.ledger import Ledger
from samples.aws import setup
from samples.aws.account import DOCUMENTS, make_bucket
from tests.services.knowledge import knowledge, knowledge_server
from tests.services.localaws import LocalAws
from tests.services.postgres import postgres
from tests.services.s3 import s3_endpoint

__all__ = ["knowledge", "knowledge_server", "postgres", "s3_endpoint"]


def emptied() -> list[str]:
    """Drop the documents' bucket, as a restart of the S3 server does; return what was in it."""
    s3 = boto3.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=DOCUMENTS).get("Contents", ())]
    for key in keys:
        s3.delete_object(Bucket=DOCUMENTS, Key=key)
    s3.delete_bucket(Bucket=DOCUMENTS)
    return keys


def test_the_ledgers_database_is_made_once(
    postgres: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_url(postgres()).set(database="ledger-of-compose")
    monkeypatch.setenv("SLUICE_LEDGER_URL", url.render_as_string(hide_password=False))
    setup.ledger()
    setup.ledger()
    Ledger.open().close()


def test_documents_come_again_after_a_restart_of_s3_and_the_corpus_file_stays(
    knowledge: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_CORPORA", str(tmp_path))
    monkeypatch.setenv("OPENSEARCH_URL", "http://opensearch:9200")
    make_bucket(DOCUMENTS)
    emptied()  # of what other tests left
    setup.corpus()
    file = tmp_path / "handbook.yaml"
    config = load(file).config
    assert [target.kind for target in config.targets] == ["opensearch", "knowledge_base"]
    before = file.read_bytes()

    documents = len(emptied())
    setup.corpus()
    assert len(emptied()) == documents
    assert file.read_bytes() == before
