"""Who is a teacher: what handlers of a class may depend on, and how one becomes its teacher."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Annotated

from fastapi import Depends, Request

from amazonia.classroom.classes import read_class_code
from amazonia.errors import NotTheTeacher, TooFast, UnknownCode
from amazonia.ports.classes import Classroom
from amazonia.services import Services
from amazonia.web.session import cookies_of, services_of

GUESS_EVERY, GUESSES = 3.0, 80
"""Seconds in which an address gets another wrong class code, and how many it has at first.

A school is one address: 40 teams that come at once may each mistype theirs twice. Right codes do
not count. Of 47 million codes some two hundred lead into a class: at this pace it takes a week to
find one, and what is found is a game to join."""
ENTER_EVERY, ENTERS = 10.0, 10
"""The same for passphrases, for each class and each address."""


NEAR = 0.6
"""How alike a code is to one that may be meant: two letters wrong, swapped or missing."""


async def teacher_of(request: Request, code: str) -> Classroom:
    """The class of the path, for its teacher.

    Raises:
        NotTheTeacher: whoever asks is not, or there is no such class.
    """
    room = await class_if_teacher(request, code)
    if room is None:
        raise NotTheTeacher(code)
    return room


async def class_if_teacher(request: Request, code: str) -> Classroom | None:
    """The class of a code if this browser is its teacher's."""
    try:
        room = await services_of(request).registry.classes.by_code(read_class_code(code))
    except UnknownCode:
        return None
    return room if room and cookies_of(request).reads_class(request, room) else None


TheClass = Annotated[Classroom, Depends(teacher_of)]


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else "?"


async def limit(services: Services, key: str, every: float, burst: int) -> None:
    """Take one from a bucket.

    Raises:
        TooFast: it is empty.
    """
    wait = await services.limits.wait(key, every, burst)
    if wait:
        raise TooFast(wait)


def near_codes(request: Request, typed: str) -> list[str]:
    """The codes that may be meant: only of classes whose teacher this browser is."""
    code = "".join(c for c in typed.upper() if c.isalnum())
    mine = cookies_of(request).codes_of(request)
    return [known for known in mine if SequenceMatcher(None, code, known).ratio() >= NEAR]


async def class_to_join(request: Request, typed: str) -> Classroom:
    """The class that a team joins by a code; only wrong codes count against an address.

    Raises:
        UnknownCode: no class that goes on has it.
        ClassEnded: it was over less than a day ago.
        TooFast: too many wrong codes came from there.
    """
    services = services_of(request)
    key = f"guess:{address_of(request)}"
    await limit(services, key, GUESS_EVERY, GUESSES)
    try:
        room = await services.registry.to_join(typed)
    except UnknownCode as exc:
        raise UnknownCode(str(exc), near=near_codes(request, typed)) from exc
    await services.limits.give_back(key, GUESS_EVERY)
    return room
