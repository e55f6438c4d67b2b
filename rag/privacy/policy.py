"""What is done with each kind of identifier, and the refusal when a policy blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ConfigError, SluiceError
from rag.privacy.profiles import DEFAULT, PROFILES, THRESHOLD, unfit
from rag.privacy.profiles import KINDS as KINDS

if TYPE_CHECKING:
    from rag.config import Action, Privacy

DEFAULT_ACTIONS: Mapping[str, Action] = {kind: rule.action for kind, rule in DEFAULT.items()}
"""The actions of the profile ``default``."""


class Blocked(SluiceError):
    """The policy says that a text with these kinds of identifiers goes nowhere.

    Attributes:
        entities: The kinds that stopped it, sorted; never the text.
    """

    def __init__(self, entities: frozenset[str] | set[str]) -> None:
        self.entities = tuple(sorted(entities))
        super().__init__(
            f"The privacy policy blocks texts that hold {', '.join(self.entities)}.",
            "Take it out of the text, or change privacy.actions or privacy.block of the corpus.",
        )


class DetectorFailed(SluiceError):
    """Detection could not answer, so that the text goes nowhere."""

    def __init__(self, error: Exception) -> None:
        super().__init__(
            f"The detector of personal data failed ({type(error).__name__}).",
            "Try again; the text was neither stored nor sent.",
        )


@dataclass(frozen=True, slots=True)
class Combination:
    """Kinds that together stop a text.

    Attributes:
        kinds: All must occur.
        count: So often at least, each of them.
    """

    kinds: frozenset[str]
    count: int = 1


@dataclass(frozen=True, slots=True)
class Policy:
    """A corpus's privacy section, resolved.

    Attributes:
        actions: One for each kind that is looked for.
        threshold: Least score of a finding, 0 to 1.
        allow: Texts that are never personal, folded.
        thresholds: Least scores of single kinds.
        combinations: What stops a text; a kind whose action is ``block`` does, too.
        recognizers: Files with recognizers of users' own.
        born_before: Who was born before this year may be 90 by now.
    """

    actions: Mapping[str, Action]
    threshold: float = THRESHOLD
    allow: frozenset[str] = field(default_factory=frozenset)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    combinations: tuple[Combination, ...] = ()
    recognizers: tuple[Path, ...] = ()
    born_before: int = 0

    @property
    def kinds(self) -> frozenset[str]:
        """All that a mask may name, of any profile and of recognizers of users' own."""
        return KINDS | frozenset(self.actions)

    def action(self, entity: str) -> Action:
        return self.actions.get(entity, "redact")

    def least(self, entity: str) -> float:
        """Return the score from which on a finding of this kind counts."""
        return self.thresholds.get(entity, self.threshold)

    def blocking(self, found: Iterable[str]) -> frozenset[str]:
        """Return the kinds that stop a text; mostly none.

        Args:
            found: Kinds of what was found, each as often as it was found.
        """
        counts = Counter(found)
        blocked = {kind for kind in counts if self.action(kind) == "block"}
        for one in self.combinations:
            if all(counts[kind] >= one.count for kind in one.kinds):
                blocked |= one.kinds
        return frozenset(blocked)

    def safety(self, entity: str) -> int:
        """Return how little is left of the original: of overlapping findings the safest counts."""
        return _SAFETY[self.action(entity)]

    def facts(self) -> dict[str, object]:
        """Return what a masked text depends on, as JSON takes it; a custom file by its hash."""
        return {
            "actions": sorted(self.actions.items()),
            "threshold": self.threshold,
            "thresholds": sorted(self.thresholds.items()),
            "allow": sorted(self.allow),
            "block": sorted([sorted(one.kinds), one.count] for one in self.combinations),
            "recognizers": [sha256(path.read_bytes()).hexdigest() for path in self.recognizers],
            "born_before": self.born_before,
        }


_SAFETY: Mapping[Action, int] = {
    "block": 3, "redact": 2, "pseudonym": 2, "shape": 2,
    "shift": 1, "generalize": 1, "partial": 1, "keep": 0,
}  # fmt: skip


def resolve(privacy: Privacy) -> Policy:
    """Join the profile with the corpus's own rules; overrides of sources are not looked at.

    Raises:
        ConfigError: A file that the section names cannot be read.
    """
    from rag.privacy.recognizers.custom import kinds_of
    from rag.privacy.words import fold_phrase

    profile = PROFILES[privacy.profile]
    files = tuple(Path(name) for name in privacy.recognizers)
    actions: dict[str, Action] = dict.fromkeys(kinds_of(files), "redact")
    actions |= {kind: rule.action for kind, rule in profile.items()} | privacy.actions
    for kind, action in actions.items():
        if unfit(privacy.profile, kind, action):  # a corpus file that says so is refused before
            actions[kind] = "redact"
    if privacy.threshold is None:
        thresholds = {kind: rule.threshold for kind, rule in profile.items()}
    else:
        thresholds = {}
    ages = actions["DATE_OF_BIRTH"] == "generalize"
    return Policy(
        actions=actions,
        threshold=THRESHOLD if privacy.threshold is None else privacy.threshold,
        allow=frozenset(fold_phrase(text) for text in (*privacy.allow, *_phrases(privacy))),
        thresholds=thresholds | privacy.thresholds,
        combinations=tuple(
            Combination(frozenset(one))
            if isinstance(one, tuple)
            else Combination(frozenset(one.kinds), one.count)
            for one in privacy.block
        ),
        recognizers=files,
        born_before=date.today().year - 89 if ages else 0,  # as people count it
    )


def _phrases(privacy: Privacy) -> Iterator[str]:
    """Yield the lines of the allow-files; a line that begins with ``#`` is a comment."""
    for name in privacy.allow_files:
        for line in read_list(Path(name)).splitlines():
            if line.strip() and not line.startswith("#"):
                yield line


def read_list(path: Path) -> str:
    """Return the text of a file that the privacy section names.

    Raises:
        ConfigError: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read ({type(error).__name__}).",
            "It is named in the privacy section of the corpus; give a file of UTF-8 text.",
        ) from None
