"""A container engine for the tests of the image: the one that runs here, or one of our own for their time.

An own one needs root, Debian's `docker.io` for the daemon and `mmdebstrap` for the base image. It listens on a socket
of its own, keeps everything in one temporary folder, and touches neither bridges nor the firewall; so its containers
have no network, and its builds have the machine's.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BASE = "debian:trixie-slim"
ROOM = 6e9  # bytes: the base, the layers of a build and the image, measured 2.6 GB, twice over
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# Documents, as in Debian's own slim image; the copyright files stay.
SLIM = ["path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/*/copyright"]
SLIM += [f"path-exclude=/usr/share/{name}/*" for name in ("man", "info", "locale", "groff", "lintian")]


class NoEngineError(Exception):
    """There is no engine, or nothing to build on; the text says why."""


@dataclass(frozen=True)
class Engine:
    """Docker's client and where its daemon listens."""

    command: tuple[str, ...]
    own: bool

    def __call__(
        self, *words: str, check: bool = True, given: str | None = None, variables: Mapping[str, str] = {}
    ) -> subprocess.CompletedProcess[str]:
        """Run `docker WORDS`; `given` is its standard input. With `check`, its failure is the test's."""
        done = subprocess.run(
            [*self.command, *words],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "DOCKER_BUILDKIT": "1", **variables},
        )
        if check:
            assert done.returncode == 0, (
                f"docker {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done

    def says(self, *words: str) -> str:
        return self(*words).stdout.strip()

    def forget(self, image: str) -> None:
        """Remove an image; those of an own engine go with its folder."""
        if not self.own:
            self("image", "rm", "--force", image, check=False)


@contextmanager
def an_engine() -> Iterator[Engine]:
    """The engine that runs here, else one of our own; NoEngineError where neither can be had."""
    client = client_program()
    running = Engine((client,), own=False)
    system = running("version", "--format", "{{.Server.Os}}", check=False)
    if system.returncode == 0:
        if system.stdout.strip() != "linux":
            raise NoEngineError(f"the engine here runs containers of {system.stdout.strip()}, not of Linux")
        refuse_no_buildkit(running)
        yield running
        return
    refuse_no_daemon(why_not=last_line(system.stderr))
    folder = Path(tempfile.mkdtemp(prefix="cw-engine-"))
    try:
        with own_daemon(client, folder) as engine:
            refuse_no_buildkit(engine)
            yield engine
    finally:
        remove(folder)


def client_program() -> str:
    """Debian's client where it is, for it fits Debian's daemon; else the one on PATH."""
    debian = "/usr/bin/docker"
    client = debian if Path(debian).exists() else shutil.which("docker")
    if client is None:
        raise NoEngineError("there is no `docker` here (Debian's package is docker.io)")
    return client


def refuse_no_buildkit(engine: Engine) -> None:
    """Raise NoEngineError where `docker build` lacks BuildKit: from version 23 on that is a package of its own."""
    major = int(re.findall(r"\d+", engine.says("--version"))[0])
    if major >= 23 and engine("buildx", "version", check=False).returncode != 0:
        raise NoEngineError("`docker build` lacks BuildKit (Debian's package is docker-buildx)")


def refuse_no_daemon(why_not: str) -> None:
    """Raise NoEngineError unless a daemon of our own can be tried."""
    needs = "no engine answers (" + why_not + "), and an own one needs "
    if sys.platform != "linux" or os.geteuid() != 0:
        raise NoEngineError(needs + "root on Linux")
    for program, package in {"dockerd": "docker.io", "setpriv": "util-linux"}.items():
        if not shutil.which(program):
            raise NoEngineError(f"{needs}`{program}` (Debian's package is {package})")
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < ROOM:
        raise NoEngineError(
            f"{needs}{ROOM / 1e9:.0f} GB in {tempfile.gettempdir()}, where {free / 1e9:.1f} are free"
        )
    refuse_no_base()


@contextmanager
def own_daemon(client: str, folder: Path) -> Iterator[Engine]:
    """Docker's daemon with everything in `folder`, until the end of the block. It ends with us, however we end."""
    socket = f"unix://{folder}/socket"
    places = [f"--data-root={folder}/data", f"--exec-root={folder}/run", f"--pidfile={folder}/pid"]
    network = ["--bridge=none", "--iptables=false", "--ip6tables=false"]
    command = ["setpriv", "--pdeathsig", "TERM", "dockerd", f"--host={socket}", *places, *network]
    log = folder / "log"
    with log.open("wb") as written:
        daemon = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=written, stderr=written, start_new_session=True
        )
    try:
        # A configuration of its own, too: the user's may name a proxy, a context or another builder.
        engine = Engine((client, "--config", str(folder / "client"), "--host", socket), own=True)
        deadline = time.monotonic() + 60
        while engine("info", check=False).returncode != 0:
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise NoEngineError(
                    f"dockerd does not start here: {last_line(log.read_text(errors='replace'))}"
                )
            time.sleep(0.2)
        yield engine
    finally:
        daemon.terminate()  # it ends its containers, and its containerd, first
        try:
            daemon.wait(60)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def remove(folder: Path) -> None:
    """Remove the daemon's folder, and before it whatever is still mounted in there, the innermost first."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((m for m in mounts if Path(m).is_relative_to(folder)), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False)
    shutil.rmtree(folder)


@contextmanager
def a_base(engine: Engine) -> Iterator[str]:
    """The name of an image to build on: Debian's own from its registry, else one made here; NoEngineError without."""
    pulled = None if engine.own else engine("pull", "--quiet", BASE, check=False)
    if pulled is not None and pulled.returncode == 0:
        yield BASE
        return
    if pulled is not None:
        refuse_no_base(f"{BASE} can't be had ({last_line(pulled.stderr)}), and ")
    name = f"corewise-test-base:{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="cw-base-") as folder:
        archive = Path(folder, "base.tar")
        options = [
            "--variant=minbase",
            "--keyring=/usr/share/keyrings",
            *(f"--dpkgopt={word}" for word in SLIM),
        ]
        made = subprocess.run(
            ["mmdebstrap", "--quiet", *options, "trixie", str(archive), debian_mirror()],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if made.returncode != 0:
            raise NoEngineError(f"mmdebstrap can't make Debian trixie: {last_line(made.stderr)}")
        refuse_no_rights(engine, "import", str(archive), name)
    try:
        refuse_no_rights(engine, "run", "--rm", "--network", "none", name, "true")
        yield name
    finally:
        engine.forget(name)


def refuse_no_rights(engine: Engine, *words: str) -> None:
    """Do it; raise NoEngineError where a daemon starts but may not do its work, as inside another container."""
    done = engine(*words, check=False)
    if done.returncode != 0:
        raise NoEngineError(f"`docker {words[0]}` fails here: {last_line(done.stderr)}")


def refuse_no_base(why: str = "") -> None:
    """Raise NoEngineError unless a base image can be tried here."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        raise NoEngineError(
            f"{why}making a base image needs root and `mmdebstrap` (Debian's package mmdebstrap)"
        )
    debian_mirror()


def debian_mirror() -> str:
    """The mirror of Debian that this machine's apt uses."""
    wanted = ["--format", "$(ORIGIN) $(CODENAME) $(REPO_URI)", "Created-By: Packages"]
    listed = subprocess.run(["apt-get", "indextargets", *wanted], capture_output=True, text=True).stdout
    for origin, codename, address in (line.split() for line in listed.splitlines() if line.count(" ") == 2):
        if origin == "Debian" and "-" not in codename:  # neither bookworm-updates nor bookworm-security
            return address
    raise NoEngineError("apt knows no mirror of Debian here (after `apt-get update` it may)")


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it says nothing"])[-1]
