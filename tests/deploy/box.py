"""A stand-in for a container, of mounts and a chroot: Docker does not run where the tests do.

It follows the Dockerfile to the letter, in a root folder of its own with this machine's `/usr`
under it, and a Python of this machine at `/usr/local`, where the image has one. It needs root and
Linux, and leaves nothing behind: every mount is gone with its process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.deploy.dockerfile import Stage, Step

ETC = (
    *("passwd", "group", "shadow", "gshadow", "login.defs"),
    *("hosts", "nsswitch.conf", "resolv.conf", "ssl", "pip.conf", "xdg"),
    *("alternatives", "ld.so.cache"),
)
FOLDERS = ("data", "dev", "etc", "opt", "proc", "tmp", "usr", "var")
SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
SHELL_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

MOUNT = """
set -e
root=$1 binds=$2 volume=$3; shift 3
mount --bind "$root" "$root"
for bind in $binds; do mount --bind "${bind%%:*}" "$root${bind#*:}"; done
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
if [ -n "$volume" ]; then
  mount -t tmpfs tmpfs "$root/dev/shm"
  mount -t tmpfs tmpfs "$root/tmp"
  mount --bind "$volume" "$root/data"
  for bind in $binds :; do mount -o remount,bind,ro "$root${bind#*:}"; done
fi
exec chroot "$root" "$@"
"""
DROP = ["setpriv", "--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]

Replace = Callable[[Step, "Box"], bool]
"""Does a step in another way and says so, or leaves it and returns False."""


def why_not(python: Path) -> str:
    """Why there can be no box here; empty if there can.

    Args:
        python: the prefix of the Python that plays the image's.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root on Linux, to mount and to be another user"
    if not all(shutil.which(name) for name in ("unshare", "chroot", "setpriv")):
        return "needs unshare, chroot and setpriv"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        return "this machine does not let root make a mount namespace"
    if not (python / "bin" / "python").exists():
        return f"there is no python in {python}/bin to play the image's"
    return ""


@dataclass(slots=True)
class Box:
    """One stage of an image.

    Attributes:
        root: its root folder.
        python: the prefix of the Python that it has at `/usr/local`.
        env: its environment.
        user: who runs commands, `uid:gid`; root if empty.
        lent: folders of this machine that it sees, by their path in the box.
    """

    root: Path
    python: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": SHELL_PATH})
    workdir: str = "/"
    user: str = ""
    lent: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lay out the root folder."""
        self.lent = {"/usr": Path("/usr"), "/usr/local": self.python, **self.lent}
        for name in FOLDERS:
            (self.root / name).mkdir(parents=True)
        for name in self.lent:
            if not name.startswith("/usr/"):
                self.path(name).mkdir(exist_ok=True)
        (self.root / "tmp").chmod(0o1777)
        self.root.chmod(0o755)
        for name in SYSTEM:
            if (Path("/") / name).is_symlink():
                (self.root / name).symlink_to((Path("/") / name).readlink())
        for name in ETC:
            _copy(Path("/etc") / name, self.root / "etc" / name)

    def build(self, stage: Stage, context: Path, others: Mapping[str, Box], by: Replace) -> None:
        """Follow a stage's steps.

        Args:
            context: the folder that `COPY` reads.
            others: earlier stages by name.
            by: what is done otherwise.
        """
        for step in stage.steps:
            if by(step, self):
                continue
            match step.word:
                case "ENV":
                    for pair in step.words:
                        name, value = pair.split("=", 1)
                        self.env[name] = value.replace("$PATH", self.env["PATH"])
                case "WORKDIR":
                    self.workdir = step.rest
                    self.path(step.rest).mkdir(parents=True, exist_ok=True)
                case "USER":
                    self.user = step.rest
                case "COPY":
                    other = step.options.get("from")
                    self._copy(step, others[other].root if other else context)
                case "RUN":
                    self.run("sh", "-ec", step.rest)

    def path(self, inside: str) -> Path:
        """Where a path of the box is on this machine; relative ones from its working folder."""
        return self.root / (Path(self.workdir) / inside).relative_to("/")

    def run(self, *command: str) -> None:
        """Run a command that builds, as root; its output shows when it fails."""
        done = subprocess.run(self.command(*command), capture_output=True, text=True, check=False)
        assert not done.returncode, f"{command}\n{done.stdout}{done.stderr}"

    def command(self, *command: str, volume: Path | None = None, **env: str) -> list[str]:
        """The command that runs one in the box, as the same process.

        Args:
            volume: `/data`; with it the box is as one that runs: everything else is read-only,
                but for an empty `/tmp` and `/dev/shm`.
            env: beside the box's own.
        """
        # A Python that is built with a shared library has it beside itself.
        given = {**self.env, "LD_LIBRARY_PATH": "/usr/local/lib", **env}
        uid, _, gid = self.user.partition(":")
        who = [*DROP, f"--reuid={uid}", f"--regid={gid}"] if volume and uid else []
        pairs = [f"{name}={value}" for name, value in given.items()]
        binds = " ".join(f"{here}:{there}" for there, here in self.lent.items())
        mounts = [str(self.root), binds, str(volume or "")]
        return [
            *("unshare", "--mount", "sh", "-c", MOUNT, "sh", *mounts, *who),
            *("env", "-i", f"--chdir={self.workdir}", *pairs, *command),
        ]

    def _copy(self, step: Step, source: Path) -> None:
        *names, target = step.words
        for name in names:
            to = self.path(target)
            if target.endswith("/") or len(names) > 1:
                to /= Path(name).name
            _copy(source / name.lstrip("/"), to)
            if mode := step.options.get("chmod"):
                to.chmod(int(mode, 8))


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
