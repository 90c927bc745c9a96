"""What an operator sets is read as it is meant, or refused by name."""

import pytest

from reviewapp import environment


def test_weights_of_signals_are_read_from_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_SIGNAL_WEIGHTS", '{"regenerated": 0, "copied=false": 0.1}')
    assert environment.read().countersign_signal_weights == {"regenerated": 0, "copied=false": 0.1}


@pytest.mark.parametrize(
    "value", ["x", "[1]", '{"regenerated": 1}', '{"regenerated": -1}', '{"a b": 0.1}', '{"a": "x"}']
)
def test_weights_that_make_no_sense_end_the_start_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    monkeypatch.setenv("COUNTERSIGN_SIGNAL_WEIGHTS", value)
    with pytest.raises(SystemExit):
        environment.read()
    assert "COUNTERSIGN_SIGNAL_WEIGHTS" in capsys.readouterr().err
