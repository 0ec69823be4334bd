"""The guard itself: cleans each sentence of a reply and holds it against the rules."""

from __future__ import annotations

from functools import cached_property

from amazonia.domain.case import Case, TopicId
from amazonia.domain.decency import indecency
from amazonia.domain.gates import Holds
from amazonia.domain.language import Language
from amazonia.domain.words import CaseWords
from amazonia.voice.guard.figures import Number, numbers_of, parts
from amazonia.voice.guard.folding import Text, Word, meaning, plain
from amazonia.voice.guard.form import clean, is_silence, link, markup, strange_letter
from amazonia.voice.guard.ground import beat_of, content, is_certain, together
from amazonia.voice.guard.guilt import Guilt
from amazonia.voice.guard.lexicon import Lexicon, Source, Tongue, keep, lexicon_of, secrets_of
from amazonia.voice.guard.names import strange_name
from amazonia.voice.guard.recital import recital, recitals
from amazonia.voice.guard.scene import Fault, Scene
from amazonia.voice.guard.speech import other_language, unknown

MAX_SENTENCE = 400
"""Characters of a sentence."""
MAX_REPLY = 1_200
"""Characters of a reply."""
MAX_SENTENCES = 10
MANY_KEYS = 2
"""Words of the solution in one sentence, none of them the beat's, that are a secret told."""
MANY_FAINT = 3
"""As many, if all of them are everyday words."""
ECHO = 0.7
"""Share of a sentence's words that the player typed and the beat lacks, which makes an echo."""
TAIL = 8
"""Words of the sentence before that are read again, in case a secret lies across the border."""


