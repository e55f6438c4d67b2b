from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from rag.config import Aws, VaultKey
from rag.config import Vault as Settings
from rag.errors import ConfigError, VaultFailed
from rag.keys import Sealer
from rag.ledger import Ledger, audit
from rag.ledger.tables import vault_entries, vault_keys, vault_sources, vault_subjects
from rag.ledger.vault import Vault, rotation, sources
from rag.privacy.vault import Identity, new_key, seal, unseal
from rag.privacy.vault_keys import retired, ring
from tests.services.kms import kms_endpoint, kms_keys
from tests.services.postgres import postgres

__all__ = ["kms_endpoint", "kms_keys", "postgres"]

PEOPLE = (
    Identity("PERSON_aaaaaaa2", "PERSON", "Dr. Odile Varnhagen"),
    Identity("PERSON_aaaaaaa2", "PERSON", "VARNHAGEN,\n Odile"),
    Identity("PERSON_bbbbbbb2", "PERSON", "Tomasz Wrona"),
    Identity("EMAIL_ccccccc2", "EMAIL_ADDRESS", "odile@example.org"),
)
FILE = VaultKey(file="keys/vault.key")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLUICE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    with Ledger.open() as opened:
        yield opened


def vault_of(ledger: Ledger, told: Settings | None = None, corpus: str = "notes") -> Vault:
    """The vault as a new process opens it."""
    return Vault(ledger, corpus, lambda: ring(told or Settings(), Aws()), Sealer(b"p" * 32))


def filled(ledger: Ledger, told: Settings | None = None) -> Vault:
    vault = vault_of(ledger, told)
    for one in PEOPLE:
        vault.note(one)
    vault.keep()
    sealed = vault.sources.seal("letters/varnhagen.txt")
    with ledger.write() as db:
        sources.put(db, "notes", {"d1": sealed})
    return vault


def opened(ledger: Ledger, told: Settings | None = None) -> dict[str, list[str]]:
    vault = vault_of(ledger, told)
    with ledger.read() as db:
        found = {one.pseudonym: vault.originals(db, one.pseudonym) for one in PEOPLE}
        sealed = sources.held(db, "notes")["d1"]
    return found | {"d1": [vault.sources.unseal(sealed)]}


KEPT = {
    "PERSON_aaaaaaa2": ["Dr. Odile Varnhagen", "VARNHAGEN, Odile"],
    "PERSON_bbbbbbb2": ["Tomasz Wrona"],
    "EMAIL_ccccccc2": ["odile@example.org"],
    "d1": ["letters/varnhagen.txt"],
}


# What is sealed


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 10_000), st.integers(1, 255))
def test_a_seal_opens_only_unchanged(data: bytes, place: int, change: int) -> None:
    key, context = new_key(), {"corpus": "notes", "row": "1"}
    sealed = seal(key, data, context)
    assert unseal(key, sealed, context) == data
    assert seal(key, data, context) != sealed
    broken = bytearray(sealed)
    broken[place % len(sealed)] ^= change
    for other in (
        (key, bytes(broken), context),
        (key, sealed[:-1], context),
        (key, sealed, context | {"row": "2"}),
        (new_key(), sealed, context),
    ):
        with pytest.raises(VaultFailed):
            unseal(*other)


def test_spellings_are_kept_once_and_nothing_of_them_is_readable(ledger: Ledger) -> None:
    filled(ledger)
    again = filled(ledger)
    assert opened(ledger) == KEPT
    with ledger.read() as db:
        status = again.status(db)
        dump = repr(
            [
                row
                for table in (vault_keys, vault_subjects, vault_entries, vault_sources)
                for row in db.execute(select(table)).all()
            ]
        )
    assert status.kinds == {"EMAIL_ADDRESS": 1, "PERSON": 3}
    assert (status.persons, status.sources, status.to_rotate) == (3, 1, 0)
    assert not any(word in dump.casefold() for word in ("varnhagen", "odile", "wrona"))


@pytest.mark.parametrize("other", ["PERSON_bbbbbbb2", "EMAIL_ccccccc2"])
def test_rows_cannot_be_exchanged(ledger: Ledger, other: str) -> None:
    filled(ledger)
    with ledger.write() as db:
        row = db.execute(
            select(vault_entries).where(vault_entries.c.pseudonym == "PERSON_aaaaaaa2").limit(1)
        ).one()
        db.execute(
            update(vault_entries)
            .where(vault_entries.c.pseudonym == other)
            .values(sealed=row.sealed, subject=row.subject)
        )
    with pytest.raises(VaultFailed), ledger.read() as db:
        vault_of(ledger).originals(db, other)


