"""The environment, read once. A bad value stops the start with one line."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from amazonia.errors import BadSetting

SMALL: Literal["python-re"] = "python-re"
"""The engine for patterns: eight of pydantic's own take four megabytes of every process."""
OPENAI = "https://api.openai.com/v1"
HTTP_URL = r"^https?://[^\s/?#]+[^\s?#]*\Z"
POSTGRES = ("postgresql://", "postgres://")
SAFE_SECRET = 32
"""Characters that a production `SECRET_KEY` needs at least."""
SAFE_TOKEN = 16
"""The same of an `ADMIN_TOKEN`."""
VARIED = 8
"""Different characters in a secret: fewer were typed by somebody who wanted to be done."""
HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")


class Provider(BaseModel):
    """An OpenAI-compatible provider.

    Attributes:
        api_key_env: the variable that holds its key; none is sent where it is empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, regex_engine=SMALL)

    name: str = Field(min_length=1, max_length=28, pattern=r"^[\w.-]+\Z")
    base_url: str = Field(pattern=HTTP_URL)
    api_key_env: str = ""
    model: str = Field(min_length=1, max_length=200)
    _api_key: str = ""

    @property
    def api_key(self) -> str:
        """The key; empty if none is sent."""
        return self._api_key

    def with_key(self, key: str) -> Provider:
        """The same with its key."""
        provider = self.model_copy()
        provider._api_key = key  # noqa: SLF001 - its own class's
        return provider

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return _address(value)


class Settings(BaseSettings):
    """Every variable of the contract. Frozen; made by `read_settings`.

    Its only source is what it is given, so that a test passes an environment and nothing of the
    machine's own slips in.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", regex_engine=SMALL)

    port: int = Field(
        8000, ge=0, le=65535, validation_alias="PORT", description="port to listen on"
    )
    secret_key: str = Field(
        "",
        repr=False,
        validation_alias="SECRET_KEY",
        description="signs cookies; kept in the data folder unless set, required in production",
    )
    older_keys: tuple[str, ...] = Field(
        (),
        repr=False,
        validation_alias="SECRET_KEY_FALLBACKS",
        description="earlier keys, with commas between: what they signed stays good",
    )
    admin_token: str = Field(
        "",
        repr=False,
        validation_alias="ADMIN_TOKEN",
        description="bearer token of admin endpoints; without it they answer 403",
    )
    database_url: str = Field(
        "",
        repr=False,
        validation_alias="DATABASE_URL",
        description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME (extra `postgres`); "
        "the embedded database in the data folder unless set",
    )
    db_pool_size: int = Field(
        5,
        ge=1,
        le=200,
        validation_alias="DB_POOL_SIZE",
        description="connections to PostgreSQL that each worker keeps open",
    )
    db_max_overflow: int = Field(
        5,
        ge=0,
        le=200,
        validation_alias="DB_MAX_OVERFLOW",
        description="further connections of each worker: one tells that it lives, others help",
    )
    redis_url: str = Field(
        "",
        repr=False,
        pattern=r"^((rediss?|unix)://\S+)?\Z",
        validation_alias="REDIS_URL",
        description="what instances share at once, redis://HOST:PORT/0; without it the database",
    )
    redis_timeout: float = Field(
        0.025,
        gt=0,
        le=1,
        validation_alias="REDIS_TIMEOUT",
        description="seconds that a round trip to Redis may take; beyond, a turn does without it",
    )
    celery_broker_url: str = Field(
        "",
        repr=False,
        pattern=r"^((redis|rediss|amqp|amqps)://\S+|none)?\Z",
        validation_alias="CELERY_BROKER_URL",
        description="job queue, redis://… or amqp://…; REDIS_URL unless set; none for no queue",
    )
    celery_queue: str = Field(
        "amazonia",
        pattern=r"^[\w.-]{1,60}\Z",
        validation_alias="CELERY_QUEUE",
        description="the queue's name, where several installations share a broker",
    )
    retention_days: int = Field(
        180,
        ge=0,
        le=3650,
        validation_alias="RETENTION_DAYS",
        description="days after which a team that nobody played is forgotten; 0 never",
    )
    purge_hour: int = Field(
        3,
        ge=0,
        le=23,
        validation_alias="PURGE_HOUR",
        description="hour of this machine's clock from which the nightly purge runs",
    )
    env: Literal["development", "production"] = Field(
        "development",
        validation_alias="AMAZONIA_ENV",
        description="production refuses unsafe settings at start",
    )
    data: Path = Field(
        Path("data"),
        validation_alias="AMAZONIA_DATA",
        description="embedded database, secret and what was learned from the cases",
    )
    cases: Path | None = Field(
        None,
        validation_alias="AMAZONIA_CASES",
        description="folder of case folders; the bundled cases unless set",
    )
    default_case: str = Field(
        "lama_sem_ouro",
        validation_alias="DEFAULT_CASE",
        description="case that is played when none is chosen; the first if there is no such one",
    )
    allowed_hosts: tuple[str, ...] = Field(
        (),
        validation_alias="ALLOWED_HOSTS",
        description="names under which it may be called, with commas between; any unless set",
    )
    asset_url: str = Field(
        "",
        pattern=r"^(https?://[^\s?#]+)?\Z",
        validation_alias="ASSET_URL",
        description="CDN origin put before fingerprinted files",
    )
    openai_api_key: str = Field(
        "", repr=False, validation_alias="OPENAI_API_KEY", description="first provider"
    )
    openai_model: str = Field(
        "gpt-4o-mini", validation_alias="OPENAI_MODEL", description="its model"
    )
    openai_base_url: str = Field(
        "",
        pattern=rf"{HTTP_URL}|^\Z",
        validation_alias="OPENAI_BASE_URL",
        description="its address, OpenAI's unless set; neither key nor address: no model speaks",
    )
    providers: tuple[Provider, ...] = Field(
        (),
        validation_alias="AMAZONIA_PROVIDERS",
        description="further providers, a JSON list of {name, base_url, api_key_env, model}",
    )
    moderation_url: str = Field(
        "",
        pattern=rf"{HTTP_URL}|^\Z",
        validation_alias="MODERATION_URL",
        description="what precedes /moderations of an endpoint that reads what players type, such "
        "as OpenAI's https://api.openai.com/v1; without it the game's own filter decides alone",
    )
    moderation_api_key: str = Field(
        "", repr=False, validation_alias="MODERATION_API_KEY", description="its key"
    )
    moderation_model: str = Field(
        "omni-moderation-latest", validation_alias="MODERATION_MODEL", description="its model"
    )
    openai_max_tokens: int = Field(
        400,
        ge=16,
        le=4000,
        validation_alias="OPENAI_MAX_TOKENS",
        description="tokens of the longest reply",
    )
    openai_max_retries: int = Field(
        1,
        ge=0,
        le=5,
        validation_alias="OPENAI_MAX_RETRIES",
        description="how often one turn may ask a provider again",
    )
    history_messages: int = Field(
        3,
        ge=0,
        le=20,
        validation_alias="HISTORY_MESSAGES",
        description="messages of the conversation that a model is told",
    )
    turn_deadline: float = Field(
        18.0,
        gt=0,
        le=120,
        validation_alias="TURN_DEADLINE",
        description="seconds within which a turn is answered, whatever happens",
    )
    first_token_timeout: float = Field(
        6.0,
        gt=0,
        le=60,
        validation_alias="FIRST_TOKEN_TIMEOUT",
        description="seconds to wait for a provider's first word",
    )
    stall_timeout: float = Field(
        4.0,
        gt=0,
        le=60,
        validation_alias="STALL_TIMEOUT",
        description="seconds of silence allowed inside a stream",
    )
    hedge_after: float = Field(
        0.0,
        ge=0,
        le=60,
        validation_alias="HEDGE_AFTER",
        description="seconds of silence after which the next provider is asked as well; 0 never",
    )
    second_opinion: bool = Field(
        True,
        validation_alias="SECOND_OPINION",
        description="ask a provider which topic an unclear question is about",
    )
    team_tokens: int = Field(
        1_000_000,
        ge=0,
        validation_alias="BUDGET_TEAM_TOKENS",
        description="tokens that a team may spend in a day; 0 for no limit",
    )
    class_tokens: int = Field(
        0,
        ge=0,
        validation_alias="BUDGET_CLASS_TOKENS",
        description="tokens that a class may spend in a day; 0 for no limit",
    )
    day_tokens: int = Field(
        0,
        ge=0,
        validation_alias="BUDGET_DAY_TOKENS",
        description="tokens that everybody together may spend in a day; 0 for no limit",
    )
    day_cost: float = Field(
        0.0,
        ge=0,
        validation_alias="BUDGET_DAY_COST",
        description="money that everybody may spend in a day, by the prices below; 0 for no limit",
    )
    prompt_price: float = Field(
        0.0,
        ge=0,
        validation_alias="PRICE_PROMPT",
        description="price of a million tokens sent, in any currency",
    )
    reply_price: float = Field(
        0.0,
        ge=0,
        validation_alias="PRICE_REPLY",
        description="price of a million tokens received",
    )
    duplicate_window: float = Field(
        5.0,
        ge=0,
        le=60,
        validation_alias="DUPLICATE_WINDOW",
        description="seconds in which the same question is the same turn",
    )
    workers: int = Field(
        2, ge=1, le=64, validation_alias="GUNICORN_WORKERS", description="worker processes"
    )
    threads: int = Field(
        4, ge=1, le=64, validation_alias="GUNICORN_THREADS", description="threads for blocking work"
    )
    max_requests: int = Field(
        20_000,
        ge=0,
        validation_alias="GUNICORN_MAX_REQUESTS",
        description="requests after which a worker is replaced; 0 never",
    )
    worker_class: Literal["asgi", "uvicorn", "gthread"] = Field(
        "asgi", validation_alias="GUNICORN_WORKER_CLASS", description="asgi, uvicorn or gthread"
    )
    otlp_endpoint: str = Field(
        "",
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="OpenTelemetry collector; needs the extra `telemetry`",
    )
    log_format: Literal["", "pretty", "json"] = Field(
        "",
        validation_alias="LOG_FORMAT",
        description="pretty or json; pretty on a terminal unless set",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in."""
        return (init_settings,)

    @field_validator("older_keys", "allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Text with commas as the environment holds it."""
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(HOST.fullmatch(name) for name in value):
            raise ValueError("needs names such as play.example.org, without http:// or a port")
        return tuple(name.lower() for name in value)

    @field_validator("providers", mode="before")
    @classmethod
    def _parse_providers(cls, value: object) -> object:
        """JSON text as the environment holds it."""
        if not isinstance(value, str):
            return value
        import json

        try:
            return json.loads(value)
        except ValueError as exc:
            raise ValueError("is not JSON") from exc

    @field_validator("openai_base_url", "moderation_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return _address(value) if value else value

    @field_validator("providers")
    @classmethod
    def _have_own_names(cls, value: tuple[Provider, ...]) -> tuple[Provider, ...]:
        names = [provider.name for provider in value]
        if len({"openai", *names}) <= len(names):
            raise ValueError("needs another name for each provider, and none called 'openai'")
        return value

    @property
    def voices(self) -> tuple[Provider, ...]:
        """The providers in order; none means that only the authored lines are spoken."""
        if not self.openai_api_key and not self.openai_base_url:
            return self.providers
        first = Provider(
            name="openai",
            base_url=self.openai_base_url or OPENAI,
            model=self.openai_model,
        )
        return (first.with_key(self.openai_api_key), *self.providers)

    @property
    def is_on_postgres(self) -> bool:
        """Whether the database is on a server instead of in a file."""
        return self.database_url.startswith(POSTGRES)

    @property
    def broker_url(self) -> str:
        """The job queue; empty where jobs run in process."""
        url = self.celery_broker_url or self.redis_url
        return "" if url == "none" else url

    @property
    def database_file(self) -> Path:
        """The embedded database's file."""
        for prefix in ("sqlite:///", "sqlite+aiosqlite:///"):
            if self.database_url.startswith(prefix):
                return Path(self.database_url.removeprefix(prefix))
        return self.data / "amazonia.sqlite3"


_ALLOWED = {
    "CELERY_BROKER_URL": "redis://…, rediss://…, amqp://…, amqps://… or none",
    "CELERY_QUEUE": "at most 60 letters, digits, dots and dashes",
    "LOG_FORMAT": "pretty or json",
    "REDIS_URL": "an address such as redis://127.0.0.1:6379/0",
    "AMAZONIA_ENV": "development or production",
    "ASSET_URL": "an origin such as https://cdn.example",
    "AMAZONIA_PROVIDERS": "a JSON list of {name, base_url, api_key_env, model}",
    "MODERATION_URL": "an http:// or https:// address such as https://api.openai.com/v1",
    "OPENAI_BASE_URL": "an http:// or https:// address such as https://api.openai.com/v1",
}


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from an environment. An empty value counts as not set.

    Args:
        environ: usually `os.environ`.

    Raises:
        BadSetting: one line naming the variable, its value's fault and what is allowed.
    """
    names = {str(field.validation_alias) for field in Settings.model_fields.values()}
    given = {name: environ[name].strip() for name in names if environ.get(name, "").strip()}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as exc:
        raise BadSetting(_one_line(exc, given)) from exc
    _refuse_unsafe(settings)
    _refuse_bad_key("OPENAI_API_KEY", settings.openai_api_key)
    _refuse_bad_key("MODERATION_API_KEY", settings.moderation_api_key)
    _refuse_late_first_token(settings)
    return settings.model_copy(update={"providers": _with_keys(settings.providers, environ)})


def secret_key(settings: Settings) -> str:
    """The key that signs cookies: `SECRET_KEY`, or one made once and kept in the data folder."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.data / "secret.key"
    settings.data.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        handle, part = tempfile.mkstemp(dir=settings.data)  # nobody else may read it
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):  # workers begin together: one is first
            os.link(part, path)
        Path(part).unlink()
    return path.read_text(encoding="ascii")


def _one_line(exc: ValidationError, given: Mapping[str, str]) -> str:
    error = exc.errors(include_url=False)[0]
    name = str(error["loc"][0])
    allowed = _ALLOWED.get(name)
    fault = error["msg"].removeprefix("Value error, ")
    fault = fault[:1].lower() + fault[1:]
    if inside := ".".join(map(str, error["loc"][1:])):
        allowed = f"{allowed}; {inside}: {fault}"
    shown = f"'{given[name]}'" if name in given and _is_public(name) else "its value"
    return f"{name}: {shown} is not allowed: {allowed or fault}"


def _is_public(name: str) -> bool:
    return not any(part in name for part in ("KEY", "TOKEN", "URL", "PROVIDERS"))


def _with_keys(providers: tuple[Provider, ...], environ: Mapping[str, str]) -> tuple[Provider, ...]:
    """The providers with the keys that their variables hold."""
    keyed = []
    for provider in providers:
        name = provider.api_key_env
        key = environ.get(name, "").strip() if name else ""
        if name and not key:
            raise BadSetting(
                f"{name}: not set; AMAZONIA_PROVIDERS names it as the key of '{provider.name}'. "
                "Set it, or leave out api_key_env for a provider that needs no key"
            )
        _refuse_bad_key(name, key)
        keyed.append(provider.with_key(key))
    return tuple(keyed)


def _address(value: str) -> str:
    """An http address as it is, if it is one.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError("is no http:// or https:// address")
    return value


def _refuse_bad_key(name: str, key: str) -> None:
    if not (key.isascii() and key.isprintable()):
        raise BadSetting(f"{name}: its value is not allowed: a key of plain ASCII characters")


def _refuse_late_first_token(settings: Settings) -> None:
    if settings.turn_deadline <= settings.first_token_timeout:
        raise BadSetting(
            f"TURN_DEADLINE: '{settings.turn_deadline:g}' is not allowed: more than "
            f"FIRST_TOKEN_TIMEOUT, which is {settings.first_token_timeout:g}"
        )


def _refuse_unsafe(settings: Settings) -> None:
    url = settings.database_url
    if url and not url.startswith(("sqlite://", *POSTGRES)):
        raise BadSetting(
            "DATABASE_URL: its value is not allowed: sqlite:///FILE or postgresql://…, or unset"
        )
    if settings.env == "production":
        _refuse_weak("SECRET_KEY", settings.secret_key, SAFE_SECRET)
        for key in settings.older_keys:
            _refuse_weak("SECRET_KEY_FALLBACKS", key, SAFE_SECRET)
        if settings.admin_token:  # without one, admin endpoints are closed
            _refuse_weak("ADMIN_TOKEN", settings.admin_token, SAFE_TOKEN)


def _refuse_weak(name: str, secret: str, least: int) -> None:
    if len(secret) >= least and len(set(secret)) >= VARIED:
        return
    fault = "not set" if not secret else "too short" if len(secret) < least else "easy to guess"
    raise BadSetting(
        f"{name}: {fault}; AMAZONIA_ENV=production needs at least {least} random characters"
    )


def settings_table() -> str:
    """`docs/settings.md`: every variable, its default and what it means."""
    rows = [
        f"| `{field.validation_alias}` | {_default(field.default)} | {field.description} |"
        for field in Settings.model_fields.values()
    ]
    head = "# Settings\n\nAll of them are environment variables; none is needed.\n\n"
    return head + "\n".join(["| variable | default | meaning |", "| --- | --- | --- |", *rows, ""])


def _default(value: object) -> str:
    return "" if value in ("", (), None) else f"`{value}`"


_GROUPS = {
    "PORT": "Serving",
    "SECRET_KEY": "Secrets: python -c 'import secrets; print(secrets.token_urlsafe(48))'",
    "DATABASE_URL": "What is kept, and what instances share",
    "AMAZONIA_ENV": "This installation",
    "OPENAI_API_KEY": "Who speaks; without a provider, the authored voice",
    "MODERATION_URL": "Who else reads what players type; the game's own filter always does",
    "OPENAI_MAX_TOKENS": "What a provider is asked for",
    "TURN_DEADLINE": "How long anything may take",
    "BUDGET_TEAM_TOKENS": "What providers may cost",
    "DUPLICATE_WINDOW": "Turns and processes",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "What is told",
}
"""The headings of `.env.example`, each before its first variable."""


def env_example() -> str:
    """`.env.example`: every variable in a comment, with its meaning and its default."""
    lines = [
        "# Copy this to .env and take the # away before what you set.",
        "# What the environment itself sets comes first; an empty value counts as not set.",
    ]
    for field in Settings.model_fields.values():
        name = str(field.validation_alias)
        if name in _GROUPS:
            lines += ["", f"# ── {_GROUPS[name]}"]
        value = _default(field.default).strip("`")
        lines += ["", f"# {field.description}", f"#{name}={value}"]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    import sys

    sys.stdout.write(env_example() if sys.argv[1:] == ["env"] else settings_table())
