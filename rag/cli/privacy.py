"""Commands about persons: reveal, vault, erase."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.asking import ASKER, principals_of
from rag.cli.output import (
    CORPUS,
    JSON,
    ShowProgress,
    most_first,
    show,
    show_json,
    show_table,
)

if TYPE_CHECKING:
    from rag.ingest.erase import Erasure


class Documents(StrEnum):
    """What becomes of documents that name an erased person."""

    keep = "keep"
    remove = "remove"


PURPOSE = Annotated[
    str, typer.Option("--purpose", metavar="TEXT", help="Why; it goes into the audit, masked.")
]

vault = typer.Typer(help="The vault's state and keys.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (reveal, erase):
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


def erase(
    corpus: Annotated[
        str, typer.Argument(metavar="CORPUS", help="A name in corpora/, or a YAML file's path.")
    ] = "",
    person: Annotated[
        list[str] | None, typer.Option("--person", metavar="NAME", help="Again for a spelling.")
    ] = None,
    email: Annotated[
        list[str] | None, typer.Option("--email", metavar="ADDRESS", help="Theirs.")
    ] = None,
    born: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="Only documents with this date of birth.")
    ] = "",
    documents: Annotated[
        Documents, typer.Option(help="Keep them without the person, or remove them.")
    ] = Documents.keep,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what it would touch.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the certificate goes.")
    ] = None,
    verify: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Check a certificate; nothing else.")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Erase a person, with proof.

    From documents (or with them), every target, cache, the working store and the vault.
    """
    from rag.corpus import Corpus
    from rag.errors import SluiceError

    if verify is not None:
        _verified(verify, as_json)
        return
    if not corpus:
        raise SluiceError("Which corpus?", "sluice erase CORPUS --person NAME")
    opened = Corpus.open(corpus)

    def run(dry: bool) -> Erasure:
        with ShowProgress(as_json) as progress:
            return opened.erase(
                person or [],
                emails=email or [],
                born=born,
                documents=documents.value,
                dry_run=dry,
                progress=progress,
            )

    if dry_run or not yes:
        found = run(True)
        if dry_run or not as_json:
            _show_erasure(found, documents.value, as_json and dry_run)
    if dry_run:
        return
    if not yes and (as_json or not typer.confirm("Erase? It cannot be undone.")):
        raise SluiceError("Nothing was erased.", "Say --yes to go on.")
    done = run(False)
    assert done.certificate is not None
    path = certificate or Path(f"erasure-{done.certificate['erasure'][:12]}.json")
    path.write_text(json.dumps(done.certificate, indent=2) + "\n", encoding="utf-8")
    if as_json:
        show_json({"certificate": done.certificate, "file": path, "elsewhere": done.elsewhere})
        return
    show(f"Erased. The certificate is {path}; to check it: sluice erase --verify {path}")
    show(f"Signed by {done.certificate['signed_by']['fingerprint']}")
    if done.elsewhere:
        show(f"Other corpora know the person, too: {', '.join(done.elsewhere)}")


def _show_erasure(found: Erasure, documents: str, as_json: bool) -> None:
    named = found.named
    parts = {
        "about": named.about,
        "undecided": named.undecided,
        "namesakes": named.namesakes,
        "in quarantine": named.waiting,
    }
    if as_json:
        show_json(
            {
                "documents": {
                    part: [{"id": one, "name": found.names.get(one)} for one in ids]
                    for part, ids in parts.items()
                },
                "not_looked_into": len(named.lost),
                "elsewhere": found.elsewhere,
                "similar": found.similar,
            }
        )
        return
    show_table(
        ["document", "is"],
        [
            [
                found.names.get(one, one),
                "to be removed" if documents == "remove" else "to be rewritten",
            ]
            if part in ("about", "in quarantine")
            else [found.names.get(one, one), f"{part}: it stays as it is"]
            for part, ids in parts.items()
            for one in ids
        ],
    )
    if named.undecided:
        show("Undecided: they say no date of birth. Without --born they are the person's, too.")
    if found.similar:
        show(f"Longer names with these words, left alone: {', '.join(found.similar)}")
    if found.elsewhere:
        show(f"Other corpora know the person, too: {', '.join(found.elsewhere)}")


def _verified(path: Path, as_json: bool) -> None:
    from rag.certificate import check
    from rag.errors import SluiceError

    try:
        certificate = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SluiceError(f"{path} cannot be read as JSON.", "Give a certificate's file.") from None
    signer = check(certificate)
    if as_json:
        show_json({"valid": True, "signed_by": signer})
    else:
        show(f"The certificate is as it was signed, by {signer}. Compare that with the fingerprint")
        show("that was noted when certificates were first issued.")


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
