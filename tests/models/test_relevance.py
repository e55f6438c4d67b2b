"""Question and passage read together: what answers scores high, on any number of cores."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rag.budget import Budget
from rag.errors import ServiceFailed
from rag.masked import NotMasked
from rag.models import bert, embedded, relevance
from tests.masked import masked

QUESTION = masked("When does the canteen open?")
TEXTS = [
    masked("The canteen opens at half past six and closes at three."),
    masked("The canteen was painted by two pupils of the school."),
    masked("Infusion pumps are checked by the night shift every two weeks. " * 20),
    masked("Interest on overdrafts rises by a quarter of a percent in March."),
]


def test_what_answers_scores_highest_and_what_is_about_something_else_lowest() -> None:
    scores = relevance.scores(QUESTION, TEXTS)
    assert scores.dtype == np.float32
    assert list(np.argsort(-scores))[:2] == [0, 1]
    assert scores[0] > 5
    assert max(scores[2:]) < -8


def test_several_cores_give_what_one_gives() -> None:
    inputs, logits = relevance.graph()
    model = embedded.openvino().Model([logits], inputs, "one")
    alone = embedded.compile_model(model, 1).create_infer_request()
    several = embedded.compile_model(model, 3, NUM_STREAMS=3).create_infer_request()
    for batch, feed in relevance.feeds(QUESTION, TEXTS):
        one = alone.infer(feed)[0]
        assert np.array_equal(one, several.infer(feed)[0])
        assert np.allclose(one[:, 0], relevance.scores(QUESTION, TEXTS)[batch], atol=1e-3)


def test_askers_side_by_side_get_what_one_gets() -> None:
    alone = relevance.scores(QUESTION, TEXTS)
    with ThreadPoolExecutor(4) as threads:
        for scores in threads.map(lambda _: relevance.scores(QUESTION, TEXTS), range(12)):
            assert np.array_equal(scores, alone)


def test_what_was_read_for_a_question_is_not_read_for_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = relevance.scores(QUESTION, TEXTS)
    read: list[str] = []
    feeds = relevance.feeds
    monkeypatch.setattr(
        relevance, "feeds", lambda question, texts: feeds(question, read.extend(texts) or texts)
    )
    other = masked("The canteen is closed in August.")
    again = relevance.scores(QUESTION, [TEXTS[1], other, TEXTS[0]])
    assert read == [other]
    assert (again[0], again[2]) == (scores[1], scores[0])
    relevance.scores(masked("Who painted the canteen?"), TEXTS[:2])
    assert read[1:] == TEXTS[:2]


def test_a_question_or_a_passage_of_any_length_is_read_as_far_as_there_is_room() -> None:
    long = masked("The canteen opens at half past six. " * 200)
    (feed,) = [feed for _, feed in relevance.feeds(QUESTION, [long])]
    assert feed["input_ids"].shape == (1, relevance.LONGEST)
    assert relevance.scores(long, TEXTS[:1])[0] > 0
    assert relevance.scores(QUESTION, []).shape == (0,)


def test_raw_text_is_refused_and_time_is_kept() -> None:
    with pytest.raises(NotMasked):
        relevance.scores(QUESTION, ["Anna Weber"])  # type: ignore[list-item]
    with Budget(seconds=1e-6).running(), pytest.raises(ServiceFailed):
        relevance.scores(QUESTION, [masked("Nobody has asked for this yet.")])


def test_a_part_of_the_layers_is_there_to_stand_on() -> None:
    own = relevance.weights()
    assert bert.layers(own) == 12
    inputs, hidden = relevance.lower(own, 2)
    model = embedded.openvino().Model([hidden], list(inputs.values()), "two")
    request = embedded.compile_model(model, 1).create_infer_request()
    (feed,) = [feed for _, feed in relevance.feeds(QUESTION, TEXTS[:1])]
    assert request.infer(feed)[0].shape == (*feed["input_ids"].shape, 384)


FORKED = """
import os
from rag.masked.passed import passed
from rag.models import relevance

def asked():
    relevance.forget()
    return float(relevance.scores(passed("When is lunch?"), [passed("Lunch is at noon.")])[0])

before = asked()
child = os.fork()
if not child:
    os._exit(0 if asked() == before else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_process_that_was_forked_after_the_first_question_asks_too() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout.strip(), done.returncode) == ("0", 0), done.stderr