def test_data_keys_cannot_be_exchanged(ledger: Ledger) -> None:
    vault = filled(ledger)
    first, second = vault.subject("PERSON_aaaaaaa2"), vault.subject("PERSON_bbbbbbb2")
    with ledger.write() as db:
        subjects = vault_subjects.c
        wrapped = db.scalar(select(subjects.wrapped).where(subjects.subject == first))
        db.execute(update(vault_subjects).where(subjects.subject == second).values(wrapped=wrapped))
    with pytest.raises(VaultFailed), ledger.read() as db:
        vault_of(ledger).originals(db, "PERSON_bbbbbbb2")


def test_another_key_opens_nothing_and_says_which_one_is_wanted(ledger: Ledger, home: Path) -> None:
    filled(ledger)
    key = home / "keys" / "vault.key"
    assert key.stat().st_mode & 0o777 == 0o600
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(VaultFailed, match=r"file:[0-9a-f]{16}.*not configured"):
        opened(ledger)
    key.write_bytes(kept)
    assert opened(ledger) == KEPT


def test_a_destroyed_person_is_gone_and_the_others_are_not(ledger: Ledger) -> None:
    vault = filled(ledger)
    with ledger.write() as db:
        assert vault.destroy(db, ["PERSON_aaaaaaa2"]) == (1, 2)
    assert opened(ledger) == KEPT | {"PERSON_aaaaaaa2": []}


# Rotation


