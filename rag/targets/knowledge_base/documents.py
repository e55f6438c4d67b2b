"""The way without a bucket: passages handed over by API to a data source of type CUSTOM.

An id says whose passage it is, of which version and how many there are, and it is never written
twice; so the service's own listing tells what it holds. A new version stands beside the old one
until all of it is indexed; then the old one goes.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rag.config import KnowledgeBaseTarget
from rag.records import IndexedDocument, Principal
from rag.targets import Job, Stored
from rag.targets.knowledge_base.attributes import (
    PRINCIPALS,
    Attributes,
    attributes,
    inline,
    native,
    with_acl,
)
from rag.targets.knowledge_base.names import CUSTOM_ID, Handed, handed
from rag.targets.knowledge_base.retrieval import every_passage
from rag.targets.knowledge_base.service import (
    GONE,
    HELD,
    MOVING,
    Service,
    Status,
    batches,
)
from rag.targets.refusals import worded

KIND = "bedrock_documents"


@dataclass(slots=True)
class _Version:
    """A version of a document as the service lists it."""

    passages: dict[Handed, Status] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        return all(len(self.passages) == one.chunks for one in self.passages)

    def any(self, *states: str) -> bool:
        return any(status.state in states for status in self.passages.values())

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.passages]


class Documents:
    """What was handed over, and what the service made of it."""

    def __init__(self, service: Service, target: KnowledgeBaseTarget) -> None:
        self._service = service
        self._target = target

    # Writing

    def apply(self, upserts: Sequence[IndexedDocument], deletes: Sequence[str]) -> dict[str, str]:
        """Hand documents over; return those that cannot be, with reasons."""
        refused: dict[str, str] = {}
        given: list[dict[str, Any]] = []
        gone = list(deletes)
        written = time.time_ns() // 1_000_000
        for document in upserts:
            passages = [
                self._passage(
                    Handed(
                        document.id, written, document.digest, document.acl,
                        len(document.chunks), chunk.position, chunk.id,
                    ),
                    chunk.embedded_text,
                    attributes(document, chunk),
                )
                for chunk in document.chunks
            ]  # fmt: skip
            if reason := _unfit(document.acl, passages):
                refused[document.id] = reason
                passages = []
            if not passages:
                gone.append(document.id)
            given += passages
        self._hand_over(given)
        if gone:
            self._take_back(gone)
        return refused

    def set_acl(
        self,
        acls: Mapping[str, tuple[Principal, ...]],
        digests: Mapping[str, str] | None,
    ) -> dict[str, str]:
        """Hand documents over again with other rights, from what the service holds of them.

        Where rights were taken away the old version goes at once: readers do without it until the
        new one is indexed. So does a document that the service does not give back whole; `verify`
        brings it again.
        """
        there = self._versions()
        refused: dict[str, str] = {}
        given: list[dict[str, Any]] = []
        gone: list[str] = []
        written = time.time_ns() // 1_000_000
        for name, acl in acls.items():
            versions = there.get(name)
            if not versions:
                continue
            served = _served(versions)
            before = next(iter(served.passages))
            digest = (digests or {}).get(name) or before.digest
            passages = [
                self._passage(
                    Handed(
                        name, written, digest, acl, before.chunks,
                        int(made["position"]), str(made["chunk_id"]),  # type: ignore[arg-type]
                    ),
                    text,
                    with_acl(made, acl),
                )
                for text, made in every_passage(
                    self._service, self._target, name, native(before.acl)
                )
            ]  # fmt: skip
            if reason := _unfit(acl, passages):
                refused[name] = reason
            whole = len({_id(one) for one in passages}) == before.chunks
            if whole and not refused.get(name):
                given += passages
            if not whole or name in refused or not set(before.acl) <= set(acl):
                gone += [one for version in versions for one in version.ids]
        self._delete(gone)
        self._hand_over(given)
        return refused

    def _passage(self, name: Handed, text: str, made: Attributes) -> dict[str, Any]:
        metadata: dict[str, Any] = {
            "type": "IN_LINE_ATTRIBUTE",
            "inlineAttributes": inline(made),
        }
        if self._target.user_context and (users := native(name.acl)):
            metadata["accessControlList"] = [
                {"name": user, "type": "USER", "access": "ALLOW"} for user in users
            ]
        return {
            "content": {
                "dataSourceType": "CUSTOM",
                "custom": {
                    "customDocumentIdentifier": {"id": name.id},
                    "sourceType": "IN_LINE",
                    "inlineContent": {"type": "TEXT", "textContent": {"data": text}},
                },
            },
            "metadata": metadata,
        }

    def _hand_over(self, passages: Sequence[dict[str, Any]]) -> None:
        def some(agent: Any, part: Sequence[dict[str, Any]]) -> None:
            agent.ingest_knowledge_base_documents(**self._service.ids, documents=list(part))

        self._service.agents(some, list(batches(passages)))

    def _take_back(self, documents: Iterable[str]) -> None:
        there = self._versions()
        self._delete(
            one for name in documents for version in there.get(name, []) for one in version.ids
        )

    def _delete(self, ids: Iterable[str]) -> None:
        def some(agent: Any, part: Sequence[str]) -> None:
            agent.delete_knowledge_base_documents(
                **self._service.ids,
                documentIdentifiers=[
                    {"dataSourceType": "CUSTOM", "custom": {"id": one}} for one in part
                ],
            )

        self._service.agents(some, list(batches(list(ids))))

    # What must be waited for

    def begin(self) -> Job | None:
        """Return a job while anything is on its way, failed, or no longer wanted."""
        for versions in self._versions().values():
            settled = len(versions) == 1 and all(
                status.state == HELD for status in versions[0].passages.values()
            )
            if not settled:
                return Job(KIND, {
                    "knowledge_base_id": self._service.ids["knowledgeBaseId"],
                    "data_source_id": self._service.ids["dataSourceId"],
                })  # fmt: skip
        return None

    def outcome(self, job: Job) -> dict[str, str] | None:
        """Return what the service refused, once nothing is on its way; None until then.

        Versions that a newer one, whole and indexed, has replaced are deleted here.
        """
        refused: dict[str, str] = {}
        waiting = False
        for name, versions in self._versions().items():
            served = _served(versions)
            if served.any(*MOVING):
                waiting = True
                continue
            replaced = [one for version in versions if version is not served
                        for one, status in version.passages.items()
                        if status.state not in MOVING]  # fmt: skip
            self._delete(one.id for one in replaced)
            if len(versions) > 1:
                waiting = True
                continue
            for status in served.passages.values():
                if status.state != HELD:
                    refused[name] = worded(status.reason or status.state)
        return None if waiting else refused

    # What is there

    def inventory(self) -> dict[str, Stored]:
        """Return what the service's listing says that it has indexed."""
        found = {}
        for name, versions in self._versions().items():
            held = [
                sorted(
                    (one for one, status in version.passages.items() if status.state == HELD),
                    key=lambda one: one.position,
                )
                for version in versions
            ]
            some = [passages for passages in held if passages]
            if not some:
                continue
            chunks = tuple(one.chunk for passages in some for one in passages)
            first = some[0][0]
            if len(some) == 1 and len(some[0]) == first.chunks:
                found[name] = Stored(first.digest, first.acl, chunks)
            else:
                found[name] = Stored("", (), chunks)
        return found

    def _versions(self) -> dict[str, list[_Version]]:
        """What the service lists, by document, the newest version first."""
        found: dict[str, dict[Any, _Version]] = defaultdict(lambda: defaultdict(_Version))
        for status in self._service.statuses():
            one = handed(status.name)
            if one is not None and status.state not in GONE:
                found[one.document][one.version].passages[one] = status
        return {
            name: [versions[version] for version in sorted(versions, reverse=True)]
            for name, versions in found.items()
        }


def _served(versions: Sequence[_Version]) -> _Version:
    """The version that counts: the newest that is whole and not going, else the newest."""
    going = ("DELETING", "DELETE_IN_PROGRESS")
    whole = [one for one in versions if one.whole and not one.any(*going)]
    return whole[0] if whole else versions[0]


def _unfit(acl: Sequence[Principal], passages: Sequence[Mapping[str, Any]]) -> str:
    """Why passages cannot be handed over, or nothing."""
    if len(acl) > PRINCIPALS:
        return (
            f"Its rights name {len(acl)} principals; handed over by API it may name {PRINCIPALS}."
        )
    if any(len(_id(one)) > CUSTOM_ID for one in passages):
        return "The names of its principals are too long to be handed over by API."
    return ""


def _id(passage: Mapping[str, Any]) -> str:
    return str(passage["content"]["custom"]["customDocumentIdentifier"]["id"])
