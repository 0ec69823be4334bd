"""Guessing: how long it takes at the pace that the limits allow, and that no comparison helps."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from amazonia import web
from amazonia.classroom import classes
from amazonia.play import sessions
from amazonia.settings import SAFE_TOKEN
from amazonia.web import admin, api, teaching

SOURCES = Path(web.__file__).parents[1]
ROOMS = ("web", "classroom")
"""Where what somebody sent meets a secret; elsewhere a token is the name of a process."""
SECRET = re.compile(
    r"token|secret|passphrase|recovery|digest|badge|resume_code|cookie|signature|\bkey$",
    re.IGNORECASE,
)
DAY = 86_400.0
YEAR = 365 * DAY
ADDRESSES = 1_000
"""Machines that guess together."""

# what is guessed, how many there are, how many lead somewhere, seconds for a guess of one address,
# whether the limit holds for all addresses together, how long it has to take on average
GUESSES = [
    # A school's classes, all day: what is found is a place in a game, as a team that the teacher
    # sees arrive and can take out. One machine needs days; a thousand would need minutes, and
    # docs/security.md says so.
    (
        "join code",
        len(classes.CODE_ALPHABET) ** classes.CODE_LENGTH,
        200,
        teaching.GUESS_EVERY,
        1,
        3 * DAY,
    ),
    # Every team that ever played; what is found is that team's game.
    (
        "resume code",
        len(sessions.CODE_ALPHABET) ** sessions.CODE_LENGTH,
        10**6,
        api.SESSION_EVERY,
        ADDRESSES,
        100 * DAY,
    ),
    (
        "private link",
        len(classes.KEY_ALPHABET) ** classes.KEY_LENGTH,
        10**5,
        teaching.ENTER_EVERY / 2,
        ADDRESSES,
        10**9 * YEAR,
    ),
    # Of one class, whoever tries from wherever.
    (
        "recovery code",
        len(classes.RECOVERY_ALPHABET) ** classes.RECOVERY_LENGTH,
        1,
        teaching.ENTER_EVERY,
        1,
        10**6 * YEAR,
    ),
    # The worst that a teacher may choose: one of ten thousand common passphrases of eight letters.
    ("common passphrase", 10_000, 1, teaching.ENTER_EVERY, 1, DAY / 2),
    ("administrator's token", 64**SAFE_TOKEN, 1, admin.TRY_EVERY, ADDRESSES, 10**6 * YEAR),
]


@pytest.mark.parametrize(
    ("what", "space", "good", "every", "together", "least"), GUESSES, ids=[g[0] for g in GUESSES]
)
def test_guessing_takes_too_long(
    what: str, space: int, good: int, every: float, together: int, least: float
) -> None:
    """The mean time to a first hit, at the pace that the limits allow for good."""
    seconds = space / (good + 1) * every / together
    assert seconds >= least, f"{what}: {seconds / DAY:.1f} days"


def test_what_is_kept_of_a_class_s_keys_is_no_key() -> None:
    """Links and recovery codes are looked up by digests, so what is compared is never the key."""
    assert classes.digest("a") != classes.digest("b")
    assert len(classes.digest("a")) == 64


def test_secrets_are_compared_in_constant_time() -> None:
    """Nowhere is a secret held against what somebody sent by `==`, which stops at the first
    difference: by a digest's comparison, argon2, a signature's, or a look-up in the database."""
    found = [
        hit for room in ROOMS for path in (SOURCES / room).rglob("*.py") for hit in _hits(path)
    ]
    assert found == []
    assert list(_hits_in("x", "if given == self.admin_token: pass")), "this test sees nothing"


def _hits(path: Path) -> Iterator[str]:
    yield from _hits_in(path.name, path.read_text(encoding="utf-8"))


def _hits_in(name: str, code: str) -> Iterator[str]:
    """Comparisons for equality of two values, one of which is called like a secret."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        equal = any(isinstance(op, (ast.Eq, ast.NotEq)) for op in node.ops)
        fixed = any(isinstance(side, ast.Constant) for side in sides)
        if equal and not fixed and any(SECRET.search(ast.unparse(side)) for side in sides):
            yield f"{name}:{node.lineno}: {ast.unparse(node)}"
