"""What the service says of documents that it could not ingest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

LONGEST = 2048
"""Characters of a failure reason in the service's model."""


def message(why: str, uris: Iterable[str]) -> str:
    """Return the sentence about documents that failed for one reason."""
    named = list(uris)
    return (
        f"Encountered error: Ignored {len(named)} files {why} [Files: {', '.join(named)}]. "
        "Call to Customer Source did not succeed."
    )


def reasons(failed: Mapping[str, list[str]]) -> list[str]:
    """Return a job's failure reasons: each the text of a JSON list of sentences.

    Args:
        failed: URIs by reason.
    """
    found: list[str] = []
    for why, uris in failed.items():
        part: list[str] = []
        for uri in uris:
            if part and len(json.dumps([message(why, [*part, uri])])) > LONGEST:
                found.append(json.dumps([message(why, part)]))
                part = []
            part.append(uri)
        if part:
            found.append(json.dumps([message(why, part)])[:LONGEST])
    return found
