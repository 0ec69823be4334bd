"""Readers of what strangers write, fed with bytes that find their own way through the code."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = HERE.parents[1] / "cases"
SECONDS = int(os.environ.get("FUZZ_SECONDS", "2"))
"""For each target; more for a longer run: `FUZZ_SECONDS=600 make test PYTEST_ARGS=tests/fuzz`."""
SEEDS: dict[str, list[bytes]] = {
    "sheet": [
        b"a: [1, 2.5, yes, ~, '12:00']\nb:\n  - {c: d}\n  - |\n    text\n",
        b"? [a]\n: &x !t *x\n%TAG\n---\n",
        b"[" * 40,
    ],
    "case": [b"\0\1\2" + line for line in (b"when: c1 + (c2 | !c3)", b"says: [{text: a}]", b"\t")],
    "drawing": [
        (CASES / "lama_sem_ouro" / "art" / "portrait-esmerina.svg").read_bytes()[:2000],
        b'<svg xmlns="http://www.w3.org/2000/svg"><g fill="url(#a)"><path d="M0 0"/></g></svg>',
        b'<!DOCTYPE s [<!ENTITY a "b">]><svg>&a;</svg>',
    ],
    "sse": [
        b'data: {"choices":[{"delta":{"content":"oi"}}]}\r\n\r\ndata: [DONE]\n\n',
        b': ping\n\ndata:{"error":{"code":429}}\rdata: x\r\n\n',
        b'{"choices":[{"message":{"content":[{"type":"text","text":"a"}]},"finish_reason":"stop"}]}',
    ],
}


@pytest.mark.skipif(find_spec("atheris") is None, reason="there is no atheris for this machine")
@pytest.mark.parametrize("target", SEEDS)
def test_whatever_the_bytes_are(target: str, tmp_path: Path) -> None:
    """Nothing breaks, hangs, or is taken that is not what it should be."""
    corpus, work = tmp_path / "corpus", tmp_path / "work"
    corpus.mkdir()
    work.mkdir()
    for number, seed in enumerate(SEEDS[target]):
        (corpus / str(number)).write_bytes(seed)
    found = subprocess.run(
        [
            *(sys.executable, str(HERE / "targets.py"), target, str(work)),
            *(f"-max_total_time={SECONDS}", "-timeout=10", "-max_len=8192", "-seed=7"),
            *("-rss_limit_mb=1024", str(corpus)),
        ],
        check=False,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=SECONDS + 60,
    )
    assert found.returncode == 0, found.stdout[-4000:]
    assert "DONE" in found.stdout, found.stdout[-4000:]
