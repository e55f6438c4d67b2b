from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from moto import settings

from connectors.files import Files
from rag.config import Acl, Secret, Source
from rag.errors import (
    ChangedWhileReading,
    ConfigError,
    ListingFailed,
    SourceUnavailable,
    TooLarge,
)
from rag.records import DocumentRef
from tests.services.s3 import Bucket
from tests.services.sftp import PASSWORD, USER, Server

STAFF = ("group:staff",)
NOWHERE = Path("/nowhere")


def keys(connector: Files) -> list[str]:
    return [ref.key for ref in connector.list()]


# S3


def s3(bucket: Bucket, prefix: str = "", **more: object) -> Files:
    options = {
        "endpoint_url": bucket.endpoint,
        "key": Secret(env="TEST_S3_KEY"),
        "secret": Secret(env="TEST_S3_SECRET"),
    }
    more = {"options": options, "acl": Acl(default=STAFF), **more}
    source = Source(url=bucket.url + prefix, **more)  # type: ignore[arg-type]
    return Files(source, NOWHERE, delays=(0.01, 0.01, 0.01))


def test_a_bucket_is_listed_and_read_like_a_folder(s3_bucket: Bucket) -> None:
    for key in ("b/c.txt", "b.txt", "a.txt", ".git/x", "b/", "odd//name +%20?#ü.txt"):
        s3_bucket.put(key, "text" if not key.endswith("/") else "")
    found = list(s3(s3_bucket).list())
    assert [ref.key for ref in found] == ["a.txt", "b.txt", "b/c.txt", "odd//name +%20?#ü.txt"]
    assert {(ref.size, ref.acl) for ref in found} == {(4, STAFF)}
    assert {s3(s3_bucket).open(ref) for ref in found} == {b"text"}


def test_a_prefix_is_a_folder_and_not_the_beginning_of_a_name(s3_bucket: Bucket) -> None:
    for key in ("docs/a.txt", "docs/x/b.txt", "docs2/c.txt", "docs"):
        s3_bucket.put(key, "text")
    assert keys(s3(s3_bucket, "/docs")) == ["a.txt", "x/b.txt"]
    assert keys(s3(s3_bucket, "/docs/")) == ["a.txt", "x/b.txt"]


