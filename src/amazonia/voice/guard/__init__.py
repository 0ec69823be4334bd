"""The guard: reads each sentence of a language model before any player does.

A model performs an authored beat and was told nothing that is locked. What it says beyond the
beat is made up or was put into its mouth, so the guard knows what may be said (the beat, what the
team has read, what everybody may read) and refuses names, numbers, deeds and secrets from outside.
A refused sentence costs little, since the authored line takes over; a missed one costs a spoiler
or a slander. In doubt it refuses.

A sentence is folded once (`folding`); what a case and a beat say is compiled once (`lexicon`,
`ground`); the rules (`reader`, `guilt`, `form`) look up words first and think only about hits.
"""

from __future__ import annotations

from amazonia.voice.guard.lexicon import Lexicon
from amazonia.voice.guard.reader import Guard, names_secret, prepare
from amazonia.voice.guard.scene import Fault, Reason, Scene

__all__ = ["Fault", "Guard", "Lexicon", "Reason", "Scene", "names_secret", "prepare"]
