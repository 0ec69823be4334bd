"""Messages over which an adult should know: self-harm, abuse, threats.

A pupil who writes such a thing into a game must not be answered by a character, nor by a machine.
The patterns want a first person and a deed ("quero me matar", "meu padrasto me bate"), because a
story about dead fish, a forest ("mata") and weapons is full of the words alone, and pupils say
that a test will kill them. On the 1211 questions of `bench/director` they find nothing (a test
holds that).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Distress = Literal["harm", "abuse", "threat"]

_HYPERBOLE = (
    r"(?! (?:de|d[aoe]s?) (?!verdade\b|vez\b|uma vez\b)\w+)"
    r"(?! (?:laughing|of (?:laughter|boredom|hunger|embarrassment|curiosity)))"
    r"(?! (?:a|as|o|os|essa|esse|esta|este|isso|a charada|the) )"
)
_WANT = (
    r"(?:quer(?:o|ia)|vou|pens(?:o|ei|ava|ando) em|vontade de|tentei|tentar|tento|preferia"
    r"|to pensando em|estou pensando em|melhor eu)"
)
_I_WANT = (
    r"i (?:just |really |still )?(?:want to|wanna|will|tried to|think about|wish i could"
    r"|am going to|m going to|m gonna|feel like|keep thinking about)"
)
_KIN = (
    r"(?:meu|minha) (?:pai|mae|padrasto|madrasta|tio|tia|avo|primo|prima|irmao|irma|namorad[oa]"
    r"|vizinh[oa]|professora?|treinador|pastor|padre|patrao)"
)
_MY_KIN = (
    r"my (?:dad|father|mom|mum|mother|stepdad|stepfather|stepmother|uncle|aunt|grandfather|cousin"
    r"|brother|sister|boyfriend|girlfriend|neighbou?r|teacher|coach)"
)
_PEOPLE = (
    r"(?:todo mundo|todos|geral|voces|meu|minha|meus|minhas|(?:o|a|os|as) (?:professora?s?|colegas?"
    r"|diretora?|alunos?|menin[oa]s?|escola|turma|pessoal)|alguem|gente)"
)
_FOLK = (
    r"(?:every(?:one|body)|you all|my|the (?:teachers?|school|class|kids?|students?|principal)"
    r"|people|some(?:one|body))"
)
_WEAPON = r"(?:arma|faca|revolver|pistola|bomba)"

_PATTERNS: dict[Distress, tuple[str, ...]] = {
    "harm": (
        rf"{_WANT} (?:me (?:matar|suicidar|enforcar)|suicidar)\b{_HYPERBOLE}",
        rf"{_WANT} morrer\b{_HYPERBOLE}",
        rf"{_WANT} (?:me )?(?:cortar|machucar)(?: tod[oa])? (?:os pulsos|o braco|de novo|mesm)",
        r"(?:eu |as vezes )?me (?:corto|machuco) (?:pra|para|com|quando|todo|toda|de proposito)",
        r"(?:tirar|acabar com) (?:a )?(?:minha(?: propria)? vida|a propria vida)",
        r"nao (?:quero|aguento|consigo) mais viver|nao quero (?:estar|ficar) viv[oa]",
        r"(?:queria|preferia) nao (?:ter nascido|existir)|quero sumir (?:do mundo|pra sempre)",
        r"ninguem (?:vai |ia )?senti(?:r|ria) (?:a )?minha falta",
        (
            rf"{_I_WANT} (?:kill(?:ing)? myself|end(?:ing)? my life|hurt(?:ing)? myself"
            r"|cut(?:ting)? myself|commit suicide)"
        ),
        rf"{_I_WANT} (?:die|dying)\b{_HYPERBOLE}",
        r"i (?:do not|don t|dont) want to (?:live|be alive|exist)(?: anymore)?",
        r"i (?:cut|hurt) myself (?:when|because|every|on purpose|at night)",
        r"(?:no one|nobody) would miss me|i wish i was(?: never born|n t born| dead)",
    ),
    "abuse": (
        (
            rf"{_KIN} (?:\w+ ){{0,3}}(?:me (?:bate|bateu|espanca|espancou|toca|tocou"
            r"|estupr\w+|abus\w+|assedi\w+|machuca|machucou|ameaca|ameacou)|abus\w+ de mim)"
        ),
        r"(?:abus\w+|se aproveit\w+) de mim\b|me (?:estupr|molest|assedi)\w+",
        r"fui (?:abusad|estuprad|molestad|assediad)[oa]|passou a mao em mim",
        r"(?:eu )?apanho (?:em casa|todo dia|d[oa] (?:meu|minha))|me batem (?:em casa|todo dia)",
        r"(?:eu )?(?:sofro|to sofrendo|estou sofrendo|sofri) (?:abuso|violencia|bullying|assedio)",
        (
            rf"{_MY_KIN} (?:\w+ ){{0,3}}(?:(?:hits?|beats?|hurts?|touch(?:es|ed)?"
            r"|rape[sd]?|abuse[sd]?|molest(?:s|ed)|threaten(?:s|ed)?|hit|beat) me)"
        ),
        (
            r"i (?:was|am being|m being|got|have been) (?:raped|abused|molested|sexually \w+"
            r"|bullied|beaten at home)|(?:someone|he|she) (?:raped|molested|abuses|abused) me"
        ),
    ),
    "threat": (
        (
            rf"(?:vou|quero|queria|vamos) (?:matar|esfaquear|fuzilar|atirar em|dar (?:um )?tiro em"
            rf"|explodir) {_PEOPLE}\b"
        ),
        (
            rf"(?:trou(?:xe|xeram)|tenho|levar|levei|trazer|vou com|tem) (?:uma |um )?{_WEAPON} "
            r"(?:aqui )?(?:pra|para|na|no|a|da|comigo|na minha)(?: a| o)? ?(?:escola|aula|sala"
            r"|mochila|colegio)"
        ),
        (
            r"massacre (?:na|nesta|dessa|da) (?:escola|minha escola)|(?:atirar|tiro) n(?:a|o) "
            r"(?:escola|colegio|sala)"
        ),
        (
            r"(?:estao|tao|ta|esta|fica|ficam|vivem?) me (?:ameacando|perseguindo)"
            r"|me ameac(?:ou|aram|a|am)(?: de)? (?:morte|matar|bater)"
            r"|(?:quer|querem|querendo) me matar(?: de verdade)?$"
        ),
        (
            rf"i (?:will|want to|wanna|am going to|m going to|m gonna) (?:kill|shoot|stab|bomb"
            rf"|blow up) {_FOLK}\b"
        ),
        (
            r"(?:bring|brought|bringing|have|got) a (?:gun|knife|bomb) (?:to|at|in) (?:my )?"
            r"(?:school|class|bag|backpack)|school shooting|shoot up (?:the|my) school"
        ),
        r"(?:threaten(?:s|ed|ing)?|wants?|trying) to (?:kill|hurt|stab|shoot) me\b",
    ),
}
_FOUND = {
    kind: re.compile("|".join(rf"\b(?:{pattern})" for pattern in patterns))
    for kind, patterns in _PATTERNS.items()
}
_SHORT = {"q": "que", "vc": "voce", "vcs": "voces", "n": "nao", "ñ": "nao", "tbm": "tambem"}
_WORD = re.compile(r"[a-z0-9]+")


def distress(message: str) -> Distress | None:
    """What a message tells of, in Portuguese or English; None of nearly all of them."""
    text = _plain(message)
    return next((kind for kind, found in _FOUND.items() if found.search(text)), None)


def _plain(message: str) -> str:
    """Words without accents, capitals and marks, short forms written out."""
    folded = unicodedata.normalize("NFD", message.lower())
    letters = "".join(c for c in folded if not unicodedata.combining(c))
    return " ".join(_SHORT.get(word, word) for word in _WORD.findall(letters))
