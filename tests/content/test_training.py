"""Teaching the ear, and keeping what was learned."""

import json
import mmap
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.domain.world import PT, lama, mini

from amazonia.content import training
from amazonia.content.languages import language
from amazonia.content.library import Library
from amazonia.content.load import revision
from amazonia.domain.case import CharacterId
from amazonia.domain.understanding import OUT, Listener

BASE = Path(__file__).parent / "bad" / "base"
"""A case of one topic: an ear for it is taught in no time."""
ANA = CharacterId("ana")
QUESTIONS = ["cadê o bolo", "quem comeu?", "bom dia", "qual a capital da França?", "migalhas?"]


def readings(listener: Listener) -> list[object]:
    """What the only ear of the base case makes of some questions."""
    return [listener.listen(ANA, text) for text in QUESTIONS]


def base_library(folder: Path) -> Library:
    """A library of its own copy of the base case, with its own cache."""
    if not (folder / "cases").exists():
        shutil.copytree(BASE, folder / "cases" / "base")
    return Library(folder / "cases", folder / "learned")


def kept(folder: Path) -> list[Path]:
    """What the cache holds."""
    return sorted((folder / "learned").iterdir())


def test_teaching_is_deterministic() -> None:
    """The same files give the same weights, to the last digit, also when kept and read again."""
    one, other = training.teach(mini().case, PT, language(PT)), mini().listener
    assert one.ears == other.ears
    assert one.reader.vocabulary == other.reader.vocabulary


def test_a_process_of_its_own_learns_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an ear is learned changes nothing; nor does a process that cannot be had."""
    case = base_library(tmp_path).case("base")
    here = training.teach(case, PT, language(PT))
    monkeypatch.setattr(training, "MUCH", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    processes = []
    run = subprocess.run

    def watched(*args: Any, **options: Any) -> Any:
        processes.append(args)
        return run(*args, **options)

    monkeypatch.setattr(subprocess, "run", watched)
    assert training.teach(case, PT, language(PT)).ears == here.ears
    assert len(processes) == len(case.characters)
    monkeypatch.setattr(sys, "executable", "/there/is/no/python")
    assert training.teach(case, PT, language(PT)).ears == here.ears


def test_an_ear_knows_its_topics_and_what_is_none() -> None:
    """The classes of an ear are the character's topics, small talk, the others, and nothing."""
    listener = mini().listener
    for name, ear in listener.ears.items():
        topics = mini().case.characters[name].topics
        assert ear.classes[: len(topics)] == tuple(topics)
        rest = set(ear.classes[len(topics) :])
        assert rest >= {OUT, "~greeting", "~who"}
        assert all(other.startswith("~") for other in rest)
        assert f"~{name}" not in rest
    cida = listener.ears[CharacterId("cida")]
    assert cida.awarding == {"bolo", "forno", "porta"}


def test_weights_fit_their_classes() -> None:
    """Every weight belongs to a class, and none is too small to matter."""
    for ear in mini().listener.ears.values():
        assert len(ear.bias) == len(ear.classes)
        assert len(ear.idf) == len(ear.places) == len(ear.starts) - 1
        for feature, place in ear.places.items():
            indexes, weights = ear.row(place)
            assert len(indexes) == len(weights)
            assert ear.knows(feature) == bool(indexes)
            assert max(indexes, default=0) < len(ear.classes)
            assert min(map(abs, weights), default=1) > training.SPARE - 0.01
        assert not ear.knows("w:no such word")
        assert ear.starts[-1] == len(ear.indexes) == len(ear.weights)


def test_examples_find_their_own_topic() -> None:
    """What a case gives as examples is understood as meant, nearly always."""
    right = total = 0
    for who in mini().words.characters:
        for topic, text in mini().words.characters[who].topics.items():
            for example in text.examples:
                total += 1
                right += mini().listener.listen(who, example).topics[0] == topic
    assert right / total > 0.95


