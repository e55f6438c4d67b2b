"""``python -m tests.leaks.commands``: run commands of ``sluice`` in one process, one after another.

A line is a JSON list of arguments. What the commands print goes where this process prints.
"""

from __future__ import annotations

import json
import sys

from rag.cli import _only_our_words, run


def main() -> None:
    _only_our_words(False)
    for line in sys.stdin:
        arguments = json.loads(line)
        code = run(arguments)
        sys.stdout.write(f"{arguments[0]} ended with {code}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
