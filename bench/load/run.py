"""The load test: the game beside a bare relay and the old cure, on this machine only.

    .venv/bin/python bench/load/run.py all --svg docs/images/bench.svg
    .venv/bin/python bench/load/run.py outage recovery --quick

Cases: healthy40, crowd2000, cost_healthy, cost_fast, every fault profile of the provider by its
name, recovery, same1000, abandoned, memory, leak500; groups: faults, all. It starts every server
that it needs and ends them; `amazonia bench` is the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from amazonia.loadtest.run import CASES, GROUPS, bench


def main() -> int:
    """Run the cases that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="+", choices=[*GROUPS, *CASES], metavar="CASE")
    parser.add_argument("--quick", action="store_true", help="a glimpse of each; proves nothing")
    parser.add_argument("--json", type=Path, default=Path("test-results/bench.json"))
    parser.add_argument("--svg", type=Path, help="draw the chart into this file")
    given = parser.parse_args()
    return bench(given.cases, quick=given.quick, json=given.json, svg=given.svg)


if __name__ == "__main__":
    raise SystemExit(main())
