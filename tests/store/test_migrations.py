"""A database of an older version goes on with everything that is in it."""

import ast
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from tests.worlds import new_team

from amazonia.domain.case import CharacterId
from amazonia.ports import Purse
from amazonia.store.migrate import SCRIPTS, migrate_sqlite
from amazonia.store.replies import StoredReplies
from amazonia.store.rows import team_row
from amazonia.store.spending import StoredSpending
from amazonia.store.sqlite import SqliteDatabase
from amazonia.store.teams import StoredTeams
from amazonia.store.turns import StoredTurns

OLD_BEAT = """{"kind":"answer","emotion":"calm","gesture":"","lines":["topics/bolo/recap/0"],
"topics":["bolo"],"readings":[],"clues":["migalhas"]}"""
ADD_TEAM = """INSERT INTO teams VALUES (:id, :case_id, :lang, :name, :members, :resume_code,
:version, :state, :created_at, :updated_at)"""
ADD_TURN = """INSERT INTO turns VALUES ('t1', 'team', 1, 'cida', 'E o bolo?', 'e o bolo', NULL,
'speaking', 77, :beat, '{"kind":"answer"}', '', '', 3.0, NULL, 0, 'a')"""


@pytest.fixture
async def updated(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    """A file of version 0.1 with a team and a turn, brought to the newest shape."""
    path = tmp_path / "old.sqlite3"
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text(ADD_TEAM), team_row(new_team(), 1.0))
        connection.execute(text(ADD_TURN), {"beat": OLD_BEAT})
    engine.dispose()
    migrate_sqlite(path)
    database = SqliteDatabase(path)
    yield database
    await database.close()


async def test_an_old_database_keeps_its_teams_and_turns(updated: SqliteDatabase) -> None:
    """They are read as before; what old turns did not store has its natural value."""
    assert await StoredTeams(updated).get("team") == new_team()
    turn = await StoredTurns(updated).get("team", "t1")
    assert turn is not None
    assert (turn.message, turn.status, turn.clues) == ("E o bolo?", "speaking", ("migalhas",))
    assert (turn.topics, turn.follows, turn.seed) == (("bolo",), False, 77)


async def test_an_old_database_has_what_the_voice_needs(updated: SqliteDatabase) -> None:
    """Old turns can be listened to and finished; replies and spending are kept."""
    turns = StoredTurns(updated)
    await turns.listen("t1", "b")
    assert list(await turns.listeners(["t1"])) == ["t1"]
    turn = await turns.get("team", "t1")
    assert turn is not None
    await turns.finish(turn, [], "Que bolo?", "scripted", 4.0)
    assert [turn.id for turn in await turns.recent("team", CharacterId("cida"), 6)] == ["t1"]
    assert (await StoredReplies(updated, bool).claim("0" * 64, "a", 5.0)).how == "lead"
    assert await StoredSpending(updated).reserve("2031-05-02", [Purse("all", 0, 0)], 1, 1)


ADDS = {"create_table", "create_index", "add_column"}


@pytest.mark.parametrize("file", sorted((SCRIPTS / "versions").glob("0*.py")), ids=lambda f: f.stem)
def test_a_migration_only_adds(file: Path) -> None:
    """The version before goes on playing on the same database, so that instances go one by one.

    A column that is added to a table may be empty: the version before does not fill it.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"))
    [upgrade] = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    ]
    calls = [
        node
        for node in ast.walk(upgrade)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "op"
    ]
    assert calls
    for call in calls:
        assert isinstance(call.func, ast.Attribute)
        assert call.func.attr in ADDS, ast.unparse(call)
        if call.func.attr == "add_column":
            said = ast.unparse(call)
            assert "nullable=False" not in said or "server_default" in said, said
