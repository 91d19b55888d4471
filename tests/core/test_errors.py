from __future__ import annotations

import pickle
import re

import pytest

import workersai_core
from workersai_core import errors
from workersai_core.errors import InvalidInput, Issue, NotFound, WorkersAIError


def tree(error):
    return [error, *(each for child in error.__subclasses__() for each in tree(child))]


# Plugins of other tests may subclass these too; the tree is what the module defines.
TREE = [error for error in tree(WorkersAIError) if error.__module__ == "workersai_core.errors"]


@pytest.mark.parametrize("error", TREE, ids=lambda error: error.__name__)
def test_each_error_is_documented_has_a_code_and_hints_at_a_status(error):
    assert error.__doc__
    assert re.fullmatch(r"[A-Z].*\.", error.__doc__.splitlines()[0]), "its first line is the default message"
    assert re.fullmatch(r"[a-z][a-z_]*", error.code)
    assert 400 <= error.status_hint <= 599


@pytest.mark.parametrize("error", TREE, ids=lambda error: error.__name__)
def test_each_error_is_drawn_in_the_tree_and_public(error):
    assert re.search(rf"^\W*{error.__name__}\b", errors.__doc__, re.MULTILINE)
    assert error.__name__ in errors.__all__
    assert error is getattr(workersai_core, error.__name__)


def test_the_drawing_has_the_shape_of_the_tree():
    parents, path = {}, []
    for indent, name in re.findall(r"^( *(?:[│├└─ ]*))([A-Z]\w+)", errors.__doc__.split("\n\n")[1], re.MULTILINE):
        level = (len(indent) - 4) // 4
        path = [*path[:level], name]
        parents[name] = path[level - 1] if level else None
    assert {error.__name__: error.__base__.__name__ for error in TREE if error is not WorkersAIError} == {
        name: parent for name, parent in parents.items() if parent is not None
    }


def test_an_error_speaks_its_docstring_unless_it_is_told_what_to_say():
    assert "There is nothing here with that id." == str(NotFound())
    assert "No such thing." == NotFound("No such thing.").detail
    assert {"external_id": "x"} == NotFound("No.", external_id="x").extra


def test_an_error_names_the_places_of_its_issues():
    error = InvalidInput("Two are wrong.", issues=[Issue("/a", "Too long.", "too_long"), Issue("", "No.")])
    assert "Two are wrong. [/a: Too long.; (whole document): No.]" == str(error)
    assert ("too_long", "invalid") == tuple(issue.code for issue in error.issues)


def test_errors_are_the_built_in_ones_that_python_users_expect():
    assert issubclass(InvalidInput, ValueError)
    assert issubclass(NotFound, LookupError)


def test_an_issue_can_be_put_under_another_place():
    assert Issue("/params/a/0", "No.", "bad") == Issue("/a/0", "No.", "bad").under("/params")


def test_an_error_survives_pickling():
    error = InvalidInput("No.", issues=[Issue("/a", "Wrong.")], retry=False)
    copy = pickle.loads(pickle.dumps(error))
    assert (error.detail, error.issues, error.extra) == (copy.detail, copy.issues, copy.extra)
