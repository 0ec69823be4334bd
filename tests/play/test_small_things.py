"""Names, codes, what players type, sentences, limits, deadlines, settings."""

import asyncio
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_urlsafe

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazonia.errors import BadSetting, UnknownCode
from amazonia.fabric.limits import MemoryLimits
from amazonia.fabric.owners import FileOwners
from amazonia.fabric.streams import MemoryStreams
from amazonia.fabric.watch import Watch
from amazonia.play.sessions import CODE_ALPHABET, read_code, show_code
from amazonia.play.text import clean, question_key
from amazonia.settings import read_settings, secret_key
from amazonia.voice.deadline import Deadline
from amazonia.voice.scripted import sentences


@given(st.text(CODE_ALPHABET, min_size=12, max_size=12))
def test_a_code_can_be_typed_carelessly(code: str) -> None:
    """With or without hyphens and spaces, in small letters."""
    shown = show_code(code)
    assert len(shown) == 14
    assert read_code(shown) == code
    assert read_code(f"  {shown.lower().replace('-', ' ')} ") == code


@pytest.mark.parametrize("typed", ["", "ABC", "O0I1-O0I1-O0I1", "'; DROP TABLE", "é" * 12])
def test_what_cannot_be_a_code_is_unknown(typed: str) -> None:
    """Without asking the database."""
    with pytest.raises(UnknownCode):
        read_code(typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Os\tBotos \n", "Os Botos"),
        ("<b>Botos</b>", "<b>Botos</b>"),
        ("a\x00b\u202ec", "a b c"),
        ("👩‍🔬🐬", "👩‍🔬🐬"),
        ("x" * 99, "x" * 40),
        ("\ud800", ""),
    ],
)
def test_what_is_typed_is_cleaned(typed: str, kept: str) -> None:
    """Control characters go, everything else stays as text."""
    assert clean(typed, 40) == kept


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    """What was cleaned can be stored and is not changed again."""
    once = clean(text, 40)
    assert clean(once, 40) == once
    once.encode()
    assert question_key(once) == question_key(f" {once.upper().lower()} ") or not once.isascii()


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Um. Dois! Três?", ["Um.", "Dois!", "Três?"]),
        (
            "O Dr. Quintela mediu 0,4 mg/L. Foi cedo.",
            ["O Dr. Quintela mediu 0,4 mg/L.", "Foi cedo."],
        ),
        (
            "Ele disse: «Foi ontem. Eu vi.» Depois saiu.",
            ["Ele disse: «Foi ontem. Eu vi.»", "Depois saiu."],
        ),
        ("Esperem… eu conto. Às 9h10.", ["Esperem… eu conto.", "Às 9h10."]),
        ("A sra. Lia, o sr. J. Lima e eu.", ["A sra. Lia, o sr. J. Lima e eu."]),
        ("", []),
    ],
)
def test_text_is_cut_into_sentences(text: str, cut: list[str]) -> None:
    """At sentence ends only."""
    assert list(sentences(text)) == cut


@given(st.text(st.sampled_from(" .!?…«»aB9Dr,")))
def test_sentences_are_the_text(text: str) -> None:
    """Joined by spaces they give the text, whatever it is."""
    assert " ".join(sentences(text)) == " ".join(text.split())


async def test_a_bucket_empties_and_fills() -> None:
    """Eight at once, then one every 1.5 seconds."""
    now = 100.0
    limits = MemoryLimits(lambda: now)
    assert [await limits.wait("team", 1.5, 8) for _ in range(8)] == [0.0] * 8
    assert await limits.wait("team", 1.5, 8) == pytest.approx(1.5)
    assert await limits.wait("other", 1.5, 8) == 0.0
    now += 1.5
    assert await limits.wait("team", 1.5, 8) == 0.0
    assert await limits.wait("team", 1.5, 8) > 0


def test_a_deadline_never_gives_more_than_is_left() -> None:
    """And never a negative time."""
    now = 5.0
    deadline = Deadline.after(2.0, lambda: now)
    assert deadline.cap(9.0) == 2.0
    assert deadline.cap(0.5) == 0.5
    now = 10.0
    assert deadline.left() == deadline.cap(1.0) == 0.0


