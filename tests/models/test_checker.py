"""What of a sentence is told from what sounds like it."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from rag.masked import NotMasked
from rag.models import bert, checker
from tests.masked import masked

PACKAGING = Path(__file__).parents[2] / "packaging" / "reader"
SAID = [
    masked("Staff get 27 days of annual leave a year."),
    masked("Leave is requested from the line manager at least two weeks ahead."),
    masked("Unused days are not paid out."),
    masked("The nurses report each fall to the ward manager."),
]


def odds(*claims: str) -> list[float]:
    return checker.odds([masked(one) for one in claims], [SAID] * len(claims))


def test_what_was_said_is_told_from_what_was_changed_in_it() -> None:
    said = odds(
        "Staff get 27 days of annual leave a year.",
        "Unused days are not paid out.",
        "Leave is requested from the line manager.",
    )
    changed = odds(
        "Staff get 37 days of annual leave a year.",
        "Unused days are paid out.",
        "Leave is requested from the head of department.",
        "The nurses report each fall to the head of department.",
    )
    assert min(said) > 0 > max(changed)


def test_of_many_sentences_the_window_counts_that_says_so() -> None:
    others = [
        masked("The canteen opens at half past six."),
        masked("Fire doors on the third floor were replaced in March."),
        masked("Infusion pumps are checked by the night shift."),
    ] * 10
    claim = masked("Staff get 27 days of annual leave a year.")
    told, untold = checker.odds([claim, claim], [[*others, *SAID], others])
    assert told > 0 > untold


def test_a_claim_of_which_nothing_is_told_is_not_said() -> None:
    assert checker.odds([masked("The canteen opens at noon.")], [[]])[0] < -10
    assert checker.odds([], []) == []


def test_the_checker_takes_masked_text_only() -> None:
    with pytest.raises(NotMasked):
        checker.odds(["raw"], [SAID])  # type: ignore[list-item]
    with pytest.raises(NotMasked):
        checker.odds([masked("Fine.")], [["raw"]])  # type: ignore[list-item]


PARAGRAPH = [
    "In 1996, the board of Harrow chose Delmont as the seat of the hospital.",
    "Nurses must report each fall to the ward manager within 24 hours.",
    "Most of the older buildings were sold before the merger, but the chapel was kept.",
]


def test_what_training_holds_against_its_text_is_true_and_false_as_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(PACKAGING))
    import stated

    paragraph = [*PARAGRAPH, "Nurses must report all accidents."]
    words = stated.vocabulary([*paragraph, "It was reported."])
    made = [
        one
        for seed in range(60)
        for one in stated.of_paragraph(paragraph, "g", words, random.Random(seed))
    ]
    assert {one.true for one in made} == {True, False}
    for one in made:
        assert one.sentences
        assert one.true or one.claim not in one.sentences
    how = {one.how for one in made}
    assert {"turned", "~turned", "-turned", "roles", "negation", "number", "name"} <= how
    assert {"voiced", "-voiced", "voiced, roles"} <= how


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("Who chose Delmont?", "The board", {"The board chose Delmont"}),
        ("What was kept?", "the chapel", {"kept was the chapel", "the chapel was kept"}),
        (
            "When was the chapel built?",
            "1996",
            {"the chapel was built in 1996", "in 1996, the chapel was built"},
        ),
        ("How many beds does Harrow have?", "40", {"Harrow have 40 beds"}),
        ("Why so?", "rain", {None}),
    ],
)
def test_a_question_with_its_answer_is_a_statement(
    question: str, answer: str, said: set[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PACKAGING))
    import stated

    found = {stated.statement(question, answer, random.Random(seed)) for seed in range(20)}
    assert found == said


@pytest.mark.parametrize(
    ("sentence", "exchanged", "voiced"),
    [
        (
            "The board approves expenses of the clinics.",
            "Expenses of the clinics approves the board.",
            "Expenses of the clinics are approved by the board.",
        ),
        (
            "In 1685 the Huguenots founded the first church.",
            "In 1685 the first church founded the Huguenots.",
            "In 1685 the first church was founded by the Huguenots.",
        ),
        (
            "The church was destroyed by the French army in 1565.",
            "The French army was destroyed by the church in 1565.",
            "The French army destroyed the church in 1565.",
        ),
        (
            "Nurses must report all accidents.",
            "All accidents must report nurses.",
            "All accidents must be reported by nurses.",
        ),
        ("The chapel is the oldest building.", None, None),
        ("It opens at noon.", None, None),
    ],
)
def test_sides_change_places_and_the_voice_changes_without_them(
    sentence: str, exchanged: str | None, voiced: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PACKAGING))
    import roles

    found = {roles.exchanged(sentence, random.Random(seed)) for seed in range(9)}
    assert exchanged in found
    assert roles.voiced(sentence, frozenset({"approved", "reported"})) == voiced


def test_training_reads_as_the_product_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PACKAGING))
    import check
    import train
    from stated import Stated

    with np.load(checker.WEIGHTS) as file:
        kept = {name: file[name] for name in file.files}
    weights = {
        name: value.astype(np.float32) * (kept[f"{name.removesuffix('weight')}scale"][:, None]
            if f"{name.removesuffix('weight')}scale" in kept else 1)
        for name, value in kept.items()
        if not name.endswith("scale")
    }  # fmt: skip
    claims = ["Nurses must report each fall.", "Nurses may report each fall.", *PARAGRAPH]
    held = list(check.held([Stated(one, PARAGRAPH, True, "", "") for one in claims]))
    train.lowered(held, bert.layers(kept))
    theirs, _ = check.odds(weights, held, None)
    ours = checker.odds([masked(one) for one in claims], [[masked(s) for s in PARAGRAPH]] * 5)
    assert ours == pytest.approx(theirs.tolist(), abs=0.4)
