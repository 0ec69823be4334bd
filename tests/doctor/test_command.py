"""`amazonia doctor` as an operator runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.domain.world import MINI
from tests.learned import SharedLibrary, hand_on, learn
from tests.server import CASES, free_port

from amazonia.content.check import check_case
from amazonia.content.library import bundled_cases

SECRET = "a-secret-that-nobody-may-ever-see-0123456789"


def doctor(folder: Path, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run it in a folder."""
    command = [str(Path(sys.executable).parent / "amazonia"), "doctor", *options]
    given = {"AMAZONIA_CASES": str(CASES), "PORT": str(free_port()), **environ}
    env = {k: v for k, v in os.environ.items() if k != "PYTHON_DOTENV_DISABLED"} | given
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_a_healthy_deployment_leaves_with_zero(data_folder: Path, tmp_path: Path) -> None:
    """Every part is named; the cases are proven once they were learned."""
    real = {"AMAZONIA_CASES": str(bundled_cases())}
    unlearned = doctor(tmp_path, **real)
    assert unlearned.returncode == 0, unlearned.stdout + unlearned.stderr
    assert "lama_sem_ouro is whole, and was not learned here yet" in unlearned.stdout
    learn(bundled_cases())
    hand_on(data_folder)
    done = doctor(tmp_path, **real)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lama_sem_ouro: every proof holds" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("problems: 0, ")


def test_a_case_that_cannot_be_proven_is_a_problem(data_folder: Path, tmp_path: Path) -> None:
    """The small case of the tests has one way only to its end."""
    learn(MINI)
    hand_on(data_folder)
    done = doctor(tmp_path)
    assert done.returncode == 1
    found = check_case(SharedLibrary(MINI), "mini")
    assert "P02" in {fault.code for fault in found}
    assert f"PROBLEM  cases          mini: {found[0]}; {len(found)} in all" in done.stdout


def test_a_problem_leaves_with_one_and_no_secret_is_shown(tmp_path: Path) -> None:
    """Also what stands in `.env` is read, and its secrets stay there."""
    port = free_port()
    (tmp_path / ".env").write_text(
        f"SECRET_KEY={SECRET}\nADMIN_TOKEN={SECRET}\nOPENAI_API_KEY={SECRET}\n"
        f"OPENAI_BASE_URL=http://127.0.0.1:{port}/v1\n"
        f"REDIS_URL=redis://:{SECRET}@127.0.0.1:{port}/0\nAMAZONIA_DTA=x\n"
    )
    shown = doctor(tmp_path)
    told = doctor(tmp_path, "--json")
    assert (shown.returncode, told.returncode) == (1, 1), shown.stderr + told.stderr
    assert "PROBLEM  voice openai" in shown.stdout
    assert "→ Did you mean AMAZONIA_DATA?" in shown.stdout
    found = json.loads(told.stdout)
    assert {"about": "Redis", "level": "problem"}.items() <= next(
        each for each in found if each["about"] == "Redis"
    ).items()
    for text in (shown.stdout, shown.stderr, told.stdout, told.stderr):
        assert SECRET not in text


def test_no_case_is_a_problem(tmp_path: Path) -> None:
    """A folder without cases, and one with a broken case."""
    empty = tmp_path / "cases"
    empty.mkdir()
    done = doctor(tmp_path, AMAZONIA_CASES=str(empty))
    assert done.returncode == 1
    assert f"there is no case in {empty}" in done.stdout
    shutil.copytree(CASES / "mini", empty / "mini")
    (empty / "mini" / "case.yaml").write_text("id: [")
    done = doctor(tmp_path, AMAZONIA_CASES=str(empty))
    assert done.returncode == 1
    assert "PROBLEM  cases" in done.stdout
