"""``python -m localaws``: the server by itself, as ``sluice localaws`` starts it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from localaws.server import (
    CREDENTIALS_HELP,
    FAULTS_HELP,
    GENERATOR_HELP,
    HOST,
    HOST_HELP,
    PORT,
    REPLIES_HELP,
    CannotStart,
    Options,
    serve,
)


def main() -> int:
    """Serve until interrupted; return the exit code."""
    parser = argparse.ArgumentParser(
        "localaws", description="Serve Bedrock and SageMaker's runtime on loopback."
    )
    add = parser.add_argument
    add("--port", type=int, default=PORT, help="0 picks a free one")
    add("--host", default=HOST, help=HOST_HELP)
    add("--state", type=Path, default=Path(".localaws"), help="folder of what survives a restart")
    add("--faults", type=Path, metavar="FILE", help=FAULTS_HELP)
    add("--replies", type=Path, metavar="FILE", help=REPLIES_HELP)
    add("--generator", metavar="NAME", help=GENERATOR_HELP)
    add("--credentials", type=Path, metavar="FILE", help=CREDENTIALS_HELP)
    add("--json", action="store_true", dest="as_json", help="announce as one JSON object")
    try:
        serve(Options(**vars(parser.parse_args())))
    except CannotStart as error:
        sys.stderr.write(f"{error} {error.hint}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
