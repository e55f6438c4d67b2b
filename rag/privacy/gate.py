"""The gate: the only place where raw text becomes `Masked`."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag.keys import Sealer, pseudonym_key
from rag.masked import Masked, configured, fixed
from rag.masked.passed import passed
from rag.privacy.detect import Detector, Passage, Segment
from rag.privacy.erased import Erased, births, tag
from rag.privacy.policy import Blocked, DetectorFailed, Policy, resolve
from rag.privacy.pseudonym import People, Pseudonyms, person_words, shorter
from rag.privacy.surrogates import Masks, Surrogates
from rag.privacy.tree import Node, Tree
from rag.privacy.vault import Identity
from rag.privacy.words import view, words
from rag.records import (
    Failure,
    Finding,
    MaskedDocument,
    MaskedFailure,
    MaskedText,
    ParsedDocument,
)
from rag.threads import one_thread

if TYPE_CHECKING:
    from rag.config import Privacy
    from rag.privacy.explain import Explanation

CODE_VERSION = 6
"""Raise when masking gives another result for the same text."""

Remember = Callable[[Identity], None]
_LINKED = ("pseudonym", "shift", "shape")
"""Actions whose result stands for one original."""


class Masker:
    """Masks documents and texts under one policy with one key.

    Holds the models: build it once in a process, by `masker`.

    Attributes:
        fingerprint: Changes with whatever changes a masked text: the policy, the key, this
            code, the model, and the versions of the libraries.
    """

    def __init__(self, policy: Policy, key: bytes) -> None:
        self.policy = policy
        self._pseudonyms = Pseudonyms(key)
        self._sealer = Sealer(key)
        self._surrogates = Surrogates(key)
        self._detector = Detector(policy, Masks(policy.kinds, self._surrogates).spans)
        self._erased = Erased()
        self._remember: Remember | None = None
        self.fingerprint = _fingerprint([policy], key)

    def keeping(self, remember: Remember | None, erased: Erased) -> Masker:
        """Return this masker, knowing who was erased and telling what it replaces.

        Models are shared.

        Args:
            remember: Called with every identity that a pseudonym or surrogate stands for; raw.
        """
        other = copy(self)
        other._remember, other._erased = remember, erased
        return other

    def mask_documents(
        self, documents: Sequence[ParsedDocument]
    ) -> list[MaskedDocument | MaskedFailure]:
        """Mask documents with all that is in them; one NER pass over the whole batch.

        A document (or attachment) is a `Failure` when the policy blocks it or when detection
        fails: nothing passes unread.
        """
        trees = [Tree(document) for document in documents]
        found: Sequence[list[list[Finding]] | str]
        try:
            found = self._detector.detect([tree.passage for tree in trees])
        except Exception:
            found = [self._detected(tree.passage) for tree in trees]
        return [self._finish(tree, share) for tree, share in zip(trees, found, strict=True)]

    def mask_text(self, text: str) -> MaskedText:
        """Mask a question, a name, any text.

        Raises:
            Blocked: It holds identifiers that the policy blocks.
            DetectorFailed: Detection could not answer.
        """
        masked = self.mask_texts([text])[0]
        if isinstance(masked, Blocked):
            raise masked
        return masked

    def mask_texts(self, texts: Sequence[str]) -> list[MaskedText | Blocked]:
        """Mask texts that have nothing to do with each other, in one batch.

        Raises:
            DetectorFailed: Detection could not answer for one of them.
        """
        try:
            found = self._detector.detect([Passage([Segment(text)]) for text in texts])
        except Exception as error:
            raise DetectorFailed(error) from None
        results: list[MaskedText | Blocked] = []
        for text, (findings,) in zip(texts, found, strict=True):
            blocked = self.policy.blocking(finding.entity for finding in findings)
            if blocked:
                results.append(Blocked(blocked))
                continue
            people = self._people([(text, findings)])
            results.append(MaskedText(self._replace(text, findings, people), tuple(findings)))
        return results

    def mask_name(
        self, key: str, name_tokens: Collection[str] = (), births: Collection[str] = ()
    ) -> Masked:
        """Mask a source key, file name or URI; separators and extension stay.

        Args:
            name_tokens: `MaskedDocument.name_tokens` of the document behind the name: its
                persons are found in the name however they are written there.
            births: `MaskedDocument.births` of that document.
        """
        from rag.privacy.names.filenames import persons_in

        try:
            # Names without a space say nothing to a model of sentences.
            (findings,) = self._detector.detect([Passage([Segment(key)])], model=" " in key)[0]
        except Exception as error:
            raise DetectorFailed(error) from None
        tags = frozenset(name_tokens)
        if self._erased.words:
            own = (word.folded for word in words(view(key).text))
            tags |= self._erased.named([self._sealer.tag(word) for word in own])
        findings = persons_in(key, findings, lambda word: self._sealer.tag(word) in tags)
        return self._replace(key, findings, People(_persons(key, findings), frozenset(births)))

    def explain(self, text: str) -> Explanation:
        """Return why a text is masked as it is; slower than masking it."""
        from rag.privacy.explain import explain

        return explain(self._detector, text)

    def _detected(self, passage: Passage) -> list[list[Finding]] | str:
        try:
            return self._detector.detect([passage])[0]
        except Exception as error:
            return type(error).__name__

    def _finish(
        self, tree: Tree, found: list[list[Finding]] | str
    ) -> MaskedDocument | MaskedFailure:
        from rag.ingest.failures import failure

        if isinstance(found, str):
            return failure("detector_failed", "mask")
        try:
            return self._masked(tree, found)
        except Exception:
            return failure("detector_failed", "mask")

    def _masked(self, tree: Tree, found: list[list[Finding]]) -> MaskedDocument | MaskedFailure:
        texts = [segment.text for segment in tree.segments]
        people = self._people(list(zip(texts, found, strict=True)))
        return self._document(tree.root, tree, found, people)

    def _people(self, texts: Sequence[tuple[str, Sequence[Finding]]]) -> People:
        return People(
            (name for text, findings in texts for name in _persons(text, findings)),
            births(self._sealer, _found("DATE_OF_BIRTH", texts)),
        )

    def _gone(self, pseudonym: str, people: People) -> bool:
        """Whether this person was erased: everywhere, or where this birth date is named."""
        tags = self._erased.tags
        return bool(tags) and any(
            tag(self._sealer, pseudonym, born) in tags for born in ("", *people.births)
        )

    def _document(
        self, node: Node, tree: Tree, found: list[list[Finding]], people: People
    ) -> MaskedDocument | MaskedFailure:
        from rag.ingest.failures import failure

        counts: Counter[str] = Counter()
        named: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for index in node.own:
            for finding in found[index]:
                counts[finding.entity] += 1
            for name in _persons(tree.segments[index].text, found[index]):
                named[people.key(name)].update(person_words(name))
        whole = {key: self._pseudonyms.person(key) for key in named}
        kept = {key: own for key, own in whole.items() if not self._gone(own, people)}
        names = {word for key in kept for word in named[key]}

        def masked(index: int) -> Masked:
            return self._replace(tree.segments[index].text, found[index], people)

        document = node.document
        if isinstance(document, Failure):
            return MaskedFailure(
                document.step, document.code, document.reason, document.action, masked(node.name)
            )
        stopped = self.policy.blocking(counts.elements())
        if stopped:
            blocked = failure("blocked_by_policy", "mask", count=sum(counts[k] for k in stopped))
            kinds = (fixed("{} {}", counts[kind], configured(kind)) for kind in sorted(stopped))
            reason = fixed("{}: {}.", blocked.reason.removesuffix("."), fixed(", ").join(kinds))
            return replace(blocked, reason=reason, name=masked(node.name))
        return MaskedDocument(
            media_type=document.media_type,
            title=masked(node.title),
            elements=tuple(place(masked) for place in node.elements),
            masked=dict(sorted(counts.items())),
            name_tokens=tuple(sorted(self._sealer.tag(word) for word in names)),
            births=tuple(
                sorted(
                    births(
                        self._sealer,
                        _found(
                            "DATE_OF_BIRTH",
                            [(tree.segments[index].text, found[index]) for index in node.own],
                        ),
                    )
                )
            ),
            aliases=tuple(sorted(self._aliases(kept, people))),
            attachments=tuple(
                self._document(child, tree, found, people) for child in node.children
            ),
            name=masked(node.name),
        )

    def _aliases(
        self, persons: Mapping[tuple[str, ...], str], people: People
    ) -> Iterator[tuple[str, str]]:
        """Yield what shorter forms of names would be masked as, each with the name's own mask."""
        if self.policy.action("PERSON") != "pseudonym":
            return
        for key, own in persons.items():
            for short in map(self._pseudonyms.person, shorter(key)):
                if not self._gone(short, people):
                    yield short, own

    def _replace(self, text: str, findings: Sequence[Finding], people: People) -> Masked:
        pieces: list[str] = []
        place = 0
        for finding in findings:
            pieces.append(text[place : finding.start])
            pieces.append(self._mask(finding.entity, text[finding.start : finding.end], people))
            place = finding.end
        pieces.append(text[place:])
        return passed("".join(pieces))

    def _mask(self, entity: str, value: str, people: People) -> str:
        action = self.policy.action(entity)
        if action == "pseudonym" and entity == "PERSON":
            made = self._pseudonyms.person(people.key(value))
        elif action == "pseudonym":
            made = self._pseudonyms.value(entity, value)
        else:
            made = self._surrogates.replaced(self.policy, entity, value, people.main)
        if action not in _LINKED or (self._remember is None and not self._erased.tags):
            return made
        shifted = action == "shift" and bool(people.main)
        whose = self._pseudonyms.person(people.main) if shifted else made
        if made == f"<{entity}>" or self._gone(whose, people):
            return f"<{entity}>"
        if self._remember:
            self._remember(Identity(made, entity, value, whose if shifted else ""))
        return made


