"""Opening the ledger: one engine, transactions that queue rather than fail, migrations."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import ProgrammingError as MissingTable

from rag.errors import ConfigError
from rag.home import home
from rag.migrations import HEAD, VERSION_TABLE

URL_VARIABLE = "SLUICE_LEDGER_URL"
BUSY_SECONDS = 30.0

_READ_VERSION = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608 (a constant)
_SCRUBBED = (
    *("documents", "quarantine", "aliases", "erasures", "audit_texts"),
    *("vault_keys", "vault_subjects", "vault_entries", "vault_sources"),
)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_MIGRATION_LOCK = 0x51_1C_E0  # any constant number of ours, for Postgres' advisory locks


class Ledger:
    """An open ledger at the packaged version of its tables."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str | None = None) -> Ledger:
        """Open the ledger, making or migrating it if need be.

        Args:
            url: SQLAlchemy URL of a SQLite or Postgres database. By default the environment's
                ``SLUICE_LEDGER_URL``, else ``ledger.sqlite`` in the state folder.

        Raises:
            ConfigError: The database cannot be reached, or a newer Sluice has migrated it.
        """
        parsed = _url(url or os.environ.get(URL_VARIABLE))
        try:
            engine = _engine(parsed)
        except (NoSuchModuleError, ModuleNotFoundError):
            raise ConfigError(
                f"The ledger's database driver {parsed.drivername} is not installed.",
                "Install it (for Postgres: pip install 'psycopg[binary]'), "
                f"or change {URL_VARIABLE}.",
            ) from None
        try:
            if _version(engine) != HEAD:
                _migrate(engine)
        except (DBAPIError, sqlite3.Error) as error:
            engine.dispose()
            kind = type(getattr(error, "orig", error)).__name__
            raise ConfigError(
                f"The ledger at {parsed.render_as_string(hide_password=True)} could not be "
                f"opened ({kind}).",
                f"Check that it is there, writable and reachable, or change {URL_VARIABLE}.",
            ) from None
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the ledger."""
        with self._engine.connect() as db, db.begin():
            yield db

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it or nothing. Writers of SQLite wait their turn, 30 s."""
        with self._engine.connect() as db:
            db.execution_options(sluice_write=True)
            with db.begin():
                yield db

    def scrub(self) -> None:
        """Have the database give up what it still holds of rows that were changed or deleted.

        SQLite writes its file anew and empties the journal; Postgres writes the tables anew that
        documents and the vault are in. Neither reaches into backups or archived journals.

        Raises:
            ConfigError: Others kept it busy, or our role may not.
        """
        kind = self._engine.dialect.name
        said = "VACUUM" if kind == "sqlite" else f"VACUUM (FULL) {', '.join(_SCRUBBED)}"
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                raw = self._engine.raw_connection()
                try:
                    if kind != "sqlite":
                        raw.driver_connection.autocommit = True  # type: ignore[union-attr]
                    cursor = raw.cursor()
                    cursor.execute(said)
                    if kind != "sqlite":
                        return
                    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    if cursor.fetchall()[0][0] == 0:  # not busy
                        return
                finally:
                    raw.invalidate() if kind != "sqlite" else raw.close()
            except (DBAPIError, sqlite3.Error) as error:
                if time.monotonic() > deadline:
                    raise _not_scrubbed(type(error).__name__) from None
            except Exception as error:  # the Postgres driver's own
                raise _not_scrubbed(type(error).__name__) from None
            if time.monotonic() > deadline:
                raise _not_scrubbed("others read it")
            time.sleep(0.1)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _not_scrubbed(why: str) -> ConfigError:
    return ConfigError(
        f"The ledger's database could not be written anew ({why}): it may still hold deleted rows.",
        "Wait until nothing else uses it, check that our role owns the tables, and run it again.",
    )


def _url(url: str | None) -> URL:
    if not url:
        return URL.create("sqlite", database=str(home() / "ledger.sqlite"))
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "The ledger's URL cannot be read.",
            f"Set {URL_VARIABLE} to sqlite:////path/ledger.sqlite "
            "or postgresql://user:password@host/database.",
        ) from None
    family = parsed.get_backend_name()
    if family in ("postgres", "postgresql"):
        # Without a named driver SQLAlchemy would look for psycopg2.
        return parsed if "+" in parsed.drivername else parsed.set(drivername="postgresql+psycopg")
    if family != "sqlite":
        raise ConfigError(
            f"A ledger in {family} is not supported.", "Use SQLite or Postgres for the ledger."
        )
    return parsed


def _engine(url: URL) -> Engine:
    # Statements' parameters stay out of error messages.
    if url.get_backend_name() != "sqlite":
        return create_engine(url, hide_parameters=True, pool_pre_ping=True)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, below
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        # A reader that turns writer fails at once when another has written meanwhile, whatever
        # the busy timeout; who will write takes the lock first and waits for it.
        writes = connection.get_execution_options().get("sluice_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _version(engine: Engine) -> str | None:
    """Return the revision that the database is at; None for a fresh one."""
    try:
        with engine.connect() as db:
            found: str | None = db.scalar(text(_READ_VERSION))
            return found
    except (OperationalError, MissingTable):
        return None


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    if engine.dialect.name == "sqlite":
        _write_ahead(engine)
    config = Config()
    folder = Path(__file__).parents[1] / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    with engine.connect() as db:
        db.execution_options(sluice_write=True)
        with db.begin():  # on SQLite this is the lock against a second process, too
            if engine.dialect.name == "postgresql":
                db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            config.attributes["connection"] = db
            try:
                command.upgrade(config, HEAD)
            except CommandError:
                raise ConfigError(
                    "The ledger was migrated by a newer version of Sluice.",
                    f"Upgrade Sluice here, or give it a ledger of its own by {URL_VARIABLE}.",
                ) from None


def _write_ahead(engine: Engine) -> None:
    """Let readers read while one writes. The file remembers it, so this is done once."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # SQLite does not always wait here when two processes make the file at once.
            if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
        finally:
            raw.close()
