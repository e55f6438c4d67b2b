from __future__ import annotations

import math
from pathlib import Path

import pytest

from rag.errors import ConfigError
from rag.evaluate import by_document, ndcg, read_qrels, read_queries, recall, reciprocal_rank, score
from rag.records import Chunk, Hit
from tests.masked import masked


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
