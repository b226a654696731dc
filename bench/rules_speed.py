"""``python -m bench.rules_speed``: how long the rules take, on one core, beside cfn-lint and checkov on the same files.

Also how the time grows with the templates' size, how much memory it takes, and what the pack adds to a synth of our app.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from local_aws import step

ROOT: Final = Path(__file__).resolve().parent.parent
BUILD: Final = ROOT / ".build" / "bench" / "rules"
RESULT: Final = ROOT / "bench" / "results" / "rules_speed.json"

TEMPLATES: Final = 20
RESOURCES: Final = 500
RUNS: Final = 5

MOST_SECONDS: Final = 2.0
"""What 20 templates of 500 resources may take on one core."""
MOST_GROWTH: Final = 2.2
"""How many times as long twice the resources may take."""
MOST_MEGABYTES: Final = 300
MOST_ADDED: Final = 0.10
"""The share of a synth's wall time that the pack may add."""

OTHERS: Final = {"cfn-lint": "cfn-lint==1.58.0", "checkov": "checkov==3.3.30"}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command: wall and processor seconds, and the most memory that it held, in MB."""

    wall: float
    processor: float
    megabytes: float


def block(number: int) -> dict[str, Any]:
    """Give ten resources as applications have them: a function with all that belongs to it. Nothing in it is at fault."""
    name = f"Fn{number:03}"
    function = f"orders-{number:03}"
    queue = {"Fn::GetAtt": [f"{name}Queue", "Arn"]}
    table = {"Fn::GetAtt": [f"{name}Table", "Arn"]}
    log = {"Fn::GetAtt": [f"{name}Log", "Arn"]}
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    topic = {"Fn::Sub": "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:orders"}
    return {
        f"{name}Log": _resource("Logs::LogGroup", LogGroupName=f"/aws/lambda/{function}", RetentionInDays=30),
        f"{name}Role": _resource("IAM::Role", AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]}),
        f"{name}Policy": _resource(
            "IAM::Policy",
            PolicyName=name,
            Roles=[{"Ref": f"{name}Role"}],
            PolicyDocument={
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": log},
                    {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": table},
                    {
                        "Effect": "Allow",
                        "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                        "Resource": queue,
                    },
                ],
            },
        ),
        f"{name}Function": _resource(
            "Lambda::Function",
            FunctionName=function,
            Runtime="python3.14",
            Handler="index.handler",
            Role={"Fn::GetAtt": [f"{name}Role", "Arn"]},
            Code={"S3Bucket": {"Fn::Sub": "code-${AWS::AccountId}"}, "S3Key": f"{function}.zip"},
            Environment={"Variables": {"TABLE": {"Ref": f"{name}Table"}, "STAGE": "production", "LOG_LEVEL": "INFO"}},
        ),
        f"{name}Table": _resource(
            "DynamoDB::Table",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        ),
        f"{name}Queue": _resource(
            "SQS::Queue",
            SqsManagedSseEnabled=True,
            RedrivePolicy={"deadLetterTargetArn": {"Fn::GetAtt": [f"{name}Dead", "Arn"]}, "maxReceiveCount": 5},
        ),
        f"{name}Dead": _resource("SQS::Queue", SqsManagedSseEnabled=True, MessageRetentionPeriod=1209600),
        f"{name}QueuePolicy": _resource(
            "SQS::QueuePolicy",
            Queues=[{"Ref": f"{name}Queue"}],
            PolicyDocument={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "sns.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": queue,
                        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
                    }
                ],
            },
        ),
        f"{name}Mapping": _resource(
            "Lambda::EventSourceMapping",
            FunctionName={"Ref": f"{name}Function"},
            EventSourceArn=queue,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        ),
        f"{name}Alarm": _resource(
            "CloudWatch::Alarm",
            AlarmDescription=f"{function} failed",
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Dimensions=[{"Name": "FunctionName", "Value": {"Ref": f"{name}Function"}}],
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
        ),
    }


def _resource(kind: str, **properties: object) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def template(resources: int) -> dict[str, Any]:
    """Give a template of so many resources, a multiple of ten."""
    found: dict[str, Any] = {}
    for number in range(resources // 10):
        found |= block(number)
    return {"AWSTemplateFormatVersion": "2010-09-09", "Description": "Orders", "Resources": found}


def write(folder: Path, *, resources: int, suffix: str) -> list[str]:
    """Write ``TEMPLATES`` templates into an emptied folder and give their paths."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    content = template(resources)
    text = json.dumps(content, indent=1) if suffix == "json" else yaml.safe_dump(content, sort_keys=False)
    paths = [folder / f"stack{number:02}.{suffix}" for number in range(TEMPLATES)]
    for path in paths:
        path.write_text(text, encoding="utf-8")
    return [str(path) for path in paths]


