"""`.env.example` says everything that can be set, and changes nothing."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from amazonia.settings import _GROUPS, Settings, env_example, read_settings

ROOT = Path(__file__).parents[2]


def _uncommented() -> dict[str, str]:
    """The example's variables, each with the # before it taken away."""
    lines = env_example().splitlines()
    text = "\n".join(line.removeprefix("#") for line in lines if not line.startswith("# "))
    return {name: value or "" for name, value in dotenv_values(stream=StringIO(text)).items()}


def test_it_is_what_the_settings_say() -> None:
    """`.venv/bin/python -m amazonia.settings env > .env.example` renews it."""
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == env_example()


def test_it_is_complete() -> None:
    """Every variable of the settings is there, and no other."""
    names = [str(field.validation_alias) for field in Settings.model_fields.values()]
    assert list(_uncommented()) == names


def test_every_heading_is_there() -> None:
    """No heading waits for a variable that is gone."""
    assert set(_GROUPS) <= set(_uncommented())


def test_as_it_stands_it_sets_nothing() -> None:
    """Copied to .env as it is, it leaves every default."""
    assert dotenv_values(ROOT / ".env.example") == {}


def test_what_it_shows_is_what_not_set_means() -> None:
    """With every # taken away the settings are the same: it shows the defaults, and no secret."""
    assert read_settings(_uncommented()) == read_settings({})
    assert all(not value for name, value in _uncommented().items() if _is_secret(name))


def _is_secret(name: str) -> bool:
    return name.endswith(("_KEY", "TOKEN", "_URL"))
