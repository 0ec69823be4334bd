"""What the doctor says of a PostgreSQL that is real, and as bad as told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.doctor.examining import examined, the
from tests.postgres import cluster, new_database, sql
from tests.server import free_port


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a database with all tables."""
    with new_database() as url:
        yield url


def test_a_database_that_is_well(data_folder: Path, database: str) -> None:
    """Version, shape, rights, room, distance and clock."""
    found = examined(data_folder, DATABASE_URL=database, SECRET_KEY="x" * 40)
    for words in ("PostgreSQL ", "newest shape", "can be written to", "are free"):
        assert the(found, "database", words).level in {"ok", "note"}
    assert the(found, "database", "answers in").level == "ok"
    assert the(found, "clock", "agrees").level == "ok"


def test_its_other_name_and_an_empty_one(data_folder: Path) -> None:
    """`postgres://` is the same; tables come with the first start."""
    with new_database(empty=True) as url:
        found = examined(data_folder, DATABASE_URL=url.replace("postgresql://", "postgres://"))
    assert the(found, "database", "is empty").level == "ok"


def test_nobody_there_and_a_password_that_is_not_told(data_folder: Path) -> None:
    """A closed port."""
    url = f"postgresql://game:hidden-password@127.0.0.1:{free_port()}/game"
    found = examined(data_folder, DATABASE_URL=url)
    assert the(found, "database", "does not let us in").level == "problem"
    assert "hidden-password" not in str(found)


def test_a_database_that_is_not_there(data_folder: Path, database: str) -> None:
    """The server is, and says so."""
    found = examined(data_folder, DATABASE_URL=f"{database}_not")
    assert "does not exist" in the(found, "database", "does not let us in").what


def test_more_connections_than_there_are(data_folder: Path) -> None:
    """Each instance, each worker: a pool and its overflow."""
    with cluster("max_connections=30") as server:
        url = server.url()
        fits = examined(data_folder, DATABASE_URL=url, DB_POOL_SIZE="5", DB_MAX_OVERFLOW="5")
        assert the(fits, "database", "1 × 2 workers × 10 connections = 20").level == "ok"
        given = {"DATABASE_URL": url, "DB_POOL_SIZE": "5", "DB_MAX_OVERFLOW": "5"}
        over = examined(data_folder, given, instances=3)
        assert the(over, "database", "3 × 2 workers × 10 connections = 60").level == "problem"


def test_a_database_that_takes_no_writes(data_folder: Path, database: str) -> None:
    """Read-only, and one that forgets the last moment in a crash."""
    name = database.rpartition("/")[2]
    sql(database, f"ALTER DATABASE {name} SET synchronous_commit = off")
    sql(database, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    found = examined(data_folder, DATABASE_URL=database)
    assert the(found, "database", "takes no writes").level == "problem"
    assert the(found, "database", "synchronous_commit is off").level == "note"


def test_a_user_who_may_make_no_tables(data_folder: Path, database: str) -> None:
    """The first start could not make them."""
    sql(database, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    sql(database, "DROP ROLE IF EXISTS amz_reader", "CREATE ROLE amz_reader LOGIN")
    sql(database, "GRANT SELECT ON alembic_version TO amz_reader")
    try:
        url = database.replace("//postgres@", "//amz_reader@")
        assert url != database
        found = examined(data_folder, DATABASE_URL=url)
        assert the(found, "database", "may not make tables").level == "problem"
    finally:
        sql(database, "DROP OWNED BY amz_reader", "DROP ROLE amz_reader")


@pytest.mark.parametrize(("version", "words"), [("0001", "older shape"), ("9999", "newer version")])
def test_a_database_of_another_version(
    data_folder: Path, database: str, version: str, words: str
) -> None:
    """As with the embedded one."""
    sql(database, f"UPDATE alembic_version SET version_num = '{version}'")
    found = examined(data_folder, DATABASE_URL=database)
    assert the(found, "database", words).level == ("note" if version == "0001" else "problem")


def test_machines_that_share_a_database_need_one_secret(data_folder: Path, database: str) -> None:
    """Each would make its own."""
    found = examined(data_folder, DATABASE_URL=database)
    assert the(found, "secrets", "SECRET_KEY is not set").level == "problem"
