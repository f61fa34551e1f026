"""What the fuzz run's tests share."""

import pytest

from ccanalytics.calllog.pseudonyms import make_key


@pytest.fixture(scope="session")
def key(tmp_path_factory):
    """A key for pseudonyms."""
    path = tmp_path_factory.mktemp("key") / "key"
    make_key(path)
    return path


@pytest.fixture(autouse=True)
def _no_key_around(monkeypatch):
    monkeypatch.delenv("CCANALYTICS_KEY_FILE", raising=False)
