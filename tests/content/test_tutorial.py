"""Someone who follows only docs/author.md gets a case to its ending: done here, to the letter.

Blocks marked `sh` are run, with the installed command, in a folder with nothing in it; `diff`
blocks are applied; a block that begins with `# file:` is written. A comment `# says CODE` is what
`check` must say.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from amazonia.groundwork import migrate
from amazonia.settings import read_settings
from amazonia.web.app import create_app

PAGES = [Path(__file__).parents[2] / "docs" / name for name in ("author.md", "author.pt-BR.md")]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
AMAZONIA = Path(sys.executable).with_name("amazonia")


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """The blocks of a page that are to be done: their kind and what they hold."""
    for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind:
            yield kind, text


def run(folder: Path, line: str) -> str:
    """Run one command; it has to succeed, unless the line says what it complains of."""
    command, _, comment = line.partition("#")
    words = re.findall(r'"[^"]*"|\S+', command)
    assert words[0] == "amazonia"
    done = subprocess.run(
        [str(AMAZONIA), *(word.strip('"') for word in words[1:])],
        cwd=folder,
        env={**os.environ, "AMAZONIA_DATA": str(folder.parent / "data"), "LANG": "en_US.UTF-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    says = re.search(r"says (\w\d\d)", comment)
    assert (done.returncode == 0) is (says is None), done.stdout + done.stderr
    assert says is None or says[1] in done.stdout
    return done.stdout


def patch(folder: Path, diff: str) -> None:
    """Apply a diff that has a file and one change, whose old lines stand there once."""
    head, *lines = diff.splitlines()
    path = folder / head.removeprefix("--- ")
    old = "\n".join(line[1:] for line in lines if line[:1] in {" ", "-"})
    new = "\n".join(line[1:] for line in lines if line[:1] in {" ", "+"})
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def follow(folder: Path) -> dict[str, str]:
    """Do what the page says; what each command printed."""
    printed: dict[str, str] = {}
    for kind, text in blocks(PAGES[0]):
        if kind == "sh":
            printed |= {line: run(folder, line) for line in text.splitlines()}
        elif kind == "diff":
            patch(folder, text)
        else:
            head, _, rest = text.partition("\n")
            path = folder / head.removeprefix("# file: ")
            path.write_text(rest, encoding="utf-8")
    return printed


@pytest.mark.slow
async def test_the_tutorial(tmp_path: Path) -> None:
    """Its case is proven, drawn, and played over HTTP by its own walkthrough to the best ending."""
    folder = tmp_path / "cases"
    folder.mkdir()
    printed = follow(folder)
    assert "publish" in printed["amazonia solve rede"]
    assert "beat      " in printed['amazonia ask rede bia "tem um furo na cerca?"']
    assert (folder / "rede.svg").read_text(encoding="utf-8").startswith("<svg")
    way: list[dict[str, Any]] = json.loads(run(folder, "amazonia solve rede --json"))
    settings = read_settings(
        {"AMAZONIA_CASES": str(folder), "AMAZONIA_DATA": str(tmp_path / "data")}
    )
    migrate(settings)
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    client = httpx.AsyncClient(transport=transport, base_url="http://game.test")
    async with app.router.lifespan_context(app), client:
        await client.post("/api/session", json={"case": "rede", "lang": "pt-BR"})
        answer = httpx.Response(500)
        for action in way:
            do, body = action.pop("do"), action
            path = {"chat": "chat", "publish": "publish", "confront": "confront"}.get(do)
            path = path or f"riddles/{body.pop('id')}"
            answer = await client.post(f"/api/{path}", json=body)
            assert answer.status_code == 200, answer.text
        for page in (
            "/newsroom",
            "/interview/bia",
            "/notebook",
            "/challenges",
            "/ending",
            "/credits",
        ):
            assert (await client.get(page)).status_code == 200, page
        assert "CC-BY-SA-4.0" in (await client.get("/credits")).text
    assert answer.json()["headline"] == "FILÓ ESTAVA NA HORTA"


def test_both_languages_say_the_same() -> None:
    """The Portuguese page has the same things to do, in the same order."""
    one, other = (list(blocks(page)) for page in PAGES)
    comment = re.compile(r"#(?! file).*")
    assert [(k, comment.sub("", t)) for k, t in one] == [(k, comment.sub("", t)) for k, t in other]
