from __future__ import annotations

from pathlib import Path

import pytest

from rag.targets.embedded import EmbeddedIndex
from tests.targets.documents import DIMENSIONS


@pytest.fixture
def index(tmp_path: Path) -> EmbeddedIndex:
    return EmbeddedIndex(tmp_path / "index", DIMENSIONS)
