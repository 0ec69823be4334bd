"""Errors as RFC 9457 problems: one table from error to status, one small catalogue of words."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import orjson
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from amazonia import errors
from amazonia.domain import errors as rules
from amazonia.web.models import MESSAGE_LENGTH

log = structlog.get_logger()

STATUS: dict[type[Exception], tuple[str, int]] = {
    errors.NoSession: ("no-session", 401),
    errors.UnknownCode: ("unknown-code", 404),
    errors.UnknownCase: ("unknown-case", 404),
    errors.NotTheTeacher: ("not-the-teacher", 403),
    errors.WrongPassphrase: ("wrong-passphrase", 403),
    errors.ClassFull: ("class-full", 409),
    errors.ClassEnded: ("class-ended", 409),
    errors.ClassPaused: ("class-paused", 423),
    errors.ClassHeld: ("class-held", 423),
    errors.TeamRemoved: ("team-removed", 409),
    errors.InDistress: ("care", 422),
    errors.NoSuchTurn: ("not-found", 404),
    errors.BadOrder: ("bad-order", 422),
    errors.TooFast: ("too-fast", 429),
    errors.Busy: ("busy", 503),
    errors.Conflict: ("conflict", 409),
    errors.StoreDown: ("store-down", 503),
    rules.Unknown: ("not-found", 404),
    rules.NotYet: ("not-yet", 409),
    rules.NotOwned: ("not-owned", 409),
    rules.BadAnswer: ("bad-answer", 422),
}

_HTTP = {
    401: "no-session",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "not-json",
}

# name → language → (title, detail)
TEXTS: dict[str, dict[str, tuple[str, str]]] = {
    "no-session": {
        "pt-BR": ("Sessão não encontrada", "Comecem uma investigação ou voltem com o código."),
        "en": ("No session", "Start an investigation or come back with the code."),
    },
    "unknown-code": {
        "pt-BR": (
            "Código desconhecido",
            "Nenhuma equipe nem turma aberta tem esse código. Confiram letra por letra.",
        ),
        "en": ("Unknown code", "No team or open class has this code. Check it letter by letter."),
    },
    "unknown-case": {
        "pt-BR": ("Caso desconhecido", "Não há caso com esse nome."),
        "en": ("Unknown case", "There is no case of that name."),
    },
    "not-the-teacher": {
        "pt-BR": (
            "Só para quem abriu a turma",
            "Abra o link particular da turma, ou volte com o código e a senha.",
        ),
        "en": (
            "For the teacher only",
            "Open the private link of the class, or come back with its code and passphrase.",
        ),
    },
    "wrong-passphrase": {
        "pt-BR": (
            "Código ou senha não conferem",
            "Confira os dois. O código de recuperação, impresso ao abrir a turma, também serve.",
        ),
        "en": (
            "Code and passphrase do not match",
            "Check both. The recovery code, printed when the class was opened, works as well.",
        ),
    },
    "class-full": {
        "pt-BR": (
            "Turma cheia",
            "Não cabe mais equipe nesta turma. O professor pode tirar uma que não joga.",
        ),
        "en": (
            "Class full",
            "There is no room for another team. The teacher can remove one that does not play.",
        ),
    },
    "class-ended": {
        "pt-BR": (
            "A turma terminou",
            "O que vocês fizeram está guardado. Se a aula continua, o professor pode reabrir.",
        ),
        "en": (
            "The class is over",
            "What you did is kept. If the lesson goes on, your teacher can open it again.",
        ),
    },
    "class-paused": {
        "pt-BR": (
            "Pausa",
            "O professor pausou a turma. O que vocês escreveram está guardado e segue depois.",
        ),
        "en": ("Paused", "The teacher paused the class. What you wrote is kept and goes on later."),
    },
    "class-held": {
        "pt-BR": (
            "Esperem um pouco",
            "O professor segura a próxima parte até a turma toda chegar. Nada se perde.",
        ),
        "en": (
            "Wait a little",
            "The teacher holds the next part until the whole class is there. Nothing is lost.",
        ),
    },
    "team-removed": {
        "pt-BR": (
            "Esta equipe saiu da turma",
            "O professor tirou esta equipe da turma. O que vocês fizeram continua guardado.",
        ),
        "en": (
            "This team left the class",
            "The teacher took this team out of the class. What you did is still kept.",
        ),
    },
    "care": {
        "pt-BR": (
            "Isto é mais importante do que o jogo",
            (
                "Se alguém sofre ou corre perigo, fale agora com um adulto de confiança, em casa "
                "ou na escola. Ligações grátis, a qualquer hora: 188 (CVV), para conversar; "
                "Disque 100, para denunciar violência; 190, se o perigo é agora. "
                "Nenhum personagem e nenhuma máquina recebeu a mensagem."
            ),
        ),
        "en": (
            "This matters more than the game",
            (
                "If somebody is hurting or in danger, talk now to an adult you trust, at home or "
                "at school. In Brazil, free and at any hour: 188 (CVV) to talk to someone; "
                "100 to report violence; 190 if the danger is now. Elsewhere, call your "
                "emergency number. No character and no machine was sent the message."
            ),
        ),
    },
    "not-found": {
        "pt-BR": ("Não encontrado", "Isso não existe, ou ainda não para esta equipe."),
        "en": ("Not found", "There is no such thing, or not yet for this team."),
    },
    "not-yet": {
        "pt-BR": ("Ainda não", "Ainda não dá para fazer isso."),
        "en": ("Not yet", "This cannot be done yet."),
    },
    "not-owned": {
        "pt-BR": ("Pista não encontrada", "A equipe só pode mostrar pistas que já encontrou."),
        "en": ("Clue not found", "A team can only show clues that it has found."),
    },
    "bad-answer": {
        "pt-BR": ("Resposta em formato inesperado", "A resposta não tem o formato desta pergunta."),
        "en": ("Answer of the wrong shape", "The answer does not have the shape of its question."),
    },
    "invalid": {
        "pt-BR": ("Pedido inválido", "Um campo não tem um valor aceito."),
        "en": ("Invalid request", "A field does not have an accepted value."),
    },
    "bad-json": {
        "pt-BR": ("JSON inválido", "O corpo do pedido não é JSON."),
        "en": ("Invalid JSON", "The body of the request is not JSON."),
    },
    "not-json": {
        "pt-BR": ("Tipo não aceito", "Enviem application/json."),
        "en": ("Type not accepted", "Send application/json."),
    },
    "too-large": {
        "pt-BR": ("Pedido grande demais", "O corpo do pedido pode ter no máximo 64 KB."),
        "en": ("Request too large", "The body of a request may have 64 KB at most."),
    },
    "bad-order": {
        "pt-BR": ("Tarefa impossível", "Essa tarefa não existe ou não pode ser feita assim."),
        "en": ("Job not possible", "There is no such job, or it cannot be done like this."),
    },
    "too-fast": {
        "pt-BR": ("Devagar", "Perguntas demais de uma vez. Esperem um instante."),
        "en": ("Too fast", "Too many requests at once. Wait a moment."),
    },
    "busy": {
        "pt-BR": ("Ainda falando", "A pessoa ainda está respondendo. Perguntem de novo."),
        "en": ("Still speaking", "They are still answering. Ask again."),
    },
    "conflict": {
        "pt-BR": ("Mudou enquanto isso", "Alguém da equipe foi mais rápido. Tentem de novo."),
        "en": ("Changed meanwhile", "Somebody of the team was faster. Try again."),
    },
    "store-down": {
        "pt-BR": ("Caderno fechado", "Não deu para anotar agora. Nada se perdeu; tentem de novo."),
        "en": ("Cannot save", "This could not be saved now. Nothing is lost; try again."),
    },
    "forbidden": {
        "pt-BR": ("Não permitido", "Este pedido não é permitido."),
        "en": ("Forbidden", "This request is not allowed."),
    },
    "method-not-allowed": {
        "pt-BR": ("Método não aceito", "Este endereço não aceita esse método."),
        "en": ("Method not allowed", "This address does not take that method."),
    },
    "bad-host": {
        "pt-BR": ("Endereço não aceito", "Este servidor não atende por esse nome."),
        "en": ("Address not accepted", "This server does not answer to that name."),
    },
    "cross-site": {
        "pt-BR": ("Pedido de outro site", "Mudanças só são aceitas desta mesma página."),
        "en": ("Request from another site", "Changes are accepted from this site only."),
    },
    "fault": {
        "pt-BR": ("Falha nossa", "Algo quebrou aqui dentro. Tentem de novo."),
        "en": ("Our fault", "Something broke in here. Try again."),
    },
}


MEANT = {"pt-BR": "Será", "en": "Is it"}
SEEN = {
    "pt-BR": "Quem dá aula a esta turma vê um aviso ao lado do nome da equipe.",
    "en": "Whoever teaches this class sees a mark beside the team's name.",
}


def language(headers: Mapping[str, str], known: str | None = None) -> str:
    """The language of a problem: the session's, or what the browser asks for."""
    if known:
        return known if known == "pt-BR" else "en"
    asked = headers.get("accept-language", "pt").lower()
    return "en" if asked.startswith("en") else "pt-BR"


