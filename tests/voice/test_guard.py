"""The guard: attacks are refused, honest performances and every authored line pass."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.domain.world import lama, mini

from amazonia.content.languages import fingerprint, language
from amazonia.domain.case import CharacterId, Lang
from amazonia.domain.lines import musts, pool, read
from amazonia.domain.words import CharacterWords
from amazonia.voice.guard import Fault, Guard, Scene, names_secret
from amazonia.voice.guard.figures import numbers_of
from amazonia.voice.guard.folding import Text, plain
from amazonia.voice.scripted import sentences

HERE = Path(__file__).parent
HONEST = {"pt-BR": 0.97, "en": 0.95}
"""The share of honest replies that has to pass, by language."""
RULES = json.loads((HERE / "rules.json").read_text(encoding="utf-8"))
"""Some of the prompt's paragraphs, which attacks recite."""
MORTANDADE = "topics/mortandade/steps/0/says/0"


@cache
def examples(name: str) -> list[dict[str, Any]]:
    """The lines of a file beside this one."""
    return [json.loads(line) for line in (HERE / name).read_text().splitlines()]


def scene(
    character: str = "esmerina",
    *lines: str,
    message: str = "conta",
    holds: tuple[str, ...] = (),
    known: tuple[str, ...] = (),
    lang: str = "pt-BR",
) -> Scene:
    """A scene of the real case; the prompt's rules are a short version of the real ones."""
    world = lama()
    return Scene(
        case=world.case,
        words=world.case.words[Lang(lang)],
        language=language(lang),
        character=CharacterId(character),
        lines=lines or (MORTANDADE,),
        message=message,
        holds=frozenset(holds).__contains__,
        known=known,
        prompt=tuple(RULES[lang]),
    )


def fault(example: dict[str, Any], lang: str = "pt-BR") -> Fault | None:
    """The first fault of an example's reply, or that nothing of it stands."""
    guard = Guard(
        scene(
            example["character"],
            *example["lines"],
            message=example["message"],
            holds=tuple(example.get("holds", ())),
            lang=lang,
        )
    )
    read = [guard.read(sentence) for sentence in sentences(example["reply"])]
    faults = [result for result in read if isinstance(result, Fault)]
    nothing = None if any(read) else Fault("echo", "nothing stands")
    return faults[0] if faults else nothing


def reason(sentence: str, **setting: Any) -> str:
    """Why a sentence is refused; empty if it passes."""
    result = Guard(scene(**setting)).read(sentence)
    return result.reason if isinstance(result, Fault) else ""


def references(who: CharacterWords) -> Iterator[str]:
    """The references of all lines of a character."""
    for part in ("deflections", "unsure", "repeat", "shown"):
        yield from pool(part, getattr(who, part))
    for part in ("smalltalk", "redirects", "reactions"):
        for name, lines in getattr(who, part).items():
            yield from pool(f"{part}/{name}", lines)
    for name, topic in who.topics.items():
        yield from pool(f"topics/{name}/recap", topic.recap)
        yield from pool(f"topics/{name}/locked", topic.locked)
        for i, step in enumerate(topic.steps):
            path = f"topics/{name}/steps/{i}"
            yield from pool(f"{path}/says", step.says)
            yield from pool(f"{path}/nudge", step.nudge)
            for other, words in step.instead.items():
                yield from pool(f"{path}/instead/{other}", words.says)


# ── the two lists ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "lang"), [("attacks", "pt-BR"), ("attacks.en", "en")])
def test_every_attack_is_refused(name: str, lang: str) -> None:
    """No sentence of the attack list passes: secrets, guilt, numbers, names, recitals, tongues."""
    attacks = examples(f"{name}.jsonl")
    assert len(attacks) >= {"pt-BR": 120, "en": 80}[lang]
    assert [attack["reply"] for attack in attacks if fault(attack, lang) is None] == []


