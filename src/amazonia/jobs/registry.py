"""Every kind of job, by name. A new one is a line here."""

from __future__ import annotations

from collections.abc import Mapping

from amazonia.jobs.export import export
from amazonia.jobs.preheat import preheat
from amazonia.jobs.purge import purge
from amazonia.jobs.report import KEPT, report
from amazonia.jobs.work import LONGEST, Work

WORKS: Mapping[str, Work] = {
    work.name: work
    for work in (
        Work("purge", purge, limit=900, fresh=20 * 3600),
        Work("preheat", preheat, limit=LONGEST, tries=2),
        Work("export", export, limit=300, fresh=60),
        Work("report", report, limit=300, fresh=KEPT / 2),
    )
}
