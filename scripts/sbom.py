"""The software that the game runs with, as CycloneDX JSON: `python scripts/sbom.py [LOCK]`.

Names, versions, hashes and who needs whom come from the lock file; licences from what is installed.
The same lock file gives the same text. No address of a registry is in it.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
OURS = "amazonia"
PIN = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>[^\\]+))?")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
VIA = re.compile(r"    #(?: via|  ) (\w[\w.-]*)")


@dataclass
class Pin:
    """A package of a lock file.

    Attributes:
        marker: where it is installed; everywhere if it is empty.
        needed_by: who asks for it.
    """

    name: str
    version: str
    marker: str
    hashes: list[str] = field(default_factory=list)
    needed_by: list[str] = field(default_factory=list)

    @property
    def ref(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def read_lock(text: str) -> list[Pin]:
    """The packages of a lock file, in its order."""
    pins: list[Pin] = []
    for line in text.splitlines():
        if pin := PIN.match(line):
            pins.append(Pin(pin["name"], pin["version"], (pin["marker"] or "").strip()))
        elif found := HASH.search(line):
            pins[-1].hashes.append(found[1])
        elif pins and (via := VIA.match(line)):
            pins[-1].needed_by.append(via[1])
    return pins


def sbom(pins: list[Pin], lock: str) -> dict[str, Any]:
    """The bill of materials of a lock file."""
    refs = {pin.name: pin.ref for pin in pins}
    root = component(OURS, f"pkg:pypi/{OURS}")
    needs: dict[str, list[str]] = {ref: [] for ref in (root["bom-ref"], *refs.values())}
    for pin in pins:
        for name in pin.needed_by:
            needs[refs.get(name, root["bom-ref"])].append(pin.ref)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, lock)}",
        "version": 1,
        "metadata": {"component": root | {"type": "application"}},
        "components": [of_pin(pin) for pin in pins],
        "dependencies": [
            {"ref": ref, "dependsOn": sorted(set(others))} for ref, others in needs.items()
        ],
    }


def of_pin(pin: Pin) -> dict[str, Any]:
    """A locked package as a component."""
    told = component(pin.name, pin.ref) | {"version": pin.version}
    told["hashes"] = [{"alg": "SHA-256", "content": content} for content in pin.hashes]
    if pin.marker:
        told["properties"] = [{"name": f"{OURS}:marker", "value": pin.marker}]
    return told


def component(name: str, purl: str) -> dict[str, Any]:
    """A package with what its installation tells."""
    told: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "purl": purl}
    try:
        known = metadata(name)
    except PackageNotFoundError:  # it is for other machines
        return told
    licences = list(licences_of(known))
    return told | ({"licenses": licences} if licences else {})


def licences_of(known: PackageMetadata) -> Iterator[dict[str, Any]]:
    """An SPDX expression where there is one, else what the package calls its licences."""
    if expression := known.get("License-Expression"):
        yield {"expression": expression}
        return
    kinds = [c for c in known.get_all("Classifier", []) if c.startswith("License :: ")]
    names = [kind.rpartition(" :: ")[2] for kind in kinds] or known.get_all("License", [])
    yield from ({"license": {"name": name}} for name in names if "\n" not in name)


if __name__ == "__main__":
    file = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "requirements-scale.lock"
    text = file.read_text(encoding="utf-8")
    print(json.dumps(sbom(read_lock(text), text), indent=1, ensure_ascii=False))
