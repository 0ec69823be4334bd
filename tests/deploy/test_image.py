"""The image works: the Dockerfile's steps, done to the letter in a clean folder, and a turn played.

In the everyday run two steps are done otherwise, to spare the network and a minute: what the lock
file names is taken from the tests' own environment, which holds the same versions, and the small
case is learned instead of the bundled ones. `PROVE_IMAGE=1` does every step; `PROVE_IMAGE=/PREFIX`
does so with the Python of that prefix, such as one of the image's version.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.deploy.box import Box, why_not
from tests.deploy.dockerfile import Step, read
from tests.server import CASES, Server, free_port

ROOT = Path(__file__).parents[2]
WHOLE = os.environ.get("PROVE_IMAGE", "")
PYTHON = Path(WHOLE if WHOLE.startswith("/") else sys.base_prefix)
CASE, CHARACTER, QUESTION = (
    ("lama_sem_ouro", "esmerina", "por que os peixes morreram?")
    if WHOLE
    else ("mini", "cida", "quem comeu o bolo?")
)
SECRET = "a-secret-of-the-tests-which-nobody-else-uses"
PATIENCE = 60.0
USER = 10001

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_not(PYTHON)), reason=f"no stand-in for Docker: {why_not(PYTHON)}"),
]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """The runtime stage, built."""
    boxes: dict[str, Box] = {}
    box = None
    for number, stage in enumerate(read((ROOT / "Dockerfile").read_text())):
        lent = {} if WHOLE else {"/locked": _packages(), "/cases": CASES}
        box = Box(tmp_path_factory.mktemp("stage") / "root", PYTHON, lent=lent)
        box.env |= _how_packages_are_found() if WHOLE else {"AMAZONIA_CASES": "/cases"}
        box.build(stage, ROOT, boxes, _as_written if WHOLE else _without_network)
        boxes[stage.name or str(number)] = box
    assert box is not None
    for name in [name for name in box.env if name.startswith("PIP_")]:
        del box.env[name]
    return box


def _as_written(_step: Step, _box: Box) -> bool:
    return False


def _without_network(step: Step, box: Box) -> bool:
    if step.word != "RUN" or "--require-hashes" not in step.rest:
        return False
    (packages,) = box.root.glob("opt/amazonia/lib/python3.*/site-packages")
    (packages / "locked.pth").write_text("/locked\n")
    return True


def _packages() -> Path:
    """The tests' packages."""
    return next(Path(sys.prefix).glob("lib/python3.*/site-packages"))


def _how_packages_are_found() -> dict[str, str]:
    """pip asks where this machine's pip asks."""
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


@pytest.fixture
def volume(image: Box, tmp_path: Path) -> Path:
    """A new volume, which Docker fills with what the image has there."""
    folder = tmp_path / "volume"
    shutil.copytree(image.path("/data"), folder)
    owner = image.path("/data").stat()
    os.chown(folder, owner.st_uid, owner.st_gid)
    folder.chmod(owner.st_mode)
    return folder


def _start(image: Box) -> list[str]:
    """What the image starts, on loopback: a test listens nowhere else."""
    stage = read((ROOT / "Dockerfile").read_text())[-1]
    command = stage.last("ENTRYPOINT").words + stage.last("CMD").words
    return ["127.0.0.1" if word == "0.0.0.0" else word for word in command]


@contextmanager
def _running(image: Box, volume: Path) -> Iterator[Server]:
    port = free_port()
    log = volume.parent / "log"
    command = image.command(*_start(image), volume=volume, SECRET_KEY=SECRET, PORT=str(port))
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    server = Server(process, f"http://127.0.0.1:{port}", volume, log)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        server.kill()


def _wait_until_ready(server: Server) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.process.poll() is None:
        try:
            if httpx.get(f"{server.url}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the image did not start:\n{server.log.read_text()}")


def _exit(image: Box, volume: Path, *command: str, **env: str) -> int:
    return subprocess.run(
        image.command(*command, volume=volume, **env), capture_output=True, check=False
    ).returncode


def test_a_turn_is_played_by_nobody_in_a_read_only_system(image: Box, volume: Path) -> None:
    """The game answers and saves as a user without rights who may write only to its data."""
    with _running(image, volume) as server:
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        assert f"Uid:\t{USER}\t{USER}\t{USER}\t{USER}\n" in status
        assert "CapEff:\t0000000000000000\n" in status
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            client.post("/api/session", json={"case": CASE}).raise_for_status()
            question = {"entity_id": CHARACTER, "message": QUESTION}
            reply = client.post("/api/chat", json=question).raise_for_status().json()
            assert reply["reply"]
            (saved,) = client.get(f"/api/history/{CHARACTER}").json()
            assert saved["reply"] == reply["reply"]
        assert _is_healthy(image, volume, server)
        assert server.stop() == 0
        assert not _is_healthy(image, volume, server)
        assert "case.learning" not in server.log.read_text(), "the image did not know the cases"


def _is_healthy(image: Box, volume: Path, server: Server) -> bool:
    stage = read((ROOT / "Dockerfile").read_text())[-1]
    check = json.loads(stage.last("HEALTHCHECK").rest.partition("CMD")[2])
    return _exit(image, volume, *check, PORT=server.url.rpartition(":")[2]) == 0


def test_an_upgrade_hands_on_what_the_new_image_learned(image: Box, volume: Path) -> None:
    """A volume with an older version's knowledge does not make the new version learn again."""
    (volume / "learned").mkdir()
    (volume / "learned" / f"{CASE}.pt-BR.of-an-older-version.learned").write_bytes(b"")
    os.chown(volume / "learned", USER, USER)
    with _running(image, volume) as server:
        assert "case.learning" not in server.log.read_text()
        assert server.stop() in {0, -signal.SIGTERM}


@pytest.mark.parametrize("place", ["/", "/opt/amazonia/", "/opt/amazonia/bin/", "/etc/", "/usr/"])
def test_nothing_but_the_data_can_be_written(image: Box, volume: Path, place: str) -> None:
    """Whoever takes over the game cannot change it."""
    assert _exit(image, volume, "touch", f"{place}written") != 0
    assert _exit(image, volume, "touch", "/data/written", "/tmp/written") == 0


def test_it_does_not_start_without_a_secret(image: Box, volume: Path) -> None:
    """A production without SECRET_KEY says so in one line instead of serving."""
    done = subprocess.run(
        image.command(*_start(image), volume=volume, PORT=str(free_port())),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("SECRET_KEY: not set;")
    assert done.stderr.count("\n") == 1


def test_the_image_holds_the_bundled_cases_and_no_tool_that_installs(image: Box) -> None:
    """The wheel brought the cases; pip stayed behind."""
    (packages,) = image.root.glob("opt/amazonia/lib/python3.*/site-packages")
    names = {path.name for path in (packages / "amazonia" / "cases").iterdir()}
    assert names == {path.name for path in (ROOT / "cases").iterdir() if path.is_dir()}
    assert not (packages / "pip").exists()
    assert not image.path("/src").exists()


def test_the_image_holds_compiled_code(image: Box) -> None:
    """Nothing is compiled at every start, where the result could not be kept: ten seconds less."""
    (packages,) = image.root.glob("opt/amazonia/lib/python3.*/site-packages")
    sources = [path for path in packages.rglob("*.py") if path.stat().st_size]
    compiled = {path.name.split(".")[0] for path in packages.rglob("*.pyc")}
    assert sources
    assert [path for path in sources if path.stem not in compiled] == []