@pytest.mark.parametrize(("name", "lang"), [("honest", "pt-BR"), ("honest.en", "en")])
def test_honest_performances_pass(name: str, lang: str) -> None:
    """Of paraphrases that keep to the beat nearly all pass, over all seven characters."""
    honest = examples(f"{name}.jsonl")
    assert len(honest) >= 250
    assert {reply["character"] for reply in honest} == set(lama().words.characters)
    refused = [reply["reply"] for reply in honest if fault(reply, lang)]
    assert len(refused) <= (1 - HONEST[lang]) * len(honest), refused


@pytest.mark.parametrize("lang", ["pt-BR", "en"])
@pytest.mark.parametrize("character", sorted(lama().words.characters))
def test_every_authored_line_passes(character: str, lang: str) -> None:
    """A line spoken word for word is never refused, though nothing is known to be open."""
    words = lama().case.words[Lang(lang)]
    who = CharacterId(character)
    found = {}
    for ref in references(words.characters[who]):
        line = {
            "character": who,
            "lines": [ref],
            "message": "",
            "reply": read(words, who, ref).text,
        }
        found[ref] = fault(line, lang)
    assert {ref: wrong for ref, wrong in found.items() if wrong} == {}


def test_the_small_case_is_guarded_too() -> None:
    """The guard knows nothing of a case but its words."""
    world = mini()
    for name, who in world.words.characters.items():
        for ref in references(who):
            guard = Guard(
                Scene(world.case, world.words, language("pt-BR"), name, (ref,), "", lambda _: False)
            )
            for sentence in sentences(read(world.words, name, ref).text):
                assert guard.read(sentence) == sentence


# ── cleaning ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Esmerina: O lago estava prateado.", "O lago estava prateado."),
        ("**Dona Esmerina:** O lago estava prateado.", "O lago estava prateado."),
        ('"O lago estava prateado."', "O lago estava prateado."),
        ("«O lago estava prateado.»", "O lago estava prateado."),
        ('"O lago estava prateado.', "O lago estava prateado."),
        ("*abre o caderno* O lago estava **prateado**.", "O lago estava prateado."),
        ("O lago  estava\u200b prateado. 🐟", "O lago estava prateado."),
        ("— O lago estava prateado.", "O lago estava prateado."),
        ("*suspira*", ""),
        ("🐟🐟", ""),
    ],
)
def test_habits_of_models_are_taken_off(said: str, shown: str) -> None:
    """Speaker's names, quotes, gestures, emphasis and emoji are not shown."""
    assert Guard(scene()).read(said) == shown


def test_a_quotation_inside_stays() -> None:
    """Only quotes around everything are taken off."""
    said = "Na capa está escrito: «níveis normais»."
    assert Guard(scene("graca", "topics/relatorio/steps/0/says/0")).read(said) == said


# ── what is known ───────────────────────────────────────────────────────────────────────────────


def test_a_secret_may_be_said_once_it_is_open() -> None:
    """A gate that holds, or a text that the team has read, frees a secret's word."""
    said = "Agora vocês sabem: é hipóxia."
    assert reason(said) == "secret"
    assert reason(said, holds=("oxigenio",)) == ""
    assert reason(said, known=("Hipóxia: o lago ficou com pouco ar.",)) == ""


def test_the_player_s_words_free_nothing() -> None:
    """A name, a number or an accusation is not allowed because the player typed it."""
    message = "a Remanso pagou 5000 ao Carlos em Tefezinho?"
    for said in ("A Remanso, sim.", "Foram 5000, meus filhos.", "O Carlos passou aqui."):
        assert reason(said, message=message)


def test_a_secret_across_two_sentences_is_found() -> None:
    """What one sentence begins and the next one ends is read together."""
    guard = Guard(scene())
    assert guard.read("Isso vem da cor de") == "Isso vem da cor de"
    assert isinstance(guard.read("Chá, meus filhos."), Fault)


