"""Starting, resuming and leaving a session."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from amazonia.domain.case import Lang
from amazonia.domain.session import begin
from amazonia.errors import Conflict, NoSession, UnknownCode
from amazonia.play.names import new_name
from amazonia.play.text import clean
from amazonia.ports import Chance, Clock, Devices, Library, Team, Teams

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 12
ID_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
NAME_LENGTH = 40
LIFETIME = 30 * 24 * 3600.0
"""Seconds for which a browser stays signed in."""


def show_code(code: str) -> str:
    """A resume code as it is printed: ``7KQF-2MXA-93TP``."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


def read_code(typed: str) -> str:
    """A resume code as it is stored, however it was typed.

    Raises:
        UnknownCode: it cannot be one.
    """
    code = "".join(c for c in typed.upper() if c.isalnum())
    if len(code) != CODE_LENGTH or any(c not in CODE_ALPHABET for c in code):
        raise UnknownCode("no such code")
    return code


@dataclass(frozen=True, slots=True)
class Joining:
    """The class that a new team joins.

    Attributes:
        names: those of its teams; the new one gets another.
        most: how many teams it may have.
    """

    class_id: str
    names: Collection[str]
    most: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A team, and the id of the browser that is signed in to it from now on."""

    team: Team
    device: str


@dataclass(frozen=True, slots=True)
class Sessions:
    """The use cases around a session."""

    library: Library
    teams: Teams
    devices: Devices
    clock: Clock
    chance: Chance
    usual: str = ""
    """The case that is played when none is named, if there is one of that name."""

    def default_case(self) -> str:
        """The case that is played when none is named."""
        names = self.library.names()
        return self.usual if self.usual in names else names[0]

    async def start(
        self,
        case_id: str | None,
        lang: str | None,
        name: str | None,
        members: int | None,
        joining: Joining | None = None,
    ) -> SignedIn:
        """Begin a new investigation.

        Args:
            lang: a language of the case; its first one if the case does not have it.
            name: not heeded in a class, where everybody sees it.

        Raises:
            UnknownCase: there is no such case.
            ClassFull: the class that it joins has no room for another team.
        """
        case = self.library.case(case_id or self.default_case())
        spoken = Lang(lang) if lang and lang in case.words else next(iter(case.words))
        typed = "" if joining else clean(name or "", NAME_LENGTH)
        team = Team(
            id=self.chance.token(ID_ALPHABET, 16),
            case_id=case.id,
            lang=spoken,
            name=typed or new_name(spoken, self.chance, joining.names if joining else ()),
            members=members,
            resume_code="",
            version=0,
            state=begin(case),
            class_id=joining.class_id if joining else "",
        )
        team = await self._add(team, joining.most if joining else None)
        return await self._sign_in(team)

    async def resume(self, typed: str) -> SignedIn:
        """Continue on this browser, by resume code.

        Raises:
            UnknownCode: no team has it.
        """
        team = await self.teams.by_code(read_code(typed))
        if team is None:
            raise UnknownCode("no such code")
        return await self._sign_in(team)

    async def team(self, device: str) -> Team:
        """The team of a browser.

        Raises:
            NoSession: it is not signed in (any more).
        """
        team = await self.devices.team(device, self.clock.now() - LIFETIME)
        if team is None:
            raise NoSession("this browser is not signed in")
        return team

    async def leave(self, device: str) -> None:
        """Sign this browser out; the team's progress is kept."""
        await self.devices.revoke(device, self.clock.now())

    async def rename(
        self,
        team: Team,
        name: str | None,
        members: int | None = None,
        taken: Collection[str] = (),
    ) -> str:
        """Give the team the name, or another generated one if it is empty.

        Args:
            members: how many they are; as before if None.
            taken: names that a generated one must not be.
        """
        new = clean(name or "", NAME_LENGTH) or new_name(
            team.lang, self.chance, {team.name, *taken}
        )
        await self.teams.rename(team.id, new, members or team.members, self.clock.now())
        return new

    async def _add(self, team: Team, most: int | None) -> Team:
        while True:
            coded = replace(team, resume_code=self.chance.token(CODE_ALPHABET, CODE_LENGTH))
            try:
                await self.teams.add(coded, self.clock.now(), most)
            except Conflict:  # once in 10^17: another team has this code
                continue
            return coded

    async def _sign_in(self, team: Team) -> SignedIn:
        device = self.chance.token(ID_ALPHABET, 32)
        await self.devices.add(device, team.id, self.clock.now())
        return SignedIn(team, device)
