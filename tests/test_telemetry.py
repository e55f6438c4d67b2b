"""Every line of the log is a fixed sentence with numbers, ids and masked text in it."""

from __future__ import annotations

import ast
import logging
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from rag.masked import NotMasked, identifier
from rag.telemetry import INFO, event
from tests.masked import masked

ROOT = Path(__file__).parents[1]
LEVELS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log"}
log = logging.getLogger("sluice.test")


class Step(Enum):
    MASK = 1


def test_a_line_says_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    event(
        log,
        INFO,
        "{count} documents wait",
        count=3,
        name=masked("notes/<PERSON>.txt"),
        run=identifier("0f" * 16),
        step=Step.MASK,
        error=ValueError("Ingrid Solberg, 4111 1111 1111 1111"),
    )
    expected = "3 documents wait name=notes/<PERSON>.txt run="
    assert caplog.messages == [expected + "0f" * 16 + " step=MASK error=ValueError"]


@pytest.mark.parametrize("raw", ["Solberg", b"Solberg", ["Solberg"], Path("Solberg"), object()])
def test_anything_else_is_refused_and_not_quoted(
    raw: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(NotMasked) as raised:
        event(log, INFO, "found {name}", name=raw)
    assert "Solberg" not in str(raised.value)
    with pytest.raises(NotMasked):
        event(log, logging.DEBUG, "found", name=raw)
    assert not caplog.messages


def test_nobody_writes_a_line_in_another_way() -> None:
    seen = 0
    for room in ("rag", "connectors", "dags"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                if isinstance(node.func, ast.Attribute) and path.name != "telemetry.py":
                    owner = ast.unparse(node.func.value)
                    logs = "log" in owner.rpartition(".")[2].lower()
                    assert not (logs and node.func.attr in LEVELS), where
                elif isinstance(node.func, ast.Name) and node.func.id == "event":
                    seen += 1
                    assert isinstance(node.args[2], ast.Constant), where
    assert seen > 5