def test_a_stopped_rotation_goes_on_and_the_old_key_goes_when_told(
    ledger: Ledger, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = filled(ledger)
    before = (home / "keys" / "vault.key").read_bytes()
    monkeypatch.setattr(rotation, "BATCH", 1)
    whole, left = rotation._batch, [1, 1]

    def stopped(ledger: Ledger, vault: Vault, newest: int) -> int:
        left.pop()
        return whole(ledger, vault, newest)

    monkeypatch.setattr(rotation, "_batch", stopped)
    with pytest.raises(IndexError):
        rotation.rotate(ledger, vault, FILE)
    assert opened(ledger) == KEPT
    monkeypatch.setattr(rotation, "_batch", whole)
    done = rotation.rotate(ledger, vault_of(ledger), FILE)
    assert (done.rewrapped, done.retired) == (2, 1)
    assert opened(ledger) == KEPT
    assert (home / "keys" / "vault.key").read_bytes() != before
    assert rotation.drop_old(ledger, FILE, done.key) == 1
    assert retired(FILE) == []
    assert opened(ledger) == KEPT
    (home / "keys" / "vault.key").write_bytes(before)
    with pytest.raises(VaultFailed):
        opened(ledger)


def test_an_old_key_stays_while_another_corpus_needs_it(ledger: Ledger) -> None:
    vault = filled(ledger)
    other = vault_of(ledger, corpus="letters")
    other.note(PEOPLE[0])
    other.keep()
    done = rotation.rotate(ledger, vault, FILE)
    with pytest.raises(ConfigError, match="letters"):
        rotation.drop_old(ledger, FILE, done.key)
    again = rotation.rotate(ledger, other, FILE)
    assert again.key == done.key
    assert rotation.drop_old(ledger, FILE, done.key) == 1
    with ledger.read() as db:
        assert vault_of(ledger, corpus="letters").originals(db, PEOPLE[0].pseudonym)


def test_a_new_variable_takes_over_from_an_old_one(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_ONE", "a long random text")
    monkeypatch.setenv("VAULT_TWO", "another long random text")
    one, two = VaultKey(env="VAULT_ONE"), VaultKey(env="VAULT_TWO")
    filled(ledger, Settings(key=one))
    with pytest.raises(VaultFailed, match=r"privacy\.vault\.old"):
        opened(ledger, Settings(key=two))
    both = Settings(key=two, old=(one,))
    assert rotation.rotate(ledger, vault_of(ledger, both), two).rewrapped == 4
    monkeypatch.delenv("VAULT_ONE")
    assert opened(ledger, Settings(key=two)) == KEPT
    monkeypatch.delenv("VAULT_TWO")
    with pytest.raises(ConfigError, match="VAULT_TWO"):
        opened(ledger, Settings(key=two))


def test_kms_wraps_for_its_corpus_only(ledger: Ledger, kms_keys: list[str]) -> None:
    one, two = (VaultKey(kms=arn) for arn in kms_keys)
    filled(ledger, Settings(key=one))
    assert opened(ledger, Settings(key=one)) == KEPT
    both = Settings(key=two, old=(one,))
    assert rotation.rotate(ledger, vault_of(ledger, both), two).rewrapped == 4
    assert opened(ledger, Settings(key=two)) == KEPT
    key = ring(Settings(key=two), Aws()).current
    wrapped = key.wrap(b"k" * 32, {"corpus": "notes"})
    assert key.unwrap(wrapped, {"corpus": "notes"}) == b"k" * 32
    with pytest.raises(VaultFailed, match="InvalidCiphertext"):
        key.unwrap(wrapped, {"corpus": "letters"})


# Several processes

WRITER = """
import sys
from rag.config import Aws, Vault as Settings
from rag.keys import Sealer
from rag.ledger import Ledger
from rag.ledger.vault import Vault
from rag.privacy.vault import Identity
from rag.privacy.vault_keys import ring

url, step = sys.argv[1], int(sys.argv[2])
with Ledger.open(url) as ledger:
    vault = Vault(ledger, "notes", lambda: ring(Settings(), Aws()), Sealer(b"p" * 32))
    print("ready", flush=True)
    sys.stdin.readline()
    for start in range(0, 120, 10):
        for number in list(range(start, start + 10))[::step]:
            vault.note(Identity(f"PERSON_{number:08}", "PERSON", f"Person {number} of {step}"))
            vault.note(Identity(f"PERSON_{number:08}", "PERSON", f"Person {number}"))
        vault.keep()
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_processes_that_meet_the_same_persons_agree_on_their_keys(
    kind: str, request: pytest.FixtureRequest, home: Path
) -> None:
    if kind == "sqlite":
        url = f"sqlite:///{home}-ledger.sqlite"
        Ledger.open(url).close()
    else:
        url = request.getfixturevalue("postgres")(migrated=True)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, url, step],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for step in ("1", "-1")
    ]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()
    for writer in writers:
        writer.communicate("go\n")
    assert [writer.returncode for writer in writers] == [0, 0]
    with Ledger.open(url) as ledger, ledger.read() as db:
        vault = vault_of(ledger)
        for number in range(120):
            assert vault.originals(db, f"PERSON_{number:08}") == [
                f"Person {number}",
                f"Person {number} of -1",
                f"Person {number} of 1",
            ]


def test_a_vault_that_cannot_be_written_says_so_and_forgets(ledger: Ledger) -> None:
    vault = filled(ledger)
    with ledger.write() as db:
        db.execute(text("ALTER TABLE vault_entries RENAME TO away"))
    vault.note(Identity("PERSON_ddddddd2", "PERSON", "Ilse Brandt"))
    with pytest.raises(VaultFailed, match="could not be written") as failed:
        vault.keep()
    assert "Ilse" not in str(failed.value)
    with ledger.write() as db:
        db.execute(text("ALTER TABLE away RENAME TO vault_entries"))
    vault.keep()
    with ledger.read() as db:
        assert vault.originals(db, "PERSON_ddddddd2") == []


# The audit


@pytest.fixture(params=["sqlite", "postgres"])
def audited(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    url = f"sqlite:///{tmp_path}/audited.sqlite"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres")(migrated=True)
    with Ledger.open(url) as opened:
        with opened.write() as db:
            for number in range(5):
                audit.append(db, "reveal", {"purpose": "claim", "number": number})
        yield opened


def unlocked(ledger: Ledger, statement: str) -> None:
    """Do what an administrator of the database could do."""
    with ledger.write() as db:
        if db.dialect.name == "postgresql":
            db.execute(text("DROP TRIGGER audit_append_only ON audit"))
        else:
            db.execute(text("DROP TRIGGER audit_no_update"))
            db.execute(text("DROP TRIGGER audit_no_delete"))
        db.execute(text(statement))


def test_the_audit_takes_no_change(audited: Ledger) -> None:
    for statement in ("UPDATE audit SET kind = 'x' WHERE seq = 2", "DELETE FROM audit"):
        with pytest.raises(DBAPIError), audited.write() as db:
            db.execute(text(statement))
    with audited.read() as db:
        verified = audit.verify(db)
        assert (verified.records, verified.broken) == (5, None)
        assert [one.body["number"] for one in audit.records(db)] == list(range(5))


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET body = '{}' WHERE seq = 3", 3),
        ("UPDATE audit SET at = '2020' WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 2", 3),
        ("DELETE FROM audit WHERE seq > 3", 4),
    ],
)
def test_a_broken_chain_names_its_first_broken_record(
    audited: Ledger, statement: str, broken: int
) -> None:
    with audited.read() as db:
        head = audit.verify(db).head
    unlocked(audited, statement)
    with audited.read() as db:
        assert audit.verify(db, head).broken == broken
