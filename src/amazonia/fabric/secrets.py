"""Passphrases, hashed with argon2id."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


class Argon2Secrets:
    """The `Secrets` port. One hash is made at a time, beside the event loop.

    19 MiB and two passes are the least that OWASP advises; a small school server has no more.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
        self._one = asyncio.Semaphore(1)
        self._nobody = ""

    async def hash(self, passphrase: str) -> str:
        """What to store of a passphrase."""
        async with self._one:
            return await asyncio.to_thread(self._hasher.hash, passphrase)

    async def verify(self, hashed: str, passphrase: str) -> bool:
        """Whether it is the passphrase."""
        async with self._one:
            return await asyncio.to_thread(self._verify, hashed, passphrase)

    def _verify(self, hashed: str, passphrase: str) -> bool:
        self._nobody = self._nobody or self._hasher.hash("nobody")
        try:
            self._hasher.verify(hashed or self._nobody, passphrase)
        except (VerificationError, InvalidHashError):
            return False
        return bool(hashed)
