"""The report on a class: what each team did, what was hard, what there is to talk about.

Pure: the same records give the same report. Every figure says of how many teams it speaks, and no
share is worked out for fewer than five (`share`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from amazonia.classroom.path import Kind, TeamReport, challenge_name, round_name, team_report
from amazonia.classroom.questionnaire import Outcome, outcome
from amazonia.domain.case import Case, Source
from amazonia.domain.session import atoms
from amazonia.domain.words import CaseWords
from amazonia.ports.reports import Record

FEW = 5
"""Fewer teams than this are counted, never turned into a percentage."""
MOST_QUESTIONS = 8


def share(n: int, of: int) -> int | None:
    """Percent, rounded; None where so few teams make a percentage say more than it knows."""
    return round(100 * n / of) if of >= FEW else None


@dataclass(frozen=True, slots=True)
class Hard:
    """How a clue, a riddle, a challenge or a round went in the class.

    Attributes:
        tried: teams that tried it; those that found it, for a clue.
        reached: teams that found, solved or won it.
        tries: the median number of tries of those who tried; None for a clue.
        waited: the median of active minutes from the progress before to this.
    """

    kind: Kind
    id: str
    name: str
    tried: int
    reached: int
    tries: float | None
    waited: float | None


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill of the BNCC that the case works on.

    Attributes:
        met: teams that tried a challenge or heard something that is about it; None where the game
            has no way to tell.
        right: teams that answered a challenge about it rightly; None if there is no challenge.
        where: what in the case is about it.
    """

    code: str
    gist: str
    source: str
    fact: str
    where: tuple[str, ...]
    met: int | None
    right: int | None


@dataclass(frozen=True, slots=True)
class Belief:
    """Something that is not so, or was not shown, and that teams took for true.

    Attributes:
        held: teams that published it, or kept it without a reply.
        kept: those of them whose newest edition still says so.
    """

    text: str
    why: str
    held: int
    kept: int


@dataclass(frozen=True, slots=True)
class Report:
    """A class, afterwards.

    Attributes:
        playing: teams that did anything; all shares are of these.
        hard: most difficult first.
        questions: pairs (question for the class, teams in which what it is about happened).
    """

    case_id: str
    title: str
    best: str
    acts: tuple[str, ...]
    teams: tuple[TeamReport, ...]
    playing: int
    hard: tuple[Hard, ...]
    skills: tuple[Skill, ...]
    beliefs: tuple[Belief, ...]
    questions: tuple[tuple[str, int], ...]
    endings: Mapping[str, int]
    judging: Outcome | None

    @property
    def minutes(self) -> float | None:
        """The median of the teams' active minutes."""
        played = [team.minutes for team in self.teams if team.steps or team.questions]
        return median(played) if played else None

    def hardest(self, kind: Kind, most: int | None = None) -> tuple[Hard, ...]:
        """Of one kind, most difficult first."""
        return tuple(hard for hard in self.hard if hard.kind == kind)[:most]

    @property
    def longest(self) -> tuple[Hard, ...]:
        """What teams stood before for longest, and how long."""
        waited = [h for h in self.hard if h.waited is not None and h.reached]
        return tuple(sorted(waited, key=lambda h: (-(h.waited or 0), h.id)))


def make_report(case: Case, words: CaseWords, records: Sequence[Record]) -> Report:
    """The report on the teams of a class, in the language of the words."""
    teams = tuple(team_report(case, words, record) for record in records)
    playing = [team for team in teams if team.steps or team.questions]
    return Report(
        case_id=case.id,
        title=words.title,
        best=case.publication.best,
        acts=tuple(words.acts[name].title for name, _ in case.acts),
        teams=teams,
        playing=len(playing),
        hard=tuple(sorted(_hard(case, words, playing), key=_difficulty)),
        skills=tuple(_skills(case, words, playing)),
        beliefs=tuple(_beliefs(case, words, playing)),
        questions=tuple(_questions(case, words, playing))[:MOST_QUESTIONS],
        endings=Counter(team.ending.ending for team in playing if team.ending),
        judging=outcome(case, records),
    )


# ── what was hard ───────────────────────────────────────────────────────────────────────────────


def _hard(case: Case, words: CaseWords, teams: Sequence[TeamReport]) -> Iterator[Hard]:
    for clue in case.clues.values():
        if clue.id not in case.start and clue.weight != "false":
            yield _item("clue", clue.id, words.clues[clue.id].title, teams)
    for riddle, text in words.riddles.items():
        yield _item("riddle", riddle, text.title, teams)
    for challenge in case.challenges:
        yield _item("challenge", challenge, challenge_name(case, words, challenge), teams)
    for scene in case.confrontations.values():
        for round_ in scene.rounds:
            name = round_name(case, words, scene.id, round_)
            yield _item("round", f"{scene.id}/{round_}", name, teams)


