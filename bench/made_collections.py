"""Collections that are generated: asked in other words, for codes, for what holds by now."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from bench.collections import Collection, Document
from rag import days

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


_THINGS = (
    *("pump", "ladder", "archive", "vehicle", "badge", "locker", "freezer", "generator"),
    *("scanner", "delivery", "visitor", "contract"),
)
_RULES = {
    "how often it is checked": "Every {thing} is checked once in {number} days.",
    "how long its records are kept": "Records of a {thing} are kept for {number} months.",
    "how many persons sign": "For a {thing}, {number} persons of the department sign.",
    "what it may cost": "A {thing} may cost up to {number} hundred a year.",
}


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


def dated(today: date, seed: int = 10) -> Collection:
    """Return rules of a house, half of them in several editions, and questions for what holds.

    Editions differ in a number alone, and the newest one holds. The other half was written once,
    up to five years ago, so that it costs something to trust in what is new.
    """
    chance = random.Random(seed)
    documents, questions, grades = [], {}, {}
    rules = [(thing, act) for thing in _THINGS for act in _RULES]
    for place, (thing, act) in enumerate(rules):
        ages = chance.sample(range(10, 1800), 4 if place % 2 else 1)
        key = f"{thing}-{act}"
        for age in ages:
            number = chance.randrange(2, 60)
            text = f"{_RULES[act].format(thing=thing, number=number)} {chance.choice(_FILLERS)}"
            day = days.number(today - timedelta(age))
            documents.append(Document(f"{key}-{age}", f"Rules for {thing}s", text, day))
        questions[key] = f"What holds for a {thing}: {act}?"
        grades[key] = {f"{key}-{min(ages)}": 1}
    return _alone("dated", documents, questions, grades)


def _alone(
    name: str,
    documents: Sequence[Document],
    queries: Mapping[str, str],
    grades: Mapping[str, Mapping[str, int]],
) -> Collection:
    return Collection(name, tuple(documents), queries, grades, {query: query for query in queries})
