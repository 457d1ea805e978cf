"""Opens the course, or runs its tests, on a machine that has Python and nothing else of ours.

    python3 start.py [FOLDER] [--no-browser] [--port N]    open the course in JupyterLab
    python3 start.py check | why | progress | ...          run that command of corewise (README.md lists them)
    python3 start.py test [--fast] [pytest's arguments]    run the tests, the fast ones first (or alone)
    python3 start.py -h                                    show this

On Windows, type `py start.py`. It needs Python 3.11 to 3.14 and, at first, a network and 1.5 GB of disk.
The first start makes an environment of its own in `.venv`, one for each Python version, and installs the
locked packages in it; nothing is installed elsewhere. Later starts find it at once. If it was
interrupted, or an update brought other packages, the next start puts it right.

Exit codes: 0 = fine; 1 = something to mend here, the message says what; 2 = a fault of Corewise.
"""

# Standard library only, and only syntax that Python 2.7 parses, so that an old Python gets to the message.
import errno
import hashlib
import os
import subprocess
import sys
import time

OLDEST, NEWEST = (3, 11), (3, 14)
HERE = os.path.dirname(os.path.realpath(os.path.abspath(__file__)))
VENVS = os.path.join(HERE, ".venv")
ROOM = 1.5e9  # bytes: the environment with the tests' packages measured 1.3 GB
COMMANDS = ("learn", "reset", "check", "why", "progress", "doctor", "author")
WINDOWS = os.name == "nt"
# Phases of the tests: the name, pytest's expression for the marks, whether they fill all cores, a file on each.
PHASES = (
    ("fast", "not slow", True),
    ("slow and bear others beside them", "slow and not alone", True),
    ("slow and stand alone on the machine", "slow and alone", False),
)
SPREAD = ["-n", "auto", "--dist", "loadfile"]

# Words of pip's when the machine, not Corewise, is in the way; what happened; the remedy.
TROUBLES = (
    (
        r"No space left on device|[Errno 28]|[WinError 112]|Disk quota exceeded",
        "The disk filled up while packages were installed.",
        "Free about 1.5 GB (the folder for temporary files and pip's cache count as well)",
    ),
    (
        "DO NOT MATCH THE HASHES",
        "A package is not the one that was locked: a download broke, or a mirror serves another file.",
        "Check PIP_INDEX_URL and pip's other settings (`pip config list`)",
    ),
    (
        "Windows Long Path",
        "The path of this folder is too long for Windows.",
        "Move the folder nearer to the top of the drive, such as to C:\\corewise",
    ),
    (
        "Max retries exceeded|connection broken by|ConnectionError|ProxyError|SSLError|Read timed out"
        "|Could not fetch URL|(from versions: none)",
        "The package registry could not be reached.",
        "Check the network, the proxy (HTTPS_PROXY) and the registry (PIP_INDEX_URL); what arrived is kept",
    ),
)


class Stop(Exception):
    """The end, with one message: what happened, what to do next; and the exit code."""

    def __init__(self, what, remedy, code=1):
        Exception.__init__(self, "%s\n%s" % (what, remedy))
        self.code = code


def say(line):
    """Tell on stderr what is being done: stdout belongs to the command that runs in the end."""
    sys.stderr.write("start: %s\n" % line)
    sys.stderr.flush()


def check_words(arguments):
    """A mistyped command would be taken for the FOLDER to open the course in."""
    import difflib

    word = arguments[0] if arguments else "-"
    known = list(COMMANDS) + ["test"]
    if word in known or word.startswith("-") or os.path.basename(word) != word or os.path.isdir(word):
        return
    close = difflib.get_close_matches(word, known, 1)
    if close:
        remedy = "Type:  start.py %s   or, to open the course in a folder of that name:  start.py .%s%s"
        raise Stop("%s is no command." % word, remedy % (close[0], os.sep, word))


def check_python():
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    fitting = [("py -%s" if WINDOWS else "python%s") % v for v in ("3.13", "3.12", "3.11", "3.14")]
    found = [command for command in fitting if runs(command)]
    if found:
        remedy = "One that fits is on this machine. Type:  %s start.py" % found[0]
    else:
        remedy = "Install Python 3.13 (https://www.python.org), then type:  %s start.py" % fitting[0]
    what = "Corewise needs Python 3.11 to 3.14, and this is Python %d.%d.%d" % sys.version_info[:3]
    raise Stop("%s (%s)." % (what, sys.executable), remedy)


