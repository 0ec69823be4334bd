"""The author's commands: without `make`, without what only Unix has, with a provider."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from tests.providers import provider

from amazonia.content.expand import CannotKeep, Proposal, keep, prompt, proposals
from amazonia.content.library import Library
from amazonia.content.lint import read_draft
from amazonia.content.new import BadName, new_case
from amazonia.domain.case import Lang

PT = Lang("pt-BR")
UNIX = ("fcntl", "grp", "pwd", "resource", "termios", "uvloop")
WINDOWS = f"""
import sys
for name in {UNIX!r}:
    sys.modules[name] = None
from amazonia.cli import main
main()
"""
"""The command on a machine that has none of what only Unix has."""


def run(folder: Path, *words: str, says: int = 0, environ: Mapping[str, str] | None = None) -> str:
    """Run the command as on Windows; what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", WINDOWS, *words],
        cwd=folder,
        env={**os.environ, "AMAZONIA_DATA": str(folder / "data"), **(environ or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == says, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_they_work_on_windows(tmp_path: Path) -> None:
    """new-case, check, solve, ask, playtest and graph need nothing that only Unix has."""
    run(tmp_path, "new-case", "filo", "--lang", "pt-BR")
    assert "todas as provas valem" in run(tmp_path, "check", "filo", "--lang", "pt-BR")
    assert json.loads(run(tmp_path, "check", "filo", "--json")) == []
    assert "publish" in run(tmp_path, "solve", "filo")
    assert "filo" in run(tmp_path, "ask", "filo", "rosa", "cadê a Filó?")
    assert "without a way out: 0" in run(tmp_path, "playtest", "filo", "--teams", "2")
    run(tmp_path, "graph", "filo", "-o", "filo.svg")
    assert (tmp_path / "filo.svg").is_file()
    run(tmp_path, "edit", "--help")


def test_the_desk_needs_nothing_of_unix() -> None:
    """`amazonia edit` opens where there is no fcntl."""
    code = WINDOWS.partition("from amazonia")[0] + "import amazonia.studio.app, uvicorn"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_console_that_knows_few_letters(tmp_path: Path) -> None:
    """Output goes to a console of the last century with question marks, not with an error."""
    run(tmp_path, "new-case", "filo", "--lang", "pt-BR")
    assert "every proof holds" in run(
        tmp_path, "check", "filo", environ={"LANG": "C", "PYTHONIOENCODING": "ascii"}
    )


def test_a_new_case_reads_without_libyaml(tmp_path: Path) -> None:
    """What `new-case` writes is YAML for the strictest reader, too."""
    for path in new_case(tmp_path, "filo").rglob("*.yaml"):
        yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)


def test_a_bad_name_is_refused(tmp_path: Path) -> None:
    """No id, a name that is taken, a language there is nothing of: nothing is written."""
    new_case(tmp_path, "filo")
    for name, langs, part in (
        ("Filó", (), "small letters"),
        ("filo", (), "there already"),
        ("outro", ("qu",), "no 'qu'"),
    ):
        with pytest.raises(BadName, match=part):
            new_case(tmp_path, name, langs)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".schema", "filo"]


# ── expand ──────────────────────────────────────────────────────────────────────────────────────


def test_expand_asks_a_provider(tmp_path: Path) -> None:
    """With a provider, questions are shown as the director hears them, and kept only with --yes."""
    case = new_case(tmp_path, "filo", ["pt-BR"])
    file = case / "text.pt-BR" / "rosa.yaml"
    before = file.read_text(encoding="utf-8")
    with provider("fast") as faked:
        environ = {"OPENAI_BASE_URL": faked.url, "OPENAI_API_KEY": "test"}
        words = ("expand", "filo", "--topic", "rosa.filo", "--json")
        (shown,) = json.loads(run(tmp_path, *words, environ=environ))
        assert shown["topic"] == "rosa.filo"
        assert shown["proposals"]
        assert file.read_text(encoding="utf-8") == before
        (kept,) = json.loads(run(tmp_path, *words, "--yes", environ=environ))
        body = json.dumps(faked.calls()[-1], ensure_ascii=False)
    new = [one["question"] for one in kept["proposals"] if one["kept"]]
    after = file.read_text(encoding="utf-8")
    assert all(json.dumps(question, ensure_ascii=False) in after for question in new)
    assert "da Filó" in body
    assert "couve foi junto" not in body


