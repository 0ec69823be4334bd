"""What the game runs with: every byte is locked, it is all listed, and known holes are told of."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-scale.lock", "requirements-dev.lock"]


def run(script: str, lock: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a script of ours with a lock file."""
    command = [sys.executable, str(ROOT / "scripts" / script), str(lock)]
    environ = {**os.environ, **environ}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environ)


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_locked_with_hashes(name: str) -> None:
    """One version each, with hashes of its files, and no address."""
    text = (ROOT / name).read_text()
    assert "://" not in text
    pins = re.split(r"\n(?=[a-z])", text)[1:]
    assert len(pins) > 40
    for pin in pins:
        assert re.match(r"[\w.-]+==[^\s;]+", pin), pin[:60]
        assert "--hash=sha256:" in pin, pin[:60]


# ── the bill of materials ───────────────────────────────────────────────────────────────────────


def test_the_bill_of_materials_is_whole_and_valid() -> None:
    """CycloneDX as its schema has it: every locked package, who needs it, under which licence."""
    lock = ROOT / "requirements-scale.lock"
    told = run("sbom.py", lock).stdout
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(told) is None
    assert told == run("sbom.py", lock).stdout, "the same lock file gives another text"
    assert "://" not in told
    bill: dict[str, Any] = json.loads(told)
    locked = re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock.read_text(), re.MULTILINE)
    assert [(c["name"], c["version"]) for c in bill["components"]] == locked
    needs = {each["ref"]: each["dependsOn"] for each in bill["dependencies"]}
    refs = {c["name"]: c["bom-ref"] for c in bill["components"]}
    assert refs["yarl"] in needs[refs["aiohttp"]]
    assert refs["fastapi"] in needs["pkg:pypi/amazonia"]
    assert refs["yarl"] not in needs["pkg:pypi/amazonia"]
    assert {ref for others in needs.values() for ref in others} == set(refs.values())
    licensed = [c for c in bill["components"] if "licenses" in c]
    assert len(licensed) > 0.9 * len(locked)


def test_what_is_installed_is_what_is_locked() -> None:
    """The versions that these tests run with are those of the lock file."""
    text = (ROOT / "requirements.lock").read_text()
    for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+) \\$", text, re.MULTILINE):
        assert distribution(name).version == version


# ── known holes ─────────────────────────────────────────────────────────────────────────────────


def auditor(folder: Path, says: object, error: str = "", code: int = 0) -> str:
    """A program in the place of pip-audit."""
    file = folder / "auditor"
    text = says if isinstance(says, str) else json.dumps({"dependencies": says})
    file.write_text(
        f"#!{sys.executable}\nimport sys\nassert '--require-hashes' in sys.argv\n"
        f"print({text!r})\nprint({error!r}, file=sys.stderr)\nsys.exit({code})\n"
    )
    file.chmod(0o755)
    return str(file)


FINE = {"name": "yarl", "version": "1.0", "vulns": []}
UNKNOWN = {"name": "idna", "skip_reason": "not found"}
HOLED = {
    "name": "jinja2",
    "version": "2.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}, {"id": "PYSEC-2", "fix_versions": []}],
}


@pytest.mark.parametrize(
    ("says", "code", "part"),
    [
        ([FINE], 0, "no known vulnerability; 1 of 1 packages"),
        ([FINE, UNKNOWN], 0, "no known vulnerability; 1 of 2 packages"),
        ([FINE, HOLED], 1, "jinja2 2.0: PYSEC-1, mended in 2.1\njinja2 2.0: PYSEC-2, mended in no"),
        ([UNKNOWN], 0, "skipped: the registry here tells of no vulnerabilities (not found)"),
        ("", 0, "skipped: who knows of vulnerabilities cannot be reached (no route to host)"),
    ],
)
def test_known_holes_are_told_of(says: object, code: int, part: str, tmp_path: Path) -> None:
    """They fail the step; a registry that says nothing or is away does not, and the reason is
    printed."""
    told = auditor(tmp_path, says, "no route to host", code)
    found = run("audit.py", ROOT / "requirements.lock", PIP_AUDIT=told)
    assert found.returncode == code, found.stderr
    assert part in found.stdout


def test_without_the_auditor_the_step_says_so(tmp_path: Path) -> None:
    """A program that is not there is named."""
    found = run("audit.py", ROOT / "requirements.lock", PIP_AUDIT=str(tmp_path / "none"))
    assert (found.returncode, found.stdout[:8]) == (0, "skipped:")


def test_the_audit_is_a_step_of_make_test() -> None:
    """`make test` ends with it."""
    make = subprocess.run(
        ["make", "-n", "test"], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert "scripts/audit.py" in make.stdout
