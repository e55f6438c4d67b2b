"""What the check of answers catches, and lets through, of a model that invents freely.

    python -m bench.grounding FOLDER [--questions 500] [--seconds 3600] [--replies FILE] [--show]

The folder holds ``corpus.jsonl`` ({_id, title, text}) and ``questions.jsonl`` ({_id, text,
document, answers, answerable}), SQuAD 2.0 for example. Half of the questions asked are
unanswerable. ``embedded/smollm2`` answers each from its paragraph and two others, all masked; its
replies are kept in ``--replies``, so that another check can be tried on the same ones.

A sentence is judged automatically: right, when it holds a right answer; copied, when it stands in a
passage as it is; else wrong, or invented where the question is unanswerable. Among these are
sentences that say what a passage says, beside the point and in other words: ``--show`` prints what
is released, for reading.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from rag import config
from rag.answer.chat import ChatAnswerer, judged
from rag.answer.extractive import terms
from rag.answer.facts import facts
from rag.answer.ground import Evidence, evidence
from rag.answer.reply import claims
from rag.config import Aws
from rag.masked import Masked
from rag.models import embedder
from rag.models.chat import generate_stream
from rag.models.readable import nameless
from rag.records import Chunk, Hit
from rag.retrieve.pack import Passage
from rag.sentences import split

URI = "embedded/smollm2"
LEAST = 0.6
MOST = 90
"""Tokens of an answer."""
_DENIED = re.compile(r"\b(?:not|no|nor|never|none|without|cannot|rather than)\b|n['’]t\b", re.I)


def gate() -> Callable[[str], Masked]:
    from rag.privacy.gate import Masker
    from rag.privacy.policy import resolve

    masker = Masker(resolve(config.Privacy()), b"b" * 32)
    return lambda text: masker.mask_text(text).text


def passage_of(name: str, title: Masked, text: Masked) -> Passage:
    chunk = Chunk(name, name, 0, title, text, 0)
    return Passage(Hit(chunk, title, 0.0), text, 0)


def by_hand(claim: Masked, passages: Sequence[Passage], embed: Any) -> float:
    """The support that the check gave before: cosine, words, numbers and negation, by hand."""
    if not facts(claim) <= facts(" ".join(one.shown for one in passages)):
        return 0.0
    best = 0.0
    for passage in passages:
        units = [passage.text.cut(*span) for span in split(passage.text)]
        vectors = embed([nameless(one) for one in (claim, *units)])
        wanted, whole = terms(claim), terms(passage.shown)
        for unit, vector in zip(units, vectors[1:], strict=True):
            near = len(wanted & terms(unit)) / max(1, len(wanted))
            cover = 0.8 * near + 0.2 * len(wanted & whole) / max(1, len(wanted))
            odds = -7.0 + 5.0 * float(vectors[0] @ vector) + 6.5 * cover
            contrary = (_DENIED.search(claim) is None) != (_DENIED.search(unit) is None)
            best = max(best, (0.4 if contrary else 1.0) / (1 + math.exp(-odds)))
    return best


def most(own: Sequence[Evidence]) -> float:
    return max((one.support for one in own), default=0.0)


def plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .")


def written(reply: str) -> Generator[str, None, bool]:
    yield reply
    return False


def answers(
    asked: Sequence[dict[str, Any]], packed: Callable[[dict[str, Any]], list[Passage]], mask: Any,
    seconds: float, file: Path,
) -> dict[str, str]:  # fmt: skip
    """Replies by question; what is in the file is not asked again."""
    known = {}
    if file.exists():
        known = {one["id"]: one["reply"] for one in map(json.loads, file.open())}
    from rag.answer.chat import asked as put
    from rag.answer.prompt import prompt

    until = time.monotonic() + seconds
    told = prompt()
    with file.open("a") as out:
        for question in asked:
            if question["_id"] in known or time.monotonic() > until:
                continue
            user = put(told, mask(question["text"]), packed(question))
            reply = "".join(generate_stream(URI, Aws(), MOST, told.system, user))
            known[question["_id"]] = reply
            out.write(json.dumps({"id": question["_id"], "reply": reply}) + "\n")
            out.flush()
    return known


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--questions", type=int, default=500)
    arguments.add_argument("--seconds", type=float, default=3600)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--replies", type=Path, default=Path("replies.jsonl"))
    arguments.add_argument("--show", action="store_true")
    given = arguments.parse_args()

    rng = random.Random(given.seed)
    corpus = {one["_id"]: one for one in map(json.loads, (given.folder / "corpus.jsonl").open())}
    questions = [json.loads(line) for line in (given.folder / "questions.jsonl").open()]
    rng.shuffle(questions)
    yes = [one for one in questions if one["answerable"]][: given.questions // 2]
    no = [one for one in questions if not one["answerable"]][: given.questions // 2]
    asked = [one for pair in zip(yes, no, strict=False) for one in pair]
    mask, embed = gate(), embedder("embedded/minilm").embed
    others = sorted(corpus)

    def packed(question: dict[str, Any]) -> list[Passage]:
        own = random.Random(question["_id"])
        names = [question["document"], own.choice(others)]
        own.shuffle(names)
        return [
            passage_of(
                name, mask(corpus[name]["title"].replace("_", " ")), mask(corpus[name]["text"])
            )
            for name in dict.fromkeys(names)
        ]

    replies = answers(asked, packed, mask, given.seconds, given.replies)
    by = ChatAnswerer(URI, embed, Aws(), MOST, mask)
    checks = ("no check", "by hand", "without reading", "the check")
    tables: dict[str, Counter[str]] = {name: Counter() for name in checks}
    whole: dict[str, Counter[str]] = {name: Counter() for name in tables}
    for question in asked:
        if question["_id"] not in replies:
            continue
        passages = packed(question)
        right = [mask(one).casefold() for one in question["answers"]]
        said = claims(written(replies[question["_id"]]), by._mask)
        kept: dict[str, list[bool]] = {name: [] for name in tables}
        for claim, own in judged(said, passages, embed):
            good = question["answerable"] and any(one in claim.text.casefold() for one in right)
            kind = "wrong" if question["answerable"] else "invented"
            if good or any(plain(claim.text) in plain(one.text) for one in passages):
                kind = "right" if good else "copied"
            unread = evidence([claim.text], [[one.passage for one in own]], embed, reads=False)[0]
            scores = {
                "no check": 1.0,
                "by hand": by_hand(claim.text, passages, embed),
                "without reading": most(unread),
                "the check": most(own),
            }
            if given.show and most(own) >= LEAST:
                quote = max(own, key=lambda one: one.support).quote
                print(f"{kind} {most(own):.2f}: {claim.text}\n    {quote}")
            for name, score in scores.items():
                shown = score >= LEAST
                tables[name][f"{kind} {'shown' if shown else 'kept back'}"] += 1
                if shown:
                    kept[name].append(good)
        for name, shown in kept.items():
            kind = "answerable" if question["answerable"] else "unanswerable"
            outcome = "silent" if not shown else ("right" if any(shown) else "wrong")
            whole[name][f"{kind} {outcome}"] += 1
    print(f"{len([one for one in asked if one['_id'] in replies])} questions answered by {URI}")
    for name in tables:
        print(f"{name}\n  sentences {dict(sorted(tables[name].items()))}")
        print(f"  answers   {dict(sorted(whole[name].items()))}")


if __name__ == "__main__":
    main()