def test_without_a_provider_it_says_what_to_set(tmp_path: Path) -> None:
    """Nobody to ask is an error of one line that names the variables."""
    new_case(tmp_path, "filo", ["pt-BR"])
    environ = {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""}
    said = run(tmp_path, "expand", "filo", says=1, environ=environ)
    assert "OPENAI_API_KEY" in said


def test_an_answer_is_read(tmp_path: Path) -> None:
    """Numbers, dashes and quotes go; what is known, empty or endless is left out; each is heard."""
    case = Library(new_case(tmp_path, "filo", ["pt-BR"]).parent, tmp_path).case("filo")
    topic = case.topic("rosa.filo")
    listener = Library(tmp_path, tmp_path).listener(case, PT)
    answer = '1. cadê a Filó?\n- "a jabuti sumiu?"\n\n• quem ganhou o jogo?\n' + "a" * 300
    found = proposals(answer, case, PT, topic, listener)
    assert [one.question for one in found] == ["a jabuti sumiu?", "quem ganhou o jogo?"]
    assert [one.found for one in found] == [True, False]
    assert isinstance(found[0], Proposal)
    system, user = prompt(case, PT, topic, 5)
    assert "Rosa Tavares" in user
    assert "5 jeitos" in user
    assert "gíria" in system


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_what_is_kept_stands_at_its_place(ending: str, tmp_path: Path) -> None:
    """New examples come after the last one; comments and every other line stay as they are."""
    folder = new_case(tmp_path, "filo", ["pt-BR"])
    file = folder / "text.pt-BR" / "rosa.yaml"
    text = file.read_text(encoding="utf-8")
    text = text.replace("      - conta da Filó\n", "      - conta da Filó  # da turma\n")
    file.write_bytes(text.replace("\n", ending).encode())
    case = Library(tmp_path, tmp_path).case("filo")
    texts = read_draft(case, folder).texts[PT]
    topic = case.topic("rosa.filo")
    assert keep(texts, topic.character, topic, ['e a "Filó": sumiu?', "- cadê"]) == file
    lines = file.read_bytes().decode().split(ending)
    old = text.split("\n")
    added = [line for line in lines if line not in old]
    assert added == ['      - "e a \\"Filó\\": sumiu?"', '      - "- cadê"']
    assert [line for line in lines if line in old] == old
    again = Library(tmp_path, tmp_path).case("filo")
    told = again.words[PT].characters[topic.character].topics[topic.id].examples
    assert told[-2:] == ('e a "Filó": sumiu?', "- cadê")


def test_a_list_in_brackets_grows_too(tmp_path: Path) -> None:
    """Examples that stand in [ ] get the new ones before the bracket."""
    folder = new_case(tmp_path, "filo", ["pt-BR"])
    file = folder / "text.pt-BR" / "nico.yaml"
    text = file.read_text(encoding="utf-8")
    head, mark, rest = text.partition("suggestion: Tem algum rastro no pátio?\n")
    rest = re.sub(
        r"examples:\n(?:      - .*\n)+", "examples: [tem rastro, viu marcas]\n", rest, count=1
    )
    file.write_text(head + mark + rest, encoding="utf-8")
    case = Library(tmp_path, tmp_path).case("filo")
    topic = case.topic("nico.rastro")
    keep(read_draft(case, folder).texts[PT], topic.character, topic, ["e folha?"])
    assert '[tem rastro, viu marcas, "e folha?"]' in file.read_text(encoding="utf-8")


def test_what_cannot_be_added_safely_is_left_to_the_author(tmp_path: Path) -> None:
    """An empty list is not touched: the message holds the lines to paste and their place."""
    folder = new_case(tmp_path, "filo", ["pt-BR"])
    file = folder / "text.pt-BR" / "rosa.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        re.sub(r"examples:\n(?:      - .*\n)+", "examples: []\n", text, count=1), encoding="utf-8"
    )
    before = file.read_bytes()
    case = Library(tmp_path, tmp_path).case("filo")
    topic = case.topic("rosa.filo")
    with pytest.raises(CannotKeep, match=r"rosa\.yaml:\d+: paste these") as caught:
        keep(read_draft(case, folder).texts[PT], topic.character, topic, ["e aí?"])
    assert '- "e aí?"' in str(caught.value)
    assert file.read_bytes() == before
