from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.cli import run
from rag.errors import ConfigError
from rag.evaluate import (
    Estimate,
    auc,
    by_document,
    compare,
    estimate,
    ndcg,
    read_qrels,
    read_queries,
    recall,
    reciprocal_rank,
    score,
)
from rag.evaluate.answers import holds
from rag.records import Chunk, Hit
from tests.masked import masked

ROOT = Path(__file__).parent.parent


def test_ndcg_by_hand() -> None:
    graded = {"a": 2, "b": 1, "c": 1, "x": 0}
    gained = 1 / math.log2(2) + 0 / math.log2(3) + 2 / math.log2(4)
    ideal = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg(["b", "x", "a"], graded, 10) == pytest.approx(gained / ideal)
    assert ndcg(["b", "x", "a"], graded, 2) == pytest.approx(1 / (2 + 1 / math.log2(3)))
    assert ndcg(["a", "b", "c"], graded, 10) == 1.0
    assert ndcg([], graded, 10) == 0.0


def test_recall_and_reciprocal_rank_by_hand() -> None:
    graded = {"a": 1, "b": 1, "x": 0, "y": -1}
    assert recall(["x", "a"], graded, 100) == 0.5
    assert recall(["x", "a"], graded, 1) == 0.0
    assert reciprocal_rank(["x", "y", "a", "b"], graded, 10) == pytest.approx(1 / 3)
    assert reciprocal_rank(["x", "y", "a"], graded, 2) == 0.0


def test_means_are_over_judged_queries_and_a_missing_ranking_is_empty() -> None:
    judgements = {"1": {"a": 1}, "2": {"b": 1}, "3": {"c": 0}}
    scores = score({"1": ["a"], "3": ["c"], "other": ["z"]}, judgements)
    assert (scores.queries, scores.ndcg_at_10, scores.recall_at_100, scores.mrr_at_10) == (
        2,
        0.5,
        0.5,
        0.5,
    )
    assert score({}, {}).queries == 0


def test_a_document_stands_where_its_best_passage_stood() -> None:
    def hit(document: str, part: int) -> Hit:
        chunk = Chunk(f"{document}{part}", document, part, masked(""), masked(""), 0)
        return Hit(chunk, masked(document), 1.0)

    hits = [hit("b", 0), hit("a", 0), hit("b", 1), hit("c", 0)]
    assert by_document(hits, lambda h: h.chunk.document_id) == ["b", "a", "c"]


def test_beir_files_are_read(tmp_path: Path) -> None:
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"_id": "1", "text": "ä"}\n\n{"_id": 2, "text": "b"}\n', encoding="utf-8")
    assert read_queries(queries) == {"1": "ä", "2": "b"}
    qrels = tmp_path / "test.tsv"
    qrels.write_text("query-id\tcorpus-id\tscore\n1\td\t2\n1\te\t0\n", encoding="utf-8")
    assert read_qrels(qrels) == {"1": {"d": 2, "e": 0}}


@pytest.mark.parametrize("line", ["{bad", "[1]", '{"_id": "1"}', "1 d 2"])
def test_a_bad_line_is_named_by_its_number_only(tmp_path: Path, line: str) -> None:
    path = tmp_path / "file"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    for read in (read_queries, read_qrels):
        with pytest.raises(ConfigError, match="line 2") as caught:
            read(path)
        assert line not in str(caught.value)


# Intervals and tests


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    draw = np.random.default_rng(1)
    held = 0
    for place in range(300):
        found = estimate(draw.beta(1, 3, 60), resamples=400, seed=place)
        held += found.low <= 0.25 <= found.high
    assert 0.89 <= held / 300 <= 0.99


def test_an_interval_is_the_same_again_and_none_of_nothing() -> None:
    values = [0.1, 0.9, 0.4]
    assert estimate(values) == estimate(values)
    assert estimate([0.5] * 9) == Estimate(0.5, 0.5, 0.5, 9)
    assert estimate([]) == Estimate(0.0, 0.0, 0.0, 0)


def test_two_configurations_that_do_not_differ_are_rarely_told_apart() -> None:
    draw = np.random.default_rng(2)
    found = [
        compare(draw.random(40), draw.random(40), resamples=400, seed=place).p
        for place in range(400)
    ]
    assert 0.02 <= float(np.mean(np.asarray(found) < 0.05)) <= 0.085


def test_the_paired_test_by_hand() -> None:
    # Of the 16 ways to swap four equal gains, two give a sum as large.
    found = compare([1.0, 1.0, 1.0, 1.0, 0.5], [0.0, 0.0, 0.0, 0.0, 0.5])
    assert found.p == pytest.approx(2 / 16, abs=0.02)
    assert (found.mean, found.n) == (pytest.approx(0.8), 5)
    same = compare([0.3, 0.7], [0.3, 0.7])
    assert (same.mean, same.p, same.significant) == (0.0, 1.0, False)
    assert compare(np.ones(30), np.zeros(30)).significant
    with pytest.raises(ValueError, match="same queries"):
        compare([1.0], [1.0, 0.0])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.data())
def test_a_difference_the_other_way_round_is_its_negative(
    ours: list[float], data: st.DataObject
) -> None:
    theirs = data.draw(st.lists(st.floats(0, 1), min_size=len(ours), max_size=len(ours)))
    one, other = compare(ours, theirs, resamples=50), compare(theirs, ours, resamples=50)
    assert one.mean == pytest.approx(-other.mean)
    assert one.p == other.p
    assert one.low - 1e-9 <= one.mean <= one.high + 1e-9 or len(ours) > 1


