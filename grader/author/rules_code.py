"""What the code of a lesson must be like: on syntax trees, nothing is run. Pure.

As in `rules_page`, a rule yields (cell's id, what is there, what to do).
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator

from IPython.core.inputtransformer2 import TransformerManager

from grader.author.rules_page import Said
from grader.lesson import Cell, Lesson
from grader.modulefile import LINE, parse

ON_PURPOSE = "wrong-on-purpose"  # tag of a cell that shows the mistake itself

_PROCESS_POOLS = {"Pool", "ProcessPoolExecutor"}
_THREAD_POOLS = {"ThreadPool", "ThreadPoolExecutor"}
_SENDS = {"map", "imap", "imap_unordered", "starmap", "apply"} | {
    "map_async",
    "starmap_async",
    "apply_async",
    "submit",
}
_FIGURES = re.compile(
    r"(?:plt|pyplot)\.(?!close$|rcParams|rc$|style|get_cmap$|colormaps)\w+|(?:\w+\.)*Figure"
)


def tree_of(cell: Cell) -> ast.Module | None:
    """The syntax of a code cell, of a `%%module` cell's module too; None for other `%%` cells and what isn't Python."""
    source = cell.source
    if source.lstrip().startswith("%%"):
        module = parse(source)
        if module is None:
            return None
        source = module.body
    return _compiled(source) or _compiled(_without_magics(source))


def _without_magics(source: str) -> str:
    """As IPython would run it; as it is where IPython finds fault with it."""
    try:
        return str(TransformerManager().transform_cell(source))
    except SyntaxError:
        return source


def _compiled(source: str) -> ast.Module | None:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = compile(source, "<cell>", "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return None
    return tree if isinstance(tree, ast.Module) else None


def syntax(lesson: Lesson) -> Iterator[Said]:
    for cell in _code(lesson):
        other = cell.source.lstrip().startswith("%%") and parse(cell.source) is None
        if not other and tree_of(cell) is None:
            yield cell.id, "It is no Python.", "Mend it, or show the mistake as text."


def pictures(lesson: Lesson) -> Iterator[Said]:
    """A figure made in a cell is shown there by `course.picture.show(figure, text)`, which carries the text."""
    for cell, tree in _trees(lesson):
        made = list(calls(tree))
        if any(name in ("plt.show", "pyplot.show") for name, _ in made):
            yield cell.id, "plt.show() carries no text alternative.", "course.picture.show(figure, text)"
        elif any(_FIGURES.fullmatch(name) for name, _ in made) and not any(_shows(*one) for one in made):
            yield (
                cell.id,
                "It makes a figure and doesn't show it with a text alternative.",
                "In the same cell: course.picture.show(figure, text), the text saying what is to be seen.",
            )
        for name, call in made:
            if name in ("Image", "display.Image") and not any(key.arg == "alt" for key in call.keywords):
                yield (
                    cell.id,
                    "Image() has no text alternative.",
                    "Give it alt=..., saying what is to be seen.",
                )


def _shows(name: str, call: ast.Call) -> bool:
    if name not in ("show", "picture.show"):
        return False
    texts = [*call.args[1:], *(key.value for key in call.keywords if key.arg == "says")]
    return bool(texts) and not is_empty(texts[0])


def starting_processes(lesson: Lesson) -> Iterator[Said]:
    """`starts_processes` tells CI under which start methods to run the lesson."""
    if lesson.starts_processes:
        return
    for cell, tree in _trees(lesson):
        names = [name for name, _ in calls(tree)]
        if any(
            last(name) in _PROCESS_POOLS | {"Process"} and not name.startswith("psutil.") for name in names
        ):
            yield (
                cell.id,
                "It starts processes, but corewise.starts_processes in the metadata doesn't say so.",
                'Set it: "starts_processes": true.',
            )
            return


def worker_functions(lesson: Lesson) -> Iterator[Said]:
    """What another process runs is imported from a `%%module`: a cell's own function can't be."""
    cells = [pair for pair in _trees(lesson) if parse(pair[0].source) is None]
    own = {node.name for _, tree in cells for node in tree.body if isinstance(node, ast.FunctionDef)}
    pools: dict[str, bool] = {}
    for cell, tree in cells:
        pools |= _pools(tree)
        if ON_PURPOSE in cell.tags:
            continue
        for name, call in calls(tree):
            for sent in _sent(name, call, pools):
                said = _name_of_cells_own(sent, own)
                if said:
                    yield (
                        cell.id,
                        f"{said} is handed to another process, which can't import it from a cell.",
                        f"Define it in a cell that begins with {LINE} NAME, and hand over NAME.function.",
                    )


def _pools(tree: ast.AST) -> dict[str, bool]:
    """The names that pools get in this cell; True for pools of processes."""
    bound: list[tuple[ast.expr | None, ast.expr]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.With | ast.AsyncWith):
            bound += [(item.optional_vars, item.context_expr) for item in node.items]
        elif isinstance(node, ast.Assign):
            bound += [(target, node.value) for target in node.targets]
    found = {}
    for target, value in bound:
        kind = last(_name(value.func)) if isinstance(value, ast.Call) else ""
        if isinstance(target, ast.Name) and kind in _PROCESS_POOLS | _THREAD_POOLS:
            found[target.id] = kind in _PROCESS_POOLS
    return found


def _sent(name: str, call: ast.Call, pools: dict[str, bool]) -> Iterator[ast.expr]:
    """What a call hands to another process to run."""
    if last(name) == "Process":
        yield from (key.value for key in call.keywords if key.arg == "target")
    elif last(name) in _PROCESS_POOLS:
        yield from (key.value for key in call.keywords if key.arg == "initializer")
    elif isinstance(call.func, ast.Attribute) and call.func.attr in _SENDS and call.args:
        of = call.func.value
        direct = isinstance(of, ast.Call) and last(_name(of.func)) in _PROCESS_POOLS
        if direct or (isinstance(of, ast.Name) and pools.get(of.id, False)):
            yield call.args[0]


def _name_of_cells_own(sent: ast.expr, own: set[str]) -> str:
    if isinstance(sent, ast.Call) and last(_name(sent.func)) == "partial" and sent.args:
        return _name_of_cells_own(sent.args[0], own)
    if isinstance(sent, ast.Lambda):
        return "a lambda"
    return sent.id if isinstance(sent, ast.Name) and sent.id in own else ""


def is_empty(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and (not isinstance(value.value, str) or not value.value.strip())


def _code(lesson: Lesson) -> Iterable[Cell]:
    return (cell for cell in lesson.cells if cell.kind == "code")


def _trees(lesson: Lesson) -> Iterator[tuple[Cell, ast.Module]]:
    for cell in _code(lesson):
        if (tree := tree_of(cell)) is not None:
            yield cell, tree


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield _name(node.func), node


def _name(node: ast.expr) -> str:
    """`plt.subplots` as it is written; "" for what has no such name."""
    if isinstance(node, ast.Attribute):
        before = _name(node.value)
        return f"{before}.{node.attr}" if before else f"?.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def last(name: str) -> str:
    return name.rpartition(".")[2]


RULES = (syntax, pictures, starting_processes, worker_functions)
