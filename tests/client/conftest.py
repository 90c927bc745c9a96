"""What the tests of the Python client share."""

from collections.abc import Iterator

import pytest

from tests.stand_in import Fake, answering


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A server that answers as the test says."""
    with answering() as there:
        yield there
