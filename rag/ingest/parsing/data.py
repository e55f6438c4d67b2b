"""Structured text: separated values, JSON, XML. Records become tables, the rest named lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

from rag.ingest.failures import Unparsable
from rag.ingest.parsing import Content, Job, sniff
from rag.ingest.parsing.adapt import LONGEST_HEADING
from rag.ingest.parsing.properties import safe_xml
from rag.ingest.parsing.tables import table
from rag.ingest.parsing.text import clean, cut, plain
from rag.records import Element

_DEEPEST = 100
_FIELD_LIMIT = 2**24


def separated(job: Job) -> Content:
    """Read CSV or TSV with any common delimiter; rows of different lengths are filled up."""
    csv.field_size_limit(_FIELD_LIMIT)
    delimiter = "\t" if job.media_type == sniff.TSV else _delimiter(job.text)
    try:
        rows = list(csv.reader(job.text.split("\n"), delimiter=delimiter))
    except csv.Error:
        rows = [line.split(delimiter) for line in job.text.split("\n")]
    found = table(rows)
    return Content([found] if found else [])


def _delimiter(text: str) -> str:
    """The one that parts the first lines into the most equal rows; a comma when none does."""
    lines = [line for line in text[:65536].split("\n")[:50] if line.strip()]

    def fit(delimiter: str) -> tuple[float, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        usual = max(set(widths), key=widths.count)
        return (widths.count(usual) / len(widths) if usual > 1 else 0.0, usual)

    try:
        return max((",", ";", "\t", "|"), key=fit)
    except (csv.Error, ValueError):
        return ","


def json_document(job: Job) -> Content:
    """Read JSON or JSON lines. What is not JSON in spite of its name is read as plain text."""
    try:
        value = json.loads(job.text)
    except RecursionError:
        raise Unparsable("too_deep", limit=_DEEPEST) from None
    except ValueError:
        try:
            value = [json.loads(line) for line in job.text.split("\n") if line.strip()]
        except RecursionError:
            raise Unparsable("too_deep", limit=_DEEPEST) from None
        except ValueError:
            return Content(plain(job.text))
    elements = list(_walk(value, ()))
    title = value.get("title") if isinstance(value, dict) else ""
    return Content(elements, clean(title) if isinstance(title, str) else "")


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[Element]:
    """Yield a value's elements: scalars as ``key: value`` lines, equal records as a table."""
    if len(path) > _DEEPEST:
        raise Unparsable("too_deep", limit=_DEEPEST)
    if isinstance(value, dict):
        lines = [f"{key}: {_scalar(each)}" for key, each in value.items() if _is_flat(each)]
        if lines:
            yield from (Element("text", part, None, path) for part in cut("\n".join(lines)))
        for key, each in value.items():
            if not _is_flat(each):
                name = clean(str(key))
                if len(name) > LONGEST_HEADING:
                    yield from (Element("text", part, None, path) for part in cut(name))
                    name = ""
                yield from _walk(each, (*path, name) if name else path)
    elif isinstance(value, list):
        if len(value) > 1 and all(isinstance(each, dict) for each in value) and _are_rows(value):
            yield from _records(value, path)
            return
        for at, each in enumerate(value, 1):
            inner = path if len(value) == 1 else (*path, f"{path[-1]} {at}" if path else str(at))
            yield from _walk(each, inner)
    elif _scalar(value):
        yield from (Element("text", part, None, path) for part in cut(_scalar(value)))


def _is_flat(value: Any) -> bool:
    if isinstance(value, list):
        return all(not isinstance(each, dict | list) for each in value)
    return not isinstance(value, dict)


def _are_rows(records: list[dict[str, Any]]) -> bool:
    """Whether records share their keys and hold no records themselves."""
    keys = {key for record in records for key in record}
    filled = sum(len(record) for record in records)
    return all(_is_flat(each) for record in records for each in record.values()) and (
        filled >= 0.5 * len(keys) * len(records)
    )


def _records(records: list[dict[str, Any]], path: tuple[str, ...]) -> Iterator[Element]:
    keys = list(dict.fromkeys(key for record in records for key in record))
    rows = [[clean(str(key)) for key in keys]]
    rows += [[_scalar(record.get(key)) for key in keys] for record in records]
    found = table(rows, section=path)
    if found:
        yield found


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_scalar(each) for each in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return clean(str(value))


def xml_document(job: Job) -> Content:
    """Read XML: elements with their own text as ``name: text`` lines under their path.

    Raises:
        Unparsable: unsafe_xml when it declares entities, corrupt when it is not well-formed.
    """
    from lxml import etree

    text = job.text
    if text.lstrip().startswith("<?xml"):  # its declared encoding is no longer true
        text = text.partition("?>")[2]
    try:
        root = safe_xml(text.strip().encode())
    except etree.XMLSyntaxError:
        raise Unparsable("corrupt") from None
    value = _tree(root)
    name = _name(root)
    elements = list(_walk(value if isinstance(value, dict) else {name: value}, (name,)))
    title = next(
        (each.text for each in root.iter() if _name(each) == "title" and (each.text or "").strip()),
        "",
    )
    return Content(elements, " ".join(clean(title).split()))


def _tree(element: Any, depth: int = 0) -> Any:
    """An XML element as the dictionaries, lists and strings that `_walk` reads."""
    if depth > _DEEPEST:
        raise Unparsable("too_deep", limit=_DEEPEST)
    children = list(element.iterchildren("*"))
    mixed = any((child.tail or "").strip() for child in children)
    own = " ".join((element.text or "").split())
    attributes = {_local(key): value for key, value in element.attrib.items()}
    if mixed or not children:
        # Sentences with marked words in them are one text.
        text = " ".join("".join(element.itertext()).split())
        return {**attributes, "text": text} if attributes else text
    found: dict[str, Any] = dict(attributes)
    if own:
        found["text"] = own
    for child in children:
        name = _name(child)
        value = _tree(child, depth + 1)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _name(element: Any) -> str:
    return _local(element.tag) if isinstance(element.tag, str) else ""


def _local(name: str) -> str:
    return name.rpartition("}")[2]