def _item(kind: Kind, id_: str, name: str, teams: Sequence[TeamReport]) -> Hard:
    reached = [s for team in teams for s in team.steps if (s.kind, s.id) == (kind, id_)]
    tries = [t.tries for team in teams for t in team.tried if (t.kind, t.id) == (kind, id_)]
    waits = [step.waited for step in reached if step.waited is not None]
    return Hard(
        kind=kind,
        id=id_,
        name=name,
        tried=len(reached) if kind == "clue" else len(tries),
        reached=len(reached),
        tries=median(tries) if tries else None,
        waited=median(waits) if waits else None,
    )


def _difficulty(hard: Hard) -> tuple[int, float, float, str]:
    return hard.reached, -(hard.tries or 0), -(hard.waited or 0), hard.id


# ── skills ──────────────────────────────────────────────────────────────────────────────────────


def _skills(case: Case, words: CaseWords, teams: Sequence[TeamReport]) -> Iterator[Skill]:
    described = {source.skill: source for source in case.sources.values() if source.skill}
    asked = [challenge.bncc for challenge in case.challenges.values()]
    for code in dict.fromkeys((*case.bncc, *asked)):
        yield _skill(case, words, teams, code, described.get(code))


def _skill(
    case: Case, words: CaseWords, teams: Sequence[TeamReport], code: str, source: Source | None
) -> Skill:
    challenges = [c.id for c in case.challenges.values() if c.bncc == code]
    fact = source.id if source else ""
    topics = [topic for topic in case.topics() if fact in topic.facts]
    riddles = [riddle for riddle in case.riddles.values() if fact in riddle.facts]

    def met(team: TeamReport) -> bool:
        return (
            any(challenge in team.state.challenges for challenge in challenges)
            or any(team.state.depth.get(topic.key) for topic in topics)
            or any(team.state.solved(riddle.id) for riddle in riddles)
        )

    def right(team: TeamReport) -> bool:
        return any(
            c in team.state.challenges and team.state.challenges[c].right for c in challenges
        )

    where = (
        *(challenge_name(case, words, c) for c in challenges),
        *(words.characters[t.character].topics[t.id].label for t in topics),
        *(words.riddles[r.id].title for r in riddles),
    )
    return Skill(
        code=code,
        gist=words.facts.get(source.id, source.statement) if source else "",
        source=source.source if source else "",
        fact=fact,
        where=where,
        met=sum(map(met, teams)) if where else None,
        right=sum(map(right, teams)) if challenges else None,
    )


# ── what there is to talk about ─────────────────────────────────────────────────────────────────


def _beliefs(case: Case, words: CaseWords, teams: Sequence[TeamReport]) -> Iterator[Belief]:
    """What teams published though it was not so or not shown, then rumours left standing."""
    for name, text in words.publication.claims.items():
        held = [team for team in teams if any(_said_badly(team, name))]
        kept = [team for team in held if list(_said_badly(team, name))[-1]]
        if held:
            why = text.why or text.unproved
            yield Belief(text.text, why, len(held), len(kept))
    for clue, about in words.clues.items():
        believers = sum(clue in team.false_hopes for team in teams)
        if believers:
            yield Belief(about.title, about.summary, believers, believers)


def _said_badly(team: TeamReport, claim: str) -> Iterator[bool]:
    """For each edition: whether it said the claim without its being shown."""
    for issue in team.issues:
        yield any(s.id == claim and s.verdict != "proved" for s in issue.sentences)


def _questions(
    case: Case, words: CaseWords, teams: Sequence[TeamReport]
) -> Iterator[tuple[str, int]]:
    happened = [_all_that_happened(case, team) for team in teams]
    for name, gate in case.discussion.items():
        n = sum(gate.open(facts.__contains__) for facts in happened)
        if n:
            yield words.discussion[name], n
    if not case.discussion and teams:
        yield from ((line, len(teams)) for line in words.debrief)


def _all_that_happened(case: Case, team: TeamReport) -> frozenset[str]:
    """The atoms that hold for a team, with every claim that it ever published."""
    claims: Iterable[str] = (s.id for issue in team.issues for s in issue.sentences)
    return atoms(case, team.state) | set(claims)
