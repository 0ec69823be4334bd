"""Who speaks: the voices in order, the authored lines last. Now there are only those."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from amazonia.ports import Deadline as AnyDeadline
from amazonia.ports import Performance, Said
from amazonia.voice.deadline import Deadline
from amazonia.voice.scripted import authored, sentences

__all__ = ["Deadline", "ScriptedVoice", "authored_reply"]


def authored_reply(performance: Performance) -> list[str]:
    """The sentences of a performance as its authors wrote them."""
    text = authored(performance.words, performance.character, performance.lines)
    return list(sentences(text))


@dataclass(frozen=True, slots=True)
class ScriptedVoice:
    """The `Voice` port: speaks the authored lines at once."""

    async def speak(self, performance: Performance, deadline: AnyDeadline) -> AsyncIterator[Said]:
        """The authored sentences."""
        del deadline  # nothing here takes time
        for sentence in authored_reply(performance):
            yield Said("sentence", sentence, "scripted")