def _found(entity: str, texts: Sequence[tuple[str, Sequence[Finding]]]) -> list[str]:
    return [text[f.start : f.end] for text, own in texts for f in own if f.entity == entity]


def _persons(text: str, findings: Sequence[Finding]) -> list[str]:
    return [text[f.start : f.end] for f in findings if f.entity == "PERSON"]


def fingerprint(privacy: Privacy) -> str:
    """Return the fingerprint that this section's masker has, without loading its models."""
    places = range(-1, len(privacy.overrides))
    policies = [resolve(privacy.under(place)) for place in places]
    whose = [one.match for one in privacy.overrides]
    return _fingerprint(policies, pseudonym_key(privacy), whose)


def _fingerprint(policies: Sequence[Policy], key: bytes, whose: Sequence[str] = ()) -> str:
    from importlib.metadata import version

    from rag.privacy.tagging import tagger

    facts = {
        "code": CODE_VERSION,
        "lists": _lists(),
        "policies": [policy.facts() for policy in policies],
        "whose": list(whose),
        "key": Sealer(key).tag("fingerprint"),
        "model": tagger.digest(),
        "versions": [version(name) for name in ("presidio-analyzer", "phonenumbers")],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


@cache
def _lists() -> str:
    from rag.privacy.names.lexicon import lexicon

    read = hashlib.sha256(repr(sorted(lexicon().items())).encode())
    for file in sorted((Path(__file__).parent / "lists").iterdir()):
        if file.is_file():
            read.update(file.read_bytes())
    return read.hexdigest()


@lru_cache(maxsize=64)  # an override may have one of its own
def masker_with(policy_json: str, key: bytes) -> Masker:
    """Return this process's masker for a privacy section as JSON and a key of 32 bytes."""
    from rag.config import Privacy

    one_thread()
    return Masker(resolve(Privacy.model_validate_json(policy_json)), key)


def masker(privacy: Privacy) -> Masker:
    """Return this process's masker for a privacy section; models load on the first call.

    Overrides are not looked at: `Privacy.under` gives the rules where one counts.
    """
    # The guardrail and the vault come after it and change nothing in it.
    alone = privacy.model_dump_json(exclude={"guardrail", "overrides", "vault"})
    return masker_with(alone, pseudonym_key(privacy))
