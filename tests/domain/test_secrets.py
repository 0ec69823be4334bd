"""Nothing locked is ever said: the story's spoiler list against every text of the real case."""

from dataclasses import replace

import pytest
from tests.domain.spoilers import Secrets, possible_leaks, texts
from tests.domain.walks import Walk, milestones
from tests.domain.world import World, lama, mini, papel

from amazonia.domain.case import CharacterId, ClueId, TopicId
from amazonia.domain.gates import OPEN
from amazonia.domain.lines import read
from amazonia.domain.projection import news
from amazonia.domain.session import ClueFound, begin, holds, opens, play

LAMA, MINI = lama(), mini()
REAL = pytest.mark.parametrize("world", [LAMA, papel()], ids=["lama", "papel"])


@REAL
def test_no_text_can_be_read_before_its_secrets(world: World) -> None:
    """Proof over every text: no team can read a secret's word while its gate is closed."""
    assert possible_leaks(world.case, world.words) == []


def test_the_proof_finds_a_leak() -> None:
    """A secret in a line that is open from the start, or in a clue found too early, is found."""
    cida = MINI.words.characters[CharacterId("cida")]
    loud = replace(cida, deflections=("Foi o Algodão.",))
    words = replace(MINI.words, characters={**MINI.words.characters, CharacterId("cida"): loud})
    found = set(possible_leaks(MINI.case, words)) - set(possible_leaks(MINI.case, MINI.words))
    assert found == {"gato «algodao» in cida.deflections: Foi o Algodão."}


def test_the_proof_knows_what_must_have_come_before() -> None:
    """A secret told by the step that opens it, and by all that follows from it, is no leak."""
    lia = MINI.words.characters[CharacterId("lia")]
    gato = lia.topics[TopicId("gato")]
    told = replace(gato, recap=("Era um gato.",))
    lia = replace(lia, topics={**lia.topics, TopicId("gato"): told})
    words = replace(MINI.words, characters={**MINI.words.characters, CharacterId("lia"): lia})
    assert possible_leaks(MINI.case, words) == possible_leaks(MINI.case, MINI.words)


@REAL
def test_every_secret_is_kept_at_first_and_told_at_last(world: World) -> None:
    """At the start every gate of the list is closed; each secret stands in some text."""
    secrets = Secrets(world.case, world.words)
    told = {name for text in texts(world.case, world.words) for name in secrets.told(text.text)}
    assert told == set(world.case.secrets)
    assert not any(opens(world.case, begin(world.case), g) for g in world.case.secrets.values())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Morreu por HIPÓXIA.", {"hipoxia": "hipoxia"}),
        ("o lacre 0417, na lama", {"lacre_0417": "0417"}),
        ("São 8820 alunos e 1882 foi ontem.", {}),
        ("A Remansosa é outra rua.", {}),
        ("Trocaram a   amostra?", {"troca": "trocaram"}),
    ],
)
def test_words_are_found_as_words(text: str, told: dict[str, str]) -> None:
    """Accents, capitals and spaces do not matter; a part of another word is no word."""
    assert Secrets(LAMA.case, LAMA.words).told(text) == told


def spoken(world: World, seed: int) -> list[str]:
    """What leaked on one random walk."""
    case, words = world.case, world.words
    secrets, states = Secrets(case, words), milestones(world)
    found = []
    for turn in Walk(world, seed, start=states[seed * len(states) // 14]).turns(150):
        have = holds(case, turn.after)
        said = [*turn.replies]
        if turn.beat:
            who = words.characters[turn.beat.character]
            said += [read(words, turn.beat.character, ref).text for ref in turn.beat.lines]
            said += [turn.beat.gesture, *(who.topics[t].label for t in turn.beat.readings)]
        said += [n["name"] for n in news(case, words, turn.before, turn.after)]
        found += [leak for text in said for leak in secrets.leaks(have, text)]
    return found


@REAL
@pytest.mark.parametrize("seed", range(14))
def test_nothing_locked_is_spoken(world: World, seed: int) -> None:
    """Lines, gestures, replies, hints, feedback and news of random teams tell no closed secret."""
    assert spoken(world, seed) == []


def test_a_closed_topic_s_name_is_not_offered() -> None:
    """Names of topics are shown only as buttons, and buttons only where the topic is open."""
    for text in texts(LAMA.case, LAMA.words):
        if text.place.endswith(".suggestion"):
            topic = LAMA.case.topic(text.place.removesuffix(".suggestion"))
            assert topic.when == OPEN or text.gate != OPEN


def test_a_secret_comes_out_with_its_clue() -> None:
    """A clue's own text may tell its secret as soon as the clue is owned."""
    secrets = Secrets(LAMA.case, LAMA.words)
    text = LAMA.words.clues[ClueId("permissao_882")].title
    before = begin(LAMA.case)
    after = play(before, [ClueFound(ClueId("permissao_882"), "test")])
    assert secrets.leaks(holds(LAMA.case, before), text) != []
    assert secrets.leaks(holds(LAMA.case, after), text) == []
