"""The API's description: what FastAPI finds out by itself, and what holds for every call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from amazonia import __version__
from amazonia.web.operations import the_admin
from amazonia.web.security import COOKIE, signed_in
from amazonia.web.teaching import teacher_of

Json = dict[str, Any]

SCHEMES: Final[Mapping[str, Json]] = {
    "team": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    "teacher": {"type": "apiKey", "in": "cookie", "name": "amazonia_class_CODE"},
    "admin": {"type": "http", "scheme": "bearer"},
}
"""Who may call."""
ASKS: Final[Mapping[Callable[..., Any], str]] = {
    signed_in: "team",
    teacher_of: "teacher",
    the_admin: "admin",
}
"""The dependency that lets only them pass."""
PROBLEM: Final = {
    "description": "What went wrong, and what to do (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def describe(app: FastAPI) -> None:
    """Let the application describe itself so, made when it is first asked for."""
    made: Json = {}

    def openapi() -> Json:
        if not made:
            made.update(_description(app))
        return made

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to change it


def _description(app: FastAPI) -> Json:
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    found = get_openapi(title=app.title, version=__version__, routes=routes)
    components = found["components"]
    components["securitySchemes"] = dict(SCHEMES)
    for name in ("HTTPValidationError", "ValidationError"):  # our problems say it instead
        components["schemas"].pop(name, None)
    for route in routes:
        for call in found["paths"].get(route.path, {}).values():
            if call["operationId"] == route.unique_id:
                _complete(call, route)
    return found


def _complete(call: Json, route: APIRoute) -> None:
    """Any call may be refused, with a problem; some want to know who calls."""
    answers: Json = {
        status: _as_problem(answer) if status >= "400" else answer
        for status, answer in call["responses"].items()
        if status != "422"  # FastAPI's word for it has another shape
    }
    call["responses"] = {**answers, "default": PROBLEM}
    asks: list[Json] = [{name: []} for name in _asks(route.dependant)]
    if asks:
        call["security"] = asks


def _as_problem(answer: Json) -> Json:
    """What is said of a failure, with the body that failures have; some have one of their own."""
    told = answer.get("content", {})
    ours = not told or "#/components/schemas/Problem" in str(told)
    return {**PROBLEM, "description": answer["description"]} if ours else answer


def _asks(dependant: Dependant) -> Iterator[str]:
    for each in dependant.dependencies:
        if each.call is not None and each.call in ASKS:
            yield ASKS[each.call]
        yield from _asks(each)
