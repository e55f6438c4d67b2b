"""Why a document waits in quarantine: a closed set of codes with their sentences.

A sentence says what is wrong or what to do next. Numbers may be formatted in; nothing that a
document, its name or a library says ever is.
"""

from __future__ import annotations

import re

from rag.masked import fixed
from rag.records import Failure, MaskedFailure

CODES: dict[str, tuple[str, str]] = {
    "empty": (
        "The file is empty.",
        "Put its content back, or delete it from the source.",
    ),
    "no_text": (
        "No text was found in the file.",
        "If it is a scan, see that parse.ocr is on and that the scan is legible; otherwise "
        "exclude it from the corpus.",
    ),
    "encrypted": (
        "The file is protected by a password.",
        "Save it without a password, or exclude it from the corpus.",
    ),
    "corrupt": (
        "The file is damaged or cut short.",
        "Restore it from its original, or open it in its program and save it again.",
    ),
    "too_large": (
        "The file is larger than {limit:,} bytes.",
        "Split it, exclude it, or raise parse.limits.bytes.",
    ),
    "too_much_text": (
        "The file holds more than {limit:,} characters of text.",
        "Split it, exclude it, or raise parse.limits.characters.",
    ),
    "archive_bomb": (
        "The file would unpack to more than is allowed ({limit:,} bytes) or far more than its "
        "size explains.",
        "Treat it as hostile unless you know its origin; a genuine one passes after "
        "parse.limits.unpacked_bytes is raised, or saved anew.",
    ),
    "too_deep": (
        "An attachment lies deeper than {limit} levels inside other files.",
        "Store it beside its mail, or raise parse.limits.depth.",
    ),
    "too_many_attachments": (
        "The file holds more than {limit:,} attachments.",
        "Store the attachments as files of their own.",
    ),
    "timeout": (
        "Parsing took longer than {limit:g} seconds and was stopped.",
        "Split the file, exclude it, or raise parse.limits.seconds.",
    ),
    "out_of_memory": (
        "Parsing needed more than {limit:,} MB of memory and was stopped.",
        "Split the file, exclude it, or raise parse.limits.memory_mb.",
    ),
    "parser_died": (
        "The parser crashed or was killed on this file, twice.",
        "Run the sync again; if it repeats, open the file in its program and save it again.",
    ),
    "parser_failed": (
        "The parser could not make sense of the file.",
        "Open it in its program and save it again, or in another format.",
    ),
    "unsupported": (
        "Files of this kind cannot be read.",
        "Convert it to PDF, an office format or text, or exclude it from the corpus.",
    ),
    "ocr_off": (
        "The file is an image or a scan, and reading those is switched off.",
        "Set parse.ocr to true, or exclude it from the corpus.",
    ),
    "unsafe_xml": (
        "The file's XML declares entities, which can be used to attack a parser.",
        "Save it without a document type declaration.",
    ),
    "unreadable_source": (
        "The source listed the file but did not hand it out.",
        "Check that it still exists and that the connection may read it; it is retried at the "
        "next sync.",
    ),
    "changed_while_reading": (
        "The file changed between listing and reading.",
        "Nothing: it is read again at the next sync.",
    ),
    "blocked_by_policy": (
        "The file holds {count:,} identifiers of kinds that the policy blocks.",
        "Remove them, or change privacy.actions or privacy.block for these kinds.",
    ),
    "detector_failed": (
        "The detector of personal data could not answer for this file.",
        "Run the sync again; the file stays out of the index until the detector answers.",
    ),
    "blocked_by_guardrail": (
        "The guardrail blocks the file, by denied topics: {topics:,}, content filters: "
        "{content:,}, words: {words:,}, identifiers: {identifiers:,}, others: {others:,}.",
        "Take it out of the file, exclude the file, or change the guardrail and name its new "
        "version in privacy.guardrail.",
    ),
    "guardrail_failed": (
        "The guardrail could not answer for this file.",
        "Run the sync again; the file stays out of the index until the guardrail answers.",
    ),
    "vault_failed": (
        "The vault could not keep who is behind this file's pseudonyms.",
        "Check the ledger's database and privacy.vault.key, then run the sync again; the file "
        "stays out of the index until the vault can be written.",
    ),
    "embedding_failed": (
        "The embedding model could not answer for this file.",
        "Run the sync again; see that the model is reachable.",
    ),
    "refused_by_target": (
        "It was refused by target",
        "See what the reason asks for; the document is tried again when it changes, or by "
        "--full-refresh. Other targets serve it.",
    ),
    "too_many_chunks": (
        "The file would make more than {limit:,} passages.",
        "Split it, or exclude it from the corpus.",
    ),
}


def failure(code: str, step: str = "parse", **numbers: float) -> MaskedFailure:
    """Return the failure with this code, its sentences filled with `numbers`.

    Args:
        code: One of `CODES`.
        step: The step that gave up.
        numbers: What the sentences of this code ask for. Numbers only.

    Raises:
        KeyError: The code, or a number that its sentences ask for, is not there.
        TypeError: Something other than a number was given.
    """
    for given in numbers.values():
        if not isinstance(given, int | float):
            raise TypeError("A failure's sentences take numbers only.")
    reason, action = (fixed(sentence).filled(**numbers) for sentence in CODES[code])
    return MaskedFailure(step, code, reason, action)


def named(failed: Failure, name: str) -> Failure:
    """Return the failure of an attachment with this file name.

    Args:
        name: Raw; the gate masks it.
    """
    return Failure(failed.step, failed.code, failed.reason, failed.action, name)


def restore(code: str, reason: str, action: str, name: str = "") -> Failure:
    """Return a parse failure from its parts, as they came from a process that is not trusted.

    Raises:
        ValueError: The sentences are not those of the code.
    """
    for template, sentence in zip(CODES.get(code, ("", "")), (reason, action), strict=True):
        literal = [re.escape(part) for part in re.split(r"\{[^}]*\}", template)]
        if not template or not re.fullmatch(r"[\d,.e+]{1,30}".join(literal), sentence):
            raise ValueError("Not a failure of this code.")
    return Failure("parse", code, fixed(reason), fixed(action), name)


class Unparsable(Exception):
    """A reader gives up on a document; becomes the `Failure` of that code."""

    def __init__(self, code: str, **numbers: float) -> None:
        super().__init__(code)
        self.code = code
        self.numbers = numbers

    def failure(self, name: str = "") -> Failure:
        """Return what it becomes."""
        return named(failure(self.code, "parse", **self.numbers), name)
