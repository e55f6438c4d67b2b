"""Mail messages, written by hand so that every line and boundary is fixed."""

from __future__ import annotations

import base64
from collections.abc import Callable
from email.utils import parseaddr

from .manuscript import Manuscript
from .planted import Say

Attach = Callable[[str, str], bytes]
"""Takes an attachment's source and the path of the mail; returns its bytes."""

_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "csv": "text/csv; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
}


def eml(source: Manuscript, say: Say, attach: Attach) -> bytes:
    """A mail with its headers, a plain body, and what its source names under ``attach``."""
    lines = [f"{name}: {_header(name, say(text, 'header'))}" for name, text in _headers(source)]
    lines.append("MIME-Version: 1.0")
    body = say(source.body.strip(), "text")
    plain = ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", ""]
    plain += body.splitlines()
    names: list[str] = source.meta.get("attach", [])
    if not names:
        return _joined(lines + plain).encode()
    mark = "=_" + source.path.rpartition("/")[2].partition(".")[0]
    message = [_joined([*lines, f'Content-Type: multipart/mixed; boundary="{mark}"', ""]).encode()]
    message.append(_joined([f"--{mark}", *plain, ""]).encode())
    for name in names:
        data, kind = attach(name, source.path), name.rpartition(".")[2]
        file = name.rpartition("/")[2]
        if kind == "eml":
            head = [f"--{mark}", "Content-Type: message/rfc822", "Content-Disposition: inline", ""]
            message += [_joined(head).encode(), data, b"\r\n"]
            continue
        shown = say(source.meta.get("filenames", {}).get(name, file), "attachment_name")
        head = [
            f"--{mark}",
            f"Content-Type: {_TYPES[kind]}",
            "Content-Transfer-Encoding: base64",
            f'Content-Disposition: attachment; filename="{shown}"',
            "",
        ]
        encoded = base64.encodebytes(data).decode("ascii").splitlines()
        message.append(_joined(head + encoded).encode())
    message.append(_joined([f"--{mark}--"]).encode())
    return b"".join(message)


def _headers(source: Manuscript) -> list[tuple[str, str]]:
    return [(str(name), str(text)) for name, text in source.meta["headers"].items()]


def _header(name: str, text: str) -> str:
    if text.isascii():
        return text
    if name in ("From", "To", "Cc", "Reply-To"):
        people = [parseaddr(one) for one in text.split(",")]
        return ",\r\n ".join(f"{_word(person)} <{address}>" for person, address in people)
    return _word(text)


def _word(text: str) -> str:
    if text.isascii():
        return text
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode('ascii')}?="


def _joined(lines: list[str]) -> str:
    return "".join(line + "\r\n" for line in lines)
