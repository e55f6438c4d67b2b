"""Questions asked from Python: streamed, awaited, within a budget, in the audit, given again."""

from __future__ import annotations

import asyncio
import gc
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.answer import counter
from rag.asking.remembered import asks_the_same
from rag.budget import Budget, OverBudget
from rag.cli import run
from rag.corpus import Corpus
from rag.errors import ConfigError
from rag.ledger import audit
from rag.models import embedder
from rag.records import Cited, Done, Refusal, Token
from tests.pace import once
from tests.services.localaws import LocalAws

STAFF = ["group:staff"]
QUESTION = "How many days of annual leave do staff get?"
CHAT = "bedrock/anthropic.claude-3-haiku-20240307-v1:0"
TEXTS = {
    "leave.txt": "Leave\n\nStaff get 27 days of annual leave a year. Leave is requested from the "
    "line manager. It must be approved two weeks ahead.\n",
    "records.txt": "Records\n\nRecords are kept for 30 years. They are then shredded.\n",
    "pumps.txt": "Pumps\n\nPumps are checked by the night shift. Filters are changed weekly.\n",
}
Open = Callable[..., Corpus]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Open one synced corpus, with other settings of what does not touch its index."""
    root = tmp_path_factory.mktemp("asking")
    (root / "source").mkdir()
    for name, text in TEXTS.items():
        (root / "source" / name).write_text(text)
    (root / "source" / "boss.txt").write_text("Staff get 99 days of annual leave, the boss says.\n")
    (root / "source" / "boss.txt.acl.json").write_text('{"allow": ["group:boss"]}')

    def open_(more: str = "") -> Corpus:
        path = root / f"{abs(hash(more))}.yaml"
        path.write_text(
            f"corpus: notes\nsource: {{url: '{root}/source', include: ['*.txt'], "
            f"acl: {{from: sidecar, default: ['group:staff']}}}}\n{more}\n"
        )
        return Corpus.open(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLUICE_HOME", str(root / "home"))
        open_().sync(workers=1)
        yield open_


@pytest.fixture(scope="module")
def corpus(opened: Open) -> Corpus:
    return opened()


def test_a_stream_gives_the_answer_piece_by_piece_then_done(corpus: Corpus) -> None:
    events = list(corpus.stream(QUESTION, principals=STAFF))
    assert isinstance(events[-1], Done)
    answer = events[-1].answer
    assert "".join(one.text for one in events if isinstance(one, Token)) == answer.text
    assert [one.citation for one in events if isinstance(one, Cited)] == list(answer.citations)
    assert answer.text.startswith("Staff get 27 days")
    assert corpus.ask(QUESTION, principals=STAFF).text == answer.text


def test_the_answerer_that_reads_less_can_be_chosen(opened: Open) -> None:
    plain = "embedded/extractive-plain"
    answer = opened(f"answer: {{model: {plain}}}").ask(QUESTION, principals=STAFF)
    assert answer.text.startswith("Staff get 27 days")
    assert answer.usage.model == plain


def test_a_refusal_says_what_was_looked_for_and_what_lies_nearest(corpus: Corpus) -> None:
    refusal, done = corpus.stream("How deep is the ocean?", principals=STAFF)
    assert isinstance(refusal, Refusal)
    assert isinstance(done, Done)
    assert (refusal.kind, refusal.looked_for) == ("not_supported", "How deep is the ocean?")
    assert set(refusal.nearest) <= set(TEXTS)
    assert done.answer.refusal == refusal
    assert "nearest documents" in done.answer.text


def test_who_may_read_nothing_is_told_of_nothing(corpus: Corpus) -> None:
    refusal, _ = corpus.stream(QUESTION, principals=["group:others"])
    assert isinstance(refusal, Refusal)
    assert (refusal.kind, refusal.nearest) == ("nothing_found", ())


def test_warming_loads_what_a_question_needs_and_records_nothing(opened: Open) -> None:
    corpus = opened()
    with corpus._context.ledger.read() as db:
        before = len(list(audit.records(db)))
    frozen = gc.get_freeze_count()
    try:
        corpus.warm(freeze=True)
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()
    assert {"embedder", "targets"} <= vars(corpus._context).keys()
    with corpus._context.ledger.read() as db:
        assert len(list(audit.records(db))) == before


def test_a_filter_narrows_what_is_answered_from(corpus: Corpus) -> None:
    assert corpus.ask(QUESTION, principals=STAFF, where='name = "pumps.txt"').abstained


@settings(max_examples=12, deadline=None)
@given(tokens=st.integers(1, 200))
def test_context_and_answer_stay_within_the_tokens(corpus: Corpus, tokens: int) -> None:
    answer = corpus.ask(QUESTION, principals=STAFF, budget=Budget(tokens=tokens))
    said = 0 if answer.abstained else embedder("embedded/minilm").count([answer.text])[0]
    assert answer.usage.context_tokens + said <= tokens


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tokens=st.integers(1, 900), usd=st.floats(0, 0.001))
def test_no_answer_by_a_paid_model_costs_more_than_it_may(
    opened: Open, aws: LocalAws, tokens: int, usd: float
) -> None:
    corpus = opened(f"answer: {{model: '{CHAT}'}}\naws: {{region: us-east-1}}")
    answer = corpus.ask(QUESTION, principals=STAFF, budget=Budget(tokens=tokens, usd=usd))
    assert answer.usage.usd is not None
    assert answer.usage.usd <= usd
    said = 0 if answer.abstained else counter(CHAT, embedder("embedded/minilm"))(answer.text)
    assert answer.usage.context_tokens + said <= tokens
    if answer.refusal:
        assert answer.refusal.kind in ("price", "tokens", "not_supported")


def test_the_service_counts_a_models_tokens_where_it_is_told_to(
    opened: Open, aws: LocalAws
) -> None:
    counts = (
        "answer: {model: 'MODEL', count: service, context_tokens: 64}\naws: {region: us-east-1}"
    )
    answer = opened(counts.replace("MODEL", CHAT)).ask(QUESTION, principals=STAFF)
    plain = opened(counts.replace("MODEL", CHAT).replace(" count: service,", ""))
    estimated = plain.ask(QUESTION, principals=STAFF)
    assert answer.usage.input_tokens == answer.usage.context_tokens
    assert estimated.usage.context_tokens > estimated.usage.input_tokens
    assert answer.usage.packed >= estimated.usage.packed

    other = "bedrock/amazon.nova-micro-v1:0"
    refusal = {"fault": "error", "code": "ValidationException", "operation": "CountTokens"}
    with aws.faults(refusal):
        answer = opened(counts.replace("MODEL", other)).ask(QUESTION, principals=STAFF)
    assert answer.usage.context_tokens >= answer.usage.input_tokens
    with pytest.raises(ConfigError, match="service to count"):
        opened("answer: {count: service}")


HANGING = {
    "model": ("Converse*", f"answer: {{model: '{CHAT}'}}", "time", st.floats(0.4, 1.2)),
    "reranker": ("Rerank", "search: {rerank: bedrock/amazon.rerank-v1:0}", "", st.just(4.0)),
}


@pytest.mark.parametrize("part", HANGING)
@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=st.data())
def test_what_hangs_is_given_up_in_time(
    opened: Open, aws: LocalAws, part: str, drawn: st.DataObject
) -> None:
    operation, more, kind, some = HANGING[part]
    seconds = drawn.draw(some)
    corpus = opened(f"{more}\naws: {{region: us-east-1}}")
    corpus.search(QUESTION, principals=STAFF, k=1, budget=Budget(usd=0))  # models are loaded

    def in_time() -> bool:
        began = time.monotonic()
        answer = corpus.ask(QUESTION, principals=STAFF, budget=Budget(seconds=seconds))
        took = time.monotonic() - began
        assert (answer.refusal.kind if answer.refusal else "") == kind
        return took <= 1.1 * seconds

    with aws.faults({"fault": "latency", "ms": 20_000, "operation": operation}):
        assert once(in_time)


def test_coroutines_ask_search_and_stream(corpus: Corpus) -> None:
    async def ask() -> None:
        answer, hits = await asyncio.gather(
            corpus.aask(QUESTION, principals=STAFF), corpus.asearch(QUESTION, principals=STAFF, k=2)
        )
        assert answer.text.startswith("Staff get 27 days")
        assert len(hits) == 2
        kinds = [type(event) async for event in corpus.astream(QUESTION, principals=STAFF)]
        assert kinds == [Token, Cited, Done]

    asyncio.run(ask())


def test_a_task_that_is_cancelled_leaves_the_model_and_is_in_the_audit(
    opened: Open, aws: LocalAws
) -> None:
    corpus = opened(f"answer: {{model: '{CHAT}'}}\naws: {{region: us-east-1}}")

    async def leave() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(corpus.aask(QUESTION, principals=STAFF), 2)

    with aws.faults({"fault": "latency", "ms": 60_000, "operation": "Converse*"}):
        asyncio.run(leave())
    assert last_outcome(corpus) == "stopped"


def test_a_stream_that_is_closed_is_in_the_audit_with_what_was_shown(corpus: Corpus) -> None:
    with corpus.stream(QUESTION, principals=STAFF) as events:
        assert isinstance(next(events), Token)
    assert last_outcome(corpus) == "stopped"


def last_outcome(corpus: Corpus) -> str:
    with corpus._context.ledger.read() as db:
        *_, last = audit.records(db, "answer")
    return str(last.body["outcome"])


def test_without_an_audit_there_is_no_answer(corpus: Corpus) -> None:
    path = Path(corpus._context.ledger._engine.url.database or "")
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OverBudget):
            corpus.ask(QUESTION, principals=STAFF, budget=Budget(seconds=1))
        other.execute("ROLLBACK")


def test_an_answer_is_given_again_within_the_same_rights_only(opened: Open) -> None:
    corpus = opened("answer: {cache: {seconds: 60, similarity: 0.9}}")
    first = corpus.ask(QUESTION, principals=STAFF)
    again = corpus.ask("How many annual leave days do staff get?", principals=STAFF)
    assert (again.cached, again.text) == (first.answer_id, first.text)
    assert again.answer_id != first.answer_id
    assert not corpus.ask(QUESTION, principals=[*STAFF, "user:ana"]).cached
    assert not corpus.ask(QUESTION, principals=STAFF, where='name = "leave.txt"').cached
    assert corpus.ask(QUESTION, principals=STAFF).cached
    corpus.sync(workers=1)
    assert not corpus.ask(QUESTION, principals=STAFF).cached


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Is leave paid in 2023?", "Is leave paid in 2024?"),
        ("May staff smoke?", "May staff not smoke?"),
        ("Does PERSON_aaaaaaaa lead Ward 7?", "Does PERSON_bbbbbbbb lead Ward 7?"),
        ("What does Siemens pay?", "What does Bosch pay?"),
        ("When is leave asked for?", "Who is leave asked from?"),
        ("What is due before discharge?", "What is due after discharge?"),
    ],
)
def test_questions_that_differ_in_what_counts_are_not_the_same(one: str, other: str) -> None:
    assert asks_the_same(one, one)
    assert not asks_the_same(one, other)


@pytest.mark.parametrize("wrong", [{"tokens": 0}, {"seconds": 0.0}, {"usd": -1.0}])
def test_a_budget_of_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="budget"):
        Budget(**wrong)  # type: ignore[arg-type]


def test_the_corpus_file_gives_budgets_that_a_call_may_change(opened: Open) -> None:
    corpus = opened("answer: {budget: {tokens: 64, seconds: 30}}")
    assert corpus.ask(QUESTION, principals=STAFF).usage.context_tokens <= 64
    assert corpus.ask(QUESTION, principals=STAFF, budget=Budget(tokens=400)).left_out == {}


def test_langchain_gets_messages_that_stream(corpus: Corpus) -> None:
    from langchain_core.output_parsers import StrOutputParser

    runnable = corpus.as_runnable(principals=STAFF)
    whole = runnable.invoke(QUESTION)
    assert whole.response_metadata["citations"][0]["document"] == "leave.txt"
    assert (runnable | StrOutputParser()).invoke(QUESTION) == whole.content
    pieces = list(runnable.stream(QUESTION))
    assert "".join(str(one.content) for one in pieces) == whole.content
    assert sum(pieces[1:], pieces[0]).response_metadata["citations"]

    async def pieces_later() -> str:
        return "".join([str(one.content) async for one in runnable.astream(QUESTION)])

    assert asyncio.run(pieces_later()) == whole.content
    documents = asyncio.run(corpus.as_retriever(principals=STAFF, k=2).ainvoke(QUESTION))
    assert len(documents) == 2


def test_the_command_line_streams_and_tells_programs_why(
    corpus: Corpus, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(corpus.loaded.path)
    asked = ["--as", "group:staff", "--budget-seconds", "60", "--budget-usd", "0"]
    assert run(["ask", place, QUESTION, *asked, "--stream"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Staff get 27 days")
    assert "[1] leave.txt" in shown
    assert run(["ask", place, QUESTION, *asked, "--budget-tokens", "5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["abstained"], told["reason"], told["citations"]) == (True, "tokens", [])
    assert "leave.txt" in told["nearest"]
    assert run(["ask", place, QUESTION, *asked[:3], "0"]) == 2
