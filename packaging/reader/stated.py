"""Claims with the sentences that they are held against, true and false, by rule.

Symmetrical, so that a claim alone says nothing: where a sentence is made another one
(`bench.claims`), the other is false of the text as it was and true of the text that has it. From
questions come claims as people put things, which no rule can: a question with its answer, or with
something else from its paragraph, said as a statement.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from roles import exchanged, voiced

from bench.claims import FALSE, paraphrased, replaced

CHANGES = frozenset(
    ("number", "date", "unit", "antonym", "negation", "turned", "roles", "bound", "word", "name")
)
"""Changes that make the old sentence false of the new one, too."""
NARROWS = frozenset(("added", "only"))
"""Changes that leave the old sentence true of the new one."""
BESIDE = 0.25
"""Share of sentences that are also held against others."""
EXCHANGED = 0.3
"""Share of sentences whose subject also changes places with something else."""
OWN_WORD, OWN_NAME = 0.4, 0.7
"""Share of exchanged words and names that come from the same paragraph."""

_AUXILIARY = "is|are|was|were|did|does|do|has|have|had|can|could|will|would|should|may|might|must"
_WORDS = re.compile(r"\b[a-z]{5,}\b")
_NAMES = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}\b")
_SPANS = re.compile(
    r"\b(?:[A-Z][\w'-]+(?:\s+(?:of\s+|the\s+)?[A-Z][\w'-]+)*|\d[\d,.]*(?:\s\w+)?)\b"
)
_WHEN = re.compile(
    r"(?:when|where|(?:in |on |at )?(?:what|which) (?:year|\w+(?= (?:did|was|were)\b)))\s+"
    rf"({_AUXILIARY})\s+(.+)",
    re.IGNORECASE,
)
_MANY = re.compile(rf"how (?:many|much) (.+?) ({_AUXILIARY}) (.+)", re.IGNORECASE)
_NUMERIC = re.compile(r"how many|how much|\bwhen\b|\byear\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stated:
    """A claim.

    Attributes:
        sentences: What it is held against.
        how: What was done, for the report; ``~``: to the text as well, ``-``: to the text only.
        group: Of texts that must not be on both sides of a split.
    """

    claim: str
    sentences: list[str]
    true: bool
    how: str
    group: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words and names that may be put in place of others, and words in ``-ed``."""

    words: list[str]
    names: list[str]
    participles: frozenset[str]


def vocabulary(sentences: Sequence[str]) -> Vocabulary:
    text = " ".join(sentences)
    words = set(_WORDS.findall(text))
    return Vocabulary(
        sorted(words),
        sorted(set(_NAMES.findall(text))),
        frozenset(word for word in words if word.endswith("ed")),
    )


def of_paragraph(
    sentences: list[str], group: str, every: Vocabulary, rng: random.Random
) -> list[Stated]:
    """Return claims about a paragraph; each sentence is changed once, and some in who does what.

    Args:
        every: Of all paragraphs.
    """
    made = []
    own, whole = vocabulary(sentences), " ".join(sentences)
    for at, raw in enumerate(sentences):
        sentence = " ".join(raw.split())
        if not 5 <= len(sentence.split()) <= 45 or " | " in sentence:
            continue
        said, how = paraphrased(sentence, rng)
        made.append(Stated(said, around(sentences, at, rng), True, how, group))
        words = own.words if rng.random() < OWN_WORD and len(own.words) > 2 else every.words
        names = own.names if rng.random() < OWN_NAME and len(own.names) > 2 else every.names
        changes = [
            *FALSE.items(),
            ("word", replaced(_WORDS.pattern, words)),
            ("name", replaced(_NAMES.pattern, names)),
        ]
        rng.shuffle(changes)
        for name, change in changes:
            new = " ".join((change(sentence, rng) or "").split())
            if new and new != sentence and new not in whole:
                made += _changed(sentences, at, new, name, group, rng)
                break
        if rng.random() < EXCHANGED and (new := exchanged(sentence, rng)):
            made += _changed(sentences, at, new, "roles", group, rng)
        if turned := voiced(sentence, every.participles):
            made += _voiced(sentences, at, turned, group, rng)
        if len(sentences) > 2 and rng.random() < BESIDE:
            other = rng.choice([place for place in range(len(sentences)) if place != at])
            beside = [one for one in around(sentences, other, rng) if one != raw]
            made.append(Stated(said, beside, False, "elsewhere", group))
    return made


def _changed(
    sentences: list[str], at: int, new: str, name: str, group: str, rng: random.Random
) -> list[Stated]:
    """Return a sentence that was changed, true of the new text and false of the old one; and the
    old sentence, held against the new text.
    """
    sentence = " ".join(sentences[at].split())
    changed = [*sentences[:at], new, *sentences[at + 1 :]]
    wrong, right = _maybe(new, rng, whole=True), _maybe(new, rng)
    made = [
        Stated(wrong, around(sentences, at, rng), False, name, group),
        Stated(right, around(changed, at, rng), True, f"~{name}", group),
    ]
    if name in CHANGES | NARROWS:
        kept = _maybe(sentence, rng, whole=name in CHANGES)
        made.append(Stated(kept, around(changed, at, rng), name in NARROWS, f"-{name}", group))
    return made


