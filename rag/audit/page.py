"""An explanation as an HTML page that stands alone: no script, nothing loaded, all escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.audit.told import Document, Evidence, Explanation, Found, Told

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c1c1c; }
h1 { font-size: 1.3rem; }
h2 { font-size: 1.05rem; margin-top: 2rem; border-bottom: 1px solid #ccc; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .7rem .25rem 0;
  border-bottom: 1px solid #eee; overflow-wrap: anywhere; }
td.n { text-align: right; } code { font-size: .85em; overflow-wrap: anywhere; }
blockquote { margin: .2rem 0 .6rem 1rem; padding-left: .8rem; border-left: 3px solid #9bb; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f6f6f4; padding: .7rem; }
.good { color: #14692f; } .bad { color: #a31515; font-weight: bold; } .gone { color: #666; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(told: Explanation) -> str:
    """Return an explanation as HTML, UTF-8."""
    title = f"{told.kind.capitalize()} {told.answer_id}"
    parts = [
        f"<h1>{_out(title)} of the corpus {_out(told.corpus)}</h1>",
        _facts(told),
        _section("Answer", _answer(told)) if told.kind == "answer" else "",
        _section("Searched", [_settings(told), _found(told.found), _more(told)]),
        _section("Documents then and now", [_documents(told.documents)]),
        _section("Models", [_calls(told)] if told.calls else []),
        _section("Time and cost", [_spent(told)]),
        _section("Evidence as it was given to the model", _evidence(told.found)),
        _section("Feedback", _feedback(told)),
        _section("Proof", _proof(told)),
    ]
    return (
        "<!DOCTYPE html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{_out(title)}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style></head><body>\n{''.join(parts)}\n</body></html>\n"
    )


def _facts(told: Explanation) -> str:
    verified = told.verified
    proof = (
        f'<span class="good">as it was written: {verified.records:,} records in one chain, '
        "and every text here</span>"
        if told.whole
        else f'<span class="bad">broken at record {verified.broken:,}: '
        f"{_out(verified.reason)}</span>"
    )
    why = [told.error, told.refusal, told.partial, told.cached and f"repeats {told.cached}"]
    outcome = "; ".join(filter(None, [told.outcome, *why]))
    if told.support is not None:
        outcome += f"; support {told.support:.2f}"
    who = f"{', '.join(told.who)}{' (the reader)' * told.yours}"
    rows = [
        ["Question", _text(told.question)],
        *([["Understood as", _text(told.understood)]] if told.understood else []),
        ["Asked", f"{_out(told.at[:19].replace('T', ' '))} UTC by <code>{_out(who)}</code>"],
        ["Outcome", _out(outcome)],
        ["The audit is", proof],
    ]
    return _table([], rows)


def _answer(told: Explanation) -> list[str]:
    if not told.sentences:
        return [f"<p>{_text(told.text)}</p>"]
    return [
        f"<p>{number}. {_text(one.text)}</p>"
        + ("".join(map(_rests_on, one.evidence)) or '<p class="gone">no evidence was recorded</p>')
        for number, one in enumerate(told.sentences, start=1)
    ]


def _rests_on(part: Evidence) -> str:
    page = f", page {part.page}" if part.page else ""
    literal = {
        True: "stands literally in the passage as it was given",
        False: '<span class="bad">does not stand in the passage as it was given</span>',
        None: "cannot be compared with the passage any more",
    }[part.in_passage]
    return (
        f"<blockquote>{_text(part.quote)}<br><small>{_name(part.document)}{page}, support "
        f"{part.support:.2f}; {literal}</small></blockquote>"
    )


def _settings(told: Explanation) -> str:
    settings = {**told.search, **told.settings, "run": told.run}
    said = "; ".join(
        f"{name} {value}" for name, value in settings.items() if value not in (None, "")
    )
    narrowed = f"<p>Narrowed to {_text(told.filter)}</p>" if told.filter else ""
    return f"<p>{_out(said or 'settings were not recorded')}</p>{narrowed}"


def _found(found: Sequence[Found]) -> str:
    rows = [
        [
            str(one.rank),
            _name(one.document),
            f"<code>{_out(one.chunk)}</code>",
            f"{one.score:.4f}",
            _out(", ".join(f"{leg} {place}" for leg, place in one.legs.items())),
            f"in place {one.place}, {one.tokens:,} tokens" if one.evidence else "no",
            _out(one.left_out),
        ]
        for one in found
    ]
    headings = ["rank", "document", "passage", "score", "found by", "given", "left out"]
    return _table(headings, rows) if rows else '<p class="gone">nothing was found</p>'


def _more(told: Explanation) -> str:
    more = told.count - len(told.found)
    return f"<p>and {more:,} more</p>" if more > 0 else ""


def _documents(documents: Iterable[Document]) -> str:
    rows = [
        [
            _name(one),
            f"<code>{_out(one.document_id)}</code>",
            f"<code>{_out(one.version)}</code>",
            _out(one.indexed_at),
            _out(one.now),
        ]
        for one in documents
    ]
    return _table(["document", "id", "version then", "indexed", "now"], rows) if rows else ""


def _calls(told: Explanation) -> str:
    rows = [
        [
            _out(one["model"]),
            _out(one["prompt"] or "none"),
            f"<code>{_out(one['prompt_sha256'])}</code>",
            f"{one['input_tokens']:,}",
            f"{one['output_tokens']:,}",
            "unknown" if one["usd"] is None else f"{one['usd']:.6f}",
            f"{one['seconds']:.3f}",
        ]
        for one in told.calls
    ]
    headings = ["model", "prompt", "SHA-256 of it", "tokens in", "out", "USD", "seconds"]
    return _table(headings, rows)


def _spent(told: Explanation) -> str:
    stages = [[_out(stage), f"{taken:.3f} s"] for stage, taken in told.seconds.items()]
    figures = [[_out(name.replace("_", " ")), _out(value)] for name, value in told.usage.items()]
    return _table([], stages + figures)


def _evidence(found: Sequence[Found]) -> list[str]:
    return [
        f"<p>[{one.rank}] {_name(one.document)}, passage <code>{_out(one.chunk)}</code></p>"
        f"<pre>{_text(one.evidence)}</pre>"
        for one in found
        if one.evidence is not None
    ]


def _feedback(told: Explanation) -> list[str]:
    return [
        f"<p>{_out(one.at[:19].replace('T', ' '))} UTC: rated {one.rating:.2f}</p>"
        + (f"<blockquote>{_text(one.comment)}</blockquote>" if one.comment.hash else "")
        for one in told.feedback
    ]


def _proof(told: Explanation) -> list[str]:
    return [
        _table(
            [],
            [
                [f"record {told.seq:,}", f"<code>{_out(told.hash)}</code>"],
                ["last good record", f"<code>{_out(told.verified.head)}</code>"],
            ],
        ),
        "<p>Compare the last hash with one noted elsewhere: "
        "<code>sluice audit --verify --anchor HASH</code></p>",
    ]


def _section(title: str, parts: Iterable[str]) -> str:
    inside = "".join(parts)
    return f"<h2>{_out(title)}</h2>\n{inside}\n" if inside else ""


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{_out(one)}</th>" for one in headings)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"


def _name(document: Document) -> str:
    return (
        _text(document.name)
        if document.name.text is not None
        else (
            f'<span class="gone">({_out(document.name.state)}: {_out(document.document_id)})</span>'
        )
    )


def _text(told: Told) -> str:
    """Return a text, or what became of it."""
    if told.text is None:
        return f'<span class="gone">({_out(told.state)}: {_out(told.note)})</span>'
    changed = f'<span class="bad">(changed: {_out(told.note)})</span> '
    return (changed if told.state == "changed" else "") + _out(told.text)


def _out(value: object) -> str:
    return html.escape(str(value))
