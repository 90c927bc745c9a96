"""The outage that `make drill-outage` makes ten minutes of, in seconds."""

import os
import subprocess
import sys

import pytest

from drills.kills import ROOT


@pytest.mark.process
def test_no_read_fails_while_the_board_is_away_and_every_report_arrives_once() -> None:
    command = [sys.executable, "-m", "drills.outage", "--minutes", "0.35", "--poll", "1", "--readers", "3"]
    env = os.environ | {"PYTHONPATH": "client"}
    done = subprocess.run(command, cwd=ROOT, env=env, check=False, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "none failed" in done.stdout
