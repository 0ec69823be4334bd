"""The deployment's files say what they must, and name only what is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy.dockerfile import Stage, read
from typer.main import get_command

from amazonia.cli import app
from amazonia.serve import GRACE
from amazonia.settings import Settings

ROOT = Path(__file__).parents[2]
STAGES = read((ROOT / "Dockerfile").read_text())
NEEDED = Settings.model_validate({}).turn_deadline + GRACE
"""Seconds that a process may need to end."""
RENDER = ["render.yaml", "deploy/render-scaled.yaml"]
OURS = {str(field.validation_alias) for field in Settings.model_fields.values()}
COMMANDS = set(getattr(get_command(app), "commands"))  # noqa: B009


def _yaml(name: str) -> dict[str, Any]:
    """A file's content, as plain values."""
    return dict(yaml.safe_load((ROOT / name).read_text()))


def _seconds(text: str | int) -> float:
    return float(str(text).removesuffix("s"))


# ── the image ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name or "runtime")
def test_a_base_names_its_version(stage: Stage) -> None:
    """No stage is built on what is `latest` today."""
    _, _, tag = stage.base.partition(":")
    assert tag
    assert "latest" not in tag


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name or "runtime")
def test_what_is_copied_is_there(stage: Stage) -> None:
    """Every COPY takes what is in the checkout, and what `.dockerignore` lets through."""
    let_through = (ROOT / ".dockerignore").read_text().splitlines()
    for step in stage.of("COPY"):
        if "from" in step.options:
            assert step.options["from"] in {other.name for other in STAGES}
            continue
        for source in step.words[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{Path(source).parts[0]}" in let_through, source


def test_nothing_is_fetched_but_by_the_lock() -> None:
    """No ADD, no address; pip takes hashes or what is at hand."""
    text = (ROOT / "Dockerfile").read_text()
    assert "://" not in text
    for stage in STAGES:
        assert not stage.of("ADD")
        for step in stage.of("RUN"):
            if " install --" in step.rest and "pip" in step.rest:
                assert "--require-hashes" in step.rest or "--no-index" in step.rest


def test_the_image_runs_as_nobody_and_can_be_stopped() -> None:
    """The runtime stage names a user by number, one volume, a health check and a signal."""
    runtime = STAGES[-1]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", runtime.last("USER").rest)
    assert runtime.last("VOLUME").rest == "/data"
    assert runtime.last("STOPSIGNAL").rest == "SIGTERM"
    assert "healthcheck.py" in runtime.last("HEALTHCHECK").rest
    assert runtime.last("CMD").words == ["amazonia", "serve", "--host", "0.0.0.0"]


# ── compose ─────────────────────────────────────────────────────────────────────────────────────


def test_compose_names_files_that_are_there() -> None:
    """What compose mounts or builds from the checkout exists; volumes are declared."""
    compose = _yaml("compose.yaml")
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).is_file(), source
            else:
                assert source in compose["volumes"]
        for other in service.get("depends_on", {}):
            assert other in compose["services"]
        if "build" in service:
            assert (ROOT / service["build"] / "Dockerfile").is_file()


def test_compose_runs_the_game_locked_down_and_lets_it_finish() -> None:
    """Nothing can be written, no right is left, and a stop waits for the turns under way."""
    services = _yaml("compose.yaml")["services"]
    for name in ("web", "worker"):
        game = services[name]
        assert game["read_only"]
        assert game["cap_drop"] == ["ALL"]
        assert game["security_opt"] == ["no-new-privileges:true"]
        assert _seconds(game["stop_grace_period"]) > NEEDED


def test_compose_starts_today_what_works_today() -> None:
    """What is to come stays off until asked for; only nginx is reached from outside."""
    services = _yaml("compose.yaml")["services"]
    assert {name for name, service in services.items() if "profiles" not in service} == {
        "nginx",
        "web",
    }
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]
    for service in services.values():
        assert ":latest" not in service["image"]
        assert ":" in service["image"]


# ── Render and Procfile ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", RENDER)
def test_render_lets_turns_finish_and_makes_the_secrets(name: str) -> None:
    """Every service is given time to end; secrets are generated, never written down."""
    blueprint = _yaml(name)
    groups = {group["name"]: group["envVars"] for group in blueprint.get("envVarGroups", [])}
    for service in blueprint["services"]:
        if service["type"] == "keyvalue":
            continue
        assert service["maxShutdownDelaySeconds"] > NEEDED
        given = [
            variable
            for each in service["envVars"]
            for variable in (groups[each["fromGroup"]] if "fromGroup" in each else [each])
        ]
        variables = {variable["key"]: variable for variable in given}
        assert set(variables) <= OURS | {"FORWARDED_ALLOW_IPS"}
        assert variables["AMAZONIA_ENV"]["value"] == "production"
        for secret in ("SECRET_KEY", "ADMIN_TOKEN"):
            assert variables[secret] == {"key": secret, "generateValue": True}


@pytest.mark.parametrize("name", RENDER)
def test_render_asks_the_game_itself_for_its_health(name: str) -> None:
    """A web service is sent players when it says that it is ready."""
    for service in _yaml(name)["services"]:
        if service["type"] == "web":
            assert service["healthCheckPath"] == "/health/ready"


def test_render_keeps_the_data_on_its_disk() -> None:
    """Today's blueprint needs no other service, and writes where the disk is."""
    (web,) = _yaml("render.yaml")["services"]
    data = next(each["value"] for each in web["envVars"] if each["key"] == "AMAZONIA_DATA")
    assert data == web["disk"]["mountPath"]
    assert "databases" not in _yaml("render.yaml")


def test_every_command_is_there() -> None:
    """What starts anywhere is a command of ours, listening to the outside where it serves."""
    procfile = re.findall(r"^(\w+): (.+)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    assert [name for name, _ in procfile] == ["web", "worker"]
    lines = [line for _, line in procfile]
    for name in RENDER:
        lines += [each["startCommand"] for each in _yaml(name)["services"] if "runtime" in each]
    for line in lines:
        entry, program, command, *options = shlex.split(line)
        assert (ROOT / entry).stat().st_mode & 0o111, f"{entry} cannot be run"
        assert program == "amazonia"
        assert command in COMMANDS
        assert command != "serve" or options == ["--host", "0.0.0.0"]


# ── the page for operators ──────────────────────────────────────────────────────────────────────


def test_the_page_links_to_what_is_there() -> None:
    """Every relative link and every file that docs/deploy.md names exists."""
    page = (ROOT / "docs" / "deploy.md").read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", page):
        assert target.startswith("http") or (ROOT / "docs" / target).exists(), target
    for name in re.findall(r"`((?:deploy/)[\w.-]+)`", page):
        assert (ROOT / name).exists(), name
