"""Names for teams that did not choose one."""

from __future__ import annotations

from amazonia.domain.case import Lang
from amazonia.ports import Chance

_ANIMALS = {
    "pt-BR": (
        "Araras",
        "Ariranhas",
        "Bem-te-vis",
        "Botos",
        "Garças",
        "Jaçanãs",
        "Sauins",
        "Tucanos",
    ),
    "en": ("Macaws", "Otters", "Kiskadees", "Dolphins", "Herons", "Jacanas", "Tamarins", "Toucans"),
}
_PLACES = {
    "pt-BR": (
        "da Várzea",
        "do Igapó",
        "da Samaúma",
        "do Buriti",
        "da Ribanceira",
        "do Açaizal",
        "da Ingazeira",
        "do Jatobá",
    ),
    "en": (
        "of the Floodplain",
        "of the Igapó",
        "of the Kapok",
        "of the Buriti",
        "of the Riverbank",
        "of the Açaí Grove",
        "of the Inga Tree",
        "of the Jatobá",
    ),
}


def team_name(lang: Lang, chance: Chance) -> str:
    """A pleasant name that tells nothing of any case."""
    key = lang if lang in _ANIMALS else "en"
    animals, places = _ANIMALS[key], _PLACES[key]
    return f"{animals[chance.number(len(animals))]} {places[chance.number(len(places))]}"
