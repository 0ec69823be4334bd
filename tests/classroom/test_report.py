"""The report on a class, from records written by hand and from a class that played by itself."""

from __future__ import annotations

from functools import cache

from tests.classroom.classes import NINE, record, simulated
from tests.domain.world import lama, mini

from amazonia.classroom.report import Hard, Report, make_report, share
from amazonia.classroom.times import ActiveTime
from amazonia.domain.case import (
    ChallengeId,
    CharacterId,
    ClueId,
    ConfrontationId,
    RiddleId,
    TopicId,
)
from amazonia.domain.session import (
    ChallengeTried,
    ClueFound,
    EvidenceShown,
    HintTaken,
    Published,
    RiddleTried,
    RoundTried,
    Spoken,
    TopicDeepened,
)
from amazonia.ports.reports import Record

CIDA, BETO = CharacterId("cida"), CharacterId("beto")
CLOCK, LIA = RiddleId("r_relogio"), ConfrontationId("conf_lia")


def said(who: CharacterId) -> Spoken:
    """A character answered."""
    return Spoken(who, ("x",))


def found(clue: str) -> ClueFound:
    """A clue was found."""
    return ClueFound(ClueId(clue), "cida.bolo")


THOROUGH = record(
    (60, [said(CIDA), TopicDeepened(CIDA, TopicId("bolo"), 1)]),
    (120, [said(CIDA), found("migalhas")]),
    (180, [said(BETO), found("assobio")]),
    (240, [said(CIDA), found("hora_forno")]),
    (300, [RiddleTried(CLOCK, False)]),
    (330, [RiddleTried(CLOCK, True)]),
    (390, [ChallengeTried(ChallengeId("D1"), False)]),
    (400, [ChallengeTried(ChallengeId("D1"), True)]),
    # a break of an hour
    (4000, [said(CharacterId("lia")), found("pelos")]),
    (4060, [RoundTried(LIA, "gato", True)]),
    (4120, [Published(("t1",), (), "e1")]),
    name="Boto",
)
HASTY = record(
    (30, [said(BETO), found("assobio")]),
    (500, [said(CIDA), found("migalhas")]),
    (520, [said(CIDA), found("hora_forno")]),
    (530, [RiddleTried(CLOCK, True)]),
    (540, [HintTaken("chat:lia.gato:1")]),
    (560, [Published(("f1", "t1"), (), "e3")]),
    name="Tracajá",
)
LATE = record(
    (30, [said(BETO), found("assobio")]),
    (90, [EvidenceShown(BETO, ClueId("bilhete")), said(BETO)]),
    name="Mucura",
)
ABSENT = record(name="Preguiça")


def report(*records: Record) -> Report:
    """The report on teams of the small case."""
    return make_report(mini().case, mini().words, records)


def item(made: Report, id_: str) -> Hard:
    """The line of one clue, riddle, challenge or round."""
    return next(hard for hard in made.hard if hard.id == id_)


def test_a_path_tells_what_was_reached_and_when() -> None:
    """Acts, characters, clues, riddles, challenges, rounds and editions stand in order of time."""
    (team,) = report(THOROUGH).teams
    assert [(step.kind, step.id, step.minute) for step in team.steps] == [
        ("character", "cida", 1.0),
        ("clue", "migalhas", 2.0),
        ("character", "beto", 3.0),
        ("clue", "assobio", 3.0),
        ("clue", "hora_forno", 4.0),
        ("riddle", "r_relogio", 5.5),
        ("act", "w1", 5.5),
        ("challenge", "D1", 400 / 60),
        ("character", "lia", 400 / 60),
        ("clue", "pelos", 400 / 60),
        ("round", "conf_lia/gato", 460 / 60),
        ("edition", "e1", 520 / 60),
    ]
    assert team.act == 2
    assert [(t.id, t.tries, t.right) for t in team.tried] == [
        ("r_relogio", 2, True),
        ("D1", 2, True),
        ("conf_lia/gato", 1, True),
    ]
    assert team.talks == (("Cida", 3), ("Beto", 1), ("Lia", 1))
    assert team.voices == {"scripted": 5}


def test_a_break_is_no_active_time() -> None:
    """An hour away counts nothing, nine minutes at the table count; times are the server's."""
    (team,) = report(THOROUGH).teams
    assert (team.minutes, team.breaks) == (520 / 60, 1)
    assert (team.began, team.ended) == (NINE, NINE + 4120)
    at_the_table = ActiveTime([0, 540, 540 + 601])
    assert (at_the_table.whole, at_the_table.breaks) == (9.0, 1)
    assert at_the_table.until(540) == 9.0


def test_a_claim_stands_beside_its_evidence() -> None:
    """What a team had in hand for a sentence when it published it, and what it lacked."""
    proved, hasty = (team.issues[0] for team in report(THOROUGH, HASTY).teams)
    (true,) = proved.sentences
    words = mini().words.clues
    assert true.verdict == "proved"
    assert true.evidence == tuple(
        words[ClueId(c)].title for c in ("migalhas", "hora_forno", "pelos")
    )
    assert true.lacked == ()
    false, unsupported = hasty.sentences
    assert (false.verdict, false.evidence) == ("false", (words[ClueId("assobio")].title,))
    assert unsupported.verdict == "unsupported"
    assert unsupported.lacked == (mini().words.confrontations[LIA].title,)


