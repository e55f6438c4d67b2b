"""``python -m tests.probe CORPUS``: search and ask many times in one process, with its own home.

Reads a JSON object a line, ``{"search": TEXT, "as": […]}`` or ``{"ask": TEXT, "as": […]}``, and
writes everything that the Python API returns for it, a JSON object a line. What is blocked by
policy gives the error's message.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from rag.corpus import Corpus
from rag.errors import SluiceError


def main(name: str) -> None:
    corpus = Corpus.open(name)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(corpus, json.loads(line)), ensure_ascii=False) + "\n")


def answer(corpus: Corpus, request: dict[str, Any]) -> dict[str, Any]:
    try:
        if "ask" in request:
            return asdict(corpus.ask(request["ask"], principals=request["as"]))
        hits = corpus.search(request["search"], principals=request["as"], k=request.get("k", 10))
        return {"hits": [asdict(hit) for hit in hits]}
    except SluiceError as error:
        return {"error": type(error).__name__, "message": error.message, "hint": error.hint}


if __name__ == "__main__":
    main(*sys.argv[1:])
