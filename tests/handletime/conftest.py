"""Small centres with people, for the tests of this folder."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def worlds():
    """The module ``people_worlds`` beside this file."""
    file = Path(__file__).with_name("people_worlds.py")
    spec = importlib.util.spec_from_file_location("people_worlds", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
