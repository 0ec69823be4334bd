"""The words around a report's figures, and how a language writes numbers and times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from amazonia.classroom.report import share

BRASILIA = -180
"""Minutes from UTC, where the browser did not say where the class is."""


def say(text: str, /, **values: object) -> str:
    """A phrase with its values put in; of "one|many" the form that fits `n`."""
    if "n" in values and "|" in text:
        one, many = text.split("|", 1)
        text = one if values["n"] == 1 else many
    return text.format(**values) if values else text


@dataclass(frozen=True, slots=True)
class Labels:
    """The words of a report in one language, for one place.

    Attributes:
        table: the phrases, by name.
        offset: minutes from UTC of the class's clock.
    """

    lang: str
    table: Mapping[str, str]
    offset: int = BRASILIA

    def __call__(self, name: str, /, **values: object) -> str:
        """A phrase with its values put in.

        Raises:
            KeyError: there is no such phrase.
        """
        return say(self.table[name], **values)

    @property
    def is_portuguese(self) -> bool:
        """Whether numbers and dates are written as in Brazil."""
        return self.lang == "pt-BR"

    def number(self, value: float | None, digits: int = 1) -> str:
        """A number: 1,5 or 1.5, with a real minus sign; a dash for none."""
        if value is None:
            return self("none")
        text = f"{value:.{digits}f}"
        return (text.replace(".", ",") if self.is_portuguese else text).replace("-", "−")

    def half(self, value: float | None) -> str:
        """A median of counts: whole where it is whole."""
        return self.number(value, 0 if value is not None and value == int(value) else 1)

    def time(self, at: float) -> datetime:
        """A moment by the class's clock."""
        return datetime.fromtimestamp(at, timezone(timedelta(minutes=self.offset)))

    def moment(self, at: float) -> str:
        """A moment by the class's clock, written out."""
        shape = "%d/%m/%Y %H:%M" if self.is_portuguese else "%Y-%m-%d %H:%M"
        return self.time(at).strftime(shape)

    def hour(self, at: float) -> str:
        """The hour of a moment by the class's clock."""
        return self.time(at).strftime("%H:%M")

    def of(self, n: int, of: int) -> str:
        """A part of the teams, with its share where there are enough of them."""
        percent = share(n, of)
        if percent is None:
            return self("of", n=n, of=of)
        return self("percent", n=n, of=of, percent=percent)
