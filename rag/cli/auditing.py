"""Commands about what was asked: explain, feedback, audit."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rag.cli.asking import ASKER, principals_of
from rag.cli.output import JSON, plain, show, show_json, show_table
from rag.errors import SluiceError

if TYPE_CHECKING:
    from rag.corpus import Corpus
    from rag.ledger.audit import Verified

ANSWER = Annotated[str, typer.Argument(metavar="ANSWER_ID", help="As `sluice ask --json` gave it.")]
OF = Annotated[
    str,
    typer.Option("--corpus", metavar="CORPUS", help="Its name or YAML file, if not in corpora/."),
]
LATEST = 50
"""Records that a table shows."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (explain, feedback, audit):
        app.command()(command)


def explain(
    answer_id: ANSWER,
    asker: ASKER,
    corpus: OF = "",
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it as a page that stands alone.")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Replay an answer from the audit's records.

    Each sentence with its evidence as it was then, and whether all of it is as it was written.
    Whom audit.readers names reads all; who asked, what they may read.
    """
    told = _opened(answer_id, corpus).explain(answer_id, principals=principals_of(asker))
    if html is not None:
        from rag.audit.page import page

        html.write_text(page(told), encoding="utf-8")
    if as_json:
        show_json(told)
    elif html is not None:
        show(f"Wrote {html}.")
    else:
        from rag.cli.explained import show_explanation

        show_explanation(told)
    if not told.whole:
        raise _broken(told.verified)


def feedback(
    answer_id: ANSWER,
    asker: ASKER,
    good: Annotated[bool, typer.Option("--good", help="It helped.")] = False,
    bad: Annotated[bool, typer.Option("--bad", help="It did not.")] = False,
    comment: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; it goes into the audit, masked.")
    ] = "",
    corpus: OF = "",
    as_json: JSON = False,
) -> None:
    """Say whether an answer was good or bad."""
    if good == bad:
        raise SluiceError("Was it good or bad?", f"sluice feedback {answer_id} --good")
    opened = _opened(answer_id, corpus)
    rating: Literal["good", "bad"] = "good" if good else "bad"
    opened.feedback(answer_id, rating, comment, principals=principals_of(asker))
    if as_json:
        show_json({"answer_id": answer_id, "rating": rating})
    else:
        show("Recorded.")


def audit(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[CORPUS | FILE]", help="Whose records; or with --verify: an export's file."
        ),
    ] = "",
    verify: Annotated[
        bool, typer.Option("--verify", help="Check chain and texts; or those of an export.")
    ] = False,
    anchor: Annotated[
        str, typer.Option(metavar="HASH", help="A head noted before; the chain must hold it.")
    ] = "",
    head: Annotated[
        bool, typer.Option("--head", help="Print the last record's hash, to be kept elsewhere.")
    ] = False,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all records as JSON lines.")
    ] = None,
    texts: Annotated[
        bool, typer.Option("--texts", help="With what was asked and said; needs --as.")
    ] = False,
    asker: Annotated[
        list[str] | None,
        typer.Option("--as", metavar="PRINCIPALS", help="Who reads: user:NAME,group:NAME"),
    ] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print each record as JSON.")] = False,
    as_json: JSON = False,
) -> None:
    """Show the audit, export it, or check that nothing in it was changed."""
    if verify or anchor:
        _verify(what, anchor, as_json)
    elif head:
        _head(as_json)
    elif export is not None:
        _export(what, export, asker if texts else None, texts, as_json)
    else:
        _records(what, jsonl, as_json)


def _verify(file: str, anchor: str, as_json: bool) -> None:
    from rag.ledger import Ledger, checking

    if file:
        from rag.audit import export

        try:
            found = export.check(Path(file), anchor)
        except (OSError, UnicodeDecodeError):
            raise SluiceError(f"{file} cannot be read.", "Give an export's file.") from None
    else:
        with Ledger.open() as ledger, ledger.read() as db:
            found = checking.check(db, anchor)
    if as_json:
        show_json(found)
    if found.broken is not None:
        raise _broken(found)
    if not as_json:
        show(f"{found.records:,} records, all as they were written; head {found.head}")
        removed = f"; {found.removed:,} removed, as records say" if found.removed else ""
        show(f"{found.texts:,} texts, all as they were written{removed}")


def _broken(found: Verified) -> SluiceError:
    return SluiceError(
        f"The audit is broken at record {found.broken}: {found.reason}.",
        "Restore the ledger from a backup, and find out who wrote to it.",
    )


def _head(as_json: bool) -> None:
    from rag.ledger import Ledger
    from rag.ledger import audit as chain

    with Ledger.open() as ledger, ledger.read() as db:
        records, last = chain.head(db)
    if as_json:
        show_json({"records": records, "head": last})
    else:
        show(last)


def _export(corpus: str, path: Path, asker: list[str] | None, texts: bool, as_json: bool) -> None:
    from rag.audit import export
    from rag.ledger import Ledger

    if texts:
        if not corpus:
            raise SluiceError(
                "Whose texts? Each corpus says who may read them.",
                "sluice audit CORPUS --export FILE --texts --as group:NAME",
            )
        from rag.corpus import Corpus

        done = Corpus.open(corpus).export_audit(path, principals=principals_of(asker or []))
    else:
        name = _name(corpus)
        with Ledger.open() as ledger:
            done = export.write(ledger, path, name)
    if as_json:
        show_json({"file": path, "records": done.records, "texts": done.texts, "head": done.head})
        return
    show(f"Wrote {done.records:,} records and {done.texts:,} texts to {path}; head {done.head}")
    show(f"To check it: sluice audit --verify {path}")


def _records(corpus: str, jsonl: bool, as_json: bool) -> None:
    from rag.ledger import Ledger
    from rag.ledger import audit as chain

    name = _name(corpus)
    with Ledger.open() as ledger, ledger.read() as db:
        every = (one for one in chain.records(db) if name in ("", one.body.get("corpus")))
        if jsonl:
            for one in every:
                sys.stdout.write(json.dumps(plain(one), ensure_ascii=False) + "\n")
            return
        records = list(every)
    if as_json:
        show_json(records)
        return
    show_table(
        ["record", "when", "what", "corpus", "who", "outcome", "about"],
        [
            [
                one.seq,
                one.at[:19],
                one.kind,
                one.body.get("corpus", ""),
                ", ".join(who[:14] for who in one.body.get("who", ())),
                one.body.get("outcome", one.body.get("why", "")),
                one.body.get("purpose", one.body.get("answer", "")),
            ]
            for one in records[-LATEST:]
        ],
    )
    if len(records) > LATEST:
        show(f"The last {LATEST} of {len(records):,}; all with --jsonl.")


def _name(corpus: str) -> str:
    """Return a corpus's name, whether it or its file is given; it need not be there any more."""
    if not corpus.endswith((".yaml", ".yml")):
        return corpus
    from rag.corpus_file import load

    return load(corpus).config.corpus


def _opened(answer_id: str, corpus: str) -> Corpus:
    """Open the corpus that was asked: the one named, or the one that the record names."""
    from rag.corpus import Corpus
    from rag.errors import NotRecorded
    from rag.ledger import Ledger
    from rag.ledger import audit as chain

    if corpus:
        return Corpus.open(corpus)
    with Ledger.open() as ledger, ledger.read() as db:
        found = chain.about(db, answer_id)
    if not found:
        raise NotRecorded(answer_id, "any corpus")
    return Corpus.open(found[0].body["corpus"])
