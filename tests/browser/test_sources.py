"""What lies behind the pages: words in both languages, no inline style, nothing locked."""

import re
from pathlib import Path

import httpx
import pytest
from tests.server import Server

from amazonia.web.phrases import LANGUAGES, phrases

WEB = Path(__file__).parents[2] / "src" / "amazonia" / "web"
SOURCES = [*WEB.glob("*.py"), *WEB.glob("templates/*.html")]
SCRIPTS = [*WEB.glob("static/js/*.js"), *WEB.parent.glob("classroom/*.py"), *SOURCES]
"""Those that get a group of phrases and name them without it; the report's pages and files too."""


def test_both_languages_have_the_same_phrases() -> None:
    """Every phrase of the interface exists in every language, with the same holes in it."""
    tables = [phrases(lang).table for lang in LANGUAGES]
    for table in tables:
        assert table.keys() == tables[0].keys()
        for key, text in table.items():
            assert _holes(text) == _holes(tables[0][key]), key


def test_no_phrase_is_unused() -> None:
    """Every phrase is named in a template, a page or a script; by its start where it is chosen."""
    shown = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    unused = [
        key
        for key in phrases("pt-BR").table
        if not _used(key, shown) and not (_is_for_scripts(key, shown) and _used_by(key, scripts))
    ]
    assert not unused


def test_no_page_styles_or_scripts_inline() -> None:
    """The content policy forbids it: no style attribute, no handler, no script without a nonce."""
    for path in WEB.glob("templates/*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style", text), path.name
        for tag in re.findall(r"<script\b[^>]*>", text):
            assert re.search("nonce=|src=|application/json", tag), (path.name, tag)


@pytest.mark.browser
def test_nothing_locked_is_in_a_pages_source(server: Server) -> None:
    """A new team's newsroom has no mark that the map has not earned, nor a locked portrait."""
    with httpx.Client(base_url=server.url) as client:
        client.post("/api/session", json={})
        page = client.get("/newsroom").text
        for mark in ("mark-lama", "mark-area", "mark-luz", "mark-lacre", "portrait-neia"):
            assert mark not in page
        assert "portrait-josue" in page


def _holes(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def _used(key: str, text: str) -> bool:
    """Whether a phrase is named, or its start or end where the rest is chosen."""
    starts = "|".join(re.escape(key[:i]) for i, letter in enumerate(key, 1) if letter in "._")
    chosen = rf"""["'](?:{starts})(?:["'] ~|\{{|%d)|`(?:{starts})\$\{{"""
    if "_" in key:
        chosen += rf"""|\}}_{re.escape(key.rpartition("_")[2])}[`"']"""
    return bool(re.search(rf"""["'`]{re.escape(key)}["'`]|{chosen}""", text))


def _is_for_scripts(key: str, text: str) -> bool:
    return bool(re.search(rf"""group\([^)]*["']{key.partition(".")[0]}["']""", text))


def _used_by(key: str, scripts: str) -> bool:
    return _used(key.partition(".")[2], scripts)
