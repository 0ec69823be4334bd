"""Known vulnerabilities of what the game runs with: `python scripts/audit.py [LOCK]`.

Ends with 1 if there are any. Where nobody who knows can be reached, it says so and ends with 0:
an installation without the internet is no fault.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PATIENCE = 90.0
"""Seconds for all of it."""


def audit(lock: Path) -> tuple[int, str]:
    """The exit code, and what is to be said."""
    auditor = os.environ.get("PIP_AUDIT", str(Path(sys.executable).with_name("pip-audit")))
    options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--timeout", "5"]
    try:
        ran = subprocess.run(
            [auditor, *options, "--format", "json", "--requirement", str(lock)],
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return 0, f"skipped: no answer within {PATIENCE:.0f} s"
    except OSError as exc:
        return 0, f"skipped: {auditor} does not run ({exc.strerror})"
    try:
        packages: list[dict[str, Any]] = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError):
        said = ran.stderr.strip().splitlines() or ["it said nothing"]
        return 0, f"skipped: who knows of vulnerabilities cannot be reached ({said[-1][:200]})"
    return judge(packages)


def judge(packages: list[dict[str, Any]]) -> tuple[int, str]:
    """What to make of each package's findings."""
    skipped = [package for package in packages if "skip_reason" in package]
    if len(skipped) == len(packages):
        why = skipped[0]["skip_reason"] if skipped else "the lock file is empty"
        return 0, f"skipped: the registry here tells of no vulnerabilities ({why})"
    lines = [
        f"{package['name']} {package['version']}: {found['id']}, mended in "
        f"{', '.join(found['fix_versions']) or 'no version yet'}"
        for package in packages
        for found in package.get("vulns", ())
    ]
    known = f"{len(packages) - len(skipped)} of {len(packages)} packages are known there"
    if lines:
        return 1, "\n".join([*lines, f"vulnerable; {known}"])
    return 0, f"no known vulnerability; {known}"


if __name__ == "__main__":
    code, said = audit(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "requirements-scale.lock")
    print(said)
    sys.exit(code)
