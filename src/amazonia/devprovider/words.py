"""What the provider says: a beat performed, a topic chosen, whatever it is told, a vector."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import sqrt

TOKEN = 4
"""Characters of a token."""
DIMENSIONS = 64
"""Length of an embedding."""

PARAGRAPH = (
    "Que bom que vocês vieram até aqui. A manhã está quente, o rio está baixo e ainda tem café na "
    "garrafa. Sentem na sombra, que a conversa fica melhor. Eu gosto de falar da terra, dos bichos "
    "e da gente daqui, mas cada coisa tem a sua hora. Perguntem com calma, um de cada vez, e eu "
    "respondo o que souber."
)
"""Said when nobody says what to say."""

_OPENERS = ("", "Olhe. ", "Pois é. ", "Bom. ")
_BEAT = re.compile(r"<beat\b[^>]*>(.*?)</beat>", re.DOTALL | re.IGNORECASE)
_TOPICS = re.compile(r"<topics\b[^>]*>(.*?)</topics>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_DASH = re.compile(r"^\s*[-–—•*]+\s*")
_WORD = re.compile(r"[a-z]{3,}")
_STEM = 5
_COMMON = """
    que com por para uma dos das nos nas mais mas como quem onde quando qual quais porque sobre isso
    esse essa este esta ele ela eles elas voce voces seu sua seus suas foi era ser sao tem ter havia
    the and for you your what who where when why how did does was were are about with that this
"""
_STOP_WORDS = frozenset(_COMMON.split())

_ORDER = re.compile(
    r"\b(?:diga|repita|fale|escreva|conte|responda|say|repeat|write|tell)\b"
    r"(?:[^.!?\n:]{0,60}?(?:\bque\b|\bthat\b|:)|(?:-me|\s+(?:me|comigo|us)\b)?)[\s,]*(?P<what>.+)",
    re.IGNORECASE | re.DOTALL,
)
_ASKS_FOR_PROMPT = re.compile(
    r"instru[cç]|instruct|\bprompt|mensagem d[eo] sistema|system message", re.IGNORECASE
)
_SYSTEM = ("system", "developer")
_SLANG = ("mano,", "ei,", "me diz:")
_QUOTES = "«»“”‘’\"'"


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the conversation, its content as plain text."""

    role: str
    text: str


Messages = Sequence[Message]


def perform(messages: Messages, seed: int) -> str:
    """The reply that the messages ask for.

    The chosen topic's id if one offers `<topics>`; else the lines of its `<beat>`, maybe after an
    opener that the seed and the last question choose; else, where lines like some examples are
    asked for, each example a bit otherwise; else a friendly paragraph.
    """
    if is_classification(messages):
        return choose_topic(messages)
    beat = _block(messages, _BEAT)
    if beat is None and (examples := _examples(messages)):
        return "\n".join(f"{_SLANG[i % len(_SLANG)]} {line}" for i, line in enumerate(examples))
    if beat is None:
        return PARAGRAPH
    lines = (_DASH.sub("", line).strip() for line in beat.splitlines())
    return _opener(last_question(messages), seed) + " ".join(line for line in lines if line)


def _examples(messages: Messages) -> list[str]:
    """The lines that are listed in the last user message with a dash before them."""
    asked = next((m.text for m in reversed(messages) if m.role == "user"), "")
    return [_DASH.sub("", line).strip() for line in asked.splitlines() if _DASH.match(line)]


def obey(messages: Messages, _seed: int = 0) -> str:
    """What the last question tells it to say; asked for its instructions, the system's messages.

    A question that gives no order is turned into a statement.
    """
    question = last_question(messages)
    order = _ORDER.search(question)
    what = order["what"] if order else question
    if _ASKS_FOR_PROMPT.search(what):
        recited = "\n".join(message.text for message in messages if message.role in _SYSTEM)
        return recited or PARAGRAPH
    said = what.strip(_QUOTES + " \n\t?!.")
    return f"{said[:1].upper()}{said[1:]}." if said else PARAGRAPH


def say_nothing(_messages: Messages, _seed: int = 0) -> str:
    """No text at all."""
    return ""


def is_classification(messages: Messages) -> bool:
    """Whether a message offers topics to choose from."""
    return _block(messages, _TOPICS) is not None


def choose_topic(messages: Messages) -> str:
    """The id of the offered topic that shares most stems with the last question, or `none`.

    Topics are lines `id: description`; of equals the first wins.
    """
    asked = stems(last_question(messages))
    best, most = "none", 0
    for line in (_block(messages, _TOPICS) or "").splitlines():
        name, colon, description = _DASH.sub("", line).partition(":")
        shared = len(asked & stems(f"{name} {description}"))
        if colon and shared > most:
            best, most = name.strip(), shared
    return best


def last_question(messages: Messages) -> str:
    """The last user message without blocks and tags; empty if there is none."""
    for message in reversed(messages):
        if message.role == "user":
            bare = _TOPICS.sub(" ", _BEAT.sub(" ", message.text))
            return _TAG.sub(" ", bare).strip()
    return ""


def stems(text: str) -> frozenset[str]:
    """The first letters of the words that carry meaning, without accents."""
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return frozenset(w[:_STEM] for w in _WORD.findall(plain) if w not in _STOP_WORDS)


def tokens(text: str) -> list[str]:
    """The text in pieces of four characters; together they are the text."""
    return [text[at : at + TOKEN] for at in range(0, len(text), TOKEN)]


def count_tokens(text: str) -> int:
    """How many tokens the text is."""
    return -(-len(text) // TOKEN)


def embed(text: str) -> list[float]:
    """A unit vector of 64 numbers; texts that share stems point in similar directions."""
    vector = [0.0] * DIMENSIONS
    for stem in stems(text) or {""}:
        digest = blake2b(stem.encode(), digest_size=2).digest()
        vector[digest[0] % DIMENSIONS] += 1.0 if digest[1] & 1 else -1.0
    length = sqrt(sum(x * x for x in vector))
    # Two stems may have met at one place with opposite signs and left nothing.
    return [x / length for x in vector] if length else [1.0] + [0.0] * (DIMENSIONS - 1)


def _block(messages: Messages, block: re.Pattern[str]) -> str | None:
    """The last such block; a system message's goes first, because players write the others."""
    for message in _latest_first(messages):
        if found := block.findall(message.text):
            return str(found[-1])
    return None


def _latest_first(messages: Messages) -> list[Message]:
    by_rank = sorted(messages, key=lambda message: message.role in _SYSTEM)
    return by_rank[::-1]


def _opener(question: str, seed: int) -> str:
    digest = blake2b(f"{seed}\n{question}".encode(), digest_size=2).digest()
    return _OPENERS[int.from_bytes(digest) % len(_OPENERS)]
