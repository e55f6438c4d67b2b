"""The AWS corpus is the laptop's with other places and models; an account can be filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from rag.corpus_file import load
from samples.airflow_home import ROOT
from samples.aws.account import DOCUMENTS, KNOWLEDGE, PREFIX, Account

LAPTOP, AWS = ROOT / "corpora" / "handbook.yaml", ROOT / "samples" / "aws" / "handbook.yaml"
ACCOUNT = Account("abc123def456", "DRAFT", "AAAAAAAAAA", "BBBBBBBBBB")


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in one.keys() | other.keys():
            yield from differences(one.get(key), other.get(key), f"{path}.{key}".lstrip("."))
    elif one != other:
        yield path


def test_only_places_and_models_differ_from_the_laptops_corpus() -> None:
    laptop, aws = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in (LAPTOP, AWS))
    assert set(differences(laptop, aws)) == {
        "source.url",
        "privacy.guardrail",
        "embed.model",
        "targets",
        "answer.model",
    }


def test_the_sample_is_a_valid_corpus_and_so_is_one_with_an_accounts_ids(tmp_path: Path) -> None:
    filled = tmp_path / "handbook.yaml"
    filled.write_text(ACCOUNT.corpus(AWS.read_text(encoding="utf-8"), "http://127.0.0.1:9200"))
    before, after = load(AWS).config, load(filled).config
    opensearch, base = after.targets
    assert after.privacy.guardrail is not None
    assert (after.privacy.guardrail.id, after.privacy.guardrail.version) == (
        ACCOUNT.guardrail,
        "DRAFT",
    )
    assert (opensearch.kind, opensearch.url) == ("opensearch", "http://127.0.0.1:9200")
    assert (base.kind, base.id, base.data_source) == ("knowledge_base", "AAAAAAAAAA", "BBBBBBBBBB")
    assert (after.source, after.embed, after.answer) == (before.source, before.embed, before.answer)


def test_the_corpus_names_the_buckets_that_are_made() -> None:
    config = load(AWS).config
    assert config.source.url == f"s3://{DOCUMENTS}/{PREFIX}"
    assert [target.url for target in config.targets if target.kind == "knowledge_base"] == [
        f"s3://{KNOWLEDGE}/{PREFIX}"
    ]


def test_a_sample_without_a_place_to_fill_in_is_refused() -> None:
    with pytest.raises(ValueError, match="KNOWLEDGE1"):
        ACCOUNT.corpus(AWS.read_text(encoding="utf-8").replace("KNOWLEDGE1", "XXXXXXXXXX"), "x")
