"""What every keeper of model replies promises: the database, and Redis for all machines."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.redis import RedisServer, SlowProxy, patient_link

from amazonia.errors import StoreDown
from amazonia.fabric.redis import replies as in_redis
from amazonia.fabric.redis.link import MOST_STRIKES, PATIENCE, Link, Lost, open_client
from amazonia.fabric.redis.replies import RedisReplies
from amazonia.fabric.replies import SharedReplies
from amazonia.ports import Flight, Replies
from amazonia.store.migrate import migrate_sqlite
from amazonia.store.replies import StoredReplies
from amazonia.store.sqlite import SqliteDatabase

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


class Age:
    """The epoch of a test."""

    number = 1

    def __call__(self) -> int:
        return self.number


@pytest.fixture
def living() -> Living:
    return Living()


@pytest.fixture
def age() -> Age:
    return Age()


async def open_stored(stack: AsyncExitStack, folder: Path, living: Living) -> StoredReplies:
    database = SqliteDatabase(folder / "test.sqlite3")
    stack.push_async_callback(database.close)
    return StoredReplies(database, living)


async def open_shared(
    stack: AsyncExitStack, server: RedisServer, living: Living, age: Age, most: int = 2**20
) -> tuple[RedisReplies, Link]:
    link = patient_link(await stack.enter_async_context(open_client(server.url)))
    await link.begin()
    replies = RedisReplies(link, "test:", age, living, most)
    stack.push_async_callback(link.close)
    stack.push_async_callback(replies.close)
    return replies, link


@pytest.fixture(params=["sqlite", "redis", "redis before sqlite"])
async def both(
    request: pytest.FixtureRequest, tmp_path: Path, living: Living, age: Age
) -> AsyncIterator[list[Replies]]:
    """The same replies, as two processes have them."""
    migrate_sqlite(tmp_path / "test.sqlite3")
    async with AsyncExitStack() as stack:
        found: list[Replies] = []
        for _ in range(2):
            stored = await open_stored(stack, tmp_path, living)
            if request.param == "sqlite":
                found.append(stored)
                continue
            server = request.getfixturevalue("server")
            replies, _link = await open_shared(stack, server, living, age)
            found.append(replies if request.param == "redis" else SharedReplies(replies, stored))
        yield found


@pytest.fixture
def a(both: list[Replies]) -> Replies:
    return both[0]


@pytest.fixture
def b(both: list[Replies]) -> Replies:
    return both[1]


async def keep(replies: Replies, key: str, at: float) -> None:
    assert (await replies.claim(key, "a", at)).how == "lead"
    assert await replies.finish(key, "a", SAID, at)


async def test_one_leads_and_the_others_follow(a: Replies, b: Replies) -> None:
    """The second process sees what the first said so far, and at last the whole reply."""
    assert await a.claim(KEY, "a", 1.0) == Flight("lead", (), "a")
    assert await b.claim(KEY, "b", 1.1) == Flight("follow", (), "a")
    assert await a.say(KEY, "a", SAID[:1])
    assert await b.look([KEY, key_of("other")]) == {KEY: Flight("follow", SAID[:1], "a")}
    assert await a.finish(KEY, "a", SAID, 2.0)
    assert await b.look([KEY]) == {KEY: Flight("done", SAID, "a")}
    assert await b.claim(KEY, "b", 3.0) == Flight("done", SAID, "a")


async def test_of_many_at_the_same_instant_one_leads(a: Replies, b: Replies) -> None:
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
    a: Replies, b: Replies, living: Living
) -> None:
    """Of those who find the leader dead one leads, from the first sentence, and the rest follow."""
    await a.claim(KEY, "dead", 1.0)
    await a.say(KEY, "dead", SAID)
    living.dead.add("dead")
    flights = await asyncio.gather(a.claim(KEY, "a", 2.0), b.claim(KEY, "b", 2.0))
    leader = next(flight.owner for flight in flights if flight.how == "lead")
    assert set(flights) == {Flight("lead", (), leader), Flight("follow", (), leader)}


async def test_a_leader_that_lost_its_flight_writes_nothing(
    a: Replies, b: Replies, living: Living
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


async def test_a_complete_reply_stays(a: Replies) -> None:
    """Its leader cannot change it or take it back."""
    await keep(a, KEY, 1.0)
    assert not await a.say(KEY, "a", ["more"])
    assert not await a.finish(KEY, "a", ["more"], 2.0)
    await a.give_up(KEY, "a", 2.0, failed=True)
    await a.give_up(KEY, "a", 2.0, failed=False)
    assert await a.look([KEY]) == {KEY: Flight("done", SAID, "a")}


async def test_an_abandoned_flight_is_free(a: Replies, b: Replies) -> None:
    """The next claim leads."""
    await a.claim(KEY, "a", 1.0)
    await a.give_up(KEY, "a", 1.5, failed=False)
    assert await a.look([KEY]) == {}
    assert (await b.claim(KEY, "b", 1.5)).how == "lead"


async def test_a_failed_flight_is_left_alone_for_a_moment(a: Replies, b: Replies) -> None:
    """Everybody is told that it failed, and none of its sentences; two seconds later one leads."""
    await a.claim(KEY, "a", 1.0)
    await a.say(KEY, "a", SAID)
    await a.give_up(KEY, "a", 5.0, failed=True)
    assert await b.look([KEY]) == {KEY: Flight("failed", (), "a")}
    assert await b.claim(KEY, "b", 6.9) == Flight("failed", (), "a")
    assert await b.claim(KEY, "b", 7.0) == Flight("lead", (), "b")
    assert (await a.claim(KEY, "a", 7.1)).how == "follow"


async def test_a_claim_that_is_left_leads_nothing(a: Replies, b: Replies) -> None:
    """Whoever goes away while it is on its way leaves no flight without a leader."""
    claim = asyncio.ensure_future(a.claim(KEY, "a", 1.0))
    await asyncio.sleep(0)
    claim.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claim
    await asyncio.sleep(0.05)
    assert (await b.claim(KEY, "b", 1.0)).how == "lead"


async def test_clearing_forgets_everything(a: Replies, b: Replies) -> None:
    """It counts the complete replies; a flight under way ends in nothing."""
    await keep(a, KEY, 1.0)
    await keep(a, key_of("second"), 1.0)
    await b.claim(key_of("running"), "b", 1.0)
    assert await a.clear() == 2
    assert await a.clear() == 0
    assert not await b.finish(key_of("running"), "b", SAID, 2.0)
    assert await a.look([KEY, key_of("second"), key_of("running")]) == {}


# ── Redis alone ─────────────────────────────────────────────────────────────────────────────────


async def test_another_age_knows_nothing_of_this_one(
    server: RedisServer, living: Living, age: Age
) -> None:
    """Also what could not be cleared, because Redis was away, no longer counts."""
    async with AsyncExitStack() as stack:
        replies, _ = await open_shared(stack, server, living, age)
        await keep(replies, KEY, 1.0)
        age.number += 1
        assert await replies.look([KEY]) == {}
        await keep(replies, KEY, 2.0)


async def test_a_flight_that_nobody_renews_is_free(
    server: RedisServer, living: Living, age: Age, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leader that lives renews it; one that was cut off from Redis loses it after its lease."""
    monkeypatch.setattr(in_redis, "LEASE", 0.3)
    monkeypatch.setattr(in_redis, "RENEW_EVERY", 0.1)
    async with AsyncExitStack() as stack:
        a, link = await open_shared(stack, server, living, age)
        b, _ = await open_shared(stack, server, living, age)
        await a.claim(KEY, "a", 1.0)
        await asyncio.sleep(0.6)
        assert (await b.claim(KEY, "b", 1.6)).how == "follow"
        await link.close()
        await asyncio.sleep(0.4)
        assert (await b.claim(KEY, "b", 2.0)).how == "lead"


