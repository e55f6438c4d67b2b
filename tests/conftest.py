"""What many tests share: a corpus of their own in a temporary folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from rag.corpus import Corpus
from rag.ingest.report import SyncReport
from rag.models import engine
from tests.handbook import disturbed, handbook
from tests.services.localaws import aws, localaws, start_localaws

__all__ = ["aws", "disturbed", "handbook", "localaws", "start_localaws"]


engine.MOST = 1  # core: the two workers that run tests would wait for each other


@pytest.fixture(autouse=True)
def nobody_at_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``boto3.client`` makes reads the environment of its own test, not of one before it."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@dataclass(frozen=True)
class Project:
    """A corpus ``notes`` over a folder, with a state folder of its own."""

    path: Path
    source: Path
    home: Path

    @property
    def corpus(self) -> Corpus:
        return Corpus.open(self.path)

    def write(self, key: str, content: str | bytes) -> Path:
        path = self.source / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def remove(self, key: str) -> None:
        (self.source / key).unlink()

    def settings(self, text: str, source: str = "") -> None:
        """Write the corpus file, with these top-level settings and those of its source."""
        extra = f", {source}" if source else ""
        self.path.write_text(
            "corpus: notes\n"
            f"source: {{url: '{self.source}', acl: {{default: ['group:staff']}}{extra}}}\n{text}\n"
        )

    def sync(self, **options: Any) -> SyncReport:
        return self.corpus.sync(**options)

    def names(self, principals: Sequence[str] = ("group:staff",)) -> set[str]:
        """Names of all documents that these principals can find."""
        hits = self.corpus.search("procedure pump filters weeks room", principals=principals, k=100)
        return {str(hit.document) for hit in hits}

    def inventory(self) -> dict[str, Any]:
        target = next(iter(self.corpus._context.targets.values()))
        return dict(target.inventory())


@pytest.fixture
def make_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Project]:
    """Make a project; the last one made owns ``SLUICE_HOME``."""

    def make(home: Path | None = None, key_from: Path | None = None) -> Project:
        root = home or tmp_path / "home"
        folder = root.parent / f"{root.name}-project"
        (folder / "source").mkdir(parents=True)
        monkeypatch.setenv("SLUICE_HOME", str(root))
        if key_from:
            shutil.copytree(key_from / "keys", root / "keys")
        made = Project(folder / "notes.yaml", folder / "source", root)
        made.settings("")
        return made

    return make
