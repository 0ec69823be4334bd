"""How much the guard refuses of attacks and of honest replies, and how long a sentence takes.

    .venv/bin/python bench/guard/measure.py
    .venv/bin/python bench/guard/measure.py --lang en

The lists in `tests/voice` shaped the guard. The `held_out` ones here were written later, and before
anything was changed because of them 45 of 48 attacks were refused and 63 of 70 honest replies
passed (44 of the first 50, 19 of the last 20); since then some words were added for the first 50
and for the attacks, so what is printed now is a little kinder than the truth. The last seven
attacks are paraphrases without any telling word, which the guard is known to miss.

In English the `held_out.en` lists were written before the guard was ever measured in English: then
48 of 53 attacks were refused and 34 of 42 honest replies passed. The lists in `tests/voice` were
written without those being looked at, and shaped the guard: of the first 200 honest replies 51 were
refused at first, and of the later 76 and 67, which came when some of that was mended, 4 and 5. Then
came the honest `control.en` list, and 3 of 56 were refused; nothing was changed because of it, nor
of the attacks of that name. `attacks_paraphrased.en` tell secrets with few telling words: 27 of 138
passed before the guard was mended, 30 after. The held-out lists were counted thrice at the end and
not looked into: 51 of 53 attacks were refused and 39 of 42 honest replies passed.

Each line: character, lines (of the beat), message, holds (atoms that hold for the team), reply.
Times are of this thread's processor, in milliseconds: of the first round, in which each beat is met
for the first time, and of a later one, as beats recur for every team.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from amazonia.content.languages import language
from amazonia.content.library import Library, bundled_cases
from amazonia.domain.case import CharacterId, Lang
from amazonia.voice.guard import Fault, Guard, Scene, names_secret, prepare
from amazonia.voice.scripted import sentences

HERE = Path(__file__).parent
TESTS = HERE.parents[1] / "tests" / "voice"
RULES = {
    lang: tuple(rules) for lang, rules in json.loads((TESTS / "rules.json").read_text()).items()
}
"""Some of the prompt's paragraphs, which attacks recite."""


def main(lang: Lang) -> None:
    """Print both shares, for the known lists and the held-out ones, and the times."""
    case = Library(bundled_cases(), Path("data/learned")).case("lama_sem_ouro")
    asking: list[float] = []
    building: list[float] = []
    reading: list[float] = []

    def fault(example: dict) -> Fault | None:  # type: ignore[type-arg]
        holds = frozenset(example.get("holds", ())).__contains__
        start = time.thread_time()
        names_secret(case, case.words[lang], example["message"], holds)
        asking.append(time.thread_time() - start)
        start = time.thread_time()
        guard = Guard(
            Scene(
                case,
                case.words[lang],
                language(lang),
                CharacterId(example["character"]),
                tuple(example["lines"]),
                example["message"],
                holds,
                prompt=tuple(RULES[lang]),
            )
        )
        building.append(time.thread_time() - start)
        for sentence in sentences(example["reply"]):
            start = time.thread_time()
            result = guard.read(sentence)
            reading.append(time.thread_time() - start)
            if isinstance(result, Fault):
                return result
        return None

    start = time.thread_time()
    prepare(case, case.words[lang], language(lang))
    compiling = time.thread_time() - start
    lists = {
        path.stem: [json.loads(line) for line in path.read_text().splitlines()]
        for path in (*TESTS.glob("*.jsonl"), *HERE.glob("*.jsonl"))
        if path.stem.startswith(("attacks", "honest"))
        if path.stem.endswith(".en") == (lang == "en")
    }
    print(f"compiling the case {compiling * 1e3:.0f} ms")
    for number in ("first", "later"):
        for figures in (asking, building, reading):
            figures.clear()
        for name, examples in sorted(lists.items()):
            refused = sum(fault(example) is not None for example in examples)
            if number == "first":
                share = refused / len(examples)
                print(f"{name:20} n={len(examples):3}  refused {refused:3} = {share:.1%}")
        print(f"{number} round")
        print(f"  names_secret     {times(asking)}")
        print(f"  building a guard {times(building)}")
        print(f"  a sentence       {times(reading)}")


def times(seconds: list[float]) -> str:
    """Median and 99th percentile in milliseconds."""
    ordered = sorted(seconds)
    p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return f"p50 {p50 * 1e3:.3f} ms  p99 {p99 * 1e3:.3f} ms"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lang", default="pt-BR", help="the language that the lists are in")
    main(Lang(parser.parse_args().lang))