async def test_the_cache_is_bounded(server: RedisServer, living: Living, age: Age) -> None:
    """Beyond the bound those go that were not used for the longest time, and nothing is left."""
    async with AsyncExitStack() as stack:
        entry = len('["Ora, ora.","Dona Cida não viu nada, «nada»!"]'.encode())
        most = 10 * (entry + in_redis.ENTRY_BYTES)
        replies, link = await open_shared(stack, server, living, age, most)
        for i in range(10):
            await keep(replies, key_of(i), float(i))
        assert (await replies.claim(key_of(0), "a", 100.0)).how == "done"
        for i in range(10, 15):
            await keep(replies, key_of(i), 100.0 + i)
        kept = await replies.look([key_of(i) for i in range(15)])
        assert list(kept) == [key_of(0), *(key_of(i) for i in range(6, 15))]
        names = await link.ask("KEYS", "test:*reply:*")
        assert len(names) == 10


async def test_what_is_kept_goes_at_last(server: RedisServer, living: Living, age: Age) -> None:
    """Every name in Redis has an end, so that a Redis that evicts nothing does not fill up."""
    async with AsyncExitStack() as stack:
        replies, link = await open_shared(stack, server, living, age)
        await keep(replies, KEY, 1.0)
        await replies.claim(key_of("running"), "a", 1.0)
        await replies.claim(key_of("failed"), "a", 1.0)
        await replies.give_up(key_of("failed"), "a", 1.0, failed=True)
        names = await link.ask("KEYS", "test:*")
        assert len(names) == 5
        assert min([await link.ask("PTTL", name) for name in names]) > 0