async def test_a_stream_reaches_every_listener() -> None:
    """Those who came early, late and from the middle."""
    stream = MemoryStreams().open("turn")
    stream.add("turn", {})

    async def listen(after: int) -> list[str]:
        return [event.kind async for event in stream.after(after)]

    early = asyncio.create_task(listen(0))
    await asyncio.sleep(0)
    for kind in ("gesture", "sentence", "done"):
        stream.add(kind, {})
    middle = asyncio.create_task(listen(2))
    await asyncio.sleep(0)
    stream.close()
    everything = ["turn", "gesture", "sentence", "done"]
    assert await early == everything
    assert await middle == everything[2:]
    assert await listen(0) == everything
    assert await listen(9) == []


async def test_one_look_serves_all_who_wait() -> None:
    """However many wait for the same things."""
    looks: list[list[str]] = []

    async def look(keys: object) -> dict[str, int]:
        looks.append(sorted(keys))  # type: ignore[call-overload]
        return {"a": 1}

    watch: Watch[str, int] = Watch(look, 0.01)
    assert await asyncio.gather(*(watch.next(k) for k in ("a", "a", "b"))) == [1, 1, None]
    assert looks == [["a", "b"]]


def test_an_owner_lives_as_long_as_its_process(tmp_path: Path) -> None:
    """A lock file that nobody holds belongs to a dead one, and is taken away."""
    mine, other = FileOwners(tmp_path), FileOwners(tmp_path)
    token = other.token
    assert mine.alive(mine.token)
    assert mine.alive(token)
    other._file.close()  # as the system does when a process dies
    assert not mine.alive(token)
    assert not mine.alive("nobody")
    assert [path.stem for path in tmp_path.iterdir()] == [mine.token]
    mine.close()


def test_no_environment_is_a_working_one() -> None:
    """Every variable has a default; an empty one counts as not set."""
    settings = read_settings({"PORT": " ", "OPENAI_API_KEY": ""})
    assert (settings.port, settings.turn_deadline, settings.workers) == (8000, 18.0, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("TURN_DEADLINE", "-1"),
        ("GUNICORN_WORKERS", "0"),
        ("AMAZONIA_ENV", "staging"),
        ("LOG_FORMAT", "xml"),
        ("DATABASE_URL", "mysql://x"),
        ("AMAZONIA_PROVIDERS", "[{"),
        ("AMAZONIA_PROVIDERS", '[{"name": "x"}]'),
        ("ASSET_URL", "cdn"),
    ],
)
def test_a_bad_value_is_one_line_that_says_what_is_allowed(name: str, value: str) -> None:
    """And names the variable."""
    with pytest.raises(BadSetting) as caught:
        read_settings({name: value})
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert "allowed" in message
    assert "\n" not in message


def test_production_needs_a_secret() -> None:
    """Of its own, and not a short one, which is not shown."""
    for environ in ({}, {"SECRET_KEY": "hunter2"}):
        with pytest.raises(BadSetting, match="SECRET_KEY") as caught:
            read_settings({"AMAZONIA_ENV": "production", **environ})
        assert "hunter2" not in str(caught.value)
    read_settings({"AMAZONIA_ENV": "production", "SECRET_KEY": "k8sV2mQx7bTz4nLw9dRf3hJp6yGc5aEu"})


def test_the_secret_is_made_once(tmp_path: Path) -> None:
    """And readable by nobody else."""
    settings = read_settings({"AMAZONIA_DATA": str(tmp_path / "data")})
    secret = secret_key(settings)
    assert len(secret) > 32
    assert secret_key(settings) == secret
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret.key"]
    assert secret not in repr(settings)


def test_workers_that_begin_together_have_one_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody reads it before it is whole, and nobody keeps another one."""
    settings = read_settings({"AMAZONIA_DATA": str(tmp_path / "data")})

    def slowly(size: int) -> str:
        time.sleep(0.05)
        return token_urlsafe(size)

    monkeypatch.setattr(secrets, "token_urlsafe", slowly)
    with ThreadPoolExecutor(8) as pool:
        (secret,) = set(pool.map(lambda _: secret_key(settings), range(8)))
    assert len(secret) > 32