class Guard:
    """Reads the sentences of one reply, in order, and remembers those that it accepted.

    Building one takes some hundredths of a millisecond after `prepare`, for what a beat says is
    compiled once; only what this team alone has read is new.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        source = Source(scene.case, scene.words)
        tongue = Tongue(scene.language.code, scene.language)
        self._beat = beat_of(source, tongue, scene.character, scene.lines)
        self._lexicon = self._beat.lexicon
        self._pack = scene.language.guard
        self._known = together([content(self._lexicon, text) for text in scene.known])
        self._guilt = Guilt(self._beat, self._is_locked)
        self._recitals = recitals(scene.prompt)
        self._said: list[str] = []
        self._tail: tuple[Word, ...] = ()
        self._sentences = 0
        self._length = 0

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    def read(self, sentence: str) -> str | Fault:
        """The sentence, cleaned, or what is wrong with it; empty when nothing is left.

        Cleaning takes off what a model adds out of habit: the speaker's name, quotes around
        everything, gestures between asterisks, emphasis, emoji, and at the beginning a bare yes
        or no that the beat does not say.
        """
        fault = markup(sentence)
        if fault:
            return fault
        text = Text.of(clean(sentence, self._beat.called))
        if not text.words:
            return "" if is_silence(text.plain) else self._accept(text)
        if self._is_bare_answer(text):
            return ""
        return self._judge(text) or self._accept(text)

    def missing(self) -> tuple[str, ...]:
        """What the beat must say and no accepted sentence has said yet."""
        said = f" {' '.join(self._said)}"
        return tuple(
            entry for entry, ways in self._beat.musts if not any(way in said for way in ways)
        )

    def _accept(self, text: Text) -> str:
        self._said += text.bares
        self._tail = text.words[-TAIL:]
        self._sentences += 1
        self._length += len(text.plain) + 1
        return text.plain

    def _judge(self, text: Text) -> Fault | None:
        strangers = self._strangers(text)
        literal = self._lexicon.literal(text)
        meant = meaning(text, self._scene.language)
        told = meant if literal is text else meaning(literal, self._scene.language)
        return (
            self._too_long(text.plain)
            or link(text.plain)
            or self._phrase(literal)
            or self._indecent(text)
            or self._foreign(text, strangers)
            or self._secret(text)
            or self._beyond(literal, told)
            or self._recital(text)
            or self._number(text)
            or self._name(text, strangers)
            or self._guilt.find(literal)
            or self._echo(text, meant)
        )

    # ── what is known ───────────────────────────────────────────────────────────────────────────

    def _strangers(self, text: Text) -> frozenset[str]:
        """The words that nobody has read yet, but for what open topics are called."""
        beat = self._beat
        return text.vocabulary - beat.told.words - beat.public.words - self._known.words

    @cached_property
    def _offered(self) -> frozenset[str]:
        """What open topics are called. To find them takes time, and few sentences need them."""
        scene = self._scene
        who = scene.words.characters[scene.character]
        return together(
            content(self._lexicon, who.topics[TopicId(topic.id)].label)
            for topic in scene.case.characters[scene.character].topics.values()
            if topic.when.open(scene.holds)
        ).words

    def _is_locked(self, secret: str) -> bool:
        return not is_certain(self._scene.case.secrets[secret], self._beat.ways, self._scene.holds)

    @cached_property
    def _asked(self) -> set[str]:
        """The stems of what the player typed."""
        return meaning(Text.of(plain(self._scene.message)), self._scene.language)

    # ── length, phrases, language ───────────────────────────────────────────────────────────────

    def _too_long(self, text: str) -> Fault | None:
        if len(text) > MAX_SENTENCE:
            return Fault("length", f"{len(text)} characters")
        if self._length + len(text) > MAX_REPLY or self._sentences >= MAX_SENTENCES:
            return Fault("length", f"{self._sentences} sentences, {self._length} characters")
        return None

    def _phrase(self, text: Text) -> Fault | None:
        """Swear words; talk of machines, orders, personal data; blame; «you are right»."""
        phrases = self._lexicon.phrases
        if phrases.keys().isdisjoint(text.vocabulary):
            return None
        found = [
            phrase
            for word in text.vocabulary
            for phrase in phrases.get(word, ())
            if phrase.view in text.view
            and phrase.view not in self._beat.told.view
            and not (phrase.reason == "echo" and text.asks)
        ]
        if not found:
            return None
        worst = min(found, key=lambda phrase: (text.bares.index(phrase.first), phrase.rank))
        return Fault(worst.reason, worst.view.strip())

    def _indecent(self, text: Text) -> Fault | None:
        """What no character talks about, unless the beat does."""
        kind = indecency(text.plain, self._scene.language.code)
        if kind is None or text.view in self._beat.told.view:
            return None
        return Fault("personal" if kind == "personal" else "profanity", kind)

    def _foreign(self, text: Text, strangers: frozenset[str]) -> Fault | None:
        """Another script or language, or no language at all."""
        if letter := strange_letter(text.plain):
            return Fault("language", letter)
        if len(text.words) < 4:
            return None
        if code := other_language(text, strangers, self._lexicon):
            return Fault("language", code)
        babble = unknown(text, strangers, self._lexicon)
        babble = babble and unknown(text, strangers - self._offered, self._lexicon)
        return Fault("language", " ".join(babble)) if babble else None

    # ── secrets, recitals, numbers ──────────────────────────────────────────────────────────────

    def _secret(self, text: Text) -> Fault | None:
        across = (*self._tail, *text.words)
        told, known = self._beat.told.aliases, self._known.aliases
        for alias, name in self._lexicon.secrets.told(text.plain, across):
            if alias not in told and alias not in known and self._is_locked(name):
                return Fault("secret", alias)
        return None

    def _beyond(self, text: Text, meant: set[str]) -> Fault | None:
        """Words of the solution that are not the beat's: a secret told in other words."""
        lexicon, beat = self._lexicon, self._beat
        new = meant - beat.grounded - beat.public.roots - self._known.roots
        if text.asks:
            new -= self._asked
        rare = [r for r in new if r in lexicon.rare and any(map(self._is_locked, lexicon.rare[r]))]
        keys = new & lexicon.keys
        if rare or len(keys) >= (MANY_KEYS if keys - lexicon.faint else MANY_FAINT):
            return Fault("secret", " ".join(sorted(rare or keys)))
        return None

    def _recital(self, text: Text) -> Fault | None:
        recited = recital(text, self._recitals, self._beat.told.view)
        return Fault("prompt", recited) if recited else None

    def _number(self, text: Text) -> Fault | None:
        for number in numbers_of(text, self._pack):
            if number.fact and not self._is_known(number.value) and not self._is_date(number):
                return Fault("number", number.value)
        return None

    def _is_known(self, number: str) -> bool:
        return any(
            number in read.numbers for read in (self._beat.told, self._beat.public, self._known)
        )

    def _is_date(self, number: Number) -> bool:
        """A date or time whose parts were all read, if in another spelling."""
        pieces = parts(number.value)
        return len(pieces) > 1 and "," not in number.value and all(map(self._is_known, pieces))

    # ── names, obedience ────────────────────────────────────────────────────────────────────────

    def _name(self, text: Text, strangers: frozenset[str]) -> Fault | None:
        """Somebody or something that is not known here."""
        name = strange_name(text, strangers, self._lexicon)
        name = name and strange_name(text, strangers - self._offered, self._lexicon)
        return Fault("name", name) if name else None

    def _is_bare_answer(self, text: Text) -> bool:
        """A yes or no, or an «is that so», that the beat does not say: it is left out."""
        if self._sentences or text.asks or not text.vocabulary <= self._pack.answers:
            return False
        return text.view not in self._beat.told.view

    def _echo(self, text: Text, meant: set[str]) -> Fault | None:
        """What the player typed, said back as if it were so."""
        if text.asks or len(meant) < 3:
            return None
        echoed = (meant & self._asked) - self._beat.told.roots
        if len(echoed) >= ECHO * len(meant):
            return Fault("echo", " ".join(sorted(echoed)))
        return None


def prepare(
    case: Case, words: CaseWords, language: Language, lexicon: Lexicon | None = None
) -> Lexicon:
    """Compile a case's words ahead, which takes half a second, so that no turn waits.

    Args:
        lexicon: what this gave, in another process perhaps, for the same case and words.
    """
    source = Source(case, words)
    keep(source, ready := lexicon or lexicon_of(source, Tongue(language.code, language)))
    return ready


def names_secret(case: Case, words: CaseWords, message: str, holds: Holds) -> bool:
    """Whether a question names a fact that is still locked; then no model is asked at all."""
    text = Text.of(plain(message))
    told = secrets_of(Source(case, words)).told(text.plain, text.words)
    return any(not case.secrets[name].open(holds) for _, name in told)
