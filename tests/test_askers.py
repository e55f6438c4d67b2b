"""A corpus asked in processes: the same answers, errors as they are, a killed one replaced."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path

import pytest

from rag.askers import Askers
from rag.budget import OverBudget
from rag.corpus import Corpus
from rag.errors import ConfigError, FilterWrong, SluiceError
from rag.privacy import Blocked

STAFF = ["group:staff"]
QUESTION = "How many days of annual leave do staff get?"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("askers")
    (root / "source").mkdir()
    (root / "source" / "leave.txt").write_text(
        "Leave\n\nStaff get 27 days of annual leave a year. Leave is requested two weeks ahead.\n"
    )
    path = root / "notes.yaml"
    path.write_text(
        f"corpus: notes\nsource: {{url: '{root}/source', acl: {{default: ['group:staff']}}}}\n"
        "privacy: {actions: {US_SSN: block}}\nsearch: {neighbours: 1}\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLUICE_HOME", str(root / "home"))
        Corpus.open(path).sync(workers=1)
        yield path


@pytest.fixture(scope="module")
def askers(path: Path) -> Iterator[Askers]:
    with Askers(path, processes=2) as made:
        yield made


def test_processes_answer_as_the_corpus_does(path: Path, askers: Askers) -> None:
    corpus = Corpus.open(path)
    asked = [askers.ask(QUESTION, principals=STAFF) for _ in range(4)]
    expected = corpus.ask(QUESTION, principals=STAFF)
    for one in asked:
        answer = one.result(60)
        assert (answer.text, answer.citations) == (expected.text, expected.citations)
        assert corpus.explain(answer.answer_id, principals=STAFF).whole  # one audit for all
    hits = askers.search(QUESTION, principals=STAFF, k=3).result(60)
    assert hits == corpus.search(QUESTION, principals=STAFF, k=3)
    assert not askers.search(QUESTION, principals=["group:nobody"]).result(60)


def test_coroutines_await_them(askers: Askers) -> None:
    async def ask() -> str:
        return (await asyncio.wrap_future(askers.ask(QUESTION, principals=STAFF))).text

    assert "27 days" in asyncio.run(ask())


def test_errors_come_as_they_are(askers: Askers) -> None:
    with pytest.raises(FilterWrong) as wrong:
        askers.search("leave", principals=STAFF, where="type =").result(60)
    assert str(wrong.value).count("The filter is wrong") == 1
    assert wrong.value.place is not None
    with pytest.raises(Blocked):
        askers.ask("Is 219-09-9999 on leave?", principals=STAFF).result(60)
    with pytest.raises(ConfigError):
        askers.ask(QUESTION, principals=STAFF, target="opensearch").result(60)


def test_every_error_survives_the_way_between_processes() -> None:
    def kinds(kind: type[SluiceError]) -> Iterator[type[SluiceError]]:
        yield kind
        for below in kind.__subclasses__():
            yield from kinds(below)

    for kind in kinds(SluiceError):
        error = kind.__new__(kind, "What is wrong.")
        error.__dict__.update(message="What is wrong.", hint="What to do.")
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.hint) == (kind, "What is wrong.", "What to do.")
    budget = pickle.loads(pickle.dumps(OverBudget("The time is over.")))
    assert budget.message == "The time is over."


def test_a_process_that_is_killed_is_replaced(path: Path) -> None:
    with Askers(path, processes=1) as askers:
        pid = askers._submitted(_pid, "", {}).result(60)
        os.kill(pid, signal.SIGKILL)
        with suppress(BrokenProcessPool):  # unless it is replaced by then
            askers.ask(QUESTION, principals=STAFF).result(60)
        assert "27 days" in askers.ask(QUESTION, principals=STAFF).result(60).text
        assert askers._submitted(_pid, "", {}).result(60) != pid
    with pytest.raises(RuntimeError, match="closed"):
        askers.ask(QUESTION, principals=STAFF)


def test_a_corpus_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        Askers(tmp_path / "none.yaml")


def _pid(question: str, how: dict[str, str]) -> int:
    return os.getpid()