def timed(command: list[str], *, within: float = 900) -> Run:
    """Run a command on one core.

    Raises:
        subprocess.SubprocessError: It took too long.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    one_core = ["taskset", "--cpu-list", "0"] if shutil.which("taskset") else []
    # The memory of children is told as the most of any so far, so each run has a parent of its own to tell it.
    script = (
        "import resource, subprocess, sys; "
        "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode; "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, code)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script, *one_core, *command],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=within,
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", "NO_COLOR": "1"},
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall=wall, processor=processor, megabytes=int(answer.stdout.split()[0]) / 1024)


def middle(runs: list[Run]) -> Run:
    """Give the median of each figure."""
    return Run(*(statistics.median(getattr(run, name) for run in runs) for name in ("wall", "processor", "megabytes")))


def _ours(paths: list[str]) -> list[str]:
    return [sys.executable, "-m", "credential_rules", "check", *paths, "--format", "json"]


def _tool(name: str) -> Path:
    """Install another tool into a virtual environment of its own, once, and give its program."""
    folder = BUILD / name
    program = folder / "bin" / name
    if not program.exists():
        shutil.rmtree(folder, ignore_errors=True)
        for what, command in (
            (f"A virtual environment for {name}", [sys.executable, "-m", "venv", str(folder)]),
            (f"{OTHERS[name]}", [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", OTHERS[name]]),
        ):
            if step.run(what, command):
                raise SystemExit(f"{name} could not be installed, so there is nothing to compare with. Run it again.")
    return program


def _synth_share() -> tuple[float, float]:
    """Wall seconds of a synth of our app, and those that the pack takes of it."""
    script = (
        "import json, sys, time, tempfile; sys.path.insert(0, '.'); import app; from credential_rules import pack; "
        "spent = []; judge = pack.CredentialChecks.validate\n"
        "def timed(self, context):\n"
        "    start = time.perf_counter()\n"
        "    try:\n"
        "        return judge(self, context)\n"
        "    finally:\n"
        "        spent.append(time.perf_counter() - start)\n"
        "pack.CredentialChecks.validate = timed\n"
        "app.build_app(outdir=tempfile.mkdtemp()).synth()\n"
        "print(json.dumps(sum(spent)))"
    )
    shares = []
    for _ in range(RUNS):
        start = time.perf_counter()
        answer = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
        wall = time.perf_counter() - start
        shares.append((wall, float(answer.stdout.splitlines()[-1])))
    return statistics.median(wall for wall, _ in shares), statistics.median(spent for _, spent in shares)


def measure() -> dict[str, Any]:
    """Measure everything, printing as it goes."""
    inputs = {
        suffix: {
            size: write(BUILD / f"{suffix}-{size}", resources=size, suffix=suffix)
            for size in (RESOURCES, 2 * RESOURCES)
        }
        for suffix in ("json", "yaml")
    }
    runs: dict[tuple[str, int], list[Run]] = {}
    for _ in range(RUNS):
        for suffix, sizes in inputs.items():
            for size, paths in sizes.items():
                runs.setdefault((suffix, size), []).append(timed(_ours(paths)))
    ours = {key: middle(found) for key, found in runs.items()}
    start = middle([timed([sys.executable, "-m", "credential_rules", "--help"]) for _ in range(RUNS)])
    growth = {
        suffix: statistics.median(
            (large.processor - start.processor) / (small.processor - start.processor)
            for small, large in zip(runs[suffix, RESOURCES], runs[suffix, 2 * RESOURCES], strict=True)
        )
        for suffix in inputs
    }
    paths = inputs["json"][RESOURCES]
    others = {
        "cfn-lint": timed([str(_tool("cfn-lint")), "--format", "json", "--", *paths]),
        "checkov": timed(
            [
                *(str(_tool("checkov")), "--framework", "cloudformation", "--quiet", "--compact"),
                *("--output", "json", "--skip-download", "--directory", str(Path(paths[0]).parent)),
            ]
        ),
    }
    synth, pack = _synth_share()
    return {
        "resources": TEMPLATES * RESOURCES,
        "json": asdict(ours["json", RESOURCES]),
        "yaml": asdict(ours["yaml", RESOURCES]),
        "growth": growth,
        "others": {name: asdict(run) for name, run in others.items()},
        "synth": {"wall": synth, "pack": pack, "added": pack / (synth - pack)},
    }


def faults(found: dict[str, Any]) -> list[str]:
    """Say what is above what is allowed; empty if nothing is."""
    said = []
    for suffix in ("json", "yaml"):
        run = found[suffix]
        if run["wall"] > MOST_SECONDS:
            said.append(
                f"{found['resources']} resources ({suffix}) take {run['wall']:.2f} s; {MOST_SECONDS} s are allowed"
            )
        if run["megabytes"] > MOST_MEGABYTES:
            said.append(f"{suffix} takes {run['megabytes']:.0f} MB; {MOST_MEGABYTES} are allowed")
        if found["growth"][suffix] > MOST_GROWTH:
            said.append(
                f"twice the resources ({suffix}) take {found['growth'][suffix]:.2f} times as long; "
                f"{MOST_GROWTH} times are allowed"
            )
    if found["synth"]["added"] > MOST_ADDED:
        said.append(f"the pack adds {found['synth']['added']:.0%} to a synth; {MOST_ADDED:.0%} are allowed")
    return said


def table(found: dict[str, Any]) -> str:
    """Write the figures as Markdown."""
    ours = found["json"]
    rows = [("credential_rules", ours), ("credential_rules, YAML", found["yaml"]), *found["others"].items()]
    lines = [
        "|                        |  wall s | processor s |   MB | times ours |",
        "| ---------------------- | ------: | ----------: | ---: | ---------: |",
    ]
    lines += [
        f"| {name:<22} | {run['wall']:>7.2f} | {run['processor']:>11.2f} | {run['megabytes']:>4.0f} |"
        f" {run['processor'] / ours['processor']:>10.1f} |"
        for name, run in rows
    ]
    growth = ", ".join(f"{value:.2f} times ({suffix})" for suffix, value in found["growth"].items())
    synth = found["synth"]
    lines += [
        "",
        (
            f"Twice the resources take {growth}. Of a synth of this application ({synth['wall']:.1f} s) the pack takes"
            f" {synth['pack']:.2f} s: it adds {synth['added']:.1%}."
        ),
    ]
    return "\n".join(lines)


def main() -> int:
    """Measure, print, write the result; the exit status."""
    found = measure()
    print(f"\n{TEMPLATES} templates of {RESOURCES} resources, on one core; medians of {RUNS} runs\n\n{table(found)}")
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    said = faults(found)
    for fault in said:
        print(
            f"\nThe rules are too slow: {fault}. A check that people wait for is a check that they switch off. Profile "
            "`python -m credential_rules check .build/bench/rules/json-500/*.json` with cProfile.",
            file=sys.stderr,
        )
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
