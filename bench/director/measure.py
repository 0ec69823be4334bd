"""How well the director understands questions that were not used to build it.

    .venv/bin/python bench/director/measure.py bench/director/held_out.jsonl
    .venv/bin/python bench/director/measure.py bench/director/held_out.en.jsonl --lang en

`dev.jsonl` chose the thresholds; `held_out.jsonl` was written by somebody who had seen neither the
examples nor `dev.jsonl`, and is for measuring only. Each line: character, message, expect (topic,
smalltalk or out), topic, also (other right topics), style, previous. Figures are for plain
questions; `hard` ones and follow-ups are reported apart. A wrong clue is a turn that awards a clue
outside the expected ones, out of all turns, every gate open.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections import Counter
from pathlib import Path

from amazonia.content.batch import answer_line
from amazonia.content.library import Library, bundled_cases
from amazonia.domain.case import Case, CharacterId, Lang, TopicId


def main(path: Path, lang: Lang) -> None:
    """Print the figures of one file of questions in a language."""
    data = Path(os.environ.get("AMAZONIA_DATA") or "data")
    library = Library(bundled_cases(), data / "learned")
    case = library.case("lama_sem_ouro")
    listener = library.listener(case, lang)
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    count: Counter[str] = Counter()
    times = []
    for line in lines:
        start = time.perf_counter()
        got = answer_line(case, listener, line)
        times.append(time.perf_counter() - start)
        tally(case, line, got, count)
    print(f"{path.name}: {len(lines)} questions")
    for group in ("plain", "hard", "follow-up"):
        total = count[group]
        if not total:
            continue
        top1, top3 = count[f"{group} 1"] / total, count[f"{group} 3"] / total
        answered = count[f"{group} answer"] / total
        print(
            f"  {group:9} n={total:3}  top-1 {top1:.1%}  top-3 {top3:.1%}  answered {answered:.1%}"
        )
    print(f"  out of scope n={count['out']:3}  recall {count['out out'] / count['out']:.1%}")
    print(f"  small talk   n={count['smalltalk']:3}  recall {share(count, 'smalltalk'):.1%}")
    print(f"  wrong clue   {count['wrong']} of {len(lines)} = {count['wrong'] / len(lines):.2%}")
    print(f"  time         {statistics.mean(times) * 1e3:.3f} ms mean, {p99(times):.3f} ms p99")


def tally(case: Case, line: dict, got: dict, count: Counter[str]) -> None:  # type: ignore[type-arg]
    """Count one answer."""
    character = case.characters[CharacterId(line["character"])]
    right = [t for t in (line["topic"], *line.get("also", ())) if t]
    clues = {clue for topic in right for clue in character.topics[TopicId(topic)].clues}
    count["wrong"] += bool(got["clue"]) and got["clue"] not in clues
    if line["expect"] != "topic":
        count[line["expect"]] += 1
        count[f"{line['expect']} {got['decision']}"] += 1
        return
    group = "follow-up" if line.get("previous") else "hard" if line["style"] == "hard" else "plain"
    count[group] += 1
    count[f"{group} 1"] += got["topics"][:1] != [] and got["topics"][0] in right
    count[f"{group} 3"] += any(topic in right for topic in got["topics"])
    count[f"{group} answer"] += got["decision"] == "answer"


def share(count: Counter[str], kind: str) -> float:
    """The share of a kind that was recognised as such."""
    return count[f"{kind} {kind}"] / count[kind]


def p99(times: list[float]) -> float:
    """The 99th percentile in milliseconds."""
    return sorted(times)[int(len(times) * 0.99)] * 1e3


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("path", type=Path, help="a file of questions")
    parser.add_argument("--lang", default="pt-BR", help="the language that they are written in")
    args = parser.parse_args()
    main(args.path, Lang(args.lang))
