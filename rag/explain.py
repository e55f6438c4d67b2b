"""Replay an answer from its records: what was asked, found, given to the model, and said.

Who may read it: those whom ``audit.readers`` names read all of it. Who asked reads the question
and the answer, and of the evidence what they could read then and, where the document is still
there, may read now. Nobody else reads anything, and each attempt is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rag.audit.told import (
    Document,
    Evidence,
    Explanation,
    Feedback,
    Found,
    Sentence,
    Told,
)
from rag.audit.trail import tags, who
from rag.errors import Denied, NotRecorded
from rag.ledger import audit, checking, documents, texts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from rag.ingest.context import Context
    from rag.ledger.audit import Record
    from rag.ledger.entries import DocumentEntry
    from rag.records import Principal

ASKED = ("answer", "search")
"""Kinds of records that can be explained."""
STAGES = ("mask", "search", "pack", "generate", "ground", "all")
"""As they follow one another; a record has them by name."""
WITHHELD = "these principals may not read it"


def explain(context: Context, answer_id: str, principals: Sequence[Principal]) -> Explanation:
    """Return an answer as its records have it.

    Raises:
        NotRecorded: There is no such answer of this corpus.
        Denied: The principals neither asked nor may they read the audit.
    """
    with context.ledger.read() as db:
        records = [
            one for one in audit.about(db, answer_id) if one.body["corpus"] == context.corpus
        ]
        asked = next((one for one in records if one.kind in ASKED), None)
        if asked is None:
            raise NotRecorded(answer_id, context.corpus)
        reader = Reader(context, principals, asked)
        if reader.allowed:
            told = _explained(context, db, records, asked, reader)
    body = {
        "corpus": context.corpus,
        "answer": answer_id,
        "who": who(context, principals),
        "outcome": reader.outcome,
    }
    with context.ledger.write() as db:
        audit.append(db, "explain", body)
    if not reader.allowed:
        raise Denied(
            "These principals did not ask that question, and may not read the audit.",
            "Ask one of those whom audit.readers names; this attempt is in the audit.",
        )
    return told


class Reader:
    """Who reads an explanation, and what of it they may.

    Attributes:
        auditor: They may read all of it.
        yours: They asked.
    """

    def __init__(self, context: Context, principals: Sequence[Principal], asked: Record) -> None:
        self._names = frozenset(principals)
        self._tags = frozenset(tags(context, principals))
        self.auditor = bool(self._names & set(context.config.audit.readers))
        self.yours = self._asked(asked.body["who"])
        self.allowed = self.auditor or self.yours
        self.withheld = 0

    @property
    def outcome(self) -> str:
        """What the record of the explanation says."""
        if not self.allowed:
            return "refused"
        return "shown in part" if self.withheld else "shown"

    def reads(self, then: Sequence[str], now: Sequence[Principal] | None) -> bool:
        """Whether they may read a passage.

        Args:
            then: Tags of who could read it when it was found.
            now: Who may read its document; None: it is not there any more.
        """
        could = not self._tags.isdisjoint(then)
        may = self.auditor or (could and (now is None or not self._names.isdisjoint(now)))
        self.withheld += not may
        return may

    def _asked(self, recorded: Sequence[str]) -> bool:
        """Whether the same user asked or, where none was named, the same groups."""
        mine = self._tags | self._names
        users = {one for one in recorded if one.startswith("user:")}
        if users:
            return not mine.isdisjoint(users)
        return bool(recorded) and mine.issuperset(recorded)


def _explained(
    context: Context, db: Connection, records: Sequence[Record], asked: Record, reader: Reader
) -> Explanation:
    body = asked.body
    entries = {
        one.document_id: one for one in documents.entries(db, context.corpus, body["documents"])
    }
    tell = Tell(context, db, records, asked)
    ranked = dict.fromkeys(one["document"] for one in body["hits"])
    known = {
        name: _document(name, body["documents"][name], entries.get(name), tell) for name in ranked
    }
    readable = {
        one["chunk"]: reader.reads(
            body["readers"][one["readers"]],
            entries[one["document"]].acl if one["document"] in entries else None,
        )
        for one in body["hits"]
    }
    for one in body["hits"]:
        if not readable[one["chunk"]]:
            name = one["document"]
            known[name] = replace(known[name], name=_withheld(known[name].name))
    for one in body.get("citations", ()):  # of a passage beside one that was found
        readable.setdefault(one["chunk"], reader.auditor)
        if one["document"] not in known:
            unknown = Told(None, "missing", "", "its name was not recorded")
            known[one["document"]] = Document(one["document"], unknown, "", "", "")
    found = tuple(_found(one, body, known, readable, tell) for one in body["hits"])
    sentences = tuple(_sentences(body, known, readable, found, tell))
    feedback = tuple(
        Feedback(one.at, one.body["rating"], tell(one.body.get("comment")))
        for one in records
        if one.kind == "feedback"
    )
    search = dict(body.get("search", {}))
    narrowed, understood = search.pop("filter", None), body.get("understood")
    told = Explanation(
        answer_id=body["answer"],
        corpus=context.corpus,
        kind=asked.kind,
        seq=asked.seq,
        hash=asked.hash,
        at=asked.at,
        outcome=body["outcome"],
        error=body.get("error", ""),
        refusal=body.get("refusal", {}).get("kind", ""),
        support=body.get("support"),
        partial=body.get("partial", ""),
        cached=body.get("cached", ""),
        who=tuple(body["who"]),
        yours=reader.yours,
        auditor=reader.auditor,
        question=tell(body.get("question")),
        understood=None if understood is None else tell(understood),
        text=_whole(tell(body.get("text")), sentences, body["outcome"], readable),
        sentences=sentences,
        search=search,
        filter=None if narrowed is None else tell(narrowed),
        settings=body.get("settings", {}),
        run=body["run"],
        found=found,
        count=body["count"],
        documents=tuple(known.values()),
        calls=tuple(body.get("calls", ())),
        usage=body.get("usage", {}),
        seconds={one: body["seconds"][one] for one in sorted(body["seconds"], key=_stage)},
        verified=audit.verify(db),
        feedback=feedback,
    )
    if told.whole and tell.wrong:
        verified = replace(told.verified, broken=asked.seq, reason=tell.wrong)
        return replace(told, verified=verified)
    return told


class Tell:
    """From a record's reference to a text to the text with its state.

    Attributes:
        wrong: What is wrong with the first text that is not as it was written, or nothing.
    """

    def __init__(
        self, context: Context, db: Connection, records: Sequence[Record], asked: Record
    ) -> None:
        hashes = [one for record in records for one in texts.references(record.body)]
        self._held = texts.held(db, context.corpus, hashes)
        self._removed = {
            one: (record.at, said["why"])
            for record, said in checking.removals(db, context.corpus)
            if record.seq > asked.seq
            for one in said["texts"]
        }
        self.wrong = ""

    def __call__(self, reference: str | None) -> Told:
        """Return what became of a text; None: the record names none."""
        if reference is None:
            return Told(None, "missing", "", "none was recorded")
        name = reference.removeprefix("text:")
        if name in self._removed:
            at, why = self._removed[name]
            return Told(None, "removed", name, f"removed by {why} on {at[:10]}")
        kept = self._held.get(name)
        if kept is None:
            self.wrong = self.wrong or f"its text {name[:16]} is missing"
            return Told(None, "missing", name, "it is not there, and no record says why")
        if not kept.whole:
            self.wrong = self.wrong or f"its text {name[:16]} was changed"
            return Told(kept.text, "changed", name, "it is not what was recorded")
        return Told(kept.text, "kept", name)


def _stage(name: str) -> int:
    return STAGES.index(name) if name in STAGES else len(STAGES) - 1


def _document(
    name: str, then: Mapping[str, str], entry: DocumentEntry | None, tell: Tell
) -> Document:
    if entry is None:
        now = "deleted since"
    elif entry.digest == then.get("digest"):
        now = "as it was"
    else:
        anew = entry.version == then.get("version")
        now = "indexed anew since" if anew else "changed since"
    return Document(name, tell(then["name"]), then.get("version", ""), then.get("indexed", ""), now)


def _found(
    one: Mapping[str, Any],
    body: Mapping[str, Any],
    known: Mapping[str, Document],
    readable: Mapping[str, bool],
    tell: Tell,
) -> Found:
    given = [own["chunk"] for own in body.get("packed", ())]
    place = given.index(one["chunk"]) + 1 if one["chunk"] in given else 0
    packed = body["packed"][place - 1] if place else None
    evidence = tell(packed["text"]) if packed else None
    return Found(
        chunk=one["chunk"],
        document=known[one["document"]],
        rank=one["rank"],
        score=one["score"],
        legs=one["legs"],
        evidence=evidence if evidence is None or readable[one["chunk"]] else _withheld(evidence),
        place=place,
        tokens=packed["tokens"] if packed else 0,
        left_out=body.get("left_out", {}).get(one["chunk"], ""),
    )


def _sentences(
    body: Mapping[str, Any],
    known: Mapping[str, Document],
    readable: Mapping[str, bool],
    found: Sequence[Found],
    tell: Tell,
) -> list[Sentence]:
    passages = {one.chunk: one.evidence for one in found}
    cited = []
    for one in body.get("citations", ()):
        quote, passage = tell(one["quote"]), passages.get(one["chunk"])
        literal = None
        if passage is not None and passage.text is not None and quote.text is not None:
            literal = quote.text in passage.text
        cited.append(
            Evidence(
                quote=quote if readable.get(one["chunk"]) else _withheld(quote),
                document=known[one["document"]],
                chunk=one["chunk"],
                page=one["page"],
                support=one["score"],
                in_passage=literal,
            )
        )
    said = body.get("sentences") or [
        {"text": one["quote"], "support": one["score"], "citations": [number]}
        for number, one in enumerate(body.get("citations", ()))
    ]
    made = []
    for one in said:
        evidence = tuple(cited[number] for number in one["citations"])
        text = tell(one["text"])
        hidden = any(part.quote.state == "withheld" for part in evidence)
        made.append(Sentence(_withheld(text) if hidden else text, evidence, one["support"]))
    return made


def _whole(
    text: Told, sentences: Sequence[Sentence], outcome: str, readable: Mapping[str, bool]
) -> Told:
    """Return the answer's text, unless something in it is what the reader may not read.

    An abstention names the nearest documents.
    """
    hidden = any(one.text.state == "withheld" for one in sentences)
    hidden = hidden or (outcome != "answered" and not all(readable.values()))
    return _withheld(text) if hidden else text


def _withheld(one: Told) -> Told:
    return Told(None, "withheld", one.hash, WITHHELD)
