"""The linter: rules about a case that loads, each with a stable code.

A rule is a pure generator over a `Draft`; its docstring is its documentation, and a folder of
`tests/content/bad` named for its code is its example and its test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from amazonia.content.lint.draft import Draft, read_draft
from amazonia.content.lint.ids import names_mean_one_thing, nothing_is_unused
from amazonia.content.lint.media import media_fit
from amazonia.content.lint.school import answers_stand_anywhere, facts_are_cited, skills_exist
from amazonia.content.lint.translations import translations_are_fresh
from amazonia.content.lint.writing import (
    documents_are_described,
    nothing_is_left_to_write,
    readers_can_follow,
)
from amazonia.errors import Finding

__all__ = ["Draft", "lint", "read_draft"]

RULES: tuple[Callable[[Draft], Iterator[Finding]], ...] = (
    nothing_is_unused,
    names_mean_one_thing,
    nothing_is_left_to_write,
    facts_are_cited,
    skills_exist,
    answers_stand_anywhere,
    translations_are_fresh,
    documents_are_described,
    readers_can_follow,
    media_fit,
)


def lint(draft: Draft) -> Iterator[Finding]:
    """Everything that the rules find."""
    for rule in RULES:
        yield from rule(draft)
