from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.config import MaxDelete
from rag.errors import ListingFailed, MassDeletion
from rag.ingest.plan import Listed, Plan, Work, plan, shards
from rag.ledger import DocumentEntry, Fingerprints, LedgerView, QuarantineEntry
from rag.records import DocumentRef
from tests.masked import masked
from tests.pace import linear

STEPS = Fingerprints("p1", "m1", "c1", "e1")
ANY = MaxDelete(share=1, count=10**9)
STAFF = ("group:staff",)


def listed(
    name: str,
    version: str = "v1",
    *,
    size: int = 10,
    acl: tuple[str, ...] = STAFF,
    content: str = "",
) -> Listed:
    return Listed(name, DocumentRef(f"raw/{name}", f"file:{name}", version, size, acl), content)


def entry(name: str, version: str = "v1", **changes: object) -> DocumentEntry:
    made = DocumentEntry(
        document_id=name,
        name=masked(f"masked {name}"),
        sealed_key="sealed",
        version=version,
        size=10,
        content_id=f"content of {name}",
        media_type="text/plain",
        title=masked(""),
        acl=STAFF,
        fingerprints=STEPS,
        digest="d",
        chunk_count=1,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def failed(name: str, version: str = "v1", **changes: object) -> QuarantineEntry:
    made = QuarantineEntry(
        document_id=name,
        name=masked(f"masked {name}"),
        sealed_key="sealed",
        version=version,
        step="parse",
        code="corrupt",
        reason=masked(""),
        action=masked(""),
        fingerprint=STEPS.up_to("parse"),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def view(
    *documents: DocumentEntry,
    quarantine: Iterable[QuarantineEntry] = (),
    unsettled: Iterable[str] = (),
) -> LedgerView:
    return LedgerView(
        {one.document_id: one for one in documents},
        {one.document_id: one for one in quarantine},
        frozenset(unsettled),
    )


def ids(works: Sequence[Work]) -> list[str]:
    return [one.document_id for one in works]


def test_an_unseen_document_is_new() -> None:
    made = plan([listed("a")], view(), STEPS, ANY)
    assert [(one.document_id, one.why) for one in made.new] == [("a", "new")]
    assert made.work == made.new


def test_the_same_listing_again_needs_nothing() -> None:
    made = plan([listed("a"), listed("b")], view(entry("a"), entry("b")), STEPS, ANY)
    assert made == Plan(unchanged=("a", "b"))


@pytest.mark.parametrize("new", [listed("a", "v2"), listed("a", size=11)])
def test_another_version_or_size_is_a_change(new: Listed) -> None:
    made = plan([new], view(entry("a")), STEPS, ANY)
    assert [(one.document_id, one.why) for one in made.changed] == [("a", "version")]


@pytest.mark.parametrize("step", ["parse", "mask", "chunk", "embed"])
def test_a_changed_step_redoes_documents_and_is_named(step: str) -> None:
    now = replace(STEPS, **{step: "2"})
    made = plan([listed("a")], view(entry("a")), now, ANY)
    assert [one.why for one in made.changed] == [step]


def test_of_several_changed_steps_the_first_is_named() -> None:
    now = replace(STEPS, mask="2", embed="2")
    assert [one.why for one in plan([listed("a")], view(entry("a")), now, ANY).changed] == ["mask"]


def test_a_document_that_a_target_lacks_is_put_there() -> None:
    made = plan([listed("a"), listed("b")], view(entry("a"), entry("b"), unsettled="a"), STEPS, ANY)
    assert [(one.document_id, one.why) for one in made.changed] == [("a", "target")]
    assert made.unchanged == ("b",)


def test_a_full_refresh_redoes_everything_but_deletes_nothing_more() -> None:
    ledger = view(entry("a"), quarantine=[failed("b")])
    made = plan([listed("a"), listed("b")], ledger, STEPS, ANY, full_refresh=True)
    assert [one.why for one in made.changed] == ["refresh"]
    assert ids(made.retried) == ["b"]
    assert made.gone() == ()


# Rights


def test_a_change_of_rights_does_not_read_the_document() -> None:
    made = plan([listed("a", acl=("user:ann",))], view(entry("a")), STEPS, ANY)
    assert ids(made.acl_only) == ["a"]
    assert made.work == ()
    assert [(one.document_id, one.acl) for one in made.rights] == [("a", ("user:ann",))]


def test_the_order_of_rights_means_nothing() -> None:
    ledger = view(entry("a", acl=("user:ann", "user:bob")))
    made = plan([listed("a", acl=("user:bob", "user:ann"))], ledger, STEPS, ANY)
    assert made.unchanged == ("a",)


def test_taking_a_right_away_does_not_wait_for_the_new_version() -> None:
    made = plan([listed("a", "v2", acl=())], view(entry("a")), STEPS, ANY)
    assert ids(made.changed) == ["a"]
    assert [(one.document_id, one.acl) for one in made.rights] == [("a", ())]


def test_rights_of_a_served_version_change_while_a_newer_one_is_in_quarantine() -> None:
    ledger = view(entry("a"), quarantine=[failed("a", "v2")])
    made = plan([listed("a", "v2", acl=())], ledger, STEPS, ANY)
    assert ids(made.acl_only) == ["a"]
    assert made.work == ()


# Quarantine


def test_a_quarantined_document_is_not_tried_again_for_nothing() -> None:
    made = plan([listed("a")], view(quarantine=[failed("a")]), STEPS, ANY)
    assert made == Plan(skipped=("a",))


@pytest.mark.parametrize("served", [(), (entry("a", "v0"),)])
def test_a_quarantined_document_is_tried_again_when_it_changes(
    served: tuple[DocumentEntry, ...],
) -> None:
    made = plan([listed("a", "v2")], view(*served, quarantine=[failed("a")]), STEPS, ANY)
    assert [(one.document_id, one.why) for one in made.retried] == [("a", "retry")]


def test_a_quarantined_document_is_tried_again_when_its_step_changes() -> None:
    ledger = view(
        quarantine=[failed("a"), failed("b", step="mask", fingerprint=STEPS.up_to("mask"))]
    )
    both = [listed("a"), listed("b")]
    assert ids(plan(both, ledger, replace(STEPS, mask="2"), ANY).retried) == ["b"]
    assert ids(plan(both, ledger, replace(STEPS, parse="2"), ANY).retried) == ["a", "b"]
    assert ids(plan(both, ledger, replace(STEPS, embed="2"), ANY).retried) == []


def test_a_failure_that_was_not_the_documents_is_tried_again_each_time() -> None:
    made = plan([listed("a")], view(quarantine=[failed("a", transient=True)]), STEPS, ANY)
    assert ids(made.retried) == ["a"]


def test_a_document_is_read_again_for_an_attachment_that_may_succeed_now() -> None:
    inside = failed("m1", parent_id="mail", transient=True)
    made = plan([listed("mail")], view(entry("mail"), quarantine=[inside]), STEPS, ANY)
    assert ids(made.retried) == ["mail"]


def test_a_failed_attachment_alone_is_no_reason_to_read_a_document_again() -> None:
    ledger = view(entry("mail"), quarantine=[failed("m1", parent_id="mail")])
    assert plan([listed("mail")], ledger, STEPS, ANY).unchanged == ("mail",)


def test_a_vanished_quarantined_document_is_forgotten() -> None:
    ledger = view(entry("a"), quarantine=[failed("b"), failed("m", parent_id="b")])
    made = plan([listed("a")], ledger, STEPS, MaxDelete(share=0, count=0))
    assert made.forgotten == ("b",)
    assert made.gone() == ("b",)


# Deletions


def test_a_vanished_document_is_deleted_with_its_attachments() -> None:
    ledger = view(entry("a"), entry("mail"), entry("m1", parent_id="mail"))
    made = plan([listed("a")], ledger, STEPS, ANY)
    assert [(one.document_id, one.name) for one in made.deleted] == [("mail", "masked mail")]
    assert made.gone() == ("mail",)


def test_an_empty_listing_deletes_nothing() -> None:
    for ledger in (view(entry("a")), view(quarantine=[failed("a")])):
        with pytest.raises(ListingFailed) as caught:
            plan([], ledger, STEPS, ANY)
        assert "--allow-mass-delete" in caught.value.hint
        made = plan([], ledger, STEPS, ANY, allow_mass_delete=True)
        assert made.gone() == ("a",)


def test_an_empty_source_and_an_empty_ledger_agree() -> None:
    assert plan([], view(), STEPS, ANY) == Plan()


def test_a_document_listed_twice_stops_the_run() -> None:
    with pytest.raises(ListingFailed, match="1 documents more than once"):
        plan([listed("a"), listed("a", "v2")], view(), STEPS, ANY)


@pytest.mark.parametrize(
    ("gone", "share", "count", "allowed"),
    [
        (5, 0.2, 5, True),  # share exceeded, count not
        (5, 0.5, 1, True),  # count exceeded, share not
        (6, 0.5, 5, False),
        (1, 0.0, 0, False),
        (0, 0.0, 0, True),
    ],
)
def test_deletions_beyond_share_and_count_stop_the_run(
    gone: int, share: float, count: int, allowed: bool
) -> None:
    ledger = view(*(entry(f"d{number}") for number in range(10)))
    left = [listed(f"d{number}") for number in range(gone, 10)]
    limit = MaxDelete(share=share, count=count)
    if allowed:
        assert len(plan(left, ledger, STEPS, limit).deleted) == gone
        return
    with pytest.raises(MassDeletion) as caught:
        plan(left, ledger, STEPS, limit)
    assert caught.value.documents == tuple(f"masked d{number}" for number in range(gone))
    assert "raw" not in str(caught.value)
    assert len(plan(left, ledger, STEPS, limit, allow_mass_delete=True).deleted) == gone


def test_renaming_everything_is_no_mass_deletion() -> None:
    ledger = view(*(entry(f"d{number}", f"v{number}") for number in range(50)))
    renamed = [listed(f"e{number}", f"v{number}") for number in range(50)]
    made = plan(renamed, ledger, STEPS, MaxDelete(share=0, count=0))
    assert len(made.moved) == 50
    assert made.deleted == ()


# Moves


def test_a_renamed_document_is_moved() -> None:
    made = plan([listed("b")], view(entry("a")), STEPS, ANY)
    assert [(one.document_id, one.why, one.moved_from) for one in made.moved] == [
        ("b", "moved", "a")
    ]
    assert made.deleted == ()
    assert made.gone() == ("a",)


def test_a_move_that_fails_keeps_what_is_served() -> None:
    made = plan([listed("b")], view(entry("a")), STEPS, ANY)
    assert made.gone(failed={"b"}) == ()
    again = plan(
        [listed("b")], view(entry("a"), quarantine=[failed("b", transient=True)]), STEPS, ANY
    )
    assert [(one.why, one.moved_from) for one in again.retried] == [("retry", "a")]
    assert again.gone() == ("a",)


def test_content_tells_a_move_better_than_version_and_size() -> None:
    ledger = view(entry("a", content_id="other"), entry("z", "v0", content_id="same", size=7))
    made = plan([listed("new", content="same")], ledger, STEPS, ANY)
    assert [one.moved_from for one in made.moved] == ["z"]
    assert [one.document_id for one in made.deleted] == ["a"]


def test_a_vanished_document_is_matched_once_and_always_the_same() -> None:
    ledger = view(entry("a"), entry("b"))
    new = [listed("x"), listed("y"), listed("z")]
    made = plan(new, ledger, STEPS, ANY)
    assert [(one.document_id, one.moved_from) for one in made.moved] == [("x", "a"), ("y", "b")]
    assert ids(made.new) == ["z"]
    assert plan(reversed(new), view(entry("b"), entry("a")), STEPS, ANY) == made


def test_a_copy_is_not_a_move() -> None:
    made = plan([listed("a"), listed("b")], view(entry("a")), STEPS, ANY)
    assert ids(made.new) == ["b"]


def test_a_source_without_versions_has_no_moves() -> None:
    made = plan([listed("b", "")], view(entry("a", "")), STEPS, ANY)
    assert ids(made.new) == ["b"]


def test_a_moved_document_is_never_wider_open_than_before_and_after() -> None:
    ledger = view(entry("a", acl=("user:ann", "user:bob")))
    made = plan([listed("b", acl=("user:bob", "user:eve"))], ledger, STEPS, ANY)
    assert [(one.document_id, one.acl) for one in made.rights] == [("a", ("user:bob",))]


def test_a_raw_name_does_not_show_in_a_plan() -> None:
    assert "raw/" not in repr(plan([listed("a")], view(), STEPS, ANY))
    assert "raw/" not in repr(listed("a"))


# For all listings and ledgers

names = st.sampled_from([f"{letter}{number}" for letter in "abc" for number in range(4)])
versions = st.sampled_from(["v1", "v2", ""])
acls = st.sampled_from([(), STAFF, ("user:ann",)])
steps = st.builds(Fingerprints, *(st.sampled_from([f"{step}1", f"{step}2"]) for step in "pmce"))
listings = st.dictionaries(
    names,
    st.builds(
        lambda version, size, acl, content: (version, size, acl, content),
        versions,
        st.sampled_from([10, 11, -1]),
        acls,
        st.sampled_from(["", "one", "two"]),
    ),
).map(
    lambda found: [
        listed(name, version, size=size, acl=acl, content=content)
        for name, (version, size, acl, content) in found.items()
    ]
)


@st.composite
def ledgers(draw: st.DrawFn) -> LedgerView:
    documents = [
        entry(
            name,
            draw(versions),
            size=draw(st.sampled_from([10, 11])),
            acl=draw(acls),
            fingerprints=draw(steps),
            content_id=draw(st.sampled_from(["one", "two", "three"])),
        )
        for name in draw(st.sets(names))
    ]
    attached = [
        entry(f"{one.document_id}/0", parent_id=one.document_id)
        for one in documents
        if draw(st.booleans())
    ]
    waiting = [
        failed(
            f"{name}/1" if inside else name,
            draw(versions),
            transient=draw(st.booleans()),
            fingerprint=draw(steps).up_to("parse"),
            parent_id=name if inside else None,
        )
        for name, inside in draw(st.sets(st.tuples(names, st.booleans()), max_size=4))
    ]
    unsettled = (
        draw(st.sets(st.sampled_from([one.document_id for one in documents])))
        if (documents)
        else ()
    )
    return view(*documents, *attached, quarantine=waiting, unsettled=unsettled)


@given(listings, ledgers(), steps, st.booleans())
@settings(deadline=None, max_examples=100)
def test_each_document_is_in_exactly_one_class(
    listing: list[Listed], ledger: LedgerView, now: Fingerprints, refresh: bool
) -> None:
    made = plan(listing, ledger, now, ANY, allow_mass_delete=True, full_refresh=refresh)
    classes = (made.new, made.changed, made.moved, made.retried, made.acl_only)
    seen = [*chain.from_iterable(map(ids, classes)), *made.unchanged, *made.skipped]
    assert sorted(seen) == sorted(one.document_id for one in listing)

    present = {one.document_id for one in listing}
    served = {one.root_id for one in ledger.documents.values()}
    origins = [one.moved_from for one in made.work if one.moved_from]
    vanished = [*(one.document_id for one in made.deleted), *origins]
    assert sorted(vanished) == sorted(served - present)

    waiting = {one.root_id for one in ledger.quarantine.values()}
    assert set(made.forgotten) == waiting - present - served
    assert (
        plan(listing[::-1], ledger, now, ANY, allow_mass_delete=True, full_refresh=refresh) == made
    )


def apply(made: Plan, ledger: LedgerView, now: Fingerprints) -> LedgerView:
    """Do a plan, every document succeeding, as `rag.ledger.documents` records it."""
    gone, done = set(made.gone()), {one.document_id: one for one in made.work}
    documents = {
        name: one
        for name, one in ledger.documents.items()
        if one.root_id not in gone and (name in done or one.root_id not in done)
    }
    rights = {one.document_id: one.acl for one in made.rights}
    for name, one in documents.items():
        documents[name] = replace(one, acl=rights.get(one.root_id, one.acl))
    for name, work in done.items():
        documents[name] = entry(
            name, work.ref.version, size=work.ref.size, acl=work.ref.acl, fingerprints=now
        )
    quarantine = [
        one
        for one in ledger.quarantine.values()
        if one.root_id not in gone and one.root_id not in done and one.document_id not in done
    ]
    return view(*documents.values(), quarantine=quarantine)


@given(listings, ledgers(), steps)
@settings(deadline=None, max_examples=100)
def test_a_plan_that_was_done_leaves_nothing_to_do(
    listing: list[Listed], ledger: LedgerView, now: Fingerprints
) -> None:
    made = plan(listing, ledger, now, ANY, allow_mass_delete=True)
    after = apply(made, ledger, now)
    again = plan(listing, after, now, MaxDelete(share=0, count=0), allow_mass_delete=not listing)
    assert again == Plan(unchanged=again.unchanged, skipped=again.skipped)
    assert set(again.skipped) <= set(made.skipped) | set(ids(made.acl_only))


# Shards


def works(sizes: Sequence[int]) -> Plan:
    return Plan(
        new=tuple(
            Work(f"{number:04}", listed(f"{number:04}", size=size).ref, "new")
            for number, size in enumerate(sizes)
        )
    )


@given(
    st.lists(st.integers(-1, 10**7), max_size=200),
    st.integers(1, 50),
    st.integers(1, 4),
)
@settings(deadline=None)
def test_shards_hold_each_document_once_within_their_size(
    sizes: list[int], size: int, workers: int
) -> None:
    made = works(sizes)
    cut = shards(made, size, workers)
    assert sorted(ids([*chain.from_iterable(cut.values())])) == ids(made.new)
    assert all(0 < len(members) <= size for members in cut.values())
    assert shards(replace(made, new=made.new[::-1]), size, workers) == cut


def test_shards_are_balanced_by_bytes_and_mix_sizes() -> None:
    cut = shards(works([number * 1000 for number in range(1, 401)]), 100)
    loads = [sum(one.ref.size for one in members) for members in cut.values()]
    assert len(loads) == 4
    assert max(loads) / min(loads) < 1.1
    assert all(ids(members) == sorted(ids(members)) for members in cut.values())


def test_a_giant_does_not_share_its_shard_evenly() -> None:
    cut = shards(works([30_000_000] + [1000] * 99), 60)
    first, second = cut.values()
    assert first[0].ref.size == 30_000_000
    assert len(first) == 40
    assert len(second) == 60


def test_the_number_of_shards_keeps_all_workers_busy() -> None:
    assert len(shards(works([1000] * 1400), 200)) == 7
    assert len(shards(works([1000] * 1400), 200, workers=2)) == 8
    assert len(shards(works([1000] * 20), 200, workers=2)) == 2
    assert len(shards(works([1000] * 3), 200, workers=2)) == 1


def test_a_shards_id_says_what_is_in_it() -> None:
    same = works([1, 2, 3])
    other = Plan(new=(*same.new[:2], replace(same.new[2], ref=listed("0002", "v2").ref)))
    assert list(shards(same, 10)) == list(shards(works([1, 2, 3]), 10))
    assert list(shards(same, 10)) != list(shards(other, 10))


def test_a_plan_over_many_documents_takes_linear_time() -> None:
    def planned(count: int) -> None:
        ledger = view(*(entry(f"d{number}", f"v{number}") for number in range(count)))
        moved = [listed(f"e{number}", f"v{number}") for number in range(count)]
        made = plan(moved, ledger, STEPS, ANY)
        assert len(shards(made, 200)) == -(-count // 200)
        assert len(made.moved) == count

    linear(planned, 10_000)