async def test_one_leads_though_redis_is_slow_for_the_other(
    server: RedisServer, tmp_path: Path, living: Living, age: Age
) -> None:
    """A busy machine that asks Redis no more follows all the same who leads there."""
    migrate_sqlite(tmp_path / "test.sqlite3")
    proxy = SlowProxy(server.port)
    async with AsyncExitStack() as stack:
        stack.callback(proxy.close)
        quick, _ = await open_shared(stack, server, living, age)
        link = Link(await stack.enter_async_context(open_client(proxy.url)), "slow")
        stack.push_async_callback(link.close)
        slow = RedisReplies(link, "test:", age, living)
        stack.push_async_callback(slow.close)
        a = SharedReplies(quick, await open_stored(stack, tmp_path, living))
        b = SharedReplies(slow, await open_stored(stack, tmp_path, living))
        assert (await a.claim(KEY, "a", 1.0)).how == "lead"
        proxy.seconds = 2 * PATIENCE
        for _ in range(MOST_STRIKES):
            assert await b.claim(KEY, "b", 1.0) == Flight("follow", (), "a")
        assert not link.is_well
        assert await b.look([KEY]) == {KEY: Flight("follow", (), "a")}
        assert (await b.claim(key_of(2), "b", 1.0)).how == "lead"
        assert await a.claim(key_of(2), "a", 1.0) == Flight("follow", (), "b")
        assert await b.finish(key_of(2), "b", SAID, 2.0)
        assert (await a.claim(key_of(2), "a", 3.0)).sentences == SAID


# ── Redis that goes away ────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def fallen(
    server: RedisServer, tmp_path: Path, living: Living, age: Age
) -> AsyncIterator[tuple[SharedReplies, SharedReplies]]:
    """Two processes; both led a flight when Redis was killed."""
    migrate_sqlite(tmp_path / "test.sqlite3")
    async with AsyncExitStack() as stack:
        pair = []
        for owner in ("a", "b"):
            shared, _ = await open_shared(stack, server, living, age)
            pair.append(SharedReplies(shared, await open_stored(stack, tmp_path, living)))
            await pair[-1].claim(key_of(owner), owner, 1.0)
        server.kill()
        yield pair[0], pair[1]


async def test_the_database_takes_over(fallen: tuple[SharedReplies, SharedReplies]) -> None:
    """Single flight and kept replies go on there, for all processes."""
    a, b = fallen
    assert (await a.claim(KEY, "a", 2.0)).how == "lead"
    assert (await b.claim(KEY, "b", 2.0)) == Flight("follow", (), "a")
    assert await a.say(KEY, "a", SAID[:1])
    assert await b.look([KEY]) == {KEY: Flight("follow", SAID[:1], "a")}
    assert await a.finish(KEY, "a", SAID, 3.0)
    assert await b.claim(KEY, "b", 4.0) == Flight("done", SAID, "a")
    assert await b.clear() == 1


async def test_a_flight_under_way_is_begun_anew(
    fallen: tuple[SharedReplies, SharedReplies],
) -> None:
    """Who followed it finds nothing and leads; its leader is told that nobody hears it."""
    a, b = fallen
    assert await b.look([key_of("a")]) == {}
    assert (await b.claim(key_of("a"), "b", 2.0)).how == "lead"
    with pytest.raises(StoreDown):
        await a.say(key_of("a"), "a", SAID)
    with pytest.raises(StoreDown):
        await a.finish(key_of("a"), "a", SAID, 2.0)
    await a.give_up(key_of("a"), "a", 2.0, failed=True)
    assert await b.look([key_of("a")]) == {key_of("a"): Flight("follow", (), "b")}


async def test_alone_redis_says_that_it_is_lost(
    server: RedisServer, living: Living, age: Age
) -> None:
    """And not that there is no reply."""
    async with AsyncExitStack() as stack:
        replies, _ = await open_shared(stack, server, living, age)
        server.kill()
        with pytest.raises(Lost):
            await replies.claim(KEY, "a", 1.0)
        with pytest.raises(Lost):
            await replies.look([KEY])


async def test_a_full_redis_leads_nothing(server: RedisServer, living: Living, age: Age) -> None:
    """It refuses the claim as it refuses everything, and soon is not asked any more."""
    async with AsyncExitStack() as stack:
        replies, link = await open_shared(stack, server, living, age)
        server.fill()
        for i in range(4):
            with pytest.raises(Lost):
                await replies.claim(key_of(i), "a", 1.0)
        assert link.why == "full"
