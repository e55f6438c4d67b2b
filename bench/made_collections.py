"""Two collections that are generated: one asks in other words, one asks for codes."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from bench.collections import Collection, Document

_TOPICS = {
    "heat exchanger": ("heat transfer unit", "thermal exchanger", "HX"),
    "boundary layer": ("shear layer at the wall", "viscous wall region", "BL"),
    "fatigue crack": ("crack under cyclic load", "cyclic damage", "FC"),
    "radio receiver": ("wireless receiver", "signal intake", "RX"),
    "soil moisture": ("water in the ground", "ground wetness", "SM"),
    "protein folding": ("folding of polypeptides", "chain collapse", "PF"),
    "traffic queue": ("line of waiting cars", "vehicle backlog", "TQ"),
    "battery ageing": ("loss of cell capacity", "cell degradation", "BA"),
    "glacier flow": ("movement of ice", "ice creep", "GF"),
    "speech recognition": ("transcription of speech", "spoken word decoding", "ASR"),
}
_ASPECTS = {
    "measurement": ("was measured with probes", "is observed by sensors", "readings were taken"),
    "simulation": ("is computed numerically", "a numerical model", "was solved on a grid"),
    "cost": ("what it costs", "expenses over the lifetime", "the price per unit"),
    "failure": ("breaks down when", "stops working after", "the collapse of"),
    "control": ("is regulated by feedback", "a regulator keeps", "steering the process"),
    "temperature": ("at high heat", "warm and cold conditions", "degrees above ambient"),
}
_FILLERS = (
    "The work extends an earlier report.",
    "Results agree with theory within a few percent.",
    "Two configurations are considered in turn.",
    "A table of values is given.",
    "Limits of the method are discussed.",
    "Further study is suggested.",
)


def paraphrased(seed: int = 8) -> Collection:
    """Return abstracts that name a topic and an aspect in other words than the questions do."""
    chance = random.Random(seed)
    documents: list[Document] = []
    relevant: dict[tuple[str, str], dict[str, int]] = {}
    for topic, names in _TOPICS.items():
        for aspect, phrases in _ASPECTS.items():
            for number in range(8):
                said = chance.choice((topic, *names))
                again = chance.choice((topic, *names))
                texts = [
                    f"The {said} {chance.choice(phrases)}.",
                    f"For the {again}, {chance.choice(phrases)} in case {number}.",
                    *chance.sample(_FILLERS, 3),
                ]
                chance.shuffle(texts)
                key = f"{topic}-{aspect}-{number}"
                documents.append(Document(key, f"On the {chance.choice(names)}", " ".join(texts)))
                relevant.setdefault((topic, aspect), {})[key] = 1
    questions = {
        f"{topic}/{aspect}": f"What is known about {aspect} of a {topic}?"
        for topic, aspect in relevant
    }
    grades = {f"{topic}/{aspect}": found for (topic, aspect), found in relevant.items()}
    return _alone("paraphrased", documents, questions, grades)


def coded(seed: int = 9) -> Collection:
    """Return maintenance notes that differ by their part's code, and questions that name it."""
    chance = random.Random(seed)
    parts = ("pump", "valve", "relay", "sensor", "filter", "bearing")
    acts = ("Replace", "Inspect", "Lubricate", "Calibrate")
    documents, questions, grades = [], {}, {}
    for number in range(400):
        part, act = chance.choice(parts), chance.choice(acts)
        code = f"{chance.choice('ABCDEF')}{chance.choice('KLMN')}-{100 + number}"
        text = f"{act} the {part} {code} after {chance.randrange(10, 90) * 10} hours. "
        documents.append(
            Document(code, f"Maintenance of the {part}", text + chance.choice(_FILLERS))
        )
        if number % 4 == 0:
            questions[code] = f"How often must the {part} {code} be looked after?"
            grades[code] = {code: 1}
    return _alone("coded", documents, questions, grades)


def _alone(
    name: str,
    documents: Sequence[Document],
    queries: Mapping[str, str],
    grades: Mapping[str, Mapping[str, int]],
) -> Collection:
    return Collection(name, tuple(documents), queries, grades, {query: query for query in queries})
