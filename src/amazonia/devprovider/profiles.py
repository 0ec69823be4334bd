"""The fault profiles: how a valid answer is sent, spoiled or withheld. Pure: no clock, no socket.

A profile turns an answer into a `Script`: which bytes at which second, and how it ends. Seconds are
those of a provider at speed 1, counted from the arrival of the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count
from random import Random

from amazonia.devprovider import wire
from amazonia.devprovider.wire import Answer
from amazonia.devprovider.words import Messages, obey, perform, say_nothing

Range = tuple[float, float]
Step = tuple[float, bytes]
"""When, in seconds, and what is sent."""

FLAKY_HANGS = 0.3
"""Share of the calls that `flaky` never answers."""
DRIP = 2.0
COMMENT_EVERY = 1.0
LATE = 20.0
RETRY_AFTER = "2"


class UnknownProfile(ValueError):
    """There is no profile of this name; the message lists those that exist."""


class Ending(Enum):
    """What follows the last step."""

    COMPLETE = auto()
    """The answer is closed; the connection may serve another call."""
    SILENCE = auto()
    """Nothing, for ever: the answer stays open until the client closes."""
    ABORT = auto()
    """The connection is closed in the middle of the answer."""
    RESET = auto()
    """The connection is reset (RST), as by a machine that does not know it."""


@dataclass(frozen=True, slots=True)
class Script:
    """What happens on the wire.

    Attributes:
        steps: in order of time; may be endless. Nothing is sent, headers included, before the
            first.
        whole: the steps are a whole answer, whatever the ending.
    """

    steps: Iterable[Step]
    ending: Ending = Ending.COMPLETE
    whole: bool = False
    status: int = 200
    content_type: str = wire.JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """One way to answer.

    Attributes:
        script: from the valid answer and this call's chance to what happens.
        speech: what the answer says, from the messages and the provider's seed.
    """

    name: str
    script: Callable[[Answer, Random], Script]
    speech: Callable[[Messages, int], str] = perform


# ── answers that are whole ──────────────────────────────────────────────────────────────────────


def _healthy(answer: Answer, chance: Random) -> Script:
    return _whole(answer, *_pace(answer, chance))


def _fast(answer: Answer, chance: Random) -> Script:
    return _whole(answer, *_pace(answer, chance, whole=(0.045, 0.055), first=(0.008, 0.012)))


def _slow(answer: Answer, chance: Random) -> Script:
    whole = chance.uniform(15, 30)
    return _whole(answer, whole / 2, whole / 2 if answer.brief else whole)


def _late(answer: Answer, chance: Random) -> Script:
    first, whole = _pace(answer, chance)
    return _whole(answer, LATE, LATE + whole - first)


def _empty(answer: Answer, chance: Random) -> Script:
    first, _ = _pace(answer, chance)
    return _whole(answer, first, first)


def _nodone(answer: Answer, chance: Random) -> Script:
    first, whole = _pace(answer, chance)
    steps = ((at, piece) for at, piece in _evenly(answer, first, whole) if piece != wire.DONE)
    return Script(steps, Ending.SILENCE, whole=True, content_type=answer.content_type)


# ── answers that are not ────────────────────────────────────────────────────────────────────────


def _outage(_answer: Answer, _chance: Random) -> Script:
    return Script((), Ending.SILENCE)


def _refuse(_answer: Answer, _chance: Random) -> Script:
    return Script((), Ending.RESET)


def _flaky(answer: Answer, chance: Random) -> Script:
    hangs = chance.random() < FLAKY_HANGS
    return _outage(answer, chance) if hangs else _healthy(answer, chance)


def _cut(answer: Answer, chance: Random) -> Script:
    first, whole = _pace(answer, chance)
    return Script(_first_half(answer, first, whole), Ending.ABORT, content_type=answer.content_type)


def _first_half(answer: Answer, first: float, whole: float) -> Iterator[Step]:
    """Everything up to the middle of the middle token's bytes."""
    middle = len(answer.opening) + len(answer.tokens) // 2
    for number, (at, piece) in enumerate(_evenly(answer, first, whole)):
        if number == middle:
            yield at, piece[: len(piece) // 2]
            return
        yield at, piece


def _garbage(answer: Answer, chance: Random) -> Script:
    first, whole = _pace(answer, chance)
    good = len(answer.opening) + chance.randint(0, len(answer.tokens) // 2)
    steps = (
        (at, piece if number < good or piece == wire.DONE else _spoiled(piece, answer.streamed))
        for number, (at, piece) in enumerate(_evenly(answer, first, whole))
    )
    return Script(steps, content_type=answer.content_type)


def _spoiled(piece: bytes, is_event: bool) -> bytes:
    return piece[: len(piece) * 2 // 3] + (b"\n\n" if is_event else b"")


def _stall(answer: Answer, chance: Random) -> Script:
    first, _ = _pace(answer, chance)
    steps: list[Step] = [(0.0, piece) for piece in answer.opening]
    for token in answer.tokens[:1]:
        piece = answer.piece(token)
        steps.append((first, piece if answer.streamed else piece[: len(piece) // 2]))
    return Script(steps, Ending.SILENCE, content_type=answer.content_type)


def _drip(answer: Answer, _chance: Random) -> Script:
    whole = answer.whole()
    steps = ((at * DRIP, whole[at : at + 1]) for at in range(len(whole)))
    return Script(steps, whole=True, content_type=answer.content_type)


def _comments(answer: Answer, _chance: Random) -> Script:
    # A JSON document may begin with white space: what some providers send to keep a call alive.
    sign = b": keep-alive\n\n" if answer.streamed else b"\n"
    steps = ((at * COMMENT_EVERY, sign) for at in count())
    return Script(steps, Ending.SILENCE, content_type=answer.content_type)


# ── errors ──────────────────────────────────────────────────────────────────────────────────────


def _fails(
    status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> Callable[[Answer, Random], Script]:
    script = Script(((0.0, body),), status=status, headers=headers or {})
    return lambda _answer, _chance: script


_RATE_LIMITED = _fails(
    429,
    wire.error(
        "Rate limit reached on requests per min (RPM). Please try again in 2s.",
        code="rate_limit_exceeded",
        kind="requests",
    ),
    {"Retry-After": RETRY_AFTER},
)
_ERROR = _fails(
    500,
    wire.error(
        "The server had an error while processing your request. Sorry about that!",
        kind="server_error",
    ),
)
_FILTERED = _fails(
    400,
    wire.error(
        "The response was filtered due to the prompt triggering the content management policy.",
        code="content_filter",
        param="prompt",
    ),
)
_TOO_LONG = _fails(
    400,
    wire.error(
        "This model's maximum context length is 8192 tokens. Please reduce the length of the "
        "messages.",
        code="context_length_exceeded",
        param="messages",
    ),
)
_BAD_KEY = _fails(401, wire.error("Incorrect API key provided.", code="invalid_api_key"))


# ── all of them ─────────────────────────────────────────────────────────────────────────────────

_CONTRACT = (
    Profile("healthy", _healthy),
    Profile("fast", _fast),
    Profile("slow", _slow),
    Profile("outage", _outage),
    Profile("refuse", _refuse),
    Profile("ratelimit", _RATE_LIMITED),
    Profile("error", _ERROR),
    Profile("flaky", _flaky),
    Profile("cut", _cut),
    Profile("garbage", _garbage),
    Profile("empty", _empty, say_nothing),
    Profile("leak", _healthy, obey),
    Profile("stall", _stall),
    Profile("drip", _drip),
    Profile("comments", _comments),
    Profile("late", _late),
    Profile("nodone", _nodone),
    Profile("filter", _FILTERED),
    Profile("toolong", _TOO_LONG),
)
_PROFILES = {profile.name: profile for profile in (*_CONTRACT, Profile("badkey", _BAD_KEY))}

MIXED = "mixed"
"""Draws one of the contract's profiles for each call."""
NAMES = (*_PROFILES, MIXED)


def known(name: object) -> str:
    """The name, if it is a profile's.

    Raises:
        UnknownProfile: it is not.
    """
    if isinstance(name, str) and name in NAMES:
        return name
    raise UnknownProfile(f"no profile {name!r}; there are: {', '.join(NAMES)}")


def named_by(model: str) -> str | None:
    """The profile that a model's name asks for: `outage` and `x-outage` ask for `outage`."""
    name = model.rpartition("-")[2]
    return name if name in NAMES else None


def draw(name: str, chance: Random) -> Profile:
    """The profile of that name; for `mixed` a chance one of the contract's."""
    return chance.choice(_CONTRACT) if name == MIXED else _PROFILES[name]


# ── times ───────────────────────────────────────────────────────────────────────────────────────


def _pace(
    answer: Answer, chance: Random, whole: Range = (3.0, 8.0), first: Range = (0.4, 1.2)
) -> Range:
    """Seconds to the first token and to the end."""
    begins, ends = chance.uniform(*first), chance.uniform(*whole)
    return begins, begins if answer.brief else ends


def _whole(answer: Answer, first: float, whole: float) -> Script:
    steps = _evenly(answer, first, whole)
    return Script(steps, whole=True, content_type=answer.content_type)


def _evenly(answer: Answer, first: float, whole: float) -> Iterator[Step]:
    """The opening at once, the tokens evenly from `first` to `whole`, then the end."""
    for piece in answer.opening:
        yield 0.0, piece
    if not answer.streamed:
        first = whole
    gap = (whole - first) / max(1, len(answer.tokens) - 1)
    for number, token in enumerate(answer.tokens):
        yield first + gap * number, answer.piece(token)
    for piece in answer.end():
        yield whole, piece
