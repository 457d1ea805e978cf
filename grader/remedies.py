"""What to try next where Python's own words for an error of multiprocessing don't say it. Pure."""

from __future__ import annotations

import re

#: (what the message has, as a regular expression; what to try). The first that fits is taken. Python 3.11 to 3.14 word
#: the same error in different ways: tests/test_remedies.py raises most of them. No pattern may look back and forth: a
#: message is as long as a submission wants it.
_BY_MESSAGE = (
    (
        r"_corewise_checks_|<locals>\.progress",
        "The progress function belongs to whoever calls you and can't be sent to a worker: call it in the program "
        "itself, as results come in.",
    ),
    (
        r"Can't (pickle|get) local object|Can't pickle <function",
        "Workers get a function by its name: define it at the top level of the module, with def. A lambda, or a "
        "function inside another one, has no name that they can find.",
    ),
    (
        r"should only be shared between processes through inheritance"
        r"|[Cc]annot pickle '(_thread|multiprocessing|_multiprocessing)\.",
        "Locks, queues and shared values don't travel with a task. Give them to the process as it starts: "
        "Process(args=...), or initializer=... and initargs=... of a pool.",
    ),
    (
        r"[Pp]ool objects cannot be passed between processes",
        "A pool stays where it was made: send what the worker needs, not the pool, nor an object that holds one.",
    ),
    (
        r"[Cc]annot pickle '",
        "What goes to a worker, or comes back, is pickled, and this can't be: an open file, a generator, a connection. "
        "Send what it is made from (a path, a list), and make it in the worker.",
    ),
    (
        r"terminated abruptly",
        "A worker died without a word: out of memory, os._exit, or a crash in a library written in C. Give each worker "
        "less at a time, and look for what ends a process.",
    ),
    (
        r"daemonic processes are not allowed to have children",
        "A pool's workers may not start processes of their own. Start all workers from one place, or take "
        "concurrent.futures.ProcessPoolExecutor.",
    ),
    (
        r"before the current process has finished its bootstrapping phase|ChildProcessError: \[Errno 10\]",
        "Each worker imports the module again. Start processes inside the function alone; what runs when the file is "
        'started as a program belongs under: if __name__ == "__main__":',
    ),
    (
        r"cannot close exported pointers exist|memoryview has \d+ exported buffer",
        "Something still looks into the shared block: a slice of its buf, or an array over it. Delete it (del ...) "
        "before the block is closed, or copy what you keep.",
    ),
    (
        r"Pool is still running",
        "Close the pool first: close() and then join() wait for the tasks, terminate() and then join() don't.",
    ),
    (
        r"Pool not running|cannot schedule new futures after shutdown",
        "The pool has been closed. Hand out all work, and fetch all results, inside its with block.",
    ),
    (
        r"context has already been set",
        "Leave set_start_method to the program that calls you; use get_context(...) where the work needs one method.",
    ),
)
_ORDER = (
    "Workers are done in any order. Put each result in its place by its key or number, or take map or imap, which keep "
    "the order."
)
_ANEW = (
    "Under {method} each worker imports the module anew: what your function put into a global isn't there. Send it as "
    "an argument, or set it in each worker (initializer=..., initargs=...)."
)
#: Errors of who looks for something that another process has.
_NOT_THERE = r"(NameError|AttributeError|IndexError|KeyError|TypeError: 'NoneType')"


def of_error(message: str, method: str = "", passed: bool = False) -> str:
    """What to try after an exception with this message, as Python prints it; nothing where it speaks for itself.

    `method` is the start method, and `passed` says that the same was right before, where workers are forked.
    """
    for pattern, remedy in _BY_MESSAGE:
        if re.search(pattern, message):
            return remedy
    return _ANEW.format(method=method) if passed and re.match(_NOT_THERE, message) else ""


def of_difference(said: str) -> str:
    """What to try after an answer that differs like this; nothing where the difference speaks for itself."""
    return _ORDER if re.search(r"in another order|not in the order", said) else ""
