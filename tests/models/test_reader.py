from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from rag.masked import NotMasked
from rag.models import reader
from tests.masked import all_masked, masked

PACKAGING = Path(__file__).parents[2] / "packaging" / "reader"
PUMPS = all_masked(
    [
        "Infusion pumps are checked by the night shift every two weeks.",
        "The canteen opens at half past six.",
        "Fire doors on the third floor were replaced in March.",
    ]
)


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("How often are infusion pumps checked?", 0),
        ("When does the canteen open?", 1),
        ("What was replaced in March?", 2),
    ],
)
def test_the_sentence_that_answers_stands_out(question: str, place: int) -> None:
    (odds,) = reader.read(masked(question), [PUMPS])
    assert int(np.argmax(odds)) == place
    (elsewhere,) = reader.read(masked("Who wrote the opera about the miller?"), [PUMPS])
    assert max(odds) > max(elsewhere)


def test_each_sentence_has_one_score_however_long_the_passage() -> None:
    long = [*PUMPS * 30, masked("word " * 400), *PUMPS]
    question = masked("When does the canteen open?")
    alone, many, none = reader.read(question, [PUMPS, long, []])
    assert (len(alone), len(many), len(none)) == (3, len(long), 0)
    assert int(np.argmax(alone)) == 1
    windows = reader.windows(question, long)
    assert [window.first for window in windows] == sorted({window.first for window in windows})
    assert sum(len(window.spans) for window in windows) == len(long)
    for window in windows:
        assert window.spans[-1][1] - window.spans[0][0] <= reader.WINDOW
        assert len(window.types) == len(window.ids)


def test_what_is_read_beside_changes_nothing() -> None:
    question = masked("How often are infusion pumps checked?")
    (alone,) = reader.read(question, [PUMPS])
    beside = reader.read(question, [PUMPS[::-1] * 3, PUMPS, PUMPS[:1]])[1]
    assert beside == pytest.approx(alone, abs=0.1)


def test_only_masked_text_is_read() -> None:
    with pytest.raises(NotMasked):
        reader.read("Who?", [PUMPS])  # type: ignore[arg-type]
    with pytest.raises(NotMasked):
        reader.read(masked("Who?"), [["Jane Roe"]])  # type: ignore[list-item]


def test_generated_questions_are_answered_where_they_say_or_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(PACKAGING))
    import generate

    some = list(islice(generate.generated(3), 300))
    assert some == list(islice(generate.generated(3), 300))
    for one in some:
        assert "{" not in one.question + "".join(one.sentences)
        if one.answer is not None:
            assert one.answer.lower() in one.sentences[one.place].lower()
    assert 0.3 < sum(one.answer is None for one in some) / len(some) < 0.7


def test_gradients_of_the_training_are_those_of_its_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PACKAGING))
    import layers

    monkeypatch.setattr(layers, "HEADS", 4)
    rng, size = np.random.default_rng(0), 16
    shapes = {"query": 1, "key": 1, "value": 1, "attended": 1, "wide": 4, "narrow": 0.25}
    weights = {}
    for layer in (0, 1):
        for name, times in shapes.items():
            out, into = (int(size * times), size) if times >= 1 else (size, 4 * size)
            weights[f"{layer}.{name}.weight"] = rng.normal(0, 0.3, (out, into))
            weights[f"{layer}.{name}.bias"] = rng.normal(0, 0.1, out)
        for name in ("first", "second"):
            weights[f"{layer}.{name}.weight"] = 1 + rng.normal(0, 0.1, size)
            weights[f"{layer}.{name}.bias"] = rng.normal(0, 0.1, size)
    x, mask = rng.normal(size=(2, 5, size)), np.ones((2, 5))
    mask[1, 3:] = 0
    wanted = rng.normal(size=x.shape) * mask[..., None]

    def loss() -> float:
        return float((layers.forward(weights, 2, x, mask, None)[0] * wanted).sum())

    gradients = {name: np.zeros_like(value) for name, value in weights.items()}
    layers.backward(weights, layers.forward(weights, 2, x, mask, None)[1], wanted, gradients)
    for name, value in weights.items():
        place = tuple(int(rng.integers(length)) for length in value.shape)
        step, before = 1e-5, value[place]
        value[place] = before + step
        more = loss()
        value[place] = before - step
        less = loss()
        value[place] = before
        assert gradients[name][place] == pytest.approx((more - less) / (2 * step), abs=1e-6), name