def test_the_second_start_reads_what_the_first_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was learned is kept, and means exactly the same when it is read again."""
    first = base_library(tmp_path)
    learned = first.listener(first.case("base"), PT)
    (file,) = kept(tmp_path)
    before = file.stat().st_mtime_ns

    def teach_again(*_: object) -> Listener:
        raise AssertionError("taught again")

    monkeypatch.setattr(training, "teach", teach_again)
    second = base_library(tmp_path)
    read = second.listener(second.case("base"), PT)
    assert readings(read) == readings(learned)
    assert read.ears == learned.ears
    assert file.stat().st_mtime_ns == before


def test_a_listener_is_opened_once(tmp_path: Path) -> None:
    """One library gives the same case and the same ear to everybody."""
    library = base_library(tmp_path)
    library.open()
    case = library.case("base")
    assert library.case("base") is case
    assert library.listener(case, PT) is library.listener(case, PT)
    assert library.names() == ["base"]


BROKEN = {
    "empty": lambda good: b"",
    "no JSON": lambda good: b"\x1f\x8b" + good,
    "another thing": lambda good: b"[]\n",
    "nothing of all that": lambda good: b"{}\n",
    "no arrays": lambda good: _head(good, arrays=[]) + _body(good),
    "a number that is none": lambda good: _head(good, arrays=[["I", "four"]]) + _body(good),
    "half an ear": lambda good: _head(good, ears=[{"name": "ana"}]) + _body(good),
    "cut off": lambda good: good[:-9],
    "one bit": lambda good: good[:-100] + bytes([good[-100] ^ 1]) + good[-99:],
}


def _head(good: bytes, **other: Any) -> bytes:
    return json.dumps({**json.loads(good.splitlines()[0]), **other}).encode() + b"\n"


def _body(good: bytes) -> bytes:
    return good.partition(b"\n")[2]


def test_a_broken_cache_is_ignored(tmp_path: Path) -> None:
    """A file that cannot be read, in whichever way, is learned anew and replaced."""
    first = base_library(tmp_path)
    learned = first.listener(first.case("base"), PT)
    (file,) = kept(tmp_path)
    good = file.read_bytes()
    for what, spoil in BROKEN.items():
        file.unlink()  # the old one is still mapped
        file.write_bytes(spoil(good))
        again = base_library(tmp_path)
        assert readings(again.listener(again.case("base"), PT)) == readings(learned), what
        assert file.read_bytes() == good, what
    assert kept(tmp_path) == [file]


def test_a_changed_case_is_learned_anew(tmp_path: Path) -> None:
    """Another text, another revision, another file; the old one is thrown away."""
    first = base_library(tmp_path)
    old = first.case("base")
    first.listener(old, PT)
    (before,) = kept(tmp_path)
    text = first.folder / "base" / "text.pt-BR" / "ana.yaml"
    text.write_text(text.read_text().replace("o bolo sumiu", "escutou algum trovão"))
    second = base_library(tmp_path)
    new = second.case("base")
    assert new.revision != old.revision
    reading = second.listener(new, PT).listen(ANA, "escutou trovão")
    assert (reading.decision, reading.topics) != ("out", ())
    assert any("trov" in feature for feature in second.listener(new, PT).ears[ANA].places)
    (after,) = kept(tmp_path)
    assert after != before


def test_a_cache_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    """Where nothing can be kept the game starts all the same."""
    (tmp_path / "learned").write_text("a file where the folder should be")
    library = base_library(tmp_path)
    listener = library.listener(library.case("base"), PT)
    assert listener.listen(ANA, "e o bolo?").topics[0] == "bolo"


def test_the_revision_is_that_of_the_files(tmp_path: Path) -> None:
    """Every file of a case counts, its name too; when it was written does not."""
    folder = base_library(tmp_path).folder / "base"
    before = revision(folder)
    text = folder / "text.pt-BR" / "ana.yaml"
    text.write_bytes(text.read_bytes())
    assert revision(folder) == before == revision(BASE)
    text.rename(text.with_name("eva.yaml"))
    assert revision(folder) != before


def test_a_library_that_is_given_cases_learns_them_whole(tmp_path: Path) -> None:
    """What another process read has no examples; where its cache is gone they are read again."""
    reader = base_library(tmp_path)
    read = reader.read()
    given = Library(reader.folder, reader.cache, read=read)
    assert given.case("base") is read.cases["base"]
    assert not any(t.examples for t in given.case("base").words[PT].characters[ANA].topics.values())
    one = given.listener(given.case("base"), PT)
    shutil.rmtree(reader.cache)
    again = Library(reader.folder, reader.cache, read=read)
    other = again.listener(again.case("base"), PT)
    assert one.ears == other.ears == reader.listener(reader.case("base"), PT).ears


def test_nothing_in_the_cache_is_executed(tmp_path: Path) -> None:
    """A line of JSON tells what the numbers after it are."""
    library = base_library(tmp_path)
    library.open()
    (file,) = kept(tmp_path)
    head = json.loads(file.read_bytes().splitlines()[0])
    assert set(head) == {"arrays", "checksum", "ears"}
    assert [ear["name"] for ear in head["ears"]] == ["ana"]


def test_what_was_learned_stays_in_its_file(tmp_path: Path) -> None:
    """The process that learned it, too, keeps no copy of its own in memory."""
    library = base_library(tmp_path)
    listener = library.listener(library.case("base"), PT)
    (file,) = kept(tmp_path)
    for array in (listener.ears[ANA].weights, listener.reader.typos.text):
        assert isinstance(array.obj, mmap.mmap)
        assert len(array.obj) == file.stat().st_size


@pytest.mark.slow
def test_the_real_case_s_ear_is_kept() -> None:
    """The real case is taught once; its file is found again by all that it was learned from."""
    world = lama()
    assert len(world.listener.ears) == 7
    again = Library(world.library.folder, world.library.cache)
    case = again.case(world.case.id)
    one, other = again.listener(case, PT), world.listener
    for who in world.case.characters:
        assert one.listen(who, "e o mercúrio?") == other.listen(who, "e o mercúrio?")
