"""Names for teams that did not choose one."""

from __future__ import annotations

from collections.abc import Collection

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
        "Quatis",
        "Tracajás",
        "Guarás",
        "Jabutis",
    ),
    "en": (
        "Macaws",
        "Otters",
        "Kiskadees",
        "Dolphins",
        "Herons",
        "Jacanas",
        "Tamarins",
        "Toucans",
        "Coatis",
        "Terrapins",
        "Ibises",
        "Tortoises",
    ),
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
        "da Beira",
        "do Paraná",
        "da Enseada",
        "do Cipoal",
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
        "of the Shore",
        "of the Channel",
        "of the Cove",
        "of the Lianas",
    ),
}


TRIES = 200


def new_name(lang: Lang, chance: Chance, taken: Collection[str] = ()) -> str:
    """A pleasant name that none of the others has and that tells nothing of any case."""
    name = _name(lang, chance)
    for number in range(TRIES):
        if number > TRIES // 2:  # so many teams that there is no other
            name = f"{name} {number}"
        if name not in taken:
            return name
        name = _name(lang, chance)
    return name


def _name(lang: Lang, chance: Chance) -> str:
    key = lang if lang in _ANIMALS else "en"
    animals, places = _ANIMALS[key], _PLACES[key]
    return f"{animals[chance.number(len(animals))]} {places[chance.number(len(places))]}"
