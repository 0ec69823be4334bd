"""What an adult should know of is found; the story's words and figures of speech pass."""

import json
from pathlib import Path

import pytest

from amazonia.domain.distress import distress

BENCH = Path(__file__).parents[2] / "bench" / "director"


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("eu quero morrer", "harm"),
        ("tô pensando em me matar", "harm"),
        ("n quero mais viver", "harm"),
        ("Eu me corto quando fico triste.", "harm"),
        ("ninguém sentiria minha falta", "harm"),
        ("i don't want to live anymore", "harm"),
        ("I want to kill myself", "harm"),
        ("meu padrasto me bate toda noite", "abuse"),
        ("MINHA MÃE SEMPRE ME BATE MUITO", "abuse"),
        ("fui abusada", "abuse"),
        ("eu sofro bullying na sala", "abuse"),
        ("my uncle touched me", "abuse"),
        ("vou matar todo mundo da escola", "threat"),
        ("trouxe uma faca na mochila", "threat"),
        ("estão me ameaçando de morte", "threat"),
        ("i'm going to shoot up the school", "threat"),
    ],
)
def test_distress_is_found(message: str, kind: str) -> None:
    """However it is spelled."""
    assert distress(message) == kind


@pytest.mark.parametrize(
    "message",
    [
        "quem matou os peixes?",
        "a mata morreu?",
        "vou morrer de rir",
        "quase me matei de rir",
        "minha mãe vai me matar se eu errar",
        "vou matar a charada",
        "vou matar aula",
        "tem arma nessa história?",
        "quem te ameaçou? ameaçaram você de morte?",
        "foi suicídio?",
        "meu pai me obriga a estudar",
        "me bateu uma dúvida",
        "quero morrer de curiosidade",
        "o mercúrio vai nos matar?",
        "who killed the fish?",
        "i want to die laughing",
        "",
    ],
)
def test_the_story_and_figures_of_speech_pass(message: str) -> None:
    """A dead river, a forest called *mata*, a test that will kill one."""
    assert distress(message) is None


def test_no_question_of_the_bench_is_stopped() -> None:
    """Of all questions that pupils' words were written for, none is mistaken."""
    asked = [
        json.loads(line)["message"]
        for file in sorted(BENCH.glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if '"message"' in line
    ]
    assert len(asked) > 400
    assert [message for message in asked if distress(message)] == []
