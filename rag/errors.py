"""What can go wrong, in words for the person who can mend it.

A message says what is wrong, the hint what to do next. Neither ever holds what a document says,
a raw file name, or another library's message (those may quote documents).
"""

from __future__ import annotations

import copyreg
import re
from collections.abc import Mapping, Sequence
from typing import Any


class SluiceError(Exception):
    """Any expected failure.

    Attributes:
        message: What is wrong, one sentence.
        hint: What to do next, one sentence; may be empty.
        transient: Trying again later may help by itself.
    """

    exit_code = 2
    transient = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        # Without `__init__`, to which another process would give the whole text as the message.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class ConfigError(SluiceError):
    """A corpus file, option or environment variable is wrong."""


class FilterWrong(ConfigError):
    """A search filter that cannot be understood.

    Attributes:
        what: What is wrong, without an end; never what the filter says.
        place: At which character, from 0; None where it was not written as text.
    """

    def __init__(self, what: str, place: int | None = None) -> None:
        where = "" if place is None else f" at character {place + 1}"
        super().__init__(
            f"The filter is wrong{where}: {what}.",
            'For example: type = "application/pdf" and (section ~ "Billing*" or page >= 3)',
        )
        self.what = what
        self.place = place


class NotIndexed(SluiceError):
    """The corpus was never synced here, so there is nothing to search."""


class RightsUnknown(SluiceError):
    """What an asker may read could not be found out, so nothing is shown.

    Args:
        why: Without an end.
    """

    transient = True

    def __init__(self, why: str) -> None:
        super().__init__(
            f"It is not known what this asker may read: {why}.",
            "See rights.expand of the corpus file; nothing is shown until it answers.",
        )


class ListingFailed(SluiceError):
    """The source could not be listed whole: nothing is deleted on such evidence."""

    transient = True


class SourceUnavailable(SluiceError):
    """One document could not be opened."""

    transient = True


class ChangedWhileReading(SourceUnavailable):
    """The document is no longer at the version that was listed."""


class TooLarge(SourceUnavailable):
    """The document is larger than the limit; it was not read."""


class CorpusBusy(SluiceError):
    """Another run holds the corpus."""

    transient = True


class MassDeletion(SluiceError):
    """A run would delete more than `max_delete` allows; nothing was deleted.

    Attributes:
        documents: Masked names of what would go.
    """

    def __init__(self, documents: Sequence[str], message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.documents = tuple(documents)


class IndexDiffers(SluiceError):
    """The index is not what the ledger says, and could not be repaired."""


class TargetFailed(SluiceError):
    """A target could not be read or written; what it served, it still serves."""

    transient = True


class DocumentsRefused(SluiceError):
    """A target cannot hold some documents, however often it is told; all others it holds.

    Attributes:
        reasons: By document id, in the target's words.
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__(
            f"{len(reasons)} documents cannot be held by this target.",
            "`sluice quarantine` says which, and why.",
        )
        self.reasons = dict(reasons)


class ServiceFailed(SluiceError):
    """A service did not answer, or answered that it cannot now, for as long as we may wait.

    Attributes:
        code: The service's own name for what happened, for example ``ThrottlingException``; may
            be empty.
    """

    transient = True

    def __init__(self, message: str, hint: str = "", code: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


class ServiceRefused(SluiceError):
    """A service will not do what it was asked, however often it is asked.

    Attributes:
        code: The service's own name for the reason, for example ``AccessDeniedException``; may be
            empty.
    """

    def __init__(self, message: str, hint: str = "", code: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


class VaultFailed(SluiceError):
    """The vault cannot be written or opened: what depends on it waits."""


class Denied(SluiceError):
    """The asker may not do this; the attempt is in the audit."""


class ModelChanged(TargetFailed):
    """The index served now was embedded with another model than the question: embed it again."""


class NotRecorded(SluiceError):
    """The audit has no such answer."""

    def __init__(self, answer_id: str, corpus: str) -> None:
        known = re.fullmatch(r"[0-9a-f-]{8,64}", answer_id)
        super().__init__(
            f"The audit has no answer {answer_id if known else 'of that id'} of {corpus}.",
            "Take the answer_id that `sluice ask --json` gave, and the corpus that was asked.",
        )