QUESTION_LENGTH = {
    "pt-BR": f"A pergunta precisa ter de 1 a {MESSAGE_LENGTH} caracteres.",
    "en": f"A question holds 1 to {MESSAGE_LENGTH} characters.",
}


def problem(
    name: str,
    status: int,
    lang: str,
    detail: str | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """An error answer.

    Args:
        name: the last part of its stable type, ``/problems/<name>``.
        detail: words that say more than those of the catalogue.
    """
    title, default = TEXTS[name][lang]
    body = {
        "type": f"/problems/{name}",
        "title": title,
        "status": status,
        "detail": detail or default,
        **more,
    }
    return Response(
        orjson.dumps(body),
        status,
        {"Cache-Control": "no-store", **(headers or {})},
        media_type="application/problem+json",
    )


class Pages(Protocol):
    """Errors as pages, for people."""

    def wants_page(self, request: Request) -> bool:
        """Whether a person's browser asks, and not a script."""
        ...

    async def problem_page(self, request: Request, code: int, detail: str = "") -> Response:
        """The page for an error."""
        ...


Handler = Callable[[Request, Exception], Awaitable[Response]]


def install(app: FastAPI, pages: Pages | None = None) -> None:
    """Let the app answer its errors as problems, or as pages where a person asks."""

    def with_pages(answer: Handler) -> Handler:
        async def handle(request: Request, exc: Exception) -> Response:
            response = await answer(request, exc)
            if pages is None or not pages.wants_page(request):
                return response
            detail = exc.reason if isinstance(exc, rules.NotYet) else ""
            try:
                return await pages.problem_page(request, response.status_code, detail)
            except Exception:
                log.exception("problem_page.failed", path=request.url.path)
                return response

        return handle

    for kind in STATUS:
        app.add_exception_handler(kind, with_pages(_ours))
    app.add_exception_handler(RequestValidationError, with_pages(_invalid))
    app.add_exception_handler(HTTPException, with_pages(_http))
    app.add_exception_handler(Exception, with_pages(_fault))


def _lang(request: Request) -> str:
    return language(request.headers, getattr(request.state, "lang", None))


async def _ours(request: Request, exc: Exception) -> Response:
    name, status = next(STATUS[kind] for kind in type(exc).__mro__ if kind in STATUS)
    headers: dict[str, str] = {}
    detail = None
    match exc:
        case errors.InDistress(is_seen=True):
            detail = f"{TEXTS[name][_lang(request)][1]} {SEEN[_lang(request)]}"
        case errors.ClassPaused() | errors.ClassHeld():
            headers["Retry-After"] = "2"
        case errors.UnknownCode(near=[_, *_] as near):
            lang = _lang(request)
            detail = f"{TEXTS[name][lang][1]} {MEANT[lang]} {', '.join(near)}?"
        case rules.NotYet():
            detail = exc.reason
        case rules.BadAnswer():
            return problem(name, status, _lang(request), allowed=exc.allowed)
        case errors.BadOrder():
            detail = str(exc)
        case errors.TooFast():
            headers["Retry-After"] = str(max(1, math.ceil(exc.wait)))
        case errors.Busy() | errors.StoreDown():
            headers["Retry-After"] = "1"
    if headers:
        log.info("request.refused", reason=name)
    return problem(name, status, _lang(request), detail, headers)


async def _invalid(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)  # noqa: S101 - registered for this type only
    faults = exc.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return problem("bad-json", 400, _lang(request))
    listed = [
        {
            "field": ".".join(str(part) for part in fault["loc"][1:]) or "body",
            "allowed": fault["msg"].removeprefix("Value error, "),
        }
        for fault in faults
    ]
    lang = _lang(request)
    detail = QUESTION_LENGTH[lang] if any(f["field"] == "message" for f in listed) else None
    return problem("invalid", 422, lang, detail=detail, errors=listed)


async def _http(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101 - registered for this type only
    name = _HTTP.get(exc.status_code)
    if name is None:
        name = "invalid" if exc.status_code < 500 else "fault"
    headers = {"Allow": _allowed(request)} if exc.status_code == 405 else exc.headers
    return problem(name, exc.status_code, _lang(request), headers=headers)


def _allowed(request: Request) -> str:
    """The methods of all routes of a path; Starlette names those of the first one alone."""
    routes = (route for route in request.app.router.routes if isinstance(route, Route))
    fits = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    return ", ".join(sorted({method for route in fits for method in route.methods or ()}))


async def _fault(request: Request, exc: Exception) -> Response:
    log.error("request.failed", path=request.url.path, exc_info=exc)
    return problem("fault", 500, _lang(request))
