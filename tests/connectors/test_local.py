from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors import Connector, connect
from rag.config import Acl, Source
from rag.errors import (
    ChangedWhileReading,
    ConfigError,
    ListingFailed,
    SourceUnavailable,
    TooLarge,
)
from rag.records import DocumentRef
from tests.pace import linear

STAFF = ("group:staff",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    return folder


def write(folder: Path, key: str, text: str = "text") -> Path:
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def source(folder: Path, **more: object) -> Connector:
    more.setdefault("acl", Acl(default=STAFF))
    return connect(Source(url=str(folder), **more), folder)  # type: ignore[arg-type]


def keys(connector: Connector) -> list[str]:
    return [ref.key for ref in connector.list()]


def codes(connector: Connector) -> list[tuple[str, str]]:
    return [(one.key, one.code) for one in connector.warnings]


@contextmanager
def nobody() -> Iterator[None]:
    """Be an ordinary user for a while: permissions do not bind root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_documents_come_sorted_by_key_with_size_and_rights(folder: Path) -> None:
    for key in ("b/c.txt", "b.txt", "a.txt", "b/a/z.txt"):
        write(folder, key)
    found = list(source(folder).list())
    assert [ref.key for ref in found] == ["a.txt", "b.txt", "b/a/z.txt", "b/c.txt"]
    assert {(ref.size, ref.acl) for ref in found} == {(4, STAFF)}


def test_hidden_files_and_sidecars_are_not_documents(folder: Path) -> None:
    for key in ("a.txt", ".hidden", ".git/config", "x/.y/z"):
        write(folder, key)
    write(folder, "a.txt.acl.yaml", "allow: [group:hr]")
    write(folder, ".acl.yaml", "allow: [group:all]")
    assert keys(source(folder)) == ["a.txt"]


def test_include_and_exclude_select(folder: Path) -> None:
    for key in ("a.md", "x/b.md", "x/c.txt", "drafts/d.md"):
        write(folder, key)
    assert keys(source(folder, include=("**/*.md",), exclude=("drafts/**",))) == ["a.md", "x/b.md"]


def test_a_url_is_relative_to_the_base_absolute_or_a_file_url(folder: Path) -> None:
    write(folder, "a.txt")
    for url in ("documents", "./documents/", str(folder), f"file://{folder}"):
        assert keys(connect(Source(url=url), folder.parent)) == ["a.txt"]


def test_the_version_changes_with_time_or_size_and_only_then(folder: Path) -> None:
    path = write(folder, "a.txt")

    def version() -> str:
        return next(iter(source(folder).list())).version

    first = version()
    assert version() == first
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    second = version()
    write(folder, "a.txt", "longer text")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    assert len({first, second, version()}) == 3


def test_a_document_opens_in_another_connector_than_listed_it(folder: Path) -> None:
    write(folder, "a b/ü%20#?.txt", "content")
    (ref,) = source(folder).list()
    assert source(folder).open(ref) == b"content"


def test_a_name_that_is_not_utf8_can_be_listed_and_opened(folder: Path) -> None:
    raw = os.fsencode(folder) + b"/caf\xe9.txt"
    try:
        Path(os.fsdecode(raw)).write_bytes(b"content")
    except OSError:
        return  # this system's names are always Unicode
    (ref,) = source(folder).list()
    assert ref.key.encode() == b"caf\\xe9.txt"
    assert source(folder).open(ref) == b"content"


def test_a_changed_document_is_not_handed_out_as_the_listed_one(folder: Path) -> None:
    path = write(folder, "a.txt")
    connector = source(folder)
    (ref,) = connector.list()
    path.write_text("another")
    with pytest.raises(ChangedWhileReading):
        connector.open(ref)
    path.unlink()
    with pytest.raises(ChangedWhileReading):
        connector.open(ref)
    os.mkfifo(path)
    with pytest.raises(ChangedWhileReading):
        connector.open(ref)


def test_a_document_over_the_limit_is_not_read(folder: Path) -> None:
    write(folder, "a.txt", "12345")
    connector = source(folder)
    (ref,) = connector.list()
    assert connector.open(ref, 5) == b"12345"
    with pytest.raises(TooLarge):
        connector.open(ref, 4)
    unknown = DocumentRef(ref.key, ref.uri, ref.version, -1, ref.acl)
    with pytest.raises(TooLarge):
        connector.open(unknown, 4)


def test_a_reference_to_another_place_is_not_opened(folder: Path) -> None:
    secret = write(folder.parent, "secret.txt")
    for uri in (f"file://{secret}", f"file://{folder}/../secret.txt"):
        with pytest.raises(SourceUnavailable):
            source(folder).open(DocumentRef("a", uri, "", 4, ()))


def test_an_unreadable_document_is_unavailable_and_its_name_stays_out(folder: Path) -> None:
    path = write(folder, "maria.txt")
    connector = source(folder)
    (ref,) = connector.list()
    path.chmod(0)
    folder.parent.chmod(0o755)
    for above in folder.parent.parents:
        if above.stat().st_uid == os.getuid() and "pytest" in above.name:
            above.chmod(0o755)
    with nobody(), pytest.raises(SourceUnavailable) as caught:
        connector.open(ref)
    assert "maria" not in str(caught.value)


def test_a_missing_folder_says_so(folder: Path) -> None:
    with pytest.raises(ListingFailed, match="There is no folder") as caught:
        list(source(folder / "nowhere").list())
    assert caught.value.hint


def test_a_file_is_not_a_folder(folder: Path) -> None:
    with pytest.raises(ListingFailed, match="not a folder"):
        list(source(write(folder, "a.txt")).list())


def test_a_folder_that_may_not_be_read_fails_the_listing(folder: Path) -> None:
    write(folder, "a.txt")
    write(folder, "locked/b.txt")
    (folder / "locked").chmod(0)
    for above in folder.parents:
        if above.stat().st_uid == os.getuid() and "pytest" in above.name:
            above.chmod(0o755)
    folder.parent.chmod(0o755)
    seen: list[DocumentRef] = []
    try:
        with nobody(), pytest.raises(ListingFailed, match="refused"):
            seen.extend(source(folder).list())
    finally:
        (folder / "locked").chmod(0o755)
    assert seen == []


def test_links_out_of_the_folder_to_folders_and_to_nothing_are_refused(folder: Path) -> None:
    write(folder.parent, "secret.txt")
    write(folder, "real/a.txt")
    (folder / "out.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "loop").symlink_to(folder)
    (folder / "gone.txt").symlink_to(folder / "nothing")
    (folder / "self").symlink_to(folder / "self")
    connector = source(folder)
    assert keys(connector) == ["real/a.txt"]
    assert [code for _, code in codes(connector)] == ["link_refused"] * 4


def test_a_link_has_the_rights_of_what_it_points_to(folder: Path) -> None:
    write(folder, "hr/pay.txt")
    write(folder, "hr/.acl.yaml", "allow: [group:hr]")
    write(folder, "private/x.txt")
    (folder / "public.txt").symlink_to(folder / "hr/pay.txt")
    (folder / "way-round.txt").symlink_to(folder / "private/x.txt")
    found = {ref.key: ref for ref in source(folder, exclude=("private/**",)).list()}
    assert set(found) == {"hr/pay.txt", "public.txt"}
    assert found["public.txt"].acl == ("group:hr",)
    assert source(folder).open(found["public.txt"]) == b"text"


def test_a_sidecar_changes_rights_and_not_the_version(folder: Path) -> None:
    write(folder, "a.txt")
    (before,) = source(folder).list()
    write(folder, "a.txt.acl.yaml", "allow: [group:hr]")
    (after,) = source(folder).list()
    assert (before.acl, after.acl) == (STAFF, ("group:hr",))
    assert before.version == after.version


def test_a_folders_sidecar_holds_below_it(folder: Path) -> None:
    for key in ("a.txt", "hr/b.txt", "hr/x/c.txt", "hr/x/d.txt"):
        write(folder, key)
    write(folder, "hr/.acl.json", '{"allow": ["group:hr"]}')
    write(folder, "hr/x/d.txt.acl.yml", "allow: [user:ana]")
    assert [ref.acl for ref in source(folder).list()] == [
        STAFF, ("group:hr",), ("group:hr",), ("user:ana",),
    ]  # fmt: skip


def test_a_sidecar_that_is_not_understood_lets_nobody_in(folder: Path) -> None:
    for key in ("a.txt", "b.txt", "c.txt", "d/e.txt"):
        write(folder, key)
    write(folder, "a.txt.acl.yaml", "allow: everybody")
    write(folder, "b.txt.acl.yaml", "allow: [group:hr]")
    write(folder, "b.txt.acl.json", '{"allow": ["group:all"]}')
    (folder / "c.txt.acl.yaml").symlink_to(folder.parent / "acl.yaml")
    write(folder.parent, "acl.yaml", "allow: [group:all]")
    write(folder, "d/.acl.yaml", "deny: [group:all]")
    connector = source(folder)
    assert [ref.acl for ref in connector.list()] == [()] * 4
    assert codes(connector) == [
        ("a.txt.acl.yaml", "sidecar_malformed"),
        ("b.txt.acl.json", "sidecar_ambiguous"),
        ("c.txt.acl.yaml", "link_refused"),
        ("d/.acl.yaml", "sidecar_malformed"),
    ]


def test_a_sidecar_without_its_document_is_reported(folder: Path) -> None:
    write(folder, "pay.txt")
    write(folder, "pai.txt.acl.yaml", "allow: [group:hr]")
    connector = source(folder)
    assert keys(connector) == ["pay.txt"]
    assert codes(connector) == [("pai.txt.acl.yaml", "sidecar_orphaned")]


def test_warnings_do_not_show_names_when_printed(folder: Path) -> None:
    write(folder, "maria.txt.acl.yaml", "allow: [group:hr]")
    connector = source(folder)
    assert keys(connector) == []
    assert "maria" not in repr(connector.warnings)


def test_options_of_a_local_folder_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigError):
        source(folder, options={"username": "ana"})


def test_a_folder_of_thousands_of_files_is_listed_in_linear_time(folder: Path) -> None:
    def listed(count: int) -> None:
        own = folder / str(count)
        if not own.exists():
            own.mkdir()
            for number in range(count):
                (own / f"{number}.txt").touch()
        assert len(keys(source(own))) == count

    listed(2_000)  # makes the files
    linear(listed, 2_000)


def test_a_local_folder_needs_no_library_of_remote_systems(folder: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from connectors import connect;"
        "from rag.config import Source;"
        f"list(connect(Source(url={str(folder)!r}), Path()).list());"
        "print(*{'s3fs', 'paramiko', 'fsspec', 'aiobotocore', 'airflow'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