def test_numbers_may_change_their_spelling() -> None:
    """Digits, words, dates and times of the beat are the same number however they are written."""
    assert reason("Foi no dia 7 de novembro, às cinco da manhã.") == ""
    assert reason("Foi no dia 8 de novembro.") == "number"
    assert reason("Eram duas coisas para entender.") == ""
    assert reason("Eram sete horas da noite e doze minutos.") == "number"


def test_a_question_may_be_repeated_as_one() -> None:
    """«Quem matou os peixes?» accuses nobody; «Foi o Josué?» does."""
    message = "quem matou os peixes?"
    assert reason("Quem matou os peixes?", message=message) == ""
    assert reason("Foi o Josué que matou os peixes?", message=message) == "guilt"


@pytest.mark.parametrize(
    "said",
    [
        "É a Remanso.",
        "É a R e m a n s o.",
        "É a Re-man-so.",
        "É a R3m4ns0!",
        "É a osnameR.",
        "É a Rеmаnsо.",
        "É a Re\u200bmanso.",
        "O lacre é o 0 4 1 8.",
        "O lacre é o O418.",
        "Foi culpa da corzinha: cores de chás.",
    ],
)
def test_a_secret_in_disguise_is_found(said: str) -> None:
    """Letters apart, figures for letters, other alphabets, mirrors, endings hide no secret."""
    assert reason(said)


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        ("Eram mil e dez peixes.", ["1010"]),
        ("Eram 1.010 peixes.", ["1010"]),
        ("Mediu zero vírgula quatro.", ["0,4"]),
        ("Às cinco e trinta. Dois dias depois.", ["5", "30", "2"]),
        ("Às 5:30 e às 5h30.", ["5h30", "5h30"]),
        ("O lago.", []),
    ],
)
def test_numbers_are_read_in_digits_and_in_words(said: str, numbers: list[str]) -> None:
    """A number is the same in digits and in words, and ends where a sentence ends."""
    found = numbers_of(Text.of(plain(said)), language("pt-BR").guard)
    assert [number.value for number in found] == numbers


def test_what_opens_a_sentence_is_known() -> None:
    """A word opens after a full stop, a quotation mark or a colon, wherever the spaces stand."""
    text = Text.of("O rio. «Água» — disse: Sobe,desce (ou não)")
    opening = [w.raw for w, opens in zip(text.words, text.opens, strict=True) if opens]
    assert opening == ["O", "Água", "disse", "Sobe", "ou"]


# ── English ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("It sank in slowly, my children.", ""),
        ("Somebody sank the bottles there.", "secret"),
        ("It took me a minute.", ""),
        ("The mayor took the money.", "guilt"),
        ("Well, the lake is what I saw.", ""),
        ("It was Josué, my children.", "guilt"),
        ("The thief was him.", "guilt"),
        ("Six nights, and one lake.", "number"),
        ("Alright, jot it down.", ""),
        ("Mark my words, I kept the notebook.", ""),
        ("I told Mark about the lake.", "name"),
        ("Os peixes do lago estavam mortos.", "language"),
    ],
)
def test_english_is_read_as_english(said: str, why: str) -> None:
    """Idioms, pronouns and frequent words tell nothing by themselves; names are no other tongue."""
    assert reason(said, lang="en") == why


def test_what_a_step_may_say_too_is_no_new_deed() -> None:
    """Of two ways to say a step one speaks of signing, so the other one's performance may."""
    line = "topics/gelo/steps/1/says/1"
    assert reason("Further down one goes out, signed J., for Josué.", lang="en") == "guilt"
    guard = Guard(scene("esmerina", line, lang="en"))
    said = "At 22:50 one goes out, signed J., and that is Josué's hand."
    assert guard.read(said) == said


def test_a_copula_between_what_the_beat_puts_side_by_side_says_nothing_new() -> None:
    """«Holder: Benedito» may be said as a sentence; of the owner the beat says nothing."""
    guard = Guard(scene("graca", "topics/permissao/steps/1/says/0", lang="en"))
    said = "The holder is Benedito Ferreira da Luz."
    assert guard.read(said) == said
    assert isinstance(guard.read("The owner is Benedito Ferreira da Luz."), Fault)


