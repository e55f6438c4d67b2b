"""Commands about persons: reveal, vault, audit, erase."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from rag.cli.asking import ASKER, principals_of
from rag.cli.output import CORPUS, JSON, most_first, plain, show, show_json, show_table

PURPOSE = Annotated[
    str, typer.Option("--purpose", metavar="TEXT", help="Why; it goes into the audit, masked.")
]

vault = typer.Typer(help="The vault's state and keys.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (reveal, audit):
        app.command()(command)
    vault.command("status")(vault_status)
    vault.command("rotate")(vault_rotate)
    app.add_typer(vault, name="vault")


def reveal(
    corpus: CORPUS,
    asker: ASKER,
    purpose: PURPOSE,
    pseudonyms: Annotated[
        list[str] | None, typer.Argument(metavar="PSEUDONYM…", help="As they stand in texts.")
    ] = None,
    document: Annotated[
        list[str] | None,
        typer.Option("--document", metavar="ID", help="A document, by id or masked name."),
    ] = None,
    as_json: JSON = False,
) -> None:
    """Show who is behind a pseudonym.

    Only to those whom privacy.vault.reveal names. Each attempt goes into the audit.
    """
    from rag.corpus import Corpus

    found = Corpus.open(corpus).reveal(
        pseudonyms or [],
        documents=document or [],
        principals=principals_of(asker),
        purpose=purpose,
    )
    if as_json:
        show_json([{"asked": one.asked, "originals": list(one.originals)} for one in found])
        return
    show_table(
        ["asked for", "original"],
        [[one.asked, "; ".join(one.originals) or "not in the vault"] for one in found],
    )


def vault_status(corpus: CORPUS, as_json: JSON = False) -> None:
    """Show what the vault holds, and under which keys."""
    from rag.corpus import Corpus

    found = Corpus.open(corpus).vault_status()
    if as_json:
        show_json(
            {
                "persons": found.persons,
                "kinds": found.kinds,
                "sources": found.sources,
                "keys": [
                    {"number": number, "wrapped_by": owner, "created": made}
                    for number, owner, made in found.keys
                ],
                "to_rotate": found.to_rotate,
            }
        )
        return
    show_table(
        ["persons", "source keys", "data keys to rotate"],
        [[found.persons, found.sources, found.to_rotate]],
    )
    if found.kinds:
        show()
        show_table(["kind", "spellings"], most_first(found.kinds))
    if found.keys:
        show()
        show_table(["vault key", "wrapped by", "made"], found.keys)


def vault_rotate(
    corpus: CORPUS,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Then delete the old key's file.")
    ] = False,
    as_json: JSON = False,
) -> None:
    """Wrap all data keys anew, under a new key.

    A key file is replaced. For a variable or KMS, name the new place in privacy.vault.key and
    the old one in privacy.vault.old before.
    """
    from rag.corpus import Corpus

    done = Corpus.open(corpus).rotate_vault(drop_old=drop_old)
    if as_json:
        show_json(done)
        return
    show(f"{done.rewrapped:,} data keys are under {done.key} now.")
    if done.retired:
        show("The old key's file is kept; to delete it: sluice vault rotate --drop-old.")


def audit(
    verify: Annotated[bool, typer.Option("--verify", help="Check the chain of hashes.")] = False,
    head: Annotated[
        str, typer.Option(metavar="HASH", help="A hash noted before; the chain must hold it.")
    ] = "",
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print each record as JSON.")] = False,
    as_json: JSON = False,
) -> None:
    """Show the audit, or check that nothing in it was changed."""
    from rag.errors import SluiceError
    from rag.ledger import Ledger
    from rag.ledger import audit as chain

    with Ledger.open() as ledger, ledger.read() as db:
        if verify or head:
            found = chain.verify(db, head)
            if as_json:
                show_json(found)
            elif found.broken is None:
                show(f"{found.records:,} records, all as they were written; head {found.head}")
            if found.broken is not None:
                raise SluiceError(
                    f"The audit is broken at record {found.broken}: {found.reason}.",
                    "Restore the ledger from a backup, and find out who wrote to it.",
                )
            return
        records = list(chain.records(db))
        if jsonl:
            for one in records:
                sys.stdout.write(json.dumps(plain(one), ensure_ascii=False) + "\n")
        elif as_json:
            show_json(records)
        else:
            show_table(
                ["record", "when", "what", "corpus", "who", "outcome", "purpose"],
                [
                    [
                        one.seq,
                        one.at[:19],
                        one.kind,
                        one.body.get("corpus", ""),
                        ", ".join(one.body.get("who", ())),
                        one.body.get("outcome", ""),
                        one.body.get("purpose", ""),
                    ]
                    for one in records
                ],
            )