def test_more_objects_than_one_page_holds_are_all_listed(
    s3_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")  # 1,000 on the real one
    for number in range(23):
        s3_bucket.put(f"{number:02}.txt", b"x")
    assert keys(s3(s3_bucket)) == [f"{number:02}.txt" for number in range(23)]


def test_the_version_is_the_etag(s3_bucket: Bucket) -> None:
    s3_bucket.put("a.txt", "one")
    (first,) = s3(s3_bucket).list()
    s3_bucket.put("a.txt", "one")
    (same,) = s3(s3_bucket).list()
    s3_bucket.put("a.txt", "two")
    (other,) = s3(s3_bucket).list()
    assert first.version == same.version != other.version
    assert first.version.startswith("etag:")


def test_an_object_that_changed_or_went_is_not_handed_out(s3_bucket: Bucket) -> None:
    s3_bucket.put("a.txt", "one")
    connector = s3(s3_bucket)
    (ref,) = connector.list()
    s3_bucket.put("a.txt", "two")
    with pytest.raises(ChangedWhileReading):
        connector.open(ref)
    s3_bucket.client.delete_object(Bucket=s3_bucket.name, Key="a.txt")
    with pytest.raises(ChangedWhileReading):
        connector.open(ref)


def test_an_object_over_the_limit_is_not_read(s3_bucket: Bucket) -> None:
    s3_bucket.put("a.txt", "12345")
    connector = s3(s3_bucket)
    (ref,) = connector.list()
    assert connector.open(ref, 5) == b"12345"
    for size in (5, -1):
        with pytest.raises(TooLarge):
            connector.open(DocumentRef(ref.key, ref.uri, ref.version, size, ()), 4)


def test_sidecars_in_a_bucket_give_rights(s3_bucket: Bucket) -> None:
    for number in range(40):
        s3_bucket.put(f"hr/{number:02}.txt", "text")
        s3_bucket.put(f"hr/{number:02}.txt.acl.yaml", f"allow: ['user:u{number:02}']")
    s3_bucket.put("hr/99.txt", "text")
    s3_bucket.put("hr/.acl.yaml", "allow: ['group:hr']")
    s3_bucket.put("bad.txt", "text")
    s3_bucket.put("bad.txt.acl.yaml", "allow: all")
    connector = s3(s3_bucket)
    rights = {ref.key: ref.acl for ref in connector.list()}
    assert rights["hr/07.txt"] == ("user:u07",)
    assert rights["hr/99.txt"] == ("group:hr",)
    assert rights["bad.txt"] == ()
    assert [one.code for one in connector.warnings] == ["sidecar_malformed"]


def test_a_bucket_that_is_missing_fails_the_listing(s3_bucket: Bucket) -> None:
    missing = Bucket("not-there", s3_bucket.endpoint, None)
    with pytest.raises(ListingFailed, match="There is no folder"):
        list(s3(missing).list())


def test_a_bucket_that_refuses_access_fails_the_listing(
    s3_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_bucket.put("a.txt", "text")
    # The server, which runs in this process, checks keys from now on; it knows none.
    monkeypatch.setattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
    with pytest.raises(ListingFailed, match="refused") as caught:
        list(s3(s3_bucket).list())
    assert "loopback-secret" not in str(caught.value)


@pytest.mark.usefixtures("s3_bucket")
def test_a_server_that_does_not_answer_fails_the_listing() -> None:
    connector = s3(Bucket("nobody-home", "http://127.0.0.1:9", None))
    with pytest.raises(ListingFailed, match="could not be listed whole"):
        list(connector.list())


def test_an_airflow_connection_gives_keys_and_endpoint(s3_bucket: Bucket) -> None:
    s3_bucket.put("a.txt", "text")
    connection = {
        "conn_type": "aws",
        "login": os.environ["TEST_S3_KEY"],
        "password": os.environ["TEST_S3_SECRET"],
        "extra": {"endpoint_url": s3_bucket.endpoint},
    }
    script = (
        "from pathlib import Path; from connectors import connect;"
        "from rag.config import Acl, Secret, Source;"
        "options = {'secret': Secret(connection='documents')};"
        f"source = Source(url={s3_bucket.url!r}, options=options);"
        "print([ref.key for ref in connect(source, Path()).list()])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "AIRFLOW_CONN_DOCUMENTS": json.dumps(connection)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.strip().splitlines()[-1:] == ["['a.txt']"], ran.stderr


# SFTP


@pytest.fixture
def sftp(sftp_server: Server) -> Iterator[Files]:
    connector = over_sftp(sftp_server)
    yield connector
    connector._system.reconnect()


def over_sftp(server: Server, path: str = "/", **options: object) -> Files:
    given = {
        "password": Secret(env="TEST_SFTP_PASSWORD"),
        "host_key": server.host_key,
        **options,
    }
    source = Source(
        url=server.url + path,
        options={name: value for name, value in given.items() if value is not None},  # type: ignore[misc]
        acl=Acl(default=STAFF),
    )
    return Files(source, NOWHERE, delays=(0.01, 0.01, 0.01))


def write(server: Server, key: str, text: str = "text") -> Path:
    path = server.folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_sftp_is_listed_and_read_like_a_folder(sftp: Files, sftp_server: Server) -> None:
    for key in ("b/c.txt", "b.txt", "a.txt", ".git/x", "odd name +%20?#ü.txt"):
        write(sftp_server, key)
    write(sftp_server, "b/.acl.yaml", "allow: ['group:hr']")
    write(sftp_server, "a.txt.acl.yaml", "allow: ['user:ana']")
    found = list(sftp.list())
    assert [(ref.key, ref.acl) for ref in found] == [
        ("a.txt", ("user:ana",)),
        ("b.txt", STAFF),
        ("b/c.txt", ("group:hr",)),
        ("odd name +%20?#ü.txt", STAFF),
    ]
    assert {sftp.open(ref) for ref in found} == {b"text"}
    assert {ref.version.partition(":")[0] for ref in found} == {"time"}


def test_sftp_reads_large_files_whole_and_none_over_the_limit(
    sftp: Files, sftp_server: Server
) -> None:
    data = os.urandom(700_000)
    (sftp_server.folder / "big.bin").write_bytes(data)
    (ref,) = sftp.list()
    assert sftp.open(ref, len(data)) == data
    with pytest.raises(TooLarge):
        sftp.open(DocumentRef(ref.key, ref.uri, ref.version, -1, ()), len(data) - 1)


def test_sftp_tells_a_changed_or_deleted_file(sftp: Files, sftp_server: Server) -> None:
    path = write(sftp_server, "a.txt")
    (ref,) = sftp.list()
    path.write_text("longer")
    with pytest.raises(ChangedWhileReading):
        sftp.open(ref)
    path.unlink()
    with pytest.raises(ChangedWhileReading):
        sftp.open(ref)


def test_sftp_links_stay_inside_the_folder(sftp_server: Server) -> None:
    write(sftp_server, "secret.txt")
    write(sftp_server, "docs/hr/pay.txt")
    write(sftp_server, "docs/hr/.acl.yaml", "allow: ['group:hr']")
    docs = sftp_server.folder / "docs"
    (docs / "out.txt").symlink_to("../secret.txt")
    (docs / "in.txt").symlink_to("hr/pay.txt")
    (docs / "loop").symlink_to(".")
    (docs / "gone.txt").symlink_to("nothing")
    connector = over_sftp(sftp_server, "/docs")
    found = list(connector.list())
    assert [(ref.key, ref.acl) for ref in found] == [
        ("hr/pay.txt", ("group:hr",)),
        ("in.txt", ("group:hr",)),
    ]
    assert connector.open(found[1]) == b"text"
    assert [(one.key, one.code) for one in connector.warnings] == [
        ("gone.txt", "link_refused"), ("loop", "link_refused"), ("out.txt", "link_refused"),
    ]  # fmt: skip
    for key in ("out.txt", "../secret.txt"):
        with pytest.raises(SourceUnavailable):
            connector.open(
                DocumentRef(key, f"{sftp_server.url}/docs/{key}", found[0].version, 4, ())
            )


def test_sftp_without_its_folder_says_so(sftp_server: Server) -> None:
    with pytest.raises(ListingFailed, match="There is no folder"):
        list(over_sftp(sftp_server, "/nowhere").list())


def test_a_wrong_password_is_tried_once(
    sftp_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_SFTP_PASSWORD", "wrong")
    with pytest.raises(ListingFailed, match="refused") as caught:
        list(over_sftp(sftp_server).list())
    assert sftp_server.logins == 1
    assert "wrong" not in str(caught.value)


def test_a_lost_connection_is_made_again(sftp: Files, sftp_server: Server) -> None:
    for key in ("a/x.txt", "b/y.txt", "c/z.txt"):
        write(sftp_server, key)
    assert len(keys(sftp)) == 3
    sftp_server.drops = 2
    assert len(keys(sftp)) == 3
    (ref, *_) = sftp.list()
    sftp._system.system.client.close()
    assert sftp.open(ref) == b"text"


def test_a_connection_that_breaks_again_and_again_fails_the_listing(
    sftp: Files, sftp_server: Server
) -> None:
    for key in ("a/x.txt", "b/y.txt"):
        write(sftp_server, key)
    sftp_server.drops = 100
    seen: list[DocumentRef] = []
    with pytest.raises(ListingFailed, match="could not be listed whole"):
        seen.extend(sftp.list())
    assert seen == []


def test_a_server_with_another_key_is_not_given_the_password(
    sftp_server: Server, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    connector = over_sftp(sftp_server, host_key=None, known_hosts=str(known))
    with pytest.raises(ConfigError, match="not known"):
        list(connector.list())
    known.write_text(f"[127.0.0.1]:{sftp_server.port} {sftp_server.host_key}\n")
    assert keys(connector) == []
    logins = sftp_server.logins
    other = sftp_server.host_key[:-4] + "AAAA"
    with pytest.raises(ConfigError, match="host_key"):
        list(over_sftp(sftp_server, host_key=other).list())
    assert sftp_server.logins == logins


def test_an_airflow_connection_gives_host_port_and_login(sftp_server: Server) -> None:
    write(sftp_server, "a.txt")
    connection = {
        "conn_type": "sftp",
        "host": "127.0.0.1",
        "port": sftp_server.port,
        "login": USER,
        "password": PASSWORD,
        "extra": {"host_key": sftp_server.host_key},
    }
    script = (
        "from pathlib import Path; from connectors import connect;"
        "from rag.config import Secret, Source; it = Secret(connection='share');"
        "source = Source(url='sftp:///', options={'password': it, 'host_key': it});"
        "print([ref.key for ref in connect(source, Path()).list()])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "AIRFLOW_CONN_SHARE": json.dumps(connection)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.strip().splitlines()[-1:] == ["['a.txt']"], ran.stderr


# Others


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    system = fsspec.filesystem("memory")
    system.pipe("/share/x/b.txt", b"text")
    system.pipe("/share/a.txt", b"text")
    yield system
    system.rm("/share", recursive=True)


def in_memory(**more: object) -> Files:
    return Files(Source(url="memory://share", **more), NOWHERE, delays=(0.01,))  # type: ignore[arg-type]


def test_a_system_without_times_and_tags_has_content_hashes_as_versions(
    memory: fsspec.AbstractFileSystem,
) -> None:
    first = list(in_memory().list())
    assert [ref.key for ref in first] == ["a.txt", "x/b.txt"]
    assert first[0].version == first[1].version
    memory.pipe("/share/a.txt", b"late")
    (second, _) = in_memory().list()
    assert second.version != first[0].version
    with pytest.raises(ChangedWhileReading):
        in_memory().open(first[0])
    assert in_memory().open(second) == b"late"


def test_an_unknown_protocol_names_the_nearest(memory: object) -> None:
    with pytest.raises(ConfigError, match=r"sftp://\?"):
        Files(Source(url="sfpt://host/x"), NOWHERE)


def test_systems_that_keep_copies_on_disk_are_refused() -> None:
    for url in ("simplecache::s3://bucket", "filecache://x", "zip://x::s3://bucket/a.zip"):
        with pytest.raises(ConfigError, match="copies"):
            Files(Source(url=url), NOWHERE)


def test_nothing_is_contacted_before_the_first_listing() -> None:
    started = time.perf_counter()
    Files(Source(url="sftp://10.255.255.1/x"), NOWHERE)
    assert time.perf_counter() - started < 5
    assert threading.active_count() < 50
