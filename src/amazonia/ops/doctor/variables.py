"""The settings: names that nobody reads, values that are not safe, secrets, proxies."""

from __future__ import annotations

import ipaddress
import os
import stat
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from amazonia.errors import BadSetting
from amazonia.ops.doctor.findings import Finding, Found, note, ok, problem
from amazonia.settings import SAFE_SECRET, VARIED, Settings, read_settings

ABOUT = "settings"
OURS = ("AMAZONIA_", "OPENAI_", "MODERATION_", "GUNICORN_", "DB_", "BUDGET_", "PRICE_")
ALSO_READ = frozenset(
    {"FORWARDED_ALLOW_IPS", "GUNICORN_CMD_ARGS", "PROMETHEUS_MULTIPROC_DIR", "WEB_CONCURRENCY"}
)
"""Variables that are no settings of ours and are read by what we use."""
ALIKE = 0.86
"""How much a name must resemble one of ours to be taken for it, if it does not begin like one."""


def known_names() -> frozenset[str]:
    """Every variable that is read."""
    return ALSO_READ | {str(field.validation_alias) for field in Settings.model_fields.values()}


def read(environ: Mapping[str, str]) -> tuple[Settings | None, Found]:
    """The settings, if they can be read, and what is to be said of them."""
    unknown = list(_unknown(environ))
    try:
        settings = read_settings(environ)
    except BadSetting as error:
        bad = problem(ABOUT, str(error), "The game does not start until this is put right")
        return None, [bad, *unknown]
    fine = ok(ABOUT, f"{settings.env}, all values are allowed")
    return settings, [fine, *unknown]


def _unknown(environ: Mapping[str, str]) -> Iterable[Finding]:
    """Variables that look like ours and are not."""
    known = known_names()
    named = environ.get("AMAZONIA_PROVIDERS", "")
    for name in sorted(environ):
        if name in known or name in named:  # the variable of a further provider's key
            continue
        begins = name.startswith(OURS)
        close = get_close_matches(name, known, 1, 0.6 if begins else ALIKE)
        if close:
            yield note(ABOUT, f"{name} is not read by anything", f"Did you mean {close[0]}?")
        elif begins:
            yield note(ABOUT, f"{name} is not read by anything", "See docs/settings.md")


def judge_env_file(file: Path) -> Found:
    """Whether others on this machine may read what stands in `.env`."""
    try:
        mode = file.stat().st_mode
    except OSError:
        return []
    if mode & (stat.S_IRGRP | stat.S_IROTH) and os.name == "posix":
        return [note(ABOUT, f"{file} can be read by other users", f"chmod 600 {file}")]
    return [ok(ABOUT, f"{file} is read")]


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────

MAKE_ONE = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


def judge_secrets(settings: Settings, *, shared: bool) -> Found:
    """Whether cookies are signed well, and the administrator can come in.

    Args:
        shared: several instances use one database.
    """
    return [*_signing(settings, shared), *_admin(settings)]


def _signing(settings: Settings, shared: bool) -> Iterable[Finding]:
    about, key = "secrets", settings.secret_key
    if key and (len(key) < SAFE_SECRET or len(set(key)) < VARIED):
        yield note(
            about, "SECRET_KEY is short or easy to guess", f"Set it to what this says: {MAKE_ONE}"
        )
    elif key:
        yield ok(about, f"SECRET_KEY has {len(key)} characters")
    elif shared:
        what = "SECRET_KEY is not set: every machine makes its own, and signs the others' teams out"
        yield problem(about, what, f"Set the same on all of them: {MAKE_ONE}")
    else:
        yield from _kept_key(settings.data / "secret.key")


def _kept_key(file: Path) -> Iterable[Finding]:
    try:
        mode = file.stat().st_mode
    except OSError:
        yield ok("secrets", f"SECRET_KEY is not set: one is made at the first start, in {file}")
        return
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        yield problem("secrets", f"{file} can be read by other users", f"chmod 600 {file}")
    else:
        yield ok("secrets", f"SECRET_KEY is kept in {file}")


def _admin(settings: Settings) -> Iterable[Finding]:
    if not settings.admin_token:
        what = "ADMIN_TOKEN is not set: /admin, clear-cache and /metrics from elsewhere are closed"
        yield note("secrets", what, "Set one if you want them")
    else:
        yield ok("secrets", "ADMIN_TOKEN is set")


# ── proxies ─────────────────────────────────────────────────────────────────────────────────────


def judge_proxies(environ: Mapping[str, str]) -> Found:
    """Who is believed about the browser's address and TLS."""
    about, given = "proxies", environ.get("FORWARDED_ALLOW_IPS", "").strip()
    if not given:
        return [ok(about, "X-Forwarded-Proto is believed from this machine only")]
    if given == "*":
        what = "FORWARDED_ALLOW_IPS=*: anybody who reaches the game is believed to be the proxy"
        return [note(about, what, "Right only where nothing but the proxy can reach this port")]
    wrong = [one for one in map(str.strip, given.split(",")) if not _is_address(one)]
    if wrong:
        what = f"FORWARDED_ALLOW_IPS: '{wrong[0]}' is no address"
        return [problem(about, what, "Addresses with commas between, or *")]
    return [ok(about, f"X-Forwarded-Proto is believed from {given}")]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
