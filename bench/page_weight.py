"""What a first play costs over the wire, and a turn: bytes as Chromium received them.

    .venv/bin/python bench/page_weight.py http://127.0.0.1:8000

First play: start page, opening, newsroom, one interview, one question answered; cold cache.
"""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

KINDS = {
    "Document": "html",
    "Stylesheet": "css",
    "Script": "js",
    "Image": "art",
    "EventSource": "stream",
}
QUESTION = "pq os peixe morreram?"


def main(url: str) -> None:
    """Play once with a cold cache and print the weights."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_context(locale="pt-BR").new_page()
        weights = watch(page)
        page.goto(url)
        page.get_by_role("button", name="Nova investigação").click()
        page.wait_for_url("**/opening")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Entrar na redação").click()
        page.wait_for_url("**/newsroom")
        page.wait_for_timeout(500)
        page.goto(f"{url}/interview/esmerina")
        page.wait_for_timeout(500)
        before = sum(weights.values())
        page.fill("#question", QUESTION)
        page.keyboard.press("Enter")
        page.locator(".turn[data-turn] .said.done").wait_for()
        page.wait_for_timeout(3000)
        turn = sum(weights.values()) - before
        browser.close()
    for kind, size in sorted(weights.items()):
        print(f"  {kind:6} {size / 1024:7.1f} KB")
    total, kilo = sum(weights.values()), 1024
    print(f"  first play {total / kilo:.1f} KB, of which the turn {turn / kilo:.1f} KB")


def watch(page: Page) -> Counter[str]:
    """Count what arrives, headers included, by kind; compressed as it came."""
    weights: Counter[str] = Counter()
    kinds: dict[str, str] = {}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def started(event: dict[str, Any]) -> None:
        path = urlsplit(event["response"]["url"]).path
        kind = KINDS.get(event["type"], "turns")
        kinds[event["requestId"]] = "art" if path.endswith(".svg") else kind

    def finished(event: dict[str, Any]) -> None:
        kind = kinds.get(event["requestId"], "turns")
        if kind != "stream":
            weights[kind] += int(event["encodedDataLength"])

    def streamed(event: dict[str, Any]) -> None:
        if kinds.get(event["requestId"]) == "stream":  # its end may never come
            weights["turns"] += int(event["dataLength"])

    session.on("Network.dataReceived", streamed)
    session.on("Network.responseReceived", started)
    session.on("Network.loadingFinished", finished)
    return weights


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
