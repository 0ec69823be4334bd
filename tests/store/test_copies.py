"""Copies hold everything, whatever they come from and go to, or are refused."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.postgres import new_database, sql
from tests.store.conftest import Storage
from tests.store.test_listeners import CIDA, ask, finish
from tests.worlds import new_team

from amazonia.domain.session import HintTaken
from amazonia.errors import StoreDown
from amazonia.ports import Change, Purse
from amazonia.ports.jobs import Job, JobFile
from amazonia.store.copies import NotEmpty, back_up, bring_back
from amazonia.store.database import OpenDatabase
from amazonia.store.jobs import StoredJobs
from amazonia.store.migrate import migrate_sqlite
from amazonia.store.spending import StoredSpending
from amazonia.store.teams import StoredDevices, StoredNotes, StoredTeams
from amazonia.store.turns import StoredTurns


def told(_table: str, _done: int, _total: int) -> None:
    """Nobody watches."""


@pytest.fixture
async def school(here: OpenDatabase) -> OpenDatabase:
    """A team that has played, with everything that is kept of it."""
    teams, turns = StoredTeams(here), StoredTurns(here)
    await teams.add(new_team(), 1.1)
    await StoredDevices(here).add("phone", "team", 1.2)
    await teams.change("team", lambda _: Change([HintTaken("r_relogio")], None), 2.3)
    for number in range(3):
        await ask(turns, f"t{number}", 3.0 + number / 7)
        await finish(turns, f"t{number}")
        await turns.report(f"t{number}", "team", "«ofendeu» 😀", 4.0)
    await StoredSpending(here).reserve("2031-05-02", [Purse("all", 0, 0)], 2**40, 7)
    await StoredNotes(here).next_epoch()
    book, file = StoredJobs(here), JobFile("class.pdf", "application/pdf", b"%PDF\0\xff", 9.0)
    job = Job(
        "j1", "report", {}, "admin", "j1", "queued", 0, 0.0, "", {}, "", "", 1.0, 9.0, 1.0, None
    )
    await book.add(job, 0.0)
    begun = await book.begin("j1", 2.0, 8.0)
    assert begun is not None
    assert await book.finish(begun, {}, file, 3.0)
    return here


@pytest.fixture(params=["sqlite", "postgres"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """A place with nothing in it."""
    if request.param == "sqlite":
        yield tmp_path / "elsewhere" / "new.sqlite3"
        return
    with new_database(empty=True) as url:
        yield url


@pytest.fixture
async def moved(elsewhere: Path | str) -> AsyncIterator[Storage]:
    storage = Storage(elsewhere)
    yield storage
    await storage.close()


async def test_a_school_moves_to_any_database(
    school: OpenDatabase, where: Path | str, moved: Storage
) -> None:
    """Everything is there, to the last digit, and new rows are numbered after the old ones."""
    digests = await asyncio.to_thread(bring_back, where, moved.where, told)
    assert (digests["turns"].rows, digests["reports"].rows, digests["events"].rows) == (3, 3, 1)
    there = moved.open()
    assert await StoredTeams(there).get("team") == await StoredTeams(school).get("team")
    turns = StoredTurns(there)
    assert await turns.history("team", CIDA) == await StoredTurns(school).history("team", CIDA)
    assert await StoredSpending(there).spent("2031-05-02", ["all"]) == {"all": (2**40, 7)}
    assert await StoredNotes(there).epoch() == 2
    assert await StoredJobs(there).file("j1", 4.0) == await StoredJobs(school).file("j1", 4.0)
    await turns.report("t0", "team", "mais um", 5.0)


async def test_a_backup_comes_back_to_any_database(
    school: OpenDatabase, where: Path | str, moved: Storage, tmp_path: Path
) -> None:
    """One file, which needs nothing beside it and only its owner can read."""
    file = tmp_path / "backups" / "monday.sqlite3"
    kept = await asyncio.to_thread(back_up, where, file, told)
    assert [path.name for path in file.parent.iterdir()] == ["monday.sqlite3"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert await asyncio.to_thread(bring_back, file, moved.where, told) == kept
    assert await StoredTeams(moved.open()).get("team") == await StoredTeams(school).get("team")


async def test_a_backup_is_of_one_moment_while_teams_play(
    school: OpenDatabase, where: Path | str, tmp_path: Path
) -> None:
    """A team's version and its events agree, though it goes on while the copy is made."""
    teams, goes_on = StoredTeams(school), True

    async def play() -> None:
        while goes_on:
            await teams.change("team", lambda _: Change([HintTaken("r_relogio")], None), 2.0)

    playing = [asyncio.create_task(play()) for _ in range(3)]
    for number in range(3):
        file = tmp_path / f"{number}.sqlite3"
        await asyncio.to_thread(back_up, where, file, told)
        with sqlite3.connect(file) as copy:
            (version,) = copy.execute("SELECT version FROM teams").fetchone()
            (events,) = copy.execute("SELECT count(*) FROM events").fetchone()
        copy.close()
        assert version == events > 0
    goes_on = False
    await asyncio.gather(*playing)