def test_hard_is_counted_among_those_who_played() -> None:
    """Reached, tried, median of tries and of waiting; who never came is in no figure."""
    made = report(THOROUGH, HASTY, LATE, ABSENT)
    assert (len(made.teams), made.playing) == (4, 3)
    riddle = item(made, "r_relogio")
    assert (riddle.tried, riddle.reached, riddle.tries) == (2, 2, 1.5)
    # Boto waited 1.5 minutes from the oven's hour to the riddle, Tracajá ten seconds.
    assert riddle.waited is not None
    assert round(riddle.waited, 4) == round((1.5 + 10 / 60) / 2, 4)
    assert [h.id for h in made.hardest("clue")][:2] == ["pegadas", "pelos"]
    assert item(made, "conf_lia/gato").reached == 1
    # Tracajá was 470 seconds between the whistle and the crumbs, Boto two minutes before them.
    assert made.longest[0].id == "migalhas"


def test_small_numbers_are_not_turned_into_percentages() -> None:
    """Of four teams one speaks as «3 of 4»; of five it may be a share."""
    assert share(3, 4) is None
    assert share(3, 5) == 60


def test_beliefs_are_those_published_and_those_left_standing() -> None:
    """A false claim, one that was not shown, and a rumour that nobody refuted, with their teams."""
    corrected = record(
        (30, [said(CIDA), found("migalhas"), found("hora_forno"), RiddleTried(CLOCK, True)]),
        (60, [Published(("f1",), (), "e3")]),
        (90, [Published(("u1",), (), "e3")]),
        name="Ariranha",
    )
    made = report(THOROUGH, HASTY, LATE, corrected)
    held = {belief.text: (belief.held, belief.kept) for belief in made.beliefs}
    claims, clues = mini().words.publication.claims, mini().words.clues
    assert held == {
        claims["t1"].text: (1, 1),
        claims["f1"].text: (2, 1),
        claims["u1"].text: (1, 1),
        clues[ClueId("assobio")].title: (1, 1),
    }


def test_skills_are_met_by_answers_and_topics() -> None:
    """A skill counts the teams that tried its challenge, and those that were right."""
    (skill,) = report(THOROUGH, HASTY).skills
    assert (skill.code, skill.met, skill.right) == ("EF07CI02", 1, 1)
    skills = {s.code: s for s in make_report(lama().case, lama().words, [ABSENT]).skills}
    sample = skills["EF08MA26"]
    assert (sample.fact, sample.gist) == ("B32", "Entender por que e como se usa uma amostra.")
    assert sample.source == "BNCC (MEC), p. 317"
    assert sample.met == 0
    assert skills["EF89LP08"].met is None, "the game has no way to tell"


def test_questions_for_the_class_follow_what_happened() -> None:
    """A question is chosen because of teams in which it happened; without gates, all are there."""
    wrong = record(
        (30, [RiddleTried(RiddleId("r_ordem"), True)]),
        (60, [Published(("f1",), (), "e4")]),
        (90, [Published(("t1",), (), "e2")]),
    )
    case, words = lama().case, lama().words
    chosen = dict(make_report(case, words, [wrong, ABSENT]).questions)
    assert chosen == {words.discussion["mercurio"]: 1, words.discussion["pressa"]: 1}
    assert make_report(case, words, [ABSENT]).questions == ()
    assert [q for q, _ in report(LATE).questions] == list(mini().words.debrief)


def test_what_the_case_no_longer_has_is_left_out() -> None:
    """A record from before the case was revised makes a report all the same."""
    old = record(
        (30, [said(CharacterId("gone")), found("gone"), RiddleTried(RiddleId("gone"), True)]),
        (60, [ChallengeTried(ChallengeId("gone"), True)]),
    )
    (team,) = report(old).teams
    assert (team.steps, team.tried) == ((), ())


@cache
def played() -> tuple[Record, ...]:
    """A class of eight that played the real case by itself."""
    return tuple(simulated(lama(), teams=8, seed=7, turns=90))


def test_a_simulated_class_is_told_as_it_went() -> None:
    """Every clue, edition and question of the records is in the report, and nothing else."""
    made = make_report(lama().case, lama().words, played())
    for team, of in zip(made.teams, played(), strict=True):
        events = [happened.event for happened in of.happened]
        clues = {e.clue for e in events if isinstance(e, ClueFound)} - set(lama().case.start)
        assert {step.id for step in team.clues} == clues
        assert [issue.ending for issue in team.issues] == [
            e.ending for e in events if isinstance(e, Published)
        ]
        assert team.questions == sum(isinstance(e, Spoken) for e in events)
        minutes = [step.minute for step in team.steps]
        assert minutes == sorted(minutes)
    assert made.playing == 8
    for hard in made.hard:
        assert hard.reached <= hard.tried <= 8 or hard.kind == "clue"


def test_the_same_records_give_the_same_report() -> None:
    """No clock and no chance is in it."""
    case, words = lama().case, lama().words
    assert make_report(case, words, played()) == make_report(case, words, played())
