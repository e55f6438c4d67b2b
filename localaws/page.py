"""The page of supported operations: ``python -m localaws.page > docs/localaws-operations.md``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from localaws.admin import supported
from localaws.app import load_operations
from localaws.wire.shapes import SERVICES, service_model

INTRODUCTION = """\
# Operations of localaws

Made by `python -m localaws.page > docs/localaws-operations.md`; a running server tells the same at
`/_localaws/operations`. What is not supported answers 501 `NotImplementedException` and names the
operation; a path that no service has answers 404 `UnknownOperationException`.
"""


def operations_page() -> str:
    """Return the page, in Markdown: of each service the operations that are here and are not."""
    here = supported()
    parts = [INTRODUCTION]
    for service in SERVICES:
        every = service_model(service).operations
        missing = [name for name in every if name not in here[service]]
        parts.append(f"## {service}\n\n{len(here[service])} of {len(every)} operations.\n")
        parts.append(f"Supported: {_listed(here[service])}\n")
        parts.append(f"Not supported: {_listed(missing)}\n")
    return "\n".join(parts)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(f'`{name}`' for name in sorted(names))}." if names else "none."


if __name__ == "__main__":
    load_operations()
    sys.stdout.write(operations_page())
