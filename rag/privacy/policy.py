"""What is done with each kind of identifier, and the refusal when a policy blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.errors import SluiceError

if TYPE_CHECKING:
    from rag.config import Action, Privacy

DEFAULT_ACTIONS: Mapping[str, Action] = {
    "PERSON": "pseudonym",
    "EMAIL_ADDRESS": "pseudonym",
    "PHONE_NUMBER": "redact",
    "STREET_ADDRESS": "redact",
    "DATE_OF_BIRTH": "redact",
    "IBAN_CODE": "redact",
    "CREDIT_CARD": "redact",
    "BANK_ACCOUNT": "redact",
    "CRYPTO": "redact",
    "US_SSN": "redact",
    "US_ITIN": "redact",
    "PASSPORT": "redact",
    "DRIVER_LICENSE": "redact",
    "MEDICAL_LICENSE": "redact",
    "MEDICAL_RECORD": "redact",
    "UK_NHS": "redact",
    "UK_NINO": "redact",
    "ES_NIF": "redact",
    "IT_FISCAL_CODE": "redact",
    "PL_PESEL": "redact",
    "FI_PERSONAL_IDENTITY_CODE": "redact",
    "NATIONAL_ID": "redact",
    "ID_NUMBER": "redact",
    "IP_ADDRESS": "redact",
    "MAC_ADDRESS": "redact",
    "DEVICE_ID": "redact",
    "VEHICLE_ID": "redact",
    "HEALTH_PLAN": "redact",
    "CERTIFICATE": "redact",
    "BIOMETRIC_ID": "redact",
    "SWIFT_CODE": "redact",
    "ROUTING_NUMBER": "redact",
    "CARD_SECURITY": "redact",
    "DATE_TIME": "keep",
    "AGE": "keep",
    "LOCATION": "keep",
    "ZIP_CODE": "keep",
    "URL": "keep",
}
"""The profile ``default``: every kind that it looks for, and what happens to it.

Organisations, cities, plain dates and addresses of web pages are left: a passage without them
answers nothing, and alone they name nobody.
"""

KINDS = frozenset(DEFAULT_ACTIONS)


class Blocked(SluiceError):
    """The policy says that a text with these kinds of identifiers goes nowhere.

    Attributes:
        entities: The kinds that stopped it, sorted; never the text.
    """

    def __init__(self, entities: frozenset[str] | set[str]) -> None:
        self.entities = tuple(sorted(entities))
        super().__init__(
            f"The privacy policy blocks texts that hold {', '.join(self.entities)}.",
            "Take it out of the text, or change privacy.actions of the corpus.",
        )


class DetectorFailed(SluiceError):
    """Detection could not answer, so that the text goes nowhere."""

    def __init__(self, error: Exception) -> None:
        super().__init__(
            f"The detector of personal data failed ({type(error).__name__}).",
            "Try again; the text was neither stored nor sent.",
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """A corpus's privacy section, resolved.

    Attributes:
        actions: One for each kind that is looked for.
        threshold: Least score of a finding, 0 to 1.
        allow: Texts that are never personal, folded.
    """

    actions: Mapping[str, Action]
    threshold: float
    allow: frozenset[str] = field(default_factory=frozenset)

    def action(self, entity: str) -> Action:
        return self.actions.get(entity, "redact")

    def blocking(self, entities: frozenset[str] | set[str]) -> set[str]:
        return {entity for entity in entities if self.action(entity) == "block"}


def resolve(privacy: Privacy) -> Policy:
    """Join the profile's actions with the corpus's own."""
    from rag.privacy.words import fold_phrase

    return Policy(
        actions={**DEFAULT_ACTIONS, **privacy.actions},
        threshold=privacy.threshold,
        allow=frozenset(fold_phrase(text) for text in privacy.allow),
    )
