"""Passages as a search weighs them: a few hundred, of which ten are shown and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.records import Chunk, Hit, Principal

if TYPE_CHECKING:
    import numpy

_NO_LEGS: Mapping[str, int] = MappingProxyType({})


class Candidate(NamedTuple):
    """A passage that a search may show, at first without what it says.

    Attributes:
        id: Of its chunk.
        acl: Principals who may read it.
        vector: Its embedding, float32, L2-normalised, shape (dimensions,), where the query asked
            for it and the target has it.
        score: Of the ranking that returned it; comparable within one list only.
        legs: Rank (from 1) in each search leg that found it.
        modified: Day since which its document has its bytes (`rag.days`); None: not known.
        place: By which its target reads it.
        read: What was read; None: nothing yet (`rag.targets.Target.read`).
    """

    id: str
    acl: tuple[Principal, ...]
    vector: numpy.ndarray | None = None
    score: float = 0.0
    legs: Mapping[str, int] = _NO_LEGS
    modified: int | None = None
    place: Any = None
    read: Hit | None = None

    @classmethod
    def of(cls, hit: Hit, vector: numpy.ndarray | None = None) -> Candidate:
        """Return a hit as a candidate that was read."""
        own = (hit.chunk.id, hit.acl, vector, hit.score, hit.legs, hit.modified)
        return cls(*own, read=hit)

    @property
    def chunk(self) -> Chunk:
        """What it says, if it was read."""
        return self.hit.chunk

    @property
    def hit(self) -> Hit:
        """The candidate as it is shown, if it was read."""
        own = self.read
        if own is None:
            raise ValueError(f"the candidate {self.id} was not read")
        return replace(own, score=self.score, acl=self.acl, legs=self.legs)

    def scored(self, score: float, legs: Mapping[str, int] | None = None) -> Candidate:
        """Return it with another score, and other ranks by leg if they are given."""
        own = self.legs if legs is None else legs
        return Candidate(
            self.id, self.acl, self.vector, score, own, self.modified, self.place, self.read
        )

    def told(self, hit: Hit) -> Candidate:
        """Return it with what was read, and with the rights that were read beside that."""
        return self._replace(acl=hit.acl, read=hit)


Legs = Mapping[str, Sequence[Candidate]]
"""What each way of searching found, by its name, best first."""

Read = Callable[[Sequence[Candidate]], list[Candidate]]
"""Candidates to the same in their order, read; what is gone by now is left out."""
