from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect, text, update

from rag.errors import ConfigError, CorpusBusy
from rag.ledger import (
    DocumentEntry,
    Fingerprints,
    Held,
    Ledger,
    QuarantineEntry,
    Rights,
    documents,
    leases,
    quarantine,
    runs,
    tables,
    targets,
)
from rag.ledger.vault import sources
from rag.migrations import VERSION_TABLE
from tests.masked import masked
from tests.pace import linear
from tests.services.postgres import postgres

__all__ = ["postgres"]

STEPS = Fingerprints("p1", "m1", "c1", "e1")
PYTHON = Path(sys.executable)


@pytest.fixture(params=["sqlite", "postgres"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.sqlite"
    return str(request.getfixturevalue("postgres")())


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "empty.sqlite"
    Ledger.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, empty_sqlite: Path) -> Iterator[Ledger]:
    if request.param == "sqlite":
        copy = tmp_path / "ledger.sqlite"
        copy.write_bytes(empty_sqlite.read_bytes())
        url = f"sqlite:///{copy}"
    else:
        url = request.getfixturevalue("postgres")(migrated=True)
    with Ledger.open(url) as opened:
        yield opened


def entry(name: str, *, parent: str | None = None, **changes: object) -> DocumentEntry:
    made = DocumentEntry(
        document_id=name,
        name=masked(f"{name}.txt"),
        sealed_key=f"sealed {parent or name}",
        version="v1",
        size=10,
        content_id=f"content {name}",
        media_type="text/plain",
        title=masked("Über uns 🏥"),
        acl=("group:staff", "user:ann"),
        fingerprints=STEPS,
        digest=f"digest {name}",
        chunk_count=2,
        masked={"PERSON": 3},
        parent_id=parent,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def failure(name: str, **changes: object) -> QuarantineEntry:
    made = QuarantineEntry(
        document_id=name,
        name=masked(f"{name}.txt"),
        sealed_key=f"sealed {name}",
        version="v1",
        step="parse",
        code="corrupt",
        reason=masked("The file is damaged."),
        action=masked("Restore it."),
        fingerprint=STEPS.up_to("parse"),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def record(
    ledger: Ledger, *indexed: DocumentEntry, failures: tuple[QuarantineEntry, ...] = ()
) -> None:
    with ledger.write() as db:
        run = runs.start(db, "handbook", "sync")
        documents.record(db, "handbook", run, indexed, failures)


def served(ledger: Ledger, corpus: str = "handbook") -> set[str]:
    with ledger.read() as db:
        return {one.document_id for one in documents.entries(db, corpus)}


def waiting(ledger: Ledger, corpus: str = "handbook") -> dict[str, QuarantineEntry]:
    with ledger.read() as db:
        return {one.document_id: one for one in quarantine.entries(db, corpus)}


# Opening


def test_a_fresh_ledger_has_exactly_the_declared_tables(fresh_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with Ledger.open(fresh_url) as ledger, ledger.read() as db:
        context = MigrationContext.configure(db, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, tables.metadata) == []
        keys = {
            table: inspect(db).get_pk_constraint(table)["constrained_columns"]
            for table in tables.metadata.tables
        }
    assert keys == {
        name: [column.name for column in table.primary_key]
        for name, table in tables.metadata.tables.items()
    }


def test_the_known_head_is_the_newest_revision() -> None:
    from alembic.script import ScriptDirectory

    import rag.migrations

    folder = Path(rag.migrations.__file__).parent
    assert ScriptDirectory(str(folder)).get_heads() == [rag.migrations.HEAD]


def test_revisions_can_be_undone_and_done_again(fresh_url: str) -> None:
    from alembic import command
    from alembic.config import Config

    import rag.migrations

    with Ledger.open(fresh_url) as ledger:
        config = Config()
        config.set_main_option("script_location", str(Path(rag.migrations.__file__).parent))
        with ledger.write() as db:
            config.attributes["connection"] = db
            command.downgrade(config, "base")
            assert set(inspect(db).get_table_names()) == {VERSION_TABLE}
    Ledger.open(fresh_url).close()
    with Ledger.open(fresh_url) as ledger, ledger.read() as db:
        assert set(tables.metadata.tables) < set(inspect(db).get_table_names())


def test_source_keys_move_to_the_vault(fresh_url: str) -> None:
    from alembic import command
    from alembic.config import Config

    import rag.migrations

    with Ledger.open(fresh_url) as ledger:
        record(ledger, entry("a"), entry("a/1", parent="a"), failures=(failure("b"),))
        config = Config()
        config.set_main_option("script_location", str(Path(rag.migrations.__file__).parent))
        for turn, revision in ((command.downgrade, "0003"), (command.upgrade, "head")):
            with ledger.write() as db:
                config.attributes["connection"] = db
                turn(config, revision)
                if revision == "0003":
                    before = db.execute(
                        text("SELECT document_id, sealed_key FROM documents ORDER BY 1")
                    ).all()
        with ledger.read() as db:
            kept = sources.held(db, "handbook")
            waits = quarantine.entries(db, "handbook")
    assert [tuple(row) for row in before] == [("a", "sealed a"), ("a/1", "sealed a")]
    assert kept == {"a": "sealed a", "b": "sealed b"}
    assert [one.sealed_key for one in waits] == ["sealed b"]


def test_two_processes_may_open_a_fresh_ledger_at_once(fresh_url: str) -> None:
    program = textwrap.dedent("""
        import sys
        import alembic.command
        import rag.ledger.opening
        print("ready", flush=True)
        sys.stdin.readline()
        from rag.ledger import Ledger, runs
        with Ledger.open(sys.argv[1]) as ledger, ledger.write() as db:
            runs.start(db, "handbook", "sync", sys.argv[2])
    """)
    both = [
        subprocess.Popen(
            [PYTHON, "-c", program, fresh_url, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        process.communicate(timeout=60)
    assert [process.returncode for process in both] == [0, 0]
    with Ledger.open(fresh_url) as ledger, ledger.read() as db:
        assert {run.run_id for run in runs.latest(db, "handbook", 5)} == {"one", "two"}


def test_a_current_ledger_opens_at_once_and_without_alembic(empty_sqlite: Path) -> None:
    program = textwrap.dedent("""
        import sys, time
        import rag.ledger.opening
        import sqlalchemy.dialects.sqlite
        loaded = time.process_time()
        rag.ledger.opening.Ledger.open(sys.argv[1]).close()
        print((time.process_time() - loaded) / loaded, "alembic" in sys.modules)
    """)
    command = [PYTHON, "-c", program, f"sqlite:///{empty_sqlite}"]
    share, alembic = min(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        for _ in range(2)
    )
    assert alembic == "False"
    assert float(share) < 0.25, "of the time that loading takes"


def test_the_ledgers_records_load_without_sqlalchemy() -> None:
    program = "import sys, rag.ledger, rag.ingest.plan; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([PYTHON, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_ledger_lives_at_home_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_HOME", str(tmp_path / "state % of things"))
    monkeypatch.delenv("SLUICE_LEDGER_URL", raising=False)
    with Ledger.open() as ledger, ledger.read() as db:
        assert documents.corpora(db) == []
    path = tmp_path / "state % of things" / "ledger.sqlite"
    with sqlite3.connect(path) as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_environment_may_name_another_ledger(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_LEDGER_URL", fresh_url)
    with Ledger.open() as ledger:
        record(ledger, entry("a"))
    with Ledger.open(fresh_url) as ledger:
        assert served(ledger) == {"a"}


def test_a_newer_ledger_is_left_alone(ledger: Ledger) -> None:
    with ledger.write() as db:
        db.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    url = ledger._engine.url.render_as_string(hide_password=False)
    with pytest.raises(ConfigError, match="newer version of Sluice"):
        Ledger.open(url)
    with ledger.read() as db:
        assert db.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}")) == "9999"


def test_the_database_may_be_one_that_others_migrate(fresh_url: str) -> None:
    from rag.ledger import opening

    others = opening._engine(opening._url(fresh_url))
    with others.begin() as db:
        db.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        db.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))
    with Ledger.open(fresh_url) as ledger:
        record(ledger, entry("a"))
    with others.begin() as db:
        assert db.scalar(text("SELECT version_num FROM alembic_version")) == "theirs"
    others.dispose()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////nowhere/at/all/ledger.sqlite", "could not be opened"),
        ("postgresql://me:hush@127.0.0.1:1/ledger?connect_timeout=2", "could not be opened"),
        ("mysql://localhost/ledger", "not supported"),
        ("postgresql+nodriver://localhost/ledger", "not installed"),
        ("what", "cannot be read"),
    ],
)
def test_a_ledger_that_cannot_be_opened_says_what_to_do(url: str, said: str) -> None:
    start = time.monotonic()
    with pytest.raises(ConfigError, match=said) as caught:
        Ledger.open(url)
    assert caught.value.hint
    assert "hush" not in str(caught.value)
    assert time.monotonic() - start < 10


def test_a_ledger_that_may_not_be_written_fails_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_text("this is not a database, whatever its name says" * 100)
    start = time.monotonic()
    with pytest.raises(ConfigError, match="could not be opened"):
        Ledger.open(f"sqlite:///{path}")
    assert time.monotonic() - start < 5


def test_errors_of_the_database_do_not_quote_what_was_written(ledger: Ledger) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key") as caught, ledger.write() as db:
        documents.record(db, "handbook", "no such run", [entry("secretive")])
    assert "secretive.txt" not in str(caught.value)


def test_a_transaction_is_whole_or_nothing(ledger: Ledger) -> None:
    nested = [entry("b", parent="a"), entry("c", parent="b")]

    def half() -> None:
        with ledger.write() as db:
            documents.record(db, "handbook", None, [entry("a")])
            documents.record(db, "handbook", None, nested)

    with pytest.raises(ValueError, match="listed document"):
        half()
    assert served(ledger) == set()


def test_a_scrubbed_database_keeps_nothing_of_deleted_rows(ledger: Ledger) -> None:
    many = [entry(f"gone-{number}", title=masked("vanished")) for number in range(50)]
    record(ledger, *many, entry("stays"))
    with ledger.write() as db:
        documents.remove(db, "handbook", [one.document_id for one in many])
    ledger.scrub()
    assert served(ledger) == {"stays"}
    with ledger.read() as db:
        if db.dialect.name == "sqlite":
            path = Path(str(db.engine.url.database))
            written = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
            assert b"stays" in written
            assert b"vanished" not in written


def test_writers_wait_for_each_other(ledger: Ledger) -> None:
    import threading

    def add(number: int) -> None:
        with ledger.write() as db:
            seen = len(documents.entries(db, "handbook"))  # a read first, then a write
            documents.record(db, "handbook", None, [entry(f"d{number}")])
            assert seen >= 0

    threads = [threading.Thread(target=add, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(served(ledger)) == 8


# Documents


def test_what_is_recorded_is_read_back(ledger: Ledger) -> None:
    wanted = entry("a", size=2**40)
    record(ledger, wanted, entry("a/1", parent="a"))
    with ledger.read() as db:
        found = {one.document_id: one for one in documents.entries(db, "handbook")}
        [run] = runs.latest(db, "handbook")
    got = found["a"]
    assert replace(got, run_id=None, updated_at=None) == wanted
    assert got.run_id == run.run_id
    assert got.updated_at is not None
    assert datetime.now(UTC) - got.updated_at < timedelta(minutes=1)
    assert found["a/1"].root_id == "a"


def test_a_text_that_no_database_can_hold_stops_nothing(ledger: Ledger) -> None:
    record(ledger, replace(entry("a"), name=masked("caf\udce9.txt"), title=masked("a\0b 🏥 é")))
    with ledger.read() as db:
        [got] = documents.entries(db, "handbook")
    assert (got.name, got.title) == ("caf?.txt", "ab 🏥 é")


def test_a_new_version_replaces_the_old_one(ledger: Ledger) -> None:
    record(ledger, entry("a"), entry("b"))
    record(ledger, entry("a", version="v2", digest="other"))
    with ledger.read() as db:
        versions = {one.document_id: one.version for one in documents.entries(db, "handbook")}
        [asked] = documents.entries(db, "handbook", ["a", "nobody"])
    assert versions == {"a": "v2", "b": "v1"}
    assert asked.digest == "other"


def test_attachments_live_and_die_with_their_parent(ledger: Ledger) -> None:
    record(ledger, entry("mail"), entry("m1", parent="mail"), entry("m2", parent="mail"))
    record(ledger, entry("mail", version="v2"), entry("m2", parent="mail"))
    assert served(ledger) == {"mail", "m2"}
    with ledger.write() as db:
        documents.remove(db, "handbook", ["mail"])
    assert served(ledger) == set()


def test_an_attachments_parent_is_a_listed_document(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="listed document"):
        record(ledger, entry("mail"), entry("m1", parent="mail"), entry("m2", parent="m1"))


def test_corpora_do_not_touch_each_other(ledger: Ledger) -> None:
    with ledger.write() as db:
        for corpus in ("one", "two"):
            documents.record(db, corpus, None, [entry("a")], [failure("b")])
            targets.settle(db, corpus, "embedded", [Held("a", "digest a", 2)])
        documents.remove(db, "one", ["a", "b"])
        targets.forget(db, "one", "embedded", ["a"])
        assert documents.corpora(db) == ["two"]
        assert list(targets.held(db, "two", "embedded")) == ["a"]
    assert served(ledger, "two") == {"a"}
    assert set(waiting(ledger, "two")) == {"b"}


def test_a_change_of_rights_touches_nothing_else(ledger: Ledger) -> None:
    record(ledger, entry("a"), entry("b"))
    with ledger.write() as db:
        documents.set_rights(db, "handbook", None, [Rights("a", (), "closed"), Rights("x", (), "")])
        documents.set_rights(db, "handbook", None, [])
        a, b = documents.entries(db, "handbook")
    assert (a.acl, a.digest, a.version, a.content_id) == ((), "closed", "v1", "content a")
    assert b.acl == ("group:staff", "user:ann")


def test_a_summary_counts_documents_attachments_chunks_and_masked(ledger: Ledger) -> None:
    record(
        ledger,
        entry("a"),
        entry("mail", media_type="message/rfc822", size=-1),
        entry("m1", parent="mail", masked={"PERSON": 1, "IBAN_CODE": 2}),
        failures=(failure("bad"),),
    )
    with ledger.read() as db:
        got = documents.summary(db, "handbook")
        nothing = documents.summary(db, "elsewhere")
    assert (got.documents, got.attachments, got.chunks) == (2, 1, 6)
    assert (got.bytes, got.quarantined) == (10, 1)
    assert got.media_types == {"message/rfc822": 1, "text/plain": 2}
    assert got.masked == {"IBAN_CODE": 2, "PERSON": 7}
    assert (nothing.documents, nothing.chunks, nothing.masked) == (0, 0, {})


def test_ten_thousand_documents_are_one_batch_and_take_linear_time(ledger: Ledger) -> None:
    corpora = (f"handbook-{number}" for number in itertools.count())

    def batch(count: int) -> None:
        corpus = next(corpora)
        many = [entry(f"{number:032x}") for number in range(count)]
        held = [Held(one.document_id, one.digest, 2) for one in many]
        with ledger.write() as db:
            documents.record(db, corpus, None, many)
            targets.settle(db, corpus, "embedded", held)
        with ledger.read() as db:
            view = documents.view(db, corpus, ["embedded"])
        assert len(view.documents) == count
        assert view.unsettled == frozenset()
        with ledger.write() as db:
            documents.remove(db, corpus, view.documents)
            assert len(targets.stale(db, corpus, "embedded")) == count

    linear(batch, 10_000)


# Quarantine


def test_a_failed_version_never_costs_the_one_that_is_served(ledger: Ledger) -> None:
    record(ledger, entry("mail"), entry("m1", parent="mail"))
    record(ledger, failures=(failure("mail", version="v2"),))
    assert served(ledger) == {"mail", "m1"}
    assert waiting(ledger)["mail"].served


def test_a_failed_attachment_keeps_its_older_version(ledger: Ledger) -> None:
    record(ledger, entry("mail"), entry("m1", parent="mail"))
    record(
        ledger,
        entry("mail", version="v2"),
        failures=(failure("m1", version="v2", parent_id="mail"),),
    )
    assert served(ledger) == {"mail", "m1"}
    assert waiting(ledger)["m1"].parent_id == "mail"


def test_an_indexed_document_leaves_quarantine_with_its_attachments(ledger: Ledger) -> None:
    record(
        ledger,
        entry("mail"),
        failures=(failure("m1", parent_id="mail"), failure("m2", parent_id="mail")),
    )
    record(
        ledger,
        entry("mail", version="v2"),
        entry("m1", parent="mail"),
        failures=(failure("m2", version="v2", parent_id="mail"),),
    )
    assert set(waiting(ledger)) == {"m2"}


def test_attempts_count_failures_of_one_version(ledger: Ledger) -> None:
    record(ledger, failures=(failure("a"),))
    first = waiting(ledger)["a"]
    record(ledger, failures=(failure("a", code="timeout"),))
    again = waiting(ledger)["a"]
    assert (first.attempts, again.attempts, again.code) == (1, 2, "timeout")
    assert again.first_seen == first.first_seen
    assert again.last_seen is not None
    assert first.last_seen is not None
    assert again.last_seen > first.last_seen
    record(ledger, failures=(failure("a", version="v2"),))
    assert waiting(ledger)["a"].attempts == 1


def test_only_the_steps_up_to_the_failed_one_make_it_worth_a_retry() -> None:
    rechunked = replace(STEPS, chunk="c2")
    assert rechunked.up_to("parse") == STEPS.up_to("parse") == STEPS.up_to("extract")
    assert rechunked.up_to("mask") == STEPS.up_to("mask") != STEPS.up_to("parse")
    assert rechunked.up_to("chunk") != STEPS.up_to("chunk")
    assert rechunked.up_to("embed") != STEPS.up_to("embed")


# Targets


def test_a_target_is_told_apart_from_what_it_should_hold(ledger: Ledger) -> None:
    record(ledger, entry("a"), entry("b"), entry("mail"), entry("m1", parent="mail"))
    with ledger.write() as db:
        for name in ("a", "mail", "gone"):
            targets.settle(db, "handbook", "embedded", [Held(name, f"digest {name}", 2)])
        targets.settle(db, "handbook", "embedded", [Held("b", "older", 2)])
        targets.settle(db, "handbook", "other", [Held("b", "digest b", 2)])
        assert targets.unsettled(db, "handbook", "embedded") == ["b", "m1"]
        assert targets.stale(db, "handbook", "embedded") == ["gone"]
        assert targets.held(db, "handbook", "other") == {"b": Held("b", "digest b", 2)}
        view = documents.view(db, "handbook", ["embedded"])
        assert view.unsettled == {"b", "mail"}
        assert documents.view(db, "handbook", ["embedded", "third"]).unsettled == {"a", "b", "mail"}


def test_a_write_that_was_begun_is_not_forgotten(ledger: Ledger) -> None:
    record(ledger, entry("a"))
    with ledger.write() as db:
        targets.settle(db, "handbook", "embedded", [Held("a", "digest a", 2)])
        targets.intend(db, "handbook", "embedded", ["a", "new", "new"])
        assert targets.unsettled(db, "handbook", "embedded") == ["a"]
        assert targets.stale(db, "handbook", "embedded") == ["new"]
        targets.forget(db, "handbook", "embedded", ["new"])
        assert targets.stale(db, "handbook", "embedded") == []


# Runs


def test_a_run_is_recorded_from_start_to_end(ledger: Ledger) -> None:
    with ledger.write() as db:
        run = runs.start(db, "handbook", "sync")
    with ledger.write() as db:
        runs.finish(db, run, "done", {"new": 3}, {"parse": 1.5})
    with ledger.read() as db:
        [got] = runs.latest(db, "handbook")
    assert (got.status, got.counts, got.seconds) == ("done", {"new": 3}, {"parse": 1.5})
    assert got.finished_at is not None
    assert got.finished_at >= got.started_at


def test_a_killed_run_is_stopped_when_the_next_one_starts(ledger: Ledger) -> None:
    with ledger.write() as db:
        runs.start(db, "handbook", "sync", "killed")
        runs.start(db, "elsewhere", "sync", "other")
    with ledger.write() as db:
        runs.start(db, "handbook", "sync", "next")
        runs.start(db, "handbook", "sync", "next")  # the same one, retried
        found = {run.run_id: run.status for run in runs.latest(db, "handbook", 9)}
        [other] = runs.latest(db, "elsewhere")
    assert found == {"killed": "stopped", "next": "running"}
    assert other.status == "running"


# Leases


def test_one_run_at_a_time_over_a_corpus(ledger: Ledger) -> None:
    with ledger.write() as db:
        leases.acquire(db, "handbook", "first")
        leases.acquire(db, "handbook", "first")  # a retried task
        leases.acquire(db, "elsewhere", "second")
    with pytest.raises(CorpusBusy) as caught, ledger.write() as db:
        leases.acquire(db, "handbook", "second")
    assert "since" in caught.value.message
    assert "sluice unlock handbook" in caught.value.hint
    with ledger.write() as db:
        assert not leases.release(db, "handbook", "second")
        assert leases.release(db, "handbook", "first")
        leases.acquire(db, "handbook", "second")


def test_an_expired_lease_is_taken_over_and_its_owner_learns_of_it(ledger: Ledger) -> None:
    with ledger.write() as db:
        leases.acquire(db, "handbook", "first", seconds=-1)
    with ledger.write() as db:
        leases.renew(db, "handbook", "first", seconds=-1)  # late, but nobody was waiting
        leases.acquire(db, "handbook", "second")
    with pytest.raises(CorpusBusy, match="lost"), ledger.write() as db:
        leases.renew(db, "handbook", "first")


def test_anybody_may_clear_a_dead_lease(ledger: Ledger) -> None:
    with ledger.write() as db:
        leases.acquire(db, "handbook", "dead")
        assert leases.release(db, "handbook")
        leases.acquire(db, "handbook", "living")


def test_a_lease_is_held_while_the_block_runs(ledger: Ledger) -> None:
    with leases.hold(ledger, "handbook", "first", seconds=1):
        time.sleep(1.5)  # more than its length: it is kept alive
        with pytest.raises(CorpusBusy), leases.hold(ledger, "handbook", "second"):
            pass
    with leases.hold(ledger, "handbook", "second"):
        pass


def test_a_holder_whose_lease_was_cleared_is_told(ledger: Ledger) -> None:
    holding = leases.hold(ledger, "handbook", "first", seconds=0.2)
    holding.__enter__()
    with ledger.write() as db:
        leases.release(db, "handbook")
    time.sleep(0.3)
    with pytest.raises(CorpusBusy, match="lost"):
        holding.__exit__(None, None, None)


def test_a_killed_process_frees_its_corpus_at_once(ledger: Ledger) -> None:
    gone = subprocess.Popen([PYTHON, "-c", ""])
    gone.wait()
    with ledger.write() as db:
        leases.acquire(db, "handbook", "killed", process=True)
        db.execute(update(tables.leases).values(pid=gone.pid))
    with ledger.write() as db:
        leases.acquire(db, "handbook", "next", process=True)
        db.execute(update(tables.leases).values(pid=gone.pid, host="another machine"))
    with pytest.raises(CorpusBusy), ledger.write() as db:
        leases.acquire(db, "handbook", "third")


def test_of_two_that_want_a_free_corpus_one_gets_it(ledger: Ledger) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    together = Barrier(4)

    def want(owner: str) -> bool:
        together.wait()
        try:
            with ledger.write() as db:
                leases.acquire(db, "handbook", owner)
        except CorpusBusy:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(want, ["a", "b", "c", "d"])) == 1


def test_nothing_raw_is_asked_for() -> None:
    # What a table could hold of a document is what its columns are: ids and masked texts.
    texts = {
        column.name
        for table in (tables.documents, tables.quarantine)
        for column in table.columns
        if str(column.type) == "TEXT"
    }
    assert texts == {"name", "version", "media_type", "title", "reason", "action"}
