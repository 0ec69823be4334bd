"""Deeds: somebody did something, or did not, of which the beat says nothing.

A denial is information too, so it counts as an accusation does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from amazonia.voice.guard.folding import Text, has, root
from amazonia.voice.guard.ground import Beat
from amazonia.voice.guard.scene import Fault

_CLAUSE = re.compile(r"[.,;:!?…()]+|\s[–—]\s")


@dataclass(frozen=True, slots=True)
class Guilt:
    """Finds deeds that a beat does not speak of.

    Attributes:
        is_locked: whether the team may not be told a secret.
    """

    beat: Beat
    is_locked: Callable[[str], bool]

    def find(self, text: Text) -> Fault | None:
        """What a sentence says of somebody's deeds beyond the beat."""
        lexicon = self.beat.lexicon
        persons = text.vocabulary & lexicon.people
        if persons and (clause := self._blaming(text)):
            return Fault("guilt", clause)
        if text.asks and not persons:
            return None
        if lexicon.deeds.keys().isdisjoint(text.vocabulary):
            return None
        for word in text.words:
            for act in lexicon.deeds.get(word.bare, ()):
                if self._accuses(word.bare, act, persons, text):
                    return Fault("guilt", word.raw)
        return None

    def _accuses(self, form: str, act: str, persons: Set[str], text: Text) -> bool:
        pack, spoken = self.beat.lexicon.pack, self.beat.spoken
        forms = pack.acts[act]
        own = form in forms.mine
        meant = persons if own else persons & self.beat.lexicon.persons
        if act in self.beat.acts and meant <= spoken:
            return own and forms.mine.isdisjoint(spoken)
        mild = act in pack.mild
        by_itself = form in forms.theirs and not mild
        someone = persons - pack.selves if mild else persons
        return own or by_itself or bool(someone) or self._is_about_secret(form, text)

    def _is_about_secret(self, form: str, text: Text) -> bool:
        """«A amostra foi trocada» accuses, though nobody in particular."""
        hot = self.beat.lexicon.hot
        return any(
            self.is_locked(secret)
            for word in text.vocabulary
            if word != form
            for secret in hot.get(root(word), ())
        )

    def _blaming(self, text: Text) -> str:
        """«Foi o Josué.», «era o Josué na canoa»: who it was, of which the beat says nothing."""
        blamed = self.beat.lexicon.pack.blamed
        if blamed.isdisjoint(text.vocabulary):
            return ""
        for clause in _CLAUSE.split(text.plain):
            words = self.beat.lexicon.literal(Text.of(clause)).bares
            for i, word in enumerate(words):
                if word in blamed:
                    who = self._person_after(words, i)
                    if who and not self._tells(words, i, who):
                        return clause.strip()
        return ""

    def _person_after(self, words: Sequence[str], start: int) -> int:
        """Where within three words a person is named; 0 if nowhere."""
        lexicon = self.beat.lexicon
        for i in range(start + 1, min(start + 4, len(words))):
            if words[i] in lexicon.pack.relative:
                break
            if words[i] in lexicon.people and words[i] not in lexicon.pack.pronouns:
                return i
        return 0

    def _tells(self, words: Sequence[str], start: int, who: int) -> bool:
        """Whether the beat says it too, or the clause goes on to say what they did.

        «Titular: Benedito» says that the «titular é Benedito».
        """
        lexicon, view = self.beat.lexicon, self.beat.told.view + self.beat.near.view
        if words[who] not in lexicon.persons and has(view, " ".join(words[who - 1 : who + 1])):
            return True
        if has(view, " ".join(words[start : who + 1])):
            return True
        if start and has(view, " ".join((words[start - 1], *words[start + 1 : who + 1]))):
            return True
        return not lexicon.pack.relative.isdisjoint(words[who + 1 : who + 2])