def runs(command):
    try:
        with open(os.devnull, "w") as nowhere:
            return subprocess.call(command.split() + ["-c", ""], stdout=nowhere, stderr=nowhere) == 0
    except OSError:
        return False


def check_venv():
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        remedy = "Install the package of your system that brings it, and start again."
        if os.path.exists("/etc/debian_version"):
            apt = "apt install python%d.%d-venv" % sys.version_info[:2]
            remedy = "Type:  %s%s   and start again." % ("" if os.geteuid() == 0 else "sudo ", apt)
        what = "This Python (%s) cannot make an environment: %s." % (sys.executable, error)
        raise Stop(what, remedy)  # noqa: B904 - Python 2.7 does not parse `from`


def check_room():
    import shutil  # here: Python 2.7 has no disk_usage

    free = shutil.disk_usage(HERE).free
    if free < ROOM:
        what = "The environment needs %.1f GB of disk, and only %.1f GB are free" % (ROOM / 1e9, free / 1e9)
        raise Stop("%s in %s." % (what, HERE), "Free some, or move the folder to a larger disk; start again.")


class Environment(object):
    """The environment of this Python version; its stamp says what is completely installed in it."""

    def __init__(self):
        self.folder = os.path.join(VENVS, "%s-%s" % (sys.implementation.cache_tag, sys.platform))
        self.bin = os.path.join(self.folder, "Scripts" if WINDOWS else "bin")
        self.python = os.path.join(self.bin, "python.exe" if WINDOWS else "python")
        self.stamp = os.path.join(self.folder, "corewise-stamp")
        self.variables = dict(os.environ, VIRTUAL_ENV=self.folder, PIP_USER="0")
        # The bin folder on PATH: nbgrader calls `alembic` from there.
        self.variables["PATH"] = os.pathsep.join([self.bin, os.environ.get("PATH", os.defpath)])
        # The first three let foreign packages in; without bytecode every import costs three times as much.
        for leak in ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__", "PYTHONDONTWRITEBYTECODE"):
            self.variables.pop(leak, None)

    def provide(self, locks):
        """Make the environment hold the packages of `locks` and the project; at once when it does already."""
        wanted = ["python " + " ".join(sys.version.split()), "folder " + ascii(HERE)]
        for name in ["pyproject.toml"] + locks:
            with open(os.path.join(HERE, name), "rb") as file:
                wanted.append("%s %s" % (name, hashlib.sha256(file.read()).hexdigest()))
        if self.holds(wanted):
            return
        check_venv()
        with one_at_a_time(self.folder + ".lock") as guard:
            if not self.holds(wanted):  # the start that we waited for may have done it
                self.install(wanted, locks[-1], guard)

    def holds(self, lines):
        try:
            with open(self.stamp) as file:
                return os.path.exists(self.python) and set(lines) <= set(file.read().splitlines())
        except OSError:
            return False

    def install(self, wanted, lock, guard):
        if not self.holds(wanted[:2]):  # another Python, a moved folder, or left unfinished
            check_room()
            say("making an environment for Python %d.%d in %s" % (sys.version_info[:2] + (self.folder,)))
            self.forget()
            base = getattr(sys, "_base_executable", None) or sys.executable
            self.step([base, "-m", "venv", "--clear", self.folder], guard)
        say("installing the packages of %s (the first time takes a minute or two)" % lock)
        pip = [self.python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        self.step(pip + ["--progress-bar=off", "--require-hashes", "-r", os.path.join(HERE, lock)], guard)
        say("installing Corewise itself")
        with one_at_a_time(os.path.join(VENVS, "start.lock")) as here:  # it writes into our folder as well
            self.step(pip + ["--no-deps", "--no-build-isolation", "-e", HERE], guard, here)
        with open(self.stamp, "w") as file:  # last: what has no stamp is made anew
            file.write("\n".join(wanted) + "\n")
        say("the environment is ready")

    def forget(self):
        if os.path.exists(self.stamp):
            os.remove(self.stamp)

    def step(self, command, *guards):
        """Run one step of installing, in brief: its last line on a terminal, and its end when it fails."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        options.update(cwd=HERE, env=self.variables, encoding="utf-8", errors="replace")
        if not WINDOWS:  # the step holds the guards too: if we are killed, nobody starts before it ends
            options["pass_fds"] = [guard.fileno() for guard in guards]
        lines = []
        process = subprocess.Popen(command, **options)
        try:
            for line in process.stdout:
                lines.append(line.rstrip())
                if line.startswith("Installing collected packages"):
                    self.forget()  # until here pip changed nothing; from here on the environment is half done
                if sys.stderr.isatty():
                    sys.stderr.write("\r  %-76.76s" % line.strip())
        except BaseException:
            process.terminate()
            raise
        finally:
            process.wait()
            if sys.stderr.isatty():
                sys.stderr.write("\r%80s\r" % "")
        if process.returncode:
            raise trouble(lines)


def trouble(lines):
    """The Stop for a step of installing that failed, from the lines that it printed."""
    output = "\n".join(lines)
    tail = "\n".join("  | " + line[:300] for line in lines[-12:])
    for words, what, remedy in TROUBLES:
        if any(word in output for word in words.split("|")):
            return Stop("%s\n%s" % (tail, what), remedy + ". Then type the same again.")
    return Stop("%s\nInstalling failed." % tail, "Please report this, with the lines above.", 2)


def one_at_a_time(lock):
    """The file `lock`, open, once no other start holds it; the system frees it however its holder ends."""
    os.makedirs(VENVS, exist_ok=True)
    guard = open(lock, "a+")  # noqa: SIM115 - the caller closes it
    told = False
    while not taken(guard):
        if not told:
            guard.seek(0)
            say("another start (process %s) is installing; waiting for it" % guard.read())
        told = True
        time.sleep(0.2)
    guard.truncate(0)
    guard.write(str(os.getpid()))
    guard.flush()
    return guard


def taken(guard):
    """Whether the lock is ours now."""
    try:
        if WINDOWS:
            import msvcrt

            guard.seek(1000)  # others may still read the number at the start of the file
            msvcrt.locking(guard.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(guard.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Where a file system has no locks at all, go on without: waiting would be for ever.
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def run(command, environment, cwd=None):
    """Run to the end and return the exit code; Ctrl-C reaches the command too, which ends in its own way."""
    process = subprocess.Popen(command, env=environment.variables, cwd=cwd)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def test(environment, arguments):
    chosen = [word for word in arguments if word != "--fast"]
    phases = PHASES[:1] if "--fast" in arguments else PHASES
    runs = [(name, ["-m", marks] + (SPREAD if spread else [])) for name, marks, spread in phases]
    if chosen:  # in one go, and not spread: they show at once what they print, and stop in --pdb
        runs = [("chosen", ["-m", PHASES[0][1]] if "--fast" in arguments else [])]
    codes = []
    for name, options in runs:
        say("tests that are %s" % name)
        codes.append(run([environment.python, "-m", "pytest"] + chosen + options, environment, HERE))
        if codes[-1] not in (0, 1):  # interrupted, or a wrong argument: the next phase would say the same
            break
    return 0 if not any(codes) else 1


def corewise(environment, arguments):
    program = os.path.join(environment.bin, "corewise.exe" if WINDOWS else "corewise")
    command = [program] + ([] if arguments[:1] and arguments[0] in COMMANDS else ["learn"]) + arguments
    if WINDOWS:
        return run(command, environment)
    return os.execve(program, command, environment.variables)  # signals then reach it directly


def main(arguments):
    if arguments[:1] in (["-h"], ["--help"]):
        sys.stdout.write(__doc__)
        return 0
    check_words(arguments)
    check_python()
    testing = arguments[:1] == ["test"]
    environment = Environment()
    environment.provide(["requirements.txt"] + (["requirements-dev.txt"] if testing else []))
    return test(environment, arguments[1:]) if testing else corewise(environment, arguments)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stop as stop:
        sys.stderr.write("\n%s\n" % stop)
        sys.exit(stop.code)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. What was downloaded is kept; type the same again to go on.\n")
        sys.exit(1)
    except (OSError, IOError) as problem:
        remedy = "Move the folder to a place where you may write, and start again."
        if problem.errno == errno.ENOENT:
            remedy = "The folder is not complete: fetch or unpack it again."
        elif problem.errno == errno.ENOSPC:
            remedy = "The disk is full: free about 1.5 GB, and start again."
        sys.stderr.write("\nCannot use %s: %s\n%s\n" % (HERE, problem, remedy))
        sys.exit(1)
