"""What a provider may do instead of answering."""

from __future__ import annotations

from typing import Literal

from amazonia.errors import AmazoniaError

Kind = Literal[
    "refused",  # nobody took the call: no such host, no listener, reset before any answer
    "silent",  # the first content token did not come in time
    "stalled",  # the gap between two content tokens was too long
    "cut",  # the stream ended without a finish reason and without [DONE]
    "garbage",  # what came is no answer of this protocol
    "empty",  # a complete answer without a visible character
    "server",  # 5xx, 408, or an error object inside the stream
    "rate_limited",  # 429
    "unauthorized",  # 401, 403
    "filtered",  # its content filter refused the question or the answer
    "too_long",  # more than its context holds
    "bad_request",  # any other 3xx or 4xx
    "overtime",  # our own deadline
]

_BLAMELESS: frozenset[Kind] = frozenset(
    {"filtered", "too_long", "rate_limited", "unauthorized", "overtime"}
)
_RETRYABLE: frozenset[Kind] = frozenset(
    {"refused", "cut", "server", "garbage", "empty", "rate_limited"}
)


def blames(kind: Kind) -> bool:
    """Whether a failure counts against the provider in its breaker.

    Not those about one question, not our own deadline, and not a limit or a refused key: these
    park the provider instead.
    """
    return kind not in _BLAMELESS


class ProviderFailed(AmazoniaError):
    """A provider did not answer. Nothing of ours was changed.

    Attributes:
        detail: a few words for a log line: never a key, never anything that somebody wrote.
        status: the HTTP status, if there was one.
        retry_after: seconds that the provider asks us to wait.
        partial: text was handed out before this happened.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        *,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind: Kind = kind
        self.detail = detail
        self.status = status
        self.retry_after = retry_after
        self.partial = False

    @property
    def blames(self) -> bool:
        """Whether it counts against the provider in its breaker."""
        return blames(self.kind)

    @property
    def retryable(self) -> bool:
        """Whether the same call may well succeed a moment later, and nothing was handed out."""
        return self.kind in _RETRYABLE and not self.partial