# ── bounds ──────────────────────────────────────────────────────────────────────────────────────


def test_a_reply_has_an_end() -> None:
    """A long sentence, a long reply and an eleventh sentence are refused."""
    assert reason("peixe " * 80) == "length"
    guard = Guard(scene())
    said = [guard.read("O lago estava prateado.") for _ in range(11)]
    assert [type(result) for result in said[9:]] == [str, Fault]


def test_control_characters_are_refused() -> None:
    """A direction mark or a control character is no performance."""
    assert reason("O lago \u202eestava prateado.") == "markup"
    assert reason("O lago \x07estava prateado.") == "markup"


def test_a_harmless_word_that_holds_a_bad_one_passes() -> None:
    """Profanity is looked for as words: «cupuaçu» and «disputa» are none."""
    assert reason("O cupuaçu e a disputa são do lago.") == ""


def test_the_guard_s_words_change_nothing_that_is_learned(tmp_path: Path) -> None:
    """The data that listeners are taught from is told apart from the guard's."""
    file = tmp_path / "xx.yaml"
    file.write_text("slang: {}\n\nguard:\n  names: [A]\n")
    before = fingerprint(tmp_path)
    file.write_text("slang: {}\n\nguard:\n  names: [B]\n")
    assert fingerprint(tmp_path) == before
    file.write_text("slang: {a: b}\n\nguard:\n  names: [B]\n")
    assert fingerprint(tmp_path) != before


# ── what must be said ───────────────────────────────────────────────────────────────────────────


def test_what_is_missing_is_known() -> None:
    """The `must` entries count down as accepted sentences say them, in any alternative."""
    guard = Guard(scene())
    assert guard.missing() == ("7/11|sete de novembro", "antes das cinco", "prateado")
    guard.read("Foi no sábado, SETE de novembro.")
    assert guard.missing() == ("antes das cinco", "prateado")
    guard.read("O lago prateado morreu por hipóxia.")
    assert guard.missing() == ("antes das cinco", "prateado")
    guard.read("Eram antes das cinco, e o lago prateado.")
    assert guard.missing() == ()


def test_only_steps_ask_for_words() -> None:
    """Small talk, recaps and lines that are gone must say nothing in particular."""
    words, who = lama().words, CharacterId("esmerina")
    lines = ("smalltalk/who/0", "topics/aiu/recap/0", "topics/gone/steps/0/says/0", "nonsense")
    assert musts(words, who, lines) == ()
    assert musts(words, who, ("topics/aiu/steps/2/says/1",)) == ("meu pai", "pedindo ar")
    neia = musts(words, CharacterId("neia"), ("topics/lai/steps/2/instead/retira/0",))
    assert neia != musts(words, CharacterId("neia"), ("topics/lai/steps/2/says/0",))


# ── questions ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("message", "holds", "names"),
    [
        ("quem é a remanso?", (), True),
        ("quem é a r3manso?", (), True),
        ("quem é a r e m a n s o", (), True),
        ("quem é a rеmanso", (), True),
        ("quem é a remanso?", ("encomenda_remanso",), False),
        ("o que aconteceu com os peixes?", (), False),
        ("o lacre 0418 está inteiro?", ("frascos_lama",), True),
    ],
)
def test_a_question_that_names_a_secret(message: str, holds: tuple[str, ...], names: bool) -> None:
    """A question with a locked fact in it is answered without a model."""
    world = lama()
    assert names_secret(world.case, world.words, message, frozenset(holds).__contains__) is names


def test_a_suggested_question_names_no_secret() -> None:
    """What the game itself offers at the start can be performed by a model."""
    world = lama()
    for character in world.case.characters.values():
        for topic in character.topics.values():
            question = world.words.characters[character.id].topics[topic.id].suggestion
            if topic.when.open(lambda _: False):
                assert not names_secret(world.case, world.words, question, lambda _: False)
