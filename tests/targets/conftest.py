from __future__ import annotations

from pathlib import Path

import pytest

from rag.targets.embedded import EmbeddedIndex
from tests.services.opensearch import opensearch, opensearch_url
from tests.targets.documents import DIMENSIONS

__all__ = ["opensearch", "opensearch_url"]


@pytest.fixture
def index(tmp_path: Path) -> EmbeddedIndex:
    return EmbeddedIndex(tmp_path / "index", DIMENSIONS)
