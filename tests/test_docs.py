"""The documents say what is there."""

import ast
import re
from pathlib import Path

import pytest
from typer.main import get_command

from amazonia.cli import app
from amazonia.content.schema import reference, write_schemas
from amazonia.settings import settings_table
from amazonia.store import datamap

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "amazonia" / "content").rglob("*.py"))


def test_settings_are_documented() -> None:
    """`.venv/bin/python -m amazonia.settings > docs/settings.md` renews the table."""
    assert (ROOT / "docs" / "settings.md").read_text() == settings_table()


def test_everything_that_is_kept_is_documented() -> None:
    """Every table and column has its line, and `-m amazonia.store.datamap` ends docs/privacy.md."""
    assert list(datamap.faults()) == []
    assert (ROOT / "docs" / "privacy.md").read_text().endswith(datamap.page())


@pytest.mark.parametrize("command", sorted(getattr(get_command(app), "commands")))  # noqa: B009
def test_commands_are_documented(command: str) -> None:
    """Every command has its row in docs/commands.md."""
    assert f"| `amazonia {command}" in (ROOT / "docs" / "commands.md").read_text()


def test_diagnostics_are_documented() -> None:
    """Every code of a finding has its row in docs/diagnostics.md, and no row is stale."""
    code = "\n".join(path.read_text() for path in SOURCES)
    used = set(re.findall(r'"([FLPT]\d\d)"', code))
    page = (ROOT / "docs" / "diagnostics.md").read_text()
    rows = set(re.findall(r"^\| ([FLPT]\d\d) \|", page, re.MULTILINE))
    assert used == rows


def test_the_format_is_documented(tmp_path: Path) -> None:
    """`.venv/bin/python -m amazonia.content.schema` renews docs/format.md and docs/schema."""
    assert (ROOT / "docs" / "format.md").read_text() == reference()
    write_schemas(tmp_path)
    for path in tmp_path.iterdir():
        assert (ROOT / "docs" / "schema" / path.name).read_text() == path.read_text(), path.name


@pytest.mark.parametrize("page", ["README.md", "README.pt-BR.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link and image of the front pages exists."""
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
        assert target.startswith("http") or (ROOT / target).exists(), target


def _tests_of(path: Path) -> set[str]:
    nodes = ast.parse(path.read_text()).body
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in nodes if isinstance(node, kinds) and node.name[:5] == "test_"}


def test_every_threat_names_the_tests_that_stop_it() -> None:
    """Each row of docs/security.md names a test at least, and every test that it names exists."""
    text = (ROOT / "docs" / "security.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    rows = [row for row in rows if not row.startswith(("| wants ", "| what "))]
    named = [re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row) for row in rows]
    assert len(rows) > 30
    assert [row for row, tests in zip(rows, named, strict=True) if not tests] == []
    missing = {
        f"{file}::{test}"
        for tests in named
        for file, test in tests
        if not (ROOT / file).exists() or test not in _tests_of(ROOT / file)
    }
    assert missing == set()