def _voiced(
    sentences: list[str], at: int, said: str, group: str, rng: random.Random
) -> list[Stated]:
    """Return a sentence in the other voice, true, and with its sides exchanged, false."""
    sentence = " ".join(sentences[at].split())
    changed = [*sentences[:at], said, *sentences[at + 1 :]]
    made = [
        Stated(said, around(sentences, at, rng), True, "voiced", group),
        Stated(sentence, around(changed, at, rng), True, "-voiced", group),
    ]
    if wrong := exchanged(said, rng):
        made.append(Stated(wrong, around(sentences, at, rng), False, "voiced, roles", group))
    if wrong := exchanged(sentence, rng):
        made.append(Stated(wrong, around(changed, at, rng), False, "-voiced, roles", group))
    return made


def around(sentences: Sequence[str], at: int, rng: random.Random) -> list[str]:
    """Return a sentence with up to four others around it."""
    count = rng.choice([1, 2, 2, 3, 3, 4, 5])
    first = rng.randint(max(0, at - count + 1), at)
    return list(sentences[first : first + count])


def _maybe(sentence: str, rng: random.Random, *, whole: bool = False) -> str:
    return paraphrased(sentence, rng, whole=whole)[0] if rng.random() < 0.5 else sentence


def of_question(
    question: str,
    answers: Sequence[str],
    sentences: list[str],
    group: str,
    rng: random.Random,
) -> list[Stated]:
    """Return what a question is as a statement: with an answer, with something else, or none.

    Args:
        answers: None: the paragraph does not tell.
    """
    spans = _SPANS.findall(" ".join(sentences))
    if not answers:
        other = [one for one in spans if one.lower() not in question.lower()]
        numeric = bool(_NUMERIC.search(question))
        other = [one for one in other if one[0].isdigit() == numeric] or other
        return (
            _one(question, rng.choice(other), sentences, False, "unanswerable", group, rng)
            if (other)
            else []
        )
    answer = rng.choice(answers)
    made = _one(question, answer, sentences, True, "asked", group, rng)
    right = [one.lower() for one in answers]
    other = [
        one
        for one in spans
        if one[0].isdigit() == answer[:1].isdigit()
        and not any(one.lower() in known or known in one.lower() for known in right)
    ]
    if made and other:
        made += _one(question, rng.choice(other), sentences, False, "asked, wrong", group, rng)
    return made


def _one(
    question: str,
    answer: str,
    sentences: list[str],
    true: bool,
    how: str,
    group: str,
    rng: random.Random,
) -> list[Stated]:
    said = statement(question, answer, rng)
    places = [at for at, one in enumerate(sentences) if answer.lower() in one.lower()]
    if not said or not places:
        return []
    shown = sentences[max(0, places[0] - 2) : places[0] + 3]
    return [Stated(f"{said[0].upper()}{said[1:]}.", shown, true, how, group)]


def statement(question: str, answer: str, rng: random.Random) -> str | None:
    """Return a question with its answer as a statement, roughly; None: of a form unknown here."""
    asked = question.strip().rstrip("?").strip()
    if match := re.fullmatch(r"(?i)who\s+(?:(did|does|do)\s+)?(.+)", asked):
        return f"{match[2]} {answer}" if match[1] else f"{answer} {match[2]}"
    if match := _WHEN.fullmatch(asked):
        return _at(match[1].lower(), match[2], answer, rng)
    if match := re.fullmatch(r"(?i)(?:what|which)\s+(is|are|was|were)\s+(.+)", asked):
        verb, rest = match[1].lower(), match[2]
        return f"{rest} {verb} {answer}" if rng.random() < 0.7 else f"{answer} {verb} {rest}"
    if match := re.fullmatch(r"(?i)(?:what|which)\s+(?:did|does|do)\s+(.+)", asked):
        return f"{match[1]} {answer}"
    if match := re.fullmatch(
        rf"(?i)(?:what|which)\s+(?:\w+\s+){{1,2}}?((?!did|does|do\b)(?:{_AUXILIARY}))\s+(.+)", asked
    ):
        return f"{answer} {match[1].lower()} {match[2]}"
    if match := re.fullmatch(r"(?i)(?:what|which)\s+\w+\s+(\w+(?:ed|s))\s+(.+)", asked):
        return f"{answer} {match[1]} {match[2]}"
    if match := _MANY.fullmatch(asked):
        verb = "" if match[2].lower() in ("did", "does", "do") else f"{match[2].lower()} "
        return f"{match[3]} {verb}{answer} {match[1]}"
    return None


def _at(verb: str, rest: str, answer: str, rng: random.Random) -> str:
    """Put a time or a place at either end."""
    words = rest.split()
    if verb not in ("did", "does", "do"):
        at = len(words) - 1 if re.search(r"(?:ed|en|t|d|n)$", words[-1]) else len(words)
        rest = " ".join([*words[:at], verb, *words[at:]])
    led = answer if re.match(r"(?i)(?:in|on|at|from|since|the)\b", answer) else f"in {answer}"
    return f"{rest} {led}" if rng.random() < 0.6 else f"{led}, {rest}"
