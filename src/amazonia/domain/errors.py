"""What the rules refuse, and why. Each says what is true afterwards: nothing changed."""

from __future__ import annotations


class RuleError(Exception):
    """An action that the rules do not allow now. The state is as before."""


class Unknown(RuleError):
    """The case has nothing of that name, or the team must not know of it yet."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"no {kind} '{name}'")
        self.kind = kind
        self.name = name


class NotYet(RuleError):
    """It exists and the team may know so, but it is not open yet.

    Attributes:
        reason: the words for players, in the session's language.
    """

    def __init__(self, kind: str, name: str, reason: str) -> None:
        super().__init__(f"{kind} '{name}' is not open yet")
        self.kind = kind
        self.name = name
        self.reason = reason


class NotOwned(RuleError):
    """A clue that the team has not found was used as evidence."""

    def __init__(self, clue: str) -> None:
        super().__init__(f"clue '{clue}' was not found yet")
        self.clue = clue


class BadAnswer(RuleError):
    """The answer has the wrong shape for its question.

    Attributes:
        allowed: what would be accepted, in one English sentence for API clients.
    """

    def __init__(self, allowed: str) -> None:
        super().__init__(allowed)
        self.allowed = allowed


class GateSyntaxError(ValueError):
    """A gate that cannot be read."""

    def __init__(self, gate: str, fault: str) -> None:
        super().__init__(f"gate '{gate}': {fault}")
        self.gate = gate
        self.fault = fault
