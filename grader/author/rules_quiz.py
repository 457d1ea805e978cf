"""The quiz at the end of a module: enough questions, and an explanation for every answer. Pure; nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.author.rules_code import calls, is_empty, last, tree_of
from grader.author.rules_page import Said
from grader.lesson import Cell, Lesson


def quiz(lesson: Lesson) -> Iterator[Said]:
    """In the last page of a module: three to six questions, an explanation for every answer."""
    cells = [cell for cell in lesson.cells if "quiz" in cell.tags]
    if lesson.is_check and not cells:
        yield "", "It has no quiz.", "A code cell tagged `quiz`: display_quiz([...])."
        return
    count = 0
    for cell in cells:
        tree = tree_of(cell) if cell.kind == "code" else None
        asked = [call for name, call in calls(tree) if last(name) == "display_quiz"] if tree else []
        if tree is None or not asked:
            yield (
                cell.id,
                "Its cell tagged `quiz` calls no display_quiz.",
                "display_quiz([...]), in a code cell.",
            )
            return
        if any(
            isinstance(argument, ast.Constant | ast.JoinedStr) for call in asked for argument in call.args
        ):
            yield (
                cell.id,
                "Its questions come from elsewhere.",
                "Write them into the cell: it must work offline.",
            )
        questions = [table for table in _tables(tree) if "question" in table]
        count += len(questions)
        for question in questions:
            yield from _question(cell, question)
    if lesson.is_check and not 3 <= count <= 6:
        yield cells[0].id, f"It asks {count} questions.", "Ask three to six."


def _question(cell: Cell, question: dict[str, ast.expr]) -> Iterator[Said]:
    text = question["question"]
    label = (
        repr(text.value[:40])
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
        else "a question"
    )
    listed = question.get("answers")
    answers = (
        [_table(one) for one in listed.elts if isinstance(one, ast.Dict)]
        if isinstance(listed, ast.List)
        else []
    )
    if not answers:
        yield cell.id, f"{label} has no list of answers.", "Write the answers out, one dictionary each."
        return
    for number, answer in enumerate(answers, 1):
        if "feedback" not in answer or is_empty(answer["feedback"]):
            yield (
                cell.id,
                f"Answer {number} of {label} has no feedback.",
                "Say why it is right or wrong: every answer teaches.",
            )
    rights = [answer["correct"] for answer in answers if "correct" in answer]
    if not any(isinstance(right, ast.Constant) and right.value is True for right in rights):
        yield cell.id, f"No answer of {label} is right.", 'Mark one: "correct": True.'


def _tables(tree: ast.AST) -> Iterator[dict[str, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield _table(node)


def _table(node: ast.Dict) -> dict[str, ast.expr]:
    """The values of a dictionary's display by their keys, where those are plain texts."""
    pairs = zip(node.keys, node.values, strict=True)
    return {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}


RULES = (quiz,)
