"""Publishing: the verdict on each claim, the ending and its epilogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amazonia.domain.case import Case, Claim, Ending, Verdict
from amazonia.domain.errors import BadAnswer, Unknown
from amazonia.domain.session import Published, State, atoms, opens
from amazonia.domain.words import CaseWords


@dataclass(frozen=True, slots=True)
class Edition:
    """A front page and what can be said of it.

    Attributes:
        verdicts: claim → verdict, in the order published.
        missing: one line for each claim that was published without what it needs.
        debrief: pairs (claim's text, what proved it or why it fails).
    """

    ending: str
    headline: str
    deck: str
    text: tuple[str, ...]
    verdict: str
    verdicts: Mapping[str, Verdict]
    missing: tuple[str, ...]
    debrief: tuple[tuple[str, Verdict, str], ...]
    event: Published


def is_open(case: Case, state: State) -> bool:
    """Whether the team may publish."""
    return opens(case, state, case.publication.when)


def listed_claims(case: Case, state: State) -> list[Claim]:
    """The claims that are shown to the team."""
    return [c for c in case.publication.claims.values() if opens(case, state, c.when)]


def publish(
    case: Case,
    words: CaseWords,
    state: State,
    claims: Sequence[str],
    decisions: Mapping[str, str],
) -> Edition:
    """Publish an edition. It may be repeated ("second edition"): nothing is lost.

    Raises:
        Unknown: publication is not open, or a claim or decision is not listed.
        BadAnswer: no claim at all, or a decision's option that does not exist.
    """
    if not is_open(case, state):
        raise Unknown("publication", case.id)
    if not claims:
        raise BadAnswer("claims must hold at least one claim")
    listed = {c.id: c for c in listed_claims(case, state)}
    for claim in claims:
        if claim not in listed:
            raise Unknown("claim", claim)
    for name, option in decisions.items():
        decision = case.publication.decisions.get(name)
        if decision is None or not opens(case, state, decision.when):
            raise Unknown("decision", name)
        if option not in decision.options:
            raise BadAnswer(f"decision '{name}' must be the id of one of its options")

    chosen = tuple(dict.fromkeys(claims))
    verdicts = {name: _verdict(case, state, listed[name]) for name in chosen}
    ending = first_fitting(case, verdicts)
    event = Published(chosen, tuple(sorted(decisions.items())), ending.id)
    return edition(case, words, state, event)


def edition(case: Case, words: CaseWords, state: State, published: Published) -> Edition:
    """The page of an edition, as the state that it was published from reads it."""
    claims = case.publication.claims
    verdicts = {
        name: _verdict(case, state, claims[name]) for name in published.claims if name in claims
    }
    text = words.publication
    page = text.endings[published.ending]
    ending = next(e for e in case.publication.endings if e.id == published.ending)
    fits = ending.headline is None or ending.headline in published.claims
    return Edition(
        ending=published.ending,
        headline=page.headline if fits else page.headline_else,
        deck=page.deck,
        text=(*page.paragraphs, *_epilogue(case, words, state, published)),
        verdict=page.verdict,
        verdicts=verdicts,
        missing=tuple(text.claims[n].unproved for n, v in verdicts.items() if v == "unsupported"),
        debrief=tuple((text.claims[n].text, v, _why(words, n, v)) for n, v in verdicts.items()),
        event=published,
    )


def _verdict(case: Case, state: State, claim: Claim) -> Verdict:
    if claim.truth == "false":
        return "false"
    if claim.truth == "unproven":
        return "harmful" if claim.harmful else "unproven"
    return "proved" if opens(case, state, claim.needs) else "unsupported"


def first_fitting(case: Case, verdicts: Mapping[str, Verdict]) -> Ending:
    """The ending of an edition in which the claims have these verdicts."""
    return next(ending for ending in case.publication.endings if _fits(ending, verdicts))


def _fits(ending: Ending, verdicts: Mapping[str, Verdict]) -> bool:
    if ending.any:
        return not ending.any.isdisjoint(verdicts.values())
    return ending.claims is None or ending.claims.open(verdicts.__contains__)


def _epilogue(case: Case, words: CaseWords, state: State, published: Published) -> list[str]:
    """Of each group the first paragraph whose gate holds."""
    facts = atoms(case, state) | set(published.claims)
    facts |= {f"{name}:{option}" for name, option in published.decisions}
    texts = words.publication.epilogue.get(published.ending, {})
    paragraphs = []
    for group, choices in case.publication.epilogue.get(published.ending, {}).items():
        name = next((n for n, gate in choices if gate.open(facts.__contains__)), None)
        if name is not None:
            paragraphs.append(texts[group][name])
    return paragraphs


def _why(words: CaseWords, claim: str, verdict: Verdict) -> str:
    text = words.publication.claims[claim]
    match verdict:
        case "proved":
            return text.proved
        case "unsupported":
            return text.unproved
        case _:
            return text.why
