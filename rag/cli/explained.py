"""An explanation for a person's eyes: the answer first, then what it came from, then the proof."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rag.cli.output import show, show_table, visible

if TYPE_CHECKING:
    from rag.audit.told import Document, Evidence, Explanation, Found, Told

WIDTH = 100
ID = 12
"""Characters of an id that tell it from others on one page."""


def show_explanation(told: Explanation) -> None:
    """Print an explanation; all that it shows is masked, and control characters are shown."""
    for title, lines in (
        ("", _head(told)),
        ("Answer" if told.kind == "answer" else "", _answer(told)),
    ):
        _section(title, lines)
    _tables(told)
    _section("Evidence as it was given to the model", _evidence(told))
    _section("Feedback", _feedback(told))
    _section("Proof", _proof(told))


def _section(title: str, lines: Iterator[str]) -> None:
    made = list(lines)
    if not made:
        return
    if title:
        _title(title)
    for line in made:
        show(line)


def _title(text: str) -> None:
    from rich.console import Console
    from rich.text import Text

    width = None if sys.stdout.isatty() else WIDTH
    console = Console(file=sys.stdout, width=width, highlight=False)
    console.print()
    console.print(Text(text, style="bold"))
    console.print(Text("─" * min(console.width, WIDTH), style="dim"))


def _head(told: Explanation) -> Iterator[str]:
    asked = ", ".join(_short(one) for one in told.who) or "nobody"
    yield f"{told.kind.capitalize()} {told.answer_id} of the corpus {told.corpus}"
    yield f"Asked     {told.at[:19].replace('T', ' ')} UTC by {asked}{' (you)' * told.yours}"
    yield from _wrapped("Question  ", told.question)
    if told.understood:
        yield from _wrapped("          as ", told.understood)
    yield f"Outcome   {_outcome(told)}"
    if told.whole:
        yield f"Verified  yes: {told.verified.records:,} records in one chain, and every text here"
    else:
        yield f"Verified  NO: record {told.verified.broken:,}: {told.verified.reason}"


def _outcome(told: Explanation) -> str:
    said = f"{told.outcome} ({told.error})" if told.error else told.outcome
    if told.refusal:
        said += f", because: {told.refusal.replace('_', ' ')}"
    if told.partial:
        said += f", cut short: {told.partial}"
    if told.cached:
        said += f", repeating answer {told.cached}"
    if told.outcome == "answered":
        documents = {part.document.document_id for one in told.sentences for part in one.evidence}
        said += f": {_count(len(told.sentences), 'sentence')}"
        said += f" from {_count(len(documents), 'document')}"
    if told.support is not None and "min_support" in told.settings:
        least = told.settings["min_support"]
        said += f"; support {told.support:.2f}, at least {least:.2f} was wanted"
    return said


def _answer(told: Explanation) -> Iterator[str]:
    if not told.sentences:
        yield from _wrapped("", told.text)
    for number, one in enumerate(told.sentences, start=1):
        yield from _wrapped(f"{number}. ", one.text)
        if not one.evidence:
            yield "   no evidence was recorded for it"
        for part in one.evidence:
            yield from _rests_on(part)


def _rests_on(part: Evidence) -> Iterator[str]:
    page = f", page {part.page}" if part.page else ""
    yield f"   ← {_name(part.document)}{page}, support {part.support:.2f}"
    yield from _wrapped("     ", part.quote, quoted=True)
    if part.in_passage is False:
        yield "     NOT found literally in the passage as it was given"


def _tables(told: Explanation) -> None:
    if told.found or told.search:
        _title("Searched")
        show("; ".join(_settings(told.search)) or "settings were not recorded")
        for line in _wrapped("narrowed to ", told.filter) if told.filter else ():
            show(line)
        show(f"the index as run {told.run or 'unknown'} left it")
    if told.found:
        show()
        show_table(
            ["rank", "document", "passage", "score", "found by", "given to the model"],
            [
                [
                    one.rank,
                    _name(one.document),
                    one.chunk[:ID],
                    f"{one.score:.4f}",
                    ", ".join(f"{leg} {place}" for leg, place in one.legs.items()),
                    _given(one),
                ]
                for one in told.found
            ],
        )
        if told.count > len(told.found):
            show(f"and {told.count - len(told.found):,} more")
    if told.documents:
        _title("Documents then and now")
        show_table(
            ["document", "id", "version then", "indexed", "now"],
            [
                [_name(one), one.document_id[:ID], one.version, one.indexed_at[:19], one.now]
                for one in told.documents
            ],
        )
    if told.calls:
        _title("Models")
        show_table(
            ["model", "prompt", "SHA-256 of it", "tokens in", "out", "USD", "seconds"],
            [_call(one) for one in told.calls],
        )
    if told.seconds:
        _title("Time and cost")
        show("; ".join(f"{stage} {taken:.3f} s" for stage, taken in told.seconds.items()))
        show(_cost(told.usage))


def _call(one: Mapping[str, Any]) -> list[str]:
    return [
        one["model"],
        one["prompt"] or "none",
        one["prompt_sha256"][:ID] or "—",
        f"{one['input_tokens']:,}",
        f"{one['output_tokens']:,}",
        "unknown" if one["usd"] is None else f"{one['usd']:.6f}",
        f"{one['seconds']:.3f}",
    ]


def _cost(usage: Mapping[str, Any]) -> str:
    if not usage:
        return "nothing was paid for"
    usd = usage.get("usd")
    price = "at an unknown price" if usd is None else f"for USD {usd:.6f}"
    tokens = f"{usage['input_tokens']:,} tokens in, {usage['output_tokens']:,} out"
    return f"context of {usage['context_tokens']:,} tokens; paid: {tokens}, {price}"


def _evidence(told: Explanation) -> Iterator[str]:
    for one in told.found:
        if one.evidence is not None:
            yield f"[{one.rank}] {_name(one.document)}, passage {one.chunk[:ID]}"
            yield from _wrapped("    ", one.evidence)
            yield ""


def _feedback(told: Explanation) -> Iterator[str]:
    for one in told.feedback:
        rating = {0.0: "bad", 1.0: "good"}.get(one.rating, f"{one.rating:.2f}")
        yield f"{one.at[:19].replace('T', ' ')} UTC  {rating}"
        if one.comment.hash:
            yield from _wrapped("    ", one.comment)


def _proof(told: Explanation) -> Iterator[str]:
    yield f"this record   {told.hash}, number {told.seq:,}"
    yield f"last record   {told.verified.head}"
    yield "Compare the last hash, or an older one, with what was noted elsewhere:"
    yield "sluice audit --verify --anchor HASH"


def _given(one: Found) -> str:
    if one.evidence is None:
        return f"no: {one.left_out}" if one.left_out else "no"
    tokens = f"in place {one.place}, {one.tokens:,} tokens"
    return f"{tokens}; without {one.left_out}" if one.left_out else tokens


def _name(document: Document) -> str:
    name = document.name
    return (
        str(name.text) if name.text is not None else f"({name.state}: {document.document_id[:ID]})"
    )


def _settings(search: Mapping[str, Any]) -> list[str]:
    return [
        f"{name} {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in search.items()
        if value not in (None, "", [], {})
    ]


def _wrapped(lead: str, told: Told, *, quoted: bool = False) -> Iterator[str]:
    """Yield a text under its lead, as wide as a page; or what became of it."""
    if told.text is None:
        yield f"{lead}({told.state}: {told.note})"
        return
    text = f"“{told.text}”" if quoted else str(told.text)
    if told.state == "changed":
        text = f"(CHANGED: {told.note}) {text}"
    for paragraph in visible(text).splitlines() or [""]:
        # Words are not cut: a pseudonym must be one to be copied.
        for line in textwrap.wrap(paragraph, WIDTH - len(lead), break_long_words=False) or [""]:
            yield f"{lead}{line}"
            lead = " " * len(lead)


def _short(principal: str) -> str:
    kind, _, name = principal.partition(":")
    hashed = len(name) == 32 and all(one in "0123456789abcdef" for one in name)
    return f"{kind}:{name[:ID]}…" if hashed else principal


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
