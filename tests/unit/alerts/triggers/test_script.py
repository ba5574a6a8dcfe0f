"""A shell does the actions of triggers and says when: tried with the shells that this machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.triggers.script import (
    SCRIPT_BYTES,
    Done,
    read_done,
    scripts,
)

SHELLS = [shell for shell in ("bash", "dash") if shutil.which(shell)]
COMMANDS = [(3, ["/bin/sh", "-c", "echo secret; exit 3"]), (5, ["true"]), (7, ["/nowhere/at all"])]


def done_by(shell: str, script: str) -> tuple[str, dict[int, Done]]:
    run = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=False)
    assert run.stderr == ""
    return run.stdout, read_done(run.stdout.replace("\n", "\r\n"))


@pytest.mark.parametrize("shell", SHELLS)
def test_actions_are_done_in_their_order_and_tell_nothing_but_when(shell: str) -> None:
    ((script, numbers),) = scripts(COMMANDS)
    assert numbers == [3, 5, 7]
    before = time.time_ns()
    output, done = done_by(shell, script)
    after = time.time_ns()
    assert "secret" not in output
    assert {number: one.exit_code for number, one in done.items()} == {3: 3, 5: 0, 7: 127}
    moments = [moment for one in done.values() for moment in (one.began_ns, one.ended_ns)]
    assert moments == sorted(moments)
    assert before - 1000 <= moments[0]
    assert moments[-1] <= after + 1000


@pytest.mark.parametrize("shell", SHELLS)
def test_without_fractions_no_two_actions_share_a_second(shell: str) -> None:
    ((script, _numbers),) = scripts(COMMANDS[:2])
    _output, done = done_by(shell, script.replace("EPOCHREALTIME", "NO_SUCH").replace("%s.%N", "%s.N"))
    first, second = done[3], done[5]
    assert first.ended_ns <= second.began_ns
    assert first.began_ns % 10**9 == first.ended_ns % 10**9 == 0


@pytest.mark.parametrize("shell", SHELLS)
def test_a_program_by_its_bare_name_is_started_not_done_by_the_shell(
    shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin" / "true").mkdir(parents=True)
    program = tmp_path / "bin" / "echo"
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >{tmp_path}/started\nexit 5\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    commands = [(1, ["echo", "a b", "*", ""]), (2, ["true"]), (3, ["no-such-program"])]
    ((script, _numbers),) = scripts(commands)
    _output, done = done_by(shell, script)
    assert {number: one.exit_code for number, one in done.items()} == {1: 5, 2: 0, 3: 127}
    assert (tmp_path / "started").read_text() == "a b|*||"


def test_what_did_not_end_is_not_done() -> None:
    text = "falconet-trigger 1 began 10.5\nfalconet-trigger 1 ended 11.5 0\nfalconet-trigger 2 began 12.5\nx"
    assert read_done(text) == {1: Done(10_500_000_000, 11_600_000_000, 0)}
    assert read_done("falconet-trigger 1 ended 11.5 0") == {}


def test_a_tenth_digit_and_an_exit_code_that_is_not_told_count_nothing() -> None:
    text = "falconet-trigger 1 began 10.1234567899\nfalconet-trigger 1 ended 11.1234567899"
    assert read_done(text) == {1: Done(10_123_456_789, 11_123_456_790, 0)}


def test_a_comma_is_a_point_as_well() -> None:
    text = "falconet-trigger 1 began 10,500000\nfalconet-trigger 1 ended 11,500000 4"
    assert read_done(text) == {1: Done(10_500_000_000, 11_500_001_000, 4)}


def test_many_actions_are_several_scripts() -> None:
    commands = [(number, ["/bin/echo", "x" * 100]) for number in range(40)]
    found = list(scripts(commands))
    assert len(found) > 1
    assert [number for _script, numbers in found for number in numbers] == list(range(40))
    assert all(len(script) < SCRIPT_BYTES + 600 for script, _numbers in found)
    assert list(scripts([])) == []


def test_a_script_is_filled_up_to_its_limit() -> None:
    def number_of(bytes_more: int) -> int:
        (alone, _numbers), (both, _two) = (next(scripts([(1, ["x"])] * times)) for times in (1, 2))
        part = len(both) - len(alone) - len("; ")
        word = "x" * (SCRIPT_BYTES - 2 * part + 1 + bytes_more)
        return len(list(scripts([(1, ["x"]), (1, [word])])))

    assert SCRIPT_BYTES == 3000
    assert (number_of(0), number_of(1)) == (1, 2)
    assert [numbers for _script, numbers in scripts([(1, ["x" * SCRIPT_BYTES]), (2, ["x"])])] == [[1], [2]]
