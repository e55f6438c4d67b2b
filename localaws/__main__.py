"""``python -m localaws``: the server by itself, as ``sluice localaws`` starts it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from localaws.server import GENERATORS, CannotStart, Options, serve


def main() -> int:
    """Serve until interrupted; return the exit code."""
    parser = argparse.ArgumentParser("localaws", description="Bedrock and SageMaker on loopback.")
    parser.add_argument("--port", type=int, default=8009, help="0 picks a free one")
    parser.add_argument("--state", type=Path, default=Path("localaws-state"))
    parser.add_argument("--faults", type=Path, default=None)
    parser.add_argument("--replies", type=Path, default=None)
    parser.add_argument("--generator", choices=GENERATORS, default="extractive")
    parser.add_argument("--credentials", type=Path, default=None)
    parser.add_argument("--json", action="store_true", dest="as_json")
    try:
        serve(Options(**vars(parser.parse_args())))
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
