"""Model replies: one flight of a key over all processes, and a bounded cache."""

import asyncio
import hashlib
from typing import TypeVar

import pytest
from sqlalchemy import func, select
from tests.store.conftest import Storage

from amazonia.ports import Flight
from amazonia.store import tables
from amazonia.store.database import Database, Job, OpenDatabase
from amazonia.store.replies import FORGET_EVERY, ROW_BYTES, STUCK, StoredReplies

T = TypeVar("T")
SAID = ("Ora, ora.", "Dona Cida não viu nada, «nada»!")


def key_of(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


KEY = key_of("a question")


class Living:
    """Owners of whom a test says which are dead."""

    def __init__(self) -> None:
        self.dead: set[str] = set()

    def __call__(self, owner: str) -> bool:
        return owner not in self.dead


class Asked:
    """A database that tells when it was asked to write."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.to_write = asyncio.Event()

    async def read(self, job: Job[T]) -> T:
        return await self._database.read(job)

    async def write(self, job: Job[T]) -> T:
        self.to_write.set()
        return await self._database.write(job)


@pytest.fixture
def living() -> Living:
    return Living()


@pytest.fixture
def a(here: OpenDatabase, living: Living) -> StoredReplies:
    return StoredReplies(here, living)


@pytest.fixture
def b(there: OpenDatabase, living: Living) -> StoredReplies:
    return StoredReplies(there, living)


async def bytes_kept(database: OpenDatabase) -> int:
    total = select(func.coalesce(func.sum(tables.replies.c.bytes), 0))
    rows = await database.read(lambda tx: tx.rows(total, {}))
    size: int = rows[0][0]
    return size


async def keep(replies: StoredReplies, key: str, at: float) -> None:
    assert (await replies.claim(key, "a", at)).how == "lead"
    assert await replies.finish(key, "a", SAID, at)


# ── one flight ──────────────────────────────────────────────────────────────────────────────────


async def test_one_leads_and_the_others_follow(a: StoredReplies, b: StoredReplies) -> None:
    """The second process sees what the first said so far, and at last the whole reply."""
    assert await a.claim(KEY, "a", 1.0) == Flight("lead", (), "a")
    assert await b.claim(KEY, "b", 1.1) == Flight("follow", (), "a")
    assert await a.say(KEY, "a", SAID[:1])
    assert await b.look([KEY, key_of("other")]) == {KEY: Flight("follow", SAID[:1], "a")}
    assert await a.finish(KEY, "a", SAID, 2.0)
    assert await b.look([KEY]) == {KEY: Flight("done", SAID, "a")}
    assert await b.claim(KEY, "b", 3.0) == Flight("done", SAID, "a")


async def test_of_many_at_the_same_instant_one_leads(a: StoredReplies, b: StoredReplies) -> None:
    """Two processes claim sixty keys at once; each key has one leader and one follower."""
    keys = [key_of(i) for i in range(60)]
    ours, theirs = await asyncio.gather(
        asyncio.gather(*(a.claim(key, "a", 1.0) for key in keys)),
        asyncio.gather(*(b.claim(key, "b", 1.0) for key in keys)),
    )
    for mine, other in zip(ours, theirs, strict=True):
        assert {mine.how, other.how} == {"lead", "follow"}
        assert mine.owner == other.owner


async def test_a_dead_leader_s_flight_is_taken_over_once(
    a: StoredReplies, b: StoredReplies, living: Living
) -> None:
    """Of those who find the leader dead one leads, from the first sentence, and the rest follow."""
    await a.claim(KEY, "dead", 1.0)
    await a.say(KEY, "dead", SAID)
    living.dead.add("dead")
    flights = await asyncio.gather(a.claim(KEY, "a", 2.0), b.claim(KEY, "b", 2.0))
    leader = next(flight.owner for flight in flights if flight.how == "lead")
    assert sorted(flight.how for flight in flights) == ["follow", "lead"]
    assert set(flights) == {Flight("lead", (), leader), Flight("follow", (), leader)}


async def test_a_cancelled_claim_leads_nothing(
    here: OpenDatabase, b: StoredReplies, living: Living, storage: Storage
) -> None:
    """Whoever goes away while the claim waits for the disk leaves no flight without a leader."""
    asked = Asked(here)
    async with storage.held():
        claim = asyncio.ensure_future(StoredReplies(asked, living).claim(KEY, "a", 1.0))
        await asked.to_write.wait()
        claim.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claim
    assert await b.look([KEY]) == {}
    assert (await b.claim(KEY, "b", 1.0)).how == "lead"


async def test_a_flight_without_an_end_is_nobody_s_at_last(
    a: StoredReplies, b: StoredReplies
) -> None:
    """If its owner lives but could not write the end, the key is free after some time."""
    await a.claim(KEY, "a", 1.0)
    assert (await b.claim(KEY, "b", STUCK)).how == "follow"
    assert (await b.claim(KEY, "b", 1.0 + STUCK)).how == "lead"
    assert not await a.finish(KEY, "a", SAID, 2.0 + STUCK)


async def test_a_leader_that_lost_its_flight_writes_nothing(
    a: StoredReplies, b: StoredReplies, living: Living
) -> None:
    """Taken for dead and back again, it can neither speak, finish nor end the other's flight."""
    await a.claim(KEY, "a", 1.0)
    living.dead.add("a")
    assert (await b.claim(KEY, "b", 2.0)).how == "lead"
    assert await b.say(KEY, "b", SAID[:1])
    assert not await a.say(KEY, "a", ["late"])
    assert not await a.finish(KEY, "a", ["late"], 3.0)
    await a.give_up(KEY, "a", 3.0, failed=True)
    await a.give_up(KEY, "a", 3.0, failed=False)
    assert await a.look([KEY]) == {KEY: Flight("follow", SAID[:1], "b")}


async def test_a_complete_reply_stays(a: StoredReplies) -> None:
    """Its leader cannot change it or take it back."""
    await keep(a, KEY, 1.0)
    assert not await a.say(KEY, "a", ["more"])
    assert not await a.finish(KEY, "a", ["more"], 2.0)
    await a.give_up(KEY, "a", 2.0, failed=True)
    await a.give_up(KEY, "a", 2.0, failed=False)
    assert await a.look([KEY]) == {KEY: Flight("done", SAID, "a")}


async def test_an_abandoned_flight_is_free(a: StoredReplies, b: StoredReplies) -> None:
    """The next claim leads."""
    await a.claim(KEY, "a", 1.0)
    await a.give_up(KEY, "a", 1.5, failed=False)
    assert await a.look([KEY]) == {}
    assert (await b.claim(KEY, "b", 1.5)).how == "lead"


async def test_a_failed_flight_is_left_alone_for_a_moment(
    a: StoredReplies, b: StoredReplies
) -> None:
    """Everybody is told that it failed, and none of its sentences; two seconds later one leads."""
    await a.claim(KEY, "a", 1.0)
    await a.say(KEY, "a", SAID)
    await a.give_up(KEY, "a", 5.0, failed=True)
    assert await b.look([KEY]) == {KEY: Flight("failed", (), "a")}
    assert await b.claim(KEY, "b", 6.9) == Flight("failed", (), "a")
    assert await b.claim(KEY, "b", 7.0) == Flight("lead", (), "b")
    assert (await a.claim(KEY, "a", 7.1)).how == "follow"


async def test_a_hit_needs_no_lock(a: StoredReplies, storage: Storage) -> None:
    """A reply, a failure and somebody else's flight are told while another process writes."""
    await keep(a, KEY, 1.0)
    await a.claim(key_of("running"), "c", 999.0)
    await a.claim(key_of("failed"), "a", 1.0)
    await a.give_up(key_of("failed"), "a", 1000.0, failed=True)
    async with storage.held(), asyncio.timeout(2.0):
        assert (await a.claim(KEY, "a", 1000.0)).how == "done"
        assert (await a.claim(key_of("running"), "a", 1000.0)).how == "follow"
        assert (await a.claim(key_of("failed"), "a", 1000.0)).how == "failed"


# ── the cache ───────────────────────────────────────────────────────────────────────────────────


async def test_the_cache_is_bounded_by_bytes(
    here: OpenDatabase, there: OpenDatabase, living: Living
) -> None:
    """Two processes keep many replies; never more than the bound and what one round adds."""
    row = len('["Ora, ora.","Dona Cida não viu nada, «nada»!"]'.encode()) + ROW_BYTES
    bound = 100 * row
    stores = [StoredReplies(database, living, most_bytes=bound) for database in (here, there)]
    for i in range(8 * FORGET_EVERY):
        await keep(stores[i % 2], key_of(i), float(i))
        if i % 50 == 0:
            assert await bytes_kept(here) <= bound + 2 * FORGET_EVERY * row
    last = 8 * FORGET_EVERY
    await keep(StoredReplies(here, living, most_bytes=bound), key_of(last), float(last))
    assert await bytes_kept(there) == bound
    kept = await stores[0].look([key_of(i) for i in range(last + 1)])
    assert list(kept) == [key_of(i) for i in range(last - 99, last + 1)]


async def test_what_is_used_stays(here: OpenDatabase, living: Living) -> None:
    """A reply that was asked for lately outlives newer ones that were not."""
    replies = StoredReplies(here, living)
    for i in range(10):
        await keep(replies, key_of(i), float(i))
    assert (await replies.claim(key_of(0), "a", 100.0)).how == "done"
    assert (await replies.claim(key_of(1), "a", 50.0)).how == "done"  # within the minute
    await keep(replies, key_of(10), 101.0)
    half = await bytes_kept(here) * 3 // 11
    small = StoredReplies(here, living, most_bytes=half)
    await keep(small, key_of(11), 102.0)
    kept = await small.look([key_of(i) for i in range(12)])
    assert list(kept) == [key_of(0), key_of(10), key_of(11)]


async def test_a_running_flight_is_not_forgotten_for_room(
    here: OpenDatabase, living: Living
) -> None:
    """Only complete replies make room; one larger than the bound goes at once."""
    replies = StoredReplies(here, living, most_bytes=10)
    await replies.claim(key_of("running"), "b", 1.0)
    await replies.say(key_of("running"), "b", SAID)
    await keep(replies, KEY, 2.0)
    assert list(await replies.look([KEY, key_of("running")])) == [key_of("running")]


async def test_leftovers_are_swept(here: OpenDatabase, living: Living) -> None:
    """Old failures and flights that nobody ended go when room is made."""
    replies = StoredReplies(here, living)
    names = ["running", "failed", "stuck", "new"]
    for name in names:
        await replies.claim(key_of(name), name, 10.0 if name == "new" else 1.0)
    await StoredReplies(here, living).give_up(key_of("failed"), "failed", 1.0, failed=True)
    await keep(replies, KEY, 1.0 + STUCK + 1.0)
    kept = await replies.look([key_of(name) for name in names])
    assert list(kept) == [key_of("new")]


async def test_clearing_forgets_everything(a: StoredReplies, b: StoredReplies) -> None:
    """It counts the complete replies; a flight under way ends in nothing."""
    await keep(a, KEY, 1.0)
    await keep(a, key_of("second"), 1.0)
    await b.claim(key_of("running"), "b", 1.0)
    assert await a.clear() == 2
    assert await a.clear() == 0
    assert not await b.finish(key_of("running"), "b", SAID, 2.0)
    assert await a.look([KEY, key_of("second"), key_of("running")]) == {}
