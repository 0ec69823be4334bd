"""Questions without end, every one a different text.

They are questions that the case "Lama sem Ouro" understands from its first minute, with somebody's
name before them, so that neither a cache nor single flight can answer for the model.
"""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    """What is asked of whom."""

    character: str
    message: str


POOL = (
    Question("esmerina", "Em que dia a senhora viu o primeiro peixe boiando?"),
    Question("josue", "O lago tava muito quente esses dias?"),
    Question("graca", "Um aluno de 14 anos tem direito de ver informação pública?"),
    Question("esmerina", "Quando a senhora chegava perto de canoa, os peixes fugiam?"),
    Question("josue", "Quem morreu antes, os peixes mais fracos ou os mais fortes?"),
    Question("graca", "Foi a senhora que deu o transmissor pra nossa rádio?"),
    Question("esmerina", "Na sua opinião, quem é o responsável por essa matança?"),
    Question("josue", "Você examinou algum peixe que ainda estava vivo?"),
    Question("graca", "A senhora também recebeu aquele vídeo da cidade perdida?"),
    Question("esmerina", "Meu pai pescou ontem no rio, a gente pode jantar esse peixe?"),
    Question("josue", "Em que mês vocês coletam as amostras do rio?"),
    Question("graca", "O documento que a prefeitura botou no site tá completo?"),
    Question("esmerina", "Antes de morrer eles faziam alguma coisa esquisita?"),
    Question("josue", "A sequência das mortes ajuda a descobrir a causa?"),
    Question("graca", "Se a prefeitura não quiser me dar o papel, a quem eu reclamo?"),
    Question("esmerina", "Quais espécies são mais seguras pra botar no prato?"),
    Question("josue", "Algum nadava torto ou dando volta, tipo envenenado?"),
    Question("graca", "O que a senhora acha dessa história de gás saindo do fundo do lago?"),
    Question("esmerina", "Faz mal pra grávida almoçar tucunaré?"),
    Question("josue", "Em quais lugares vocês param o barco pra pegar água?"),
    Question("graca", "Quem escaneou essas páginas?"),
    Question("esmerina", "Aquela mensagem de voz que tá rodando no grupo da família é sua mesmo?"),
    Question("josue", "Se fosse agrotóxico, teria sido na mesma ordem?"),
    Question("graca", "O que acontece se algum ponto do rio tiver mercúrio demais?"),
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words(
    "Ana Bia Caio Davi Elisa Fábio Gil Hugo Iara Joana Kátia Lucas Mara Nilo Olga Paulo Quésia Raí "
    "Sofia Tainá Ugo Vera Wilson Yara Zeca Aline Bruno Célia Dora Enzo Flora Gaia Helena Ivo Jonas "
    "Laila Miguel Nara Otto Pilar"
)
_LAST = _words(
    "Alves Barbosa Cardoso Duarte Esteves Farias Gomes Holanda Ibiapina Jardim Lobato Macedo "
    "Nogueira Oliveira Pantoja Queiroz Ramos Sarmento Teles Uchoa Viana Xavier Zanetti Braga "
    "Corrêa Dutra Freire Guedes Leal Matos Nunes Prado Reis Seixas Torres Vale Pires Melo Castro "
    "Rocha"
)
NAMES = len(_FIRST) * len(_LAST) ** 2
TURNS_OF_A_TEAM = len(POOL)
"""After as many questions a player begins a new team: then the pool is through, and no team asks
more often than a team may."""


def question(player: int, turn: int, players: int) -> Question:
    """The question of a player's turn; no two of a run have the same text.

    Args:
        players: how many play in the run.

    Raises:
        ValueError: there are not enough names for so many turns of so many players.
    """
    number = turn // len(POOL) * players + player
    if number >= NAMES:
        raise ValueError(f"{players} players have no names left for turn {turn}")
    character, asked = POOL[(player + turn) % len(POOL)]
    return Question(character, f"Oi, aqui é {_name(number)}. {asked}")


def _name(number: int) -> str:
    number, first = divmod(number, len(_FIRST))
    second, third = divmod(number, len(_LAST))
    return f"{_FIRST[first]} {_LAST[third]} {_LAST[second]}"