def test_the_area_by_hand() -> None:
    assert auc([0.9, 0.5], [0.5, 0.1]).mean == pytest.approx(3.5 / 4)
    assert auc([0.9, 0.8], [0.1]).mean == 1.0
    assert auc([], [0.1]).n == 0


def test_an_answer_is_held_whatever_its_case_articles_and_marks() -> None:
    assert holds("It closed within 60 days, of course.", ["Within 60 days of", "the 60 Days"])
    assert not holds("It closed within 160 days.", ["60 days"])
    assert not holds("Anything", [""])


# The commands, on some of the handbook

TEXTS = ("staff/travel-expenses", "hospital/visiting-hours", "bank/branch-opening")
QUESTIONS = (
    ("1", "What are the visiting hours on general wards?", 1, "from 14:00 to 20:00"),
    ("2", "Within what time must expense claims be submitted?", 0, "within 60 days"),
    ("3", "When does the branch open?", 2, ""),
    ("4", "Which paint do submarines need below the ice?", -1, ""),
)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A synced corpus ``some`` with judgements, and another way to search it."""
    folder = tmp_path_factory.mktemp("judged")
    source = folder / "documents"
    source.mkdir()
    for text in TEXTS:
        shutil.copy(ROOT / "samples" / "handbook" / f"{text}.txt", source)
    names = [text.partition("/")[2] for text in TEXTS]
    told = 'source: {url: documents, acl: {default: ["group:all"]}}\n'
    (folder / "some.yaml").write_text(f"corpus: some\n{told}")
    (folder / "other.yaml").write_text(f"corpus: other\n{told}answer: {{min_support: 0.0}}\n")
    with (folder / "queries.jsonl").open("w") as queries, (folder / "q.tsv").open("w") as qrels:
        for number in range(26):
            name, text, right, _ = QUESTIONS[number % 3]
            queries.write(json.dumps({"_id": f"{name}-{number}", "text": text}) + "\n")
            qrels.write(f"{name}-{number}\t{names[right]}\t1\n")
    with (folder / "questions.jsonl").open("w") as questions:
        for name, text, right, held in QUESTIONS:
            one: dict[str, Any] = {"_id": name, "text": text, "answerable": right >= 0}
            if right >= 0:
                one["document"] = names[right]
            if held:
                one["answers"] = [held]
            questions.write(json.dumps(one) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SLUICE_HOME", str(folder / "home"))
        assert run(["sync", "some.yaml"]) == 0
        yield folder


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


SEARCH = ("--queries", "queries.jsonl", "--qrels", "q.tsv")


def test_search_is_judged_with_intervals_latency_and_by_query(
    judged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, "evaluate", "some.yaml", *SEARCH, "--per-query")
    assert found["queries"] == 26 == len(found["per_query"])
    assert found["ndcg@10"] == pytest.approx(
        sum(one["ndcg@10"] for one in found["per_query"].values()) / 26
    )
    for metric in ("ndcg@10", "recall@100", "mrr@10"):
        interval = found["intervals"][metric]
        assert interval["low"] <= found[metric] + 1e-5
        assert found[metric] <= interval["high"] + 1e-5
    assert found["latency"]["p50_ms"] <= found["latency"]["p99_ms"]


def test_answers_are_judged_compared_and_reported(
    judged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(
        *(capsys, "evaluate", "some.yaml", "--questions", "questions.jsonl", "--budgets", "64"),
        *("--compare", "other.yaml", "--report", "page.html", "--per-query"),
    )
    answers = found["answers"]
    assert answers["questions"] == 4
    assert answers["right_document_first"]["n"] == 3
    assert answers["best_sentence_right"]["n"] + answers["hidden_by_masking"] == 2
    assert [one["context_tokens"] for one in found["budgets"]] == [64]
    # The other one, over the same index, is never less ready to answer.
    other = found["compare"]["answers"]["answered_where_answerable"]["mean"]
    assert other >= answers["answered_where_answerable"]["mean"]
    assert "one index" in found["notes"][0]
    page = (judged / "page.html").read_text()
    assert f"{answers['right_document_first']['mean']:.1%}" in page
    assert page.count("<svg") == 3
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#)', page)
    for _, text, _, held in QUESTIONS:  # ids only
        assert text not in page
        assert not held or held not in page


def test_tuning_judges_on_questions_that_did_not_choose(
    judged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, "tune", "some.yaml", *SEARCH, "--trials", "3", "--report", "tuned.html")
    assert found["trials"] >= 1
    present = found["present"]
    assert (present["values"], present["held_out"]["n"], present["chosen_by"]["n"]) == ({}, 10, 16)
    assert found["frontier"]
    assert found["advice"]
    assert "Quality and latency" in (judged / "tuned.html").read_text()


@pytest.mark.parametrize(
    "arguments", [(), ("--queries", "queries.jsonl"), (*SEARCH, "--budgets", "few")]
)
def test_what_is_missing_to_judge_by_is_said(judged: Path, arguments: tuple[str, ...]) -> None:
    assert run(["evaluate", "some.yaml", *arguments]) == 2
