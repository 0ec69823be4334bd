"""A deployment that is examined, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from amazonia.ops.doctor import Deployment, diagnose
from amazonia.ops.doctor.findings import Finding, Found, ok
from amazonia.services import newest
from amazonia.settings import Settings


def no_cases(_settings: Settings) -> Found:
    """Nothing to prove: other tests prove cases."""
    return [ok("cases", "not looked at")]


def examined(
    data: Path,
    given: Mapping[str, str] | None = None,
    *,
    instances: int = 1,
    call: bool = False,
    port: int = 0,
    **environ: str,
) -> Found:
    """What the doctor says of an environment; the port is one that nobody asks for."""
    everything = {"AMAZONIA_DATA": str(data), "PORT": str(port), **(given or {}), **environ}
    deployment = Deployment(
        everything, newest(), no_cases, data / ".env", instances=instances, call=call
    )
    return asyncio.run(diagnose(deployment))


def the(found: Found, about: str, words: str) -> Finding:
    """The one finding about a part that says these words; it says what to do, or is well."""
    fitting = [each for each in found if each.about == about and words in each.what]
    assert len(fitting) == 1, [each for each in found if each.about == about]
    assert (fitting[0].level == "ok") == (not fitting[0].do)
    return fitting[0]
