"""Ends with 0 while the game answers on this machine; needs nothing but Python.

`healthcheck.py worker`: while the worker of this data folder shows a sign of life.
"""

from __future__ import annotations

import http.client
import os
import sys
import time
from pathlib import Path

PATIENCE = 2.0
SILENCE = 30.0

if sys.argv[1:] == ["worker"]:
    sign = Path(os.environ.get("AMAZONIA_DATA") or "data", "worker.alive")
    age = time.time() - sign.stat().st_mtime if sign.exists() else SILENCE
    sys.exit(age >= SILENCE and f"the worker has shown no sign of life for {age:.0f} s")

game = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), PATIENCE)
try:
    game.request("GET", "/health/live")
    sys.exit(game.getresponse().status != http.HTTPStatus.OK)
except (OSError, http.client.HTTPException) as error:
    sys.exit(f"the game does not answer: {error}")
