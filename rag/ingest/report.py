"""What a run did, in counts: for people, for ``--json`` and for the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from rag.masked import Masked


@dataclass(frozen=True, slots=True)
class SyncReport:
    """One run of a corpus, summed over its steps.

    Attributes:
        documents: new, changed, moved, acl, unchanged and deleted in this run, mails with their
            attachments as one; quarantined is what is in quarantine now. A dry run says what
            would be.
        chunks: In the index now.
        masked: Identifiers masked in the documents of this run, by entity kind.
        seconds: Working time by step, summed over all processes.
        elapsed: Seconds from plan to publish by the clock.
        parsed, embedded: Documents parsed and chunks embedded in this run; the rest was reused.
        types: Documents of this run by media type.
        failures: Documents quarantined in this run by reason code.
        warnings: What to mend in the source, by masked file name; such a file's rights were
            taken as nobody's.
        repaired: What verify found different and put right, by kind.
        usage: Calls to models and services that cost, by model: calls, input_tokens,
            output_tokens, usd (list price; None where none is known), seconds.
    """

    run_id: str
    corpus: str
    documents: Mapping[str, int]
    chunks: int = 0
    masked: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    elapsed: float = 0.0
    parsed: int = 0
    embedded: int = 0
    types: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    repaired: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[Masked, Masked] = field(default_factory=dict)
    usage: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dry_run: bool = False

    def as_counts(self) -> dict[str, Any]:
        """Return it as plain dictionaries and numbers."""
        return plain(self)


def plain(report: DataclassInstance) -> dict[str, Any]:
    """Return a report's fields by name, its counters as dictionaries."""
    values = {one.name: getattr(report, one.name) for one in fields(report)}
    return {
        name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()
    }


def summed(reports: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Add up reports of steps: numbers are added, dictionaries by key; None stays unknown."""
    total: dict[str, Any] = {}
    for report in reports:
        for name, value in report.items():
            if isinstance(value, Mapping):
                total[name] = summed([total.get(name, {}), value])
            else:
                before = total.get(name, 0)
                total[name] = None if value is None or before is None else before + value
    return total
