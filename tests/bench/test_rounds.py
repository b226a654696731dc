"""A contender takes part only if it does the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.cold_start import BASELINE, OURS, Bytecode, Clock, Contender, Stage
from bench.packages import Installed
from bench.rounds import ContenderFailed, measure

if TYPE_CHECKING:
    from pathlib import Path

ANSWERS = """
import json, os, time
time.sleep(0.2)
STATUSES = iter({statuses})
def handler(event, context):
    if event["routeKey"] == "POST /v1/events":
        import urllib.request
        message = json.dumps({{"MessageBody": "reference"}}).encode()
        request = urllib.request.Request(
            os.environ["AWS_ENDPOINT_URL"], message, {{"X-Amz-Target": "AmazonSQS.SendMessage"}}
        )
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["MD5OfMessageBody"] == "b8af13ea9c8fe890c9979a1fa8dbde22"
    print("a log line")
    return {{"statusCode": next(STATUSES)}}
"""


def contender(folder: Path, code: str) -> Installed:
    """A handler in a folder, without third-party code."""
    folder.mkdir()
    (folder / "made_up_handler.py").write_text(code, encoding="utf-8")
    return Installed(
        module="made_up_handler",
        paths=dict.fromkeys(Bytecode, (folder, folder / "layer")),
        facts=Contender(folder.name, {}, 1),
    )


def test_each_round_starts_every_contender_with_bytecode_and_without(tmp_path: Path) -> None:
    """Times grow from stage to stage, leave the interpreter's start out, and tell waiting from computing."""
    good = ANSWERS.format(statuses="[200, 202, 404, 400]")
    found = measure({slug: contender(tmp_path / slug, good) for slug in (BASELINE, OURS)}, rounds=2)
    assert found.rounds == 2
    for bytecode in Bytecode:
        for slug in (BASELINE, OURS):
            for start in found.starts[bytecode][slug]:
                reached = start.reached[Clock.ELAPSED]
                assert start.reached[Clock.PROCESSOR][Stage.IMPORTED] < 0.2 <= reached[Stage.IMPORTED]
                assert start.interpreter > 0
                assert reached[Stage.IMPORTED] <= reached[Stage.HEALTH_ANSWERED] < reached[Stage.EVENT_ACCEPTED]


@pytest.mark.parametrize("statuses", ["[200, 500, 404, 400]", "[200, 202, 404, 202]", "[200, 202, 200, 400]"])
def test_a_contender_that_does_less_than_the_others_ends_the_run(tmp_path: Path, statuses: str) -> None:
    """One that stores nothing, reads what is not there or validates nothing would win without being comparable."""
    with pytest.raises(ContenderFailed) as refusal:
        measure({"lazy": contender(tmp_path / "lazy", ANSWERS.format(statuses=statuses))}, rounds=1)
    assert f"The contender lazy answered with {statuses}" in str(refusal.value)
    assert "What to do:" in str(refusal.value)


def test_a_contender_that_cannot_start_ends_the_run_with_its_own_words(tmp_path: Path) -> None:
    """Only what is deployed can be imported: the project's own packages are out of a contender's reach."""
    with pytest.raises(ContenderFailed, match="No module named 'aws_cdk'"):
        measure({"broken": contender(tmp_path / "broken", "import aws_cdk")}, rounds=1)
