"""Opening a class, coming back to it, finding it by its code."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

from amazonia.domain.case import Lang
from amazonia.errors import (
    ClassEnded,
    Conflict,
    NotTheTeacher,
    UnknownCode,
    WrongPassphrase,
)
from amazonia.ports import Chance, Clock, Library
from amazonia.ports.classes import Classes, Classroom, Command, Secrets

CODE_ALPHABET = "BCDFGHJKMNPQRSTVWXZ"
"""No vowels, so that no code is a word; no L, which looks like an I."""
CODE_LENGTH = 6
KEY_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
KEY_LENGTH = 28
"""138 bits."""
RECOVERY_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
RECOVERY_LENGTH = 12
MOST_TEAMS = 60
SHORTEST, LONGEST, USUAL = 600.0, 60 * 86400.0, 7 * 86400.0
"""Seconds that a class may last, and lasts when nothing is said: two lessons, a week apart."""
LEAST_PASSPHRASE = 8


@dataclass(frozen=True, slots=True)
class Opened:
    """A class, and what only its teacher is told, once.

    Attributes:
        key: what the private link holds; `recovery` is for paper.
    """

    room: Classroom
    key: str
    recovery: str


def read_class_code(typed: str) -> str:
    """A class code as it is stored, however it was typed.

    Raises:
        UnknownCode: it cannot be one.
    """
    code = "".join(c for c in typed.upper() if c.isalnum())
    if len(code) != CODE_LENGTH or any(c not in CODE_ALPHABET for c in code):
        raise UnknownCode("no such class code")
    return code


def digest(secret: str) -> str:
    """What is stored of a secret that nobody can guess."""
    return sha256(secret.encode()).hexdigest()


def read_recovery(typed: str) -> str:
    """A recovery code as it was made, however it was typed."""
    return "".join(c for c in typed.upper() if c.isalnum())


@dataclass(frozen=True, slots=True)
class Registry:
    """The use cases around a class as a whole."""

    library: Library
    classes: Classes
    secrets: Secrets
    clock: Clock
    chance: Chance

    async def open(
        self, case_id: str, lang: str | None, seconds: float = USUAL, passphrase: str = ""
    ) -> Opened:
        """Open a class.

        Args:
            lang: a language of the case; its first one if the case does not have it.
            seconds: how long it lasts.
            passphrase: to come back with, beside the private link.

        Raises:
            UnknownCase: there is no such case.
        """
        case = self.library.case(case_id)
        key = self.chance.token(KEY_ALPHABET, KEY_LENGTH)
        recovery = self.chance.token(RECOVERY_ALPHABET, RECOVERY_LENGTH)
        now = self.clock.now()
        room = Classroom(
            id=self.chance.token(KEY_ALPHABET, 16),
            code="",
            case_id=case.id,
            key=digest(key),
            recovery=digest(recovery),
            passphrase=await self.secrets.hash(passphrase) if passphrase else "",
            lang=Lang(lang) if lang and lang in case.words else next(iter(case.words)),
            created_at=now,
            ends_at=now + min(LONGEST, max(SHORTEST, seconds)),
        )
        return Opened(await self._add(room), key, recovery)

    async def to_join(self, typed: str) -> Classroom:
        """The class that a team joins by this code.

        Raises:
            UnknownCode: there is none that goes on.
            ClassEnded: the code is right, but the class was over less than a day ago.
        """
        room = await self.classes.by_code(read_class_code(typed))
        now = self.clock.now()
        if room is None or (room.is_over(now) and now - _end(room) > 86400):
            raise UnknownCode("no such class code")
        if room.is_over(now):
            raise ClassEnded(room.id)
        return room

    async def by_key(self, key: str) -> Classroom:
        """The class of a private link.

        Raises:
            NotTheTeacher: it is none, or a newer one was made.
        """
        room = await self.classes.by_key(digest(key))
        if room is None:
            raise NotTheTeacher("no such link")
        return room

    async def by_passphrase(self, typed_code: str, secret: str) -> Classroom:
        """The class of a code, for whoever has its passphrase or its recovery code.

        Raises:
            WrongPassphrase: it is neither, or there is no such class: it takes as long.
        """
        try:
            room = await self.classes.by_code(read_class_code(typed_code))
        except UnknownCode:
            room = None
        if room and hmac.compare_digest(room.recovery, digest(read_recovery(secret))):
            return room
        if not await self.secrets.verify(room.passphrase if room else "", secret) or room is None:
            raise WrongPassphrase("neither passphrase nor recovery code")
        return room

    async def renew(self, room: Classroom, passphrase: str | None = None) -> Opened:
        """Make a new private link and a new recovery code; the old ones lead nowhere.

        Args:
            passphrase: the new one; as before if None, none at all if empty.
        """
        key = self.chance.token(KEY_ALPHABET, KEY_LENGTH)
        recovery = self.chance.token(RECOVERY_ALPHABET, RECOVERY_LENGTH)
        hashed = await self.secrets.hash(passphrase) if passphrase else passphrase

        def rule(newest: Classroom) -> Classroom:
            return replace(
                newest,
                key=digest(key),
                recovery=digest(recovery),
                passphrase=newest.passphrase if hashed is None else hashed,
            )

        after = await self.command(room, "renew", rule)
        return Opened(after, key, recovery)

    async def command(
        self,
        room: Classroom,
        kind: str,
        rule: Callable[[Classroom], Classroom],
        **data: object,
    ) -> Classroom:
        """Do what a teacher says; the newest command wins, and all of them are noted."""
        now = self.clock.now()
        return await self.classes.change(room.id, rule, [Command(kind, data, now)], now)

    async def _add(self, room: Classroom) -> Classroom:
        while True:
            coded = replace(room, code=self.chance.token(CODE_ALPHABET, CODE_LENGTH))
            try:
                await self.classes.add(coded)
            except Conflict:  # once in fifty million: another class has this code
                continue
            return coded


def _end(room: Classroom) -> float:
    return min(room.ends_at, room.ended_at if room.ended_at is not None else room.ends_at)
