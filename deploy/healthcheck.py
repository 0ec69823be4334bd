"""Ends with 0 while the game answers on this machine; needs nothing but Python."""

from __future__ import annotations

import http.client
import os
import sys

PATIENCE = 2.0

game = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), PATIENCE)
try:
    game.request("GET", "/health/live")
    sys.exit(game.getresponse().status != http.HTTPStatus.OK)
except (OSError, http.client.HTTPException) as error:
    sys.exit(f"the game does not answer: {error}")
