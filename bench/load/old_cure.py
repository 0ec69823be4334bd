"""The old cure, written anew: what a careful team did before, measured beside the game.

Flask under Gunicorn's threads (2 × 4, `timeout` 60), the synchronous OpenAI client with a timeout
of 18 seconds and one retry, a dictionary that caches for 5 seconds, three messages of context, 400
tokens, and a simulated reply whenever anything fails. Each of these is a sensible line of code; the
load test shows what they do together.

    .venv/bin/python bench/load/old_cure.py --port 8200 --provider http://127.0.0.1:9999/v1
"""

from __future__ import annotations

import argparse
import threading
import time
from collections import defaultdict, deque
from typing import Any

from flask import Flask, Response, jsonify, request
from gunicorn.app.base import BaseApplication
from openai import OpenAI, OpenAIError
from openai.types.chat import ChatCompletionMessageParam

MODEL = "old"
WORKERS, THREADS, WORKER_TIMEOUT = 2, 4, 60
CLIENT_TIMEOUT, RETRIES = 18.0, 1
CACHE_SECONDS = 5.0
CONTEXT, MAX_TOKENS = 3, 400
SHEET = "Você é Dona Esmerina, pescadora. Responda em português, em um parágrafo."
SIMULATED = "Agora não consigo responder direito, meus filhos. Perguntem de novo daqui a pouco."


def create_app(provider: str) -> Flask:
    """The application, which asks the provider at this base URL."""
    app = Flask(__name__)
    client = OpenAI(base_url=provider, api_key="none", timeout=CLIENT_TIMEOUT, max_retries=RETRIES)
    cache: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
    history: defaultdict[str, deque[ChatCompletionMessageParam]] = defaultdict(
        lambda: deque(maxlen=CONTEXT)
    )
    lock = threading.Lock()

    @app.get("/health")
    def health() -> str:
        return "ok"

    @app.post("/chat")
    def chat() -> Response:
        asked = request.get_json()
        player, message = str(asked["player_id"]), str(asked["message"])
        with lock:
            kept = cache.get((player, message))
        if kept is not None and time.monotonic() - kept[0] < CACHE_SECONDS:
            return jsonify(kept[1])
        answer = reply(player, message)
        with lock:
            cache[player, message] = (time.monotonic(), answer)
        return jsonify(answer)

    def reply(player: str, message: str) -> dict[str, Any]:
        """The model's words, or simulated ones."""
        said: ChatCompletionMessageParam = {"role": "user", "content": message}
        try:
            completion = client.chat.completions.create(
                model=MODEL,
                messages=[{"role": "system", "content": SHEET}, *history[player], said],
                max_tokens=MAX_TOKENS,
            )
            text = completion.choices[0].message.content or ""
        except (OpenAIError, ValueError, TypeError, LookupError, AttributeError):
            return {"reply": SIMULATED, "source": "simulated"}
        history[player] += [said, {"role": "assistant", "content": text}]
        return {"reply": text, "source": "model"}

    return app


class _Gunicorn(BaseApplication):
    """Gunicorn with the settings of the old cure."""

    def __init__(self, port: int, provider: str) -> None:
        self._port = port
        self._provider = provider
        super().__init__()

    def load_config(self) -> None:
        """Threads, few of them."""
        options = {
            "bind": f"127.0.0.1:{self._port}",
            "worker_class": "gthread",
            "workers": WORKERS,
            "threads": THREADS,
            "timeout": WORKER_TIMEOUT,
            "control_socket_disable": True,
            "loglevel": "warning",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application, made anew in each worker."""
        return create_app(self._provider)


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8200)
    parser.add_argument("--provider", default="http://127.0.0.1:9999/v1")
    given = parser.parse_args()
    _Gunicorn(given.port, given.provider).run()


if __name__ == "__main__":
    main()
