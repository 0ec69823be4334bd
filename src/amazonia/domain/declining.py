"""What characters say to what they decline to talk about (see `amazonia.domain.decency`).

The lines fit every character of every case; an author may give a character lines of its own, in
its `smalltalk` under the name of the kind.
"""

from __future__ import annotations

from collections.abc import Mapping

from amazonia.domain.decency import Indecency

_PT: Mapping[Indecency, tuple[str, ...]] = {
    "insult": (
        "Assim não tem conversa. Com respeito, eu respondo o que souber.",
        "Xingamento não abre porta nenhuma por aqui. Pergunta de outro jeito?",
        "Esfria a cabeça e pergunta de novo. Eu espero.",
    ),
    "sexual": (
        "Disso eu não falo. A conversa aqui é outra, e tem muito o que apurar.",
        "Esse assunto não cabe nesta conversa. Vamos voltar ao caso.",
        "Não, isso não é conversa para a gente. Pergunta do que aconteceu.",
    ),
    "hate": (
        "Falar assim de gente, comigo não. Ninguém vale menos por ser quem é.",
        "Isso eu não repito nem respondo. Todo mundo aqui merece respeito.",
        "Com desprezo pelos outros não se descobre nada. Vamos voltar ao caso.",
    ),
    "harmful": (
        "Nisso eu não ajudo: acaba com gente machucada. Se a pergunta for do caso, eu respondo.",
        "Não, isso eu não ensino nem arranjo. Pergunta do que aconteceu aqui.",
        "Por esse caminho eu não vou. Vamos voltar à investigação.",
    ),
    "personal": (
        "Telefone, endereço, senha: isso se guarda, não se escreve aqui. Vamos voltar ao caso.",
        "Melhor não deixar dado pessoal por escrito. Para responder, eu não preciso dele.",
        "O que é de cada um fica com cada um. Pergunta do que aconteceu.",
    ),
}
_EN: Mapping[Indecency, tuple[str, ...]] = {
    "insult": (
        "Not like that. Ask with respect and I will tell you what I know.",
        "Insults open no doors here. Will you ask it another way?",
        "Cool down and ask again. I can wait.",
    ),
    "sexual": (
        "I don't talk about that. This is another kind of conversation, and there is work to do.",
        "That has no place in this conversation. Let's get back to the case.",
        "No, that is not for us to talk about. Ask me what happened.",
    ),
    "hate": (
        "Don't talk about anyone that way with me. Nobody is worth less for being who they are.",
        "I won't repeat that, nor answer it. Everyone here deserves respect.",
        "You find nothing out by looking down on others. Let's get back to the case.",
    ),
    "harmful": (
        "I won't help with that: people get hurt. If you ask about the case, I will answer.",
        "No, I don't teach that, nor do I get it for anyone. Ask me what happened here.",
        "I am not going down that road. Let's get back to the investigation.",
    ),
    "personal": (
        "Phone numbers, addresses, passwords: keep those to yourself. Let's get back to the case.",
        "Better not to leave personal details in writing. I don't need them to answer you.",
        "What is yours stays yours. Ask me what happened.",
    ),
}


def declining(kind: Indecency, lang: str) -> tuple[str, ...]:
    """The lines for a kind, in the language of a code such as ``pt-BR`` or ``en``."""
    return (_EN if lang.startswith("en") else _PT)[kind]
