"""Make `samples/handbook`, the demo's documents, and `samples/planted.json` beside it.

    python samples/make_handbook.py [FOLDER]

writes FOLDER/handbook and FOLDER/planted.json (FOLDER is this one by default). Every run writes
the same bytes. The texts are in `handbook_source/content`.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from samples.handbook_source import hostile, mail, markup, office, pdf  # noqa: E402
from samples.handbook_source.manuscript import Manuscript, read  # noqa: E402
from samples.handbook_source.planted import Register, Say  # noqa: E402

SOURCES = HERE / "handbook_source"
WRITERS = {
    "docx": office.docx,
    "pptx": office.pptx,
    "xlsx": office.xlsx,
    "pdf": pdf.pdf,
    "png": pdf.png,
    "html": markup.html,
    "epub": markup.epub,
    "odt": markup.odt,
    "rtf": markup.rtf,
}


def make(folder: Path) -> None:
    """Write the handbook and the list of what is planted in it under `folder`."""
    register = Register()
    handbook = folder / "handbook"
    shutil.rmtree(handbook, ignore_errors=True)
    for file in sorted((SOURCES / "content").rglob("*.md")):
        path = file.relative_to(SOURCES / "content").as_posix().removesuffix(".md")
        source = read(file, path)
        _put(handbook / path, _written(source, register, path))
        if allow := source.meta.get("allow"):
            _put(handbook / f"{path}.acl.yaml", f"allow: [{', '.join(allow)}]\n".encode())
        name = source.text("filename")
        if name and register.plant(path, name, "filename") != file.name.removesuffix(".md"):
            raise ValueError(f"{path}: its declared file name differs")
    log = "hostile/cold-chain-log.txt"
    _put(handbook / "hostile/empty.txt", b"")
    _put(handbook / "hostile/blank.docx", hostile.blank_docx())
    _put(handbook / "hostile/annual-report.docx", hostile.bomb())
    _put(handbook / log, hostile.endless_log(lambda text, where: register.plant(log, text, where)))
    ordinary = yaml.safe_load((SOURCES / "ordinary-words.yaml").read_text(encoding="utf-8"))
    if forgotten := register.forgotten(ordinary):
        raise ValueError("names without a mark:\n" + "\n".join(forgotten))
    lines = [json.dumps(record, ensure_ascii=False) for record in register.listing()]
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    (folder / "planted.json").write_text(text, encoding="utf-8")


def _written(source: Manuscript, register: Register, document: str, inside: str = "") -> bytes:
    """The bytes of `source`, part of `document`; `inside` overrides where things are planted."""

    def say(text: str, where: str) -> str:
        return register.plant(document, text, inside or where)

    def attach(name: str, _: str) -> bytes:
        attachment = read(SOURCES / "attachments" / f"{name}.md", name)
        return _written(attachment, register, document, inside="attachment")

    data = _formatted(source, say, attach)
    return hostile.half(data) if source.meta.get("truncated") else data


def _formatted(source: Manuscript, say: Say, attach: mail.Attach) -> bytes:
    if source.format == "eml":
        return mail.eml(source, say, attach)
    if source.format in WRITERS and not source.meta.get("verbatim"):
        return WRITERS[source.format](source, say)
    where = "table" if source.format == "csv" else "text"
    lines = source.body.splitlines(keepends=True)
    text = "".join(say(line, "table" if line.startswith("|") else where) for line in lines)
    encoding = source.text("encoding") or "utf-8"
    return hostile.mixed_encoding(text) if encoding == "mixed" else text.encode(encoding)


def _put(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
