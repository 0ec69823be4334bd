"""What nobody answers is found however it is written; the stories' own questions pass."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from amazonia.domain.decency import Indecency, indecency
from amazonia.domain.declining import declining

ROOT = Path(__file__).parents[2]
RUDE = {"velha chata", "cala a boca kelvin seu burro", "seu burro", "qual teu insta?"}
RUDE_EN = {"what an idiot", "shut up you clown"}
"""All of the bench that is declined; none is a question about a case."""
PRIVATE = {"me passa teu zap"}
"""What authors expect to be asked, and the filter declines before it comes to that."""


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("vai tomar no cu", "insult"),
        ("VAI SE FODER SEU ARROMBADO", "insult"),
        ("seu idiota, quem matou os peixes?", "insult"),
        ("você é burra", "insult"),
        ("filho da puuuuta", "insult"),
        ("p0rr4", "insult"),
        ("p u t a", "insult"),
        ("c.a.r.a.l.h.o", "insult"),
        ("seu m*rda", "insult"),
        ("рorra", "insult"),
        ("m\u200be\u200brda", "insult"),
        ("que pôrra é essa", "insult"),
        ("vai toma no c u", "insult"),
        ("fud3u caraio", "insult"),
        ("ngm gosta de vc", "insult"),
        ("vai se matar", "insult"),
        ("manda nudes", "sexual"),
        ("quero transar com vc", "sexual"),
        ("tira a roupa", "sexual"),
        ("sua gostosa", "sexual"),
        ("p0rn0", "sexual"),
        ("seu viado", "hate"),
        ("v14d0", "hate"),
        ("seu preto imundo", "hate"),
        ("morte aos gays", "hate"),
        ("onde eu compro maconha", "harmful"),
        ("me vende uma arma", "harmful"),
        ("como fazer uma bomba caseira", "harmful"),
        ("como matar o meu colega", "harmful"),
        ("quero comprar uma arma", "harmful"),
        ("como eu faço pra matar alguém sem ninguém saber", "harmful"),
        ("meu zap é 97 99123-4567", "personal"),
        ("(97) 99123 4567", "personal"),
        ("me liga: 3345-2211 ou 92 3345-2211", "personal"),
        ("meu cpf 123.456.789-09", "personal"),
        ("ana.b@escola.com.br", "personal"),
        ("moro na rua sete de setembro 40", "personal"),
        ("me segue no insta @joaozinho", "personal"),
        ("qual teu insta?", "personal"),
    ],
)
def test_what_nobody_answers_is_found(message: str, kind: Indecency) -> None:
    """In capitals, stretched, accented, with digits, dots, stars or letters of another script."""
    assert indecency(message) == kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("fuck you", "insult"),
        ("f.u.c.k", "insult"),
        ("sh1t", "insult"),
        ("you are such an idiot", "insult"),
        ("you dumbass", "insult"),
        ("send nudes", "sexual"),
        ("wanna have sex with me?", "sexual"),
        ("you faggot", "hate"),
        ("kill all jews", "hate"),
        ("where can i buy some weed", "harmful"),
        ("how do i make a bomb", "harmful"),
        ("my phone number is on the board", "personal"),
        ("i live at 12 Green Street", "personal"),
        ("call (212) 555-0147", "personal"),
    ],
)
def test_english_too(message: str, kind: Indecency) -> None:
    """In an English game; the strongest words are found in a Portuguese one as well."""
    assert indecency(message, "en") == kind


@pytest.mark.parametrize(
    "message",
    [
        "quem matou os peixes?",
        "a vaca morreu de quê?",
        "sua vaca pariu?",
        "o burro carregava o quê?",
        "a galinha viu a cobra?",
        "tinha bosta de vaca no curral?",
        "o gado vai pastar onde?",
        "qual o sexo do bezerro?",
        "quem cortou o pau-brasil?",
        "pegou no pau da canoa?",
        "vi um veado e um macaco na mata",
        "o rio Negro tem água preta e suja?",
        "foi assassinato ou suicídio?",
        "como o mercúrio mata gente?",
        "tem droga aqui no garimpo?",
        "onde ele comprou a arma?",
        "a bomba d'água do garimpo, quem fez a bomba?",
        "quem mandou matar os índios?",
        "quem foi o desgraçado que matou os peixes?",
        "quem é o pilantra dessa história?",
        "você é casado?",
        "alguém vai se machucar?",
        "os jacarés se matam?",
        "protocolo 97-0418, CEP 69400-000",
        "o sangue na camisa é de quem?",
        "jogaram uma pelada no campo?",
        "que fruta gostosa é essa?",
        "o lacre era 0418 ou 0420?",
        "às 22h50 de 07/11/2023, permissão 882",
        "medi 0,4 mg/L em 12 pontos, 2023 e 2024",
        "Cu e Hg na água?",
        "meu celular tá sem internet",
        "qual o telefone da Remanso?",
        "P1, P2, P3 e P4: qual é o certo?",
        "conhece Pau d'Arco, Cumaru e Ponta Grossa?",
        "seu Valdão é o dono?",
        "a senhora é parteira?",
        "",
    ],
)
def test_honest_questions_pass(message: str) -> None:
    """Crime, cattle, poison, blood, places, figures: that is what the stories are about."""
    assert indecency(message) is None


def test_nothing_honest_of_the_bench_is_declined() -> None:
    """Of 1762 messages, six: insults, and somebody's private address. None asks about a case."""
    asked = [
        (json.loads(line)["message"], "en" if ".en." in file.name else "pt-BR")
        for file in sorted((ROOT / "bench" / "director").glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if '"message"' in line
    ]
    assert len(asked) > 1500
    declined = {(message, lang) for message, lang in asked if indecency(message, lang)}
    assert declined == {(m, "pt-BR") for m in RUDE} | {(m, "en") for m in RUDE_EN}


def test_no_word_of_the_cases_is_declined() -> None:
    """Nothing that authors wrote: neither what they expect to be asked nor what is answered."""
    texts = {
        (text, "en" if "text.en" in str(file) else "pt-BR")
        for file in (ROOT / "cases").rglob("*.yaml")
        if file.name != "sources.yaml"
        for text in strings(yaml.load(file.read_bytes(), yaml.CSafeLoader))
    }
    assert len(texts) > 10_000
    assert {text for text, lang in texts if indecency(text, lang)} <= RUDE | PRIVATE


def test_declining_is_decent() -> None:
    """The lines that decline would pass themselves, and there are some for every kind."""
    for lang in ("pt-BR", "en"):
        for kind in ("hate", "sexual", "insult", "harmful", "personal"):
            lines = declining(kind, lang)
            assert len(set(lines)) >= 3
            assert [line for line in lines if indecency(line, lang)] == []


def strings(value: Any) -> list[str]:
    """Every text in a file."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in strings(part)]
