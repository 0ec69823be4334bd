"""A real worker that knows the kinds of `tests.jobs.kinds`; run with `python -m`."""

from __future__ import annotations

import os

from tests.jobs.kinds import KINDS, QUICK

from amazonia import log
from amazonia.jobs.worker import run_worker
from amazonia.settings import read_settings

if __name__ == "__main__":
    settings = read_settings(os.environ)
    log.set_up(settings)
    run_worker(settings, 2, KINDS, QUICK)