async def test_what_is_there_is_not_overwritten_unasked(
    school: OpenDatabase, where: Path | str, moved: Storage, tmp_path: Path
) -> None:
    """Neither a backup nor a school; with force each is replaced, whole."""
    file = tmp_path / "kept.sqlite3"
    await asyncio.to_thread(back_up, where, file, told)
    before = file.read_bytes()
    with pytest.raises(NotEmpty, match="--force"):
        await asyncio.to_thread(back_up, where, file, told)
    assert file.read_bytes() == before
    await asyncio.to_thread(bring_back, file, moved.where, told)
    there = StoredTeams(moved.open())
    await there.change("team", lambda _: Change([HintTaken("r_relogio")], None), 9.0)
    with pytest.raises(NotEmpty, match="1 teams"):
        await asyncio.to_thread(bring_back, file, moved.where, told)
    assert await there.versions(["team"]) == {"team": 2}
    await asyncio.to_thread(bring_back, file, moved.where, told, force=True)
    assert await there.versions(["team"]) == {"team": 1}


async def test_what_does_not_fit_leaves_the_target_as_it_was(tmp_path: Path) -> None:
    """A row that PostgreSQL refuses stops the whole copy: all or nothing."""
    file = tmp_path / "long.sqlite3"
    migrate_sqlite(file)
    with sqlite3.connect(file) as connection:
        row = ("x" * 50, "mini", "pt-BR", "n", 1, "c" * 12, 0, "{}", 1.0, 1.0)
        marks = ",".join("?" * len(row))
        names = "id,case_id,lang,name,members,resume_code,version,state,created_at,updated_at"
        connection.execute(f"INSERT INTO teams ({names}) VALUES ({marks})", row)
    connection.close()
    with new_database() as url:
        with pytest.raises(StoreDown, match="nothing was kept"):
            await asyncio.to_thread(bring_back, file, url, told)
        assert sql(url, "SELECT count(*) FROM teams") == "0"


def test_what_is_not_there_is_not_copied(tmp_path: Path) -> None:
    """A wrong path fails instead of leaving an empty copy that looks like one."""
    with pytest.raises(StoreDown, match=r"nothing\.sqlite3"):
        back_up(tmp_path / "nothing.sqlite3", tmp_path / "copy.sqlite3", told)
    (tmp_path / "text.sqlite3").write_text("no database at all" * 100)
    with pytest.raises(StoreDown):
        back_up(tmp_path / "text.sqlite3", tmp_path / "copy.sqlite3", told)
    assert not list(tmp_path.glob("copy*"))


async def test_the_commands_say_what_they_did(
    school: OpenDatabase, where: Path | str, tmp_path: Path
) -> None:
    """Backup, refusal and restore as an operator types them."""
    url = where if isinstance(where, str) else f"sqlite:///{where}"
    environ = {**os.environ, "DATABASE_URL": url}

    def amazonia(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "amazonia"), *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    file = str(tmp_path / "kept.sqlite3")
    kept = await asyncio.to_thread(amazonia, "backup", file)
    assert kept.returncode == 0, kept.stderr
    assert "checked" in kept.stdout
    assert "SECRET_KEY" in kept.stdout
    refused = await asyncio.to_thread(amazonia, "restore", file)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "--force" in refused.stderr
    back = await asyncio.to_thread(amazonia, "restore", file, "--force")
    assert back.returncode == 0, back.stderr
    moved = await asyncio.to_thread(amazonia, "move-data", url, f"sqlite:///{tmp_path}/m.sqlite3")
    assert moved.returncode == 0, moved.stderr
    assert "Both hold the same" in moved.stdout
