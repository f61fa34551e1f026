"""Errors speak in one readable line, and scripts can tell them apart."""

import pickle

import pytest

from ccanalytics import errors
from ccanalytics.errors import (
    CcanalyticsError,
    DataError,
    InputError,
    LogError,
    UnsupportedError,
)

ALL = [InputError, UnsupportedError, LogError, DataError]


@pytest.mark.parametrize("kind", ALL)
def test_an_error_says_what_where_and_what_to_do(kind):
    error = kind("the share is above 1", "share=80", "write 80% as 0.80")
    assert str(error) == "the share is above 1 (share=80): write 80% as 0.80"
    assert (error.what, error.where, error.remedy) == (
        "the share is above 1",
        "share=80",
        "write 80% as 0.80",
    )
    assert isinstance(error, CcanalyticsError)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("wrong",), "wrong"),
        (("wrong", "here"), "wrong (here)"),
        (("wrong", "", "do this"), "wrong: do this"),
    ],
)
def test_what_is_not_known_is_left_out(parts, text):
    assert str(InputError(*parts)) == text


def test_whatever_a_value_brings_along_it_stays_one_line():
    text = str(InputError("no such\nfile", "a\r\nb\tc\u2028d\x0be", "look\n\n\nagain"))
    assert text.splitlines() == [text]
    assert "a b c" in text


@pytest.mark.parametrize(
    ("kind", "code"),
    [(InputError, 2), (UnsupportedError, 2), (LogError, 3), (DataError, 4), (CcanalyticsError, 1)],
)
def test_exit_codes(kind, code):
    assert kind("x").exit_code == code


def test_errors_of_input_are_value_errors_and_others_are_not():
    assert issubclass(InputError, ValueError)
    assert issubclass(UnsupportedError, ValueError)
    assert not issubclass(LogError, ValueError)
    assert not issubclass(DataError, ValueError)


@pytest.mark.parametrize("kind", ALL)
def test_errors_travel_between_processes(kind):
    error = kind("what", "where", "remedy")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is kind
    assert str(again) == str(error)
    assert again.where == "where"


def test_every_error_is_named():
    kinds = {
        name
        for name, thing in vars(errors).items()
        if isinstance(thing, type) and issubclass(thing, Exception)
    }
    assert kinds == set(errors.__all__)
