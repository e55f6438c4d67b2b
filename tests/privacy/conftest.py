from __future__ import annotations

import pytest

from rag.config import Privacy
from rag.privacy.gate import Masker
from rag.privacy.policy import resolve

KEY = b"a key for tests, 32 bytes long.."


@pytest.fixture(scope="session")
def gate() -> Masker:
    return Masker(resolve(Privacy()), KEY)


@pytest.fixture(scope="session")
def gate_with() -> object:
    """Return a maker of maskers under other policies."""

    def make(**privacy: object) -> Masker:
        return Masker(resolve(Privacy.model_validate(privacy)), KEY)

    return make
