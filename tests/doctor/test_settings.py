"""What the doctor says of variables, secrets and proxies."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.doctor.examining import examined, the

STRONG = "Zk3vQ9xT7bLmN4cR8dWfY2hJ6sPgA5uE-q1_oXiV0BtC"


def test_an_empty_environment_is_well(data_folder: Path) -> None:
    """Nothing set, nothing there yet: no problem."""
    found = examined(data_folder)
    assert [each for each in found if each.level == "problem"] == []
    assert the(found, "settings", "development").level == "ok"


def test_a_bad_value_stops_the_examination(data_folder: Path) -> None:
    """What the game would say at its start; what needs no settings is examined all the same."""
    found = examined(data_folder, TURN_DEADLINE="soon")
    assert the(found, "settings", "TURN_DEADLINE: 'soon'").level == "problem"
    assert the(found, "open files", "files open").what
    assert not [each for each in found if each.about == "database"]


def test_unsafe_production_is_a_problem(data_folder: Path) -> None:
    """Production without a secret does not start, and the doctor says so before."""
    found = examined(data_folder, AMAZONIA_ENV="production")
    assert the(found, "settings", "SECRET_KEY: not set").level == "problem"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("AMAZONIA_DATE", "AMAZONIA_DATA"),
        ("OPENAI_API_KEYS", "OPENAI_API_KEY"),
        ("DATABASEURL", "DATABASE_URL"),
        ("GUNICORN_WORKER", "GUNICORN_WORKERS"),
    ],
)
def test_a_misspelt_name_is_found(data_folder: Path, name: str, meant: str) -> None:
    """A variable that nobody reads, and the one that was meant."""
    finding = the(examined(data_folder, {name: "1"}), "settings", f"{name} is not read")
    assert (finding.level, finding.do) == ("note", f"Did you mean {meant}?")


def test_other_programs_variables_are_left_alone(data_folder: Path) -> None:
    """What does not look like ours is nobody's business; a further provider's key is ours."""
    providers = (
        '[{"name":"b","base_url":"http://127.0.0.1:9","api_key_env":"OPENAI_B","model":"m"}]'
    )
    found = examined(
        data_folder, HOME="/", LC_ALL="C", OPENAI_B="key", AMAZONIA_PROVIDERS=providers
    )
    assert not [each for each in found if "is not read" in each.what]


def test_a_readable_env_file_is_noted(data_folder: Path) -> None:
    """Secrets stand in it."""
    data_folder.mkdir()
    file = data_folder / ".env"
    file.write_text("")
    file.chmod(0o644)
    assert the(examined(data_folder), "settings", "can be read by other users").level == "note"
    file.chmod(0o600)
    assert the(examined(data_folder), "settings", ".env is read").level == "ok"


def test_secrets_are_judged(data_folder: Path) -> None:
    """Short, strong, kept in a file, kept in a file that others read."""
    assert the(examined(data_folder, SECRET_KEY="abc"), "secrets", "short").level == "note"
    strong = examined(data_folder, SECRET_KEY=STRONG, ADMIN_TOKEN=STRONG)
    assert [each.level for each in strong if each.about == "secrets"] == ["ok", "ok"]
    data_folder.mkdir()
    file = data_folder / "secret.key"
    file.write_text(STRONG)
    file.chmod(0o644)
    assert the(examined(data_folder), "secrets", "other users").level == "problem"
    file.chmod(0o600)
    assert the(examined(data_folder), "secrets", "is kept in").level == "ok"


@pytest.mark.parametrize(
    ("given", "level", "words"),
    [
        ("", "ok", "from this machine only"),
        ("10.0.0.1, 10.1.0.0/16", "ok", "10.0.0.1"),
        ("*", "note", "anybody"),
        ("10.0.0.1,proxy", "problem", "'proxy' is no address"),
    ],
)
def test_proxies_are_judged(data_folder: Path, given: str, level: str, words: str) -> None:
    """Who is believed about TLS and addresses."""
    found = examined(data_folder, FORWARDED_ALLOW_IPS=given)
    assert the(found, "proxies", words).level == level
