"""Opening a class, coming back to it, finding it by its code."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.worlds import mini_services, new_team

from amazonia.classroom.classes import CODE_ALPHABET, MOST_TEAMS, Registry, digest
from amazonia.errors import (
    ClassEnded,
    ClassFull,
    NotTheTeacher,
    UnknownCode,
    WrongPassphrase,
)
from amazonia.ports.classes import Classroom, Command, Flag
from amazonia.services import Services


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with mini_services(tmp_path / "data") as services:
        yield services


@pytest.fixture
def registry(services: Services) -> Registry:
    return services.registry


async def test_a_code_is_six_letters_that_spell_nothing(registry: Registry) -> None:
    """No vowel, nothing that looks like something else; typed in any way, it finds its class."""
    room = (await registry.open("mini", None)).room
    assert len(room.code) == 6
    assert set(room.code) <= set(CODE_ALPHABET)
    assert not set(CODE_ALPHABET) & set("AEIOULY0123456789")
    typed = f" {room.code[:3].lower()}-{room.code[3:].lower()} "
    assert (await registry.to_join(typed)).id == room.id


async def test_a_wrong_code_finds_nothing(registry: Registry) -> None:
    """Neither one that nobody has nor one that cannot be."""
    for code in ("BBBBBB", "AAAAAA", "", "BBBBB", "💥" * 6):
        with pytest.raises(UnknownCode):
            await registry.to_join(code)


async def test_what_is_stored_opens_nothing(registry: Registry) -> None:
    """Link, recovery code and passphrase are kept as digests alone."""
    opened = await registry.open("mini", "en", passphrase="correct horse")
    stored = await registry.classes.get(opened.room.id)
    assert stored == opened.room
    assert stored.key == digest(opened.key)
    assert "correct" not in stored.passphrase
    assert stored.passphrase.startswith("$argon2id$")
    assert opened.recovery not in repr(stored)


async def test_a_teacher_comes_back_in_three_ways(registry: Registry) -> None:
    """By the private link, by the passphrase, by the printed recovery code; by nothing else."""
    opened = await registry.open("mini", None, passphrase="correct horse")
    code, found = opened.room.code, opened.room
    assert await registry.by_key(opened.key) == found
    assert await registry.by_passphrase(code.lower(), "correct horse") == found
    assert await registry.by_passphrase(code, opened.recovery.lower()) == found
    for wrong in ("", "correct horsf", opened.key):
        with pytest.raises(WrongPassphrase):
            await registry.by_passphrase(code, wrong)
    with pytest.raises(WrongPassphrase):
        await registry.by_passphrase("BBBBBB", "correct horse")
    with pytest.raises(NotTheTeacher):
        await registry.by_key("nothing")


async def test_without_a_passphrase_none_is_right(registry: Registry) -> None:
    """The empty one least of all."""
    room = (await registry.open("mini", None)).room
    with pytest.raises(WrongPassphrase):
        await registry.by_passphrase(room.code, "")


async def test_a_new_link_takes_the_old_one_s_place(registry: Registry) -> None:
    """The passphrase stays unless another is given."""
    first = await registry.open("mini", None, passphrase="correct horse")
    second = await registry.renew(first.room)
    assert (await registry.by_key(second.key)).id == first.room.id
    with pytest.raises(NotTheTeacher):
        await registry.by_key(first.key)
    with pytest.raises(WrongPassphrase):
        await registry.by_passphrase(first.room.code, first.recovery)
    back = await registry.by_passphrase(first.room.code, "correct horse")
    assert back.id == first.room.id


async def test_a_class_that_is_over_says_so_for_a_day(registry: Registry) -> None:
    """After that its code is as unknown as any other."""
    room = (await registry.open("mini", None)).room

    def ended(seconds_ago: float) -> Classroom:
        return replace(room, ended_at=registry.clock.now() - seconds_ago)

    await registry.command(room, "end", lambda _: ended(60))
    with pytest.raises(ClassEnded):
        await registry.to_join(room.code)
    await registry.command(room, "end", lambda _: ended(2 * 86400))
    with pytest.raises(UnknownCode):
        await registry.to_join(room.code)


async def test_commands_are_noted_and_the_last_one_wins(registry: Registry) -> None:
    """Two teachers see each other's commands in the order in which they took effect."""
    room = (await registry.open("mini", None)).room
    await registry.command(room, "pause", lambda r: replace(r, paused=True), by="a")
    after = await registry.command(room, "resume", lambda r: replace(r, paused=False), by="b")
    assert (after.paused, after.version) == (False, 3)
    noted = await registry.classes.commands(room.id)
    assert [(c.kind, c.data) for c in noted] == [("pause", {"by": "a"}), ("resume", {"by": "b"})]
    assert await registry.classes.commands(room.id, noted[0].id) == noted[1:]


async def test_a_full_class_takes_no_other_team(services: Services) -> None:
    """Not even when they come at once; a removed team makes room."""
    room = (await services.registry.open("mini", None)).room
    teams, classes = services.game.teams, services.registry.classes
    for i in range(MOST_TEAMS):
        team = replace(new_team(f"t{i}", f"{i:012}"), class_id=room.id)
        await teams.add(team, 1.0 + i, MOST_TEAMS)
    late = replace(new_team("late", "L" * 12), class_id=room.id)
    with pytest.raises(ClassFull):
        await teams.add(late, 99.0, MOST_TEAMS)
    assert await classes.remove_team(room.id, "t7", 100.0)
    assert not await classes.remove_team(room.id, "t7", 101.0)
    await teams.add(late, 102.0, MOST_TEAMS)
    found = await classes.teams(room.id)
    assert [team.id for team in found if team.removed] == ["t7"]
    assert (len(found), found[-1].id) == (MOST_TEAMS + 1, "late")


async def test_what_moved_is_found_at_once_for_all_classes(services: Services) -> None:
    """Teams of classes and classes themselves, since a moment; others are nobody's affair."""
    classes, teams = services.registry.classes, services.game.teams
    room = (await services.registry.open("mini", None)).room
    await teams.add(new_team("alone", "A" * 12), 5e9)
    await teams.add(replace(new_team("mine", "M" * 12), class_id=room.id), 5e9)
    moved = await classes.moved(4e9)
    assert (moved.teams, moved.classes) == (((room.id, "mine", 5e9),), ())
    await classes.change(room.id, lambda r: r, [Command("pause", {}, 5e9)], 5e9)
    await classes.flag(Flag("mine", "harm", "…", 6e9))
    moved = await classes.moved(5e9)
    assert moved.teams == ((room.id, "mine", 6e9),)
    assert moved.classes == ((room.id, 5e9),)
    assert (await classes.flags(["mine", "alone"])).keys() == {"mine"}
