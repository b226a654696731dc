"""A CDK app for tests of `cdk watch`: one function in one stack, written as the construct library would, in a blink.

It needs no bootstrap, so every call of the CDK is made with the very credentials that it was given. Files beside it make
it slow (`slow`: seconds), broken (`broken`) or another account's (`account`: its number).
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def said(name: str) -> str | None:
    """Give what the file of that name says, if there is one."""
    file = HERE / name
    return file.read_text().strip() if file.exists() else None


def main() -> int:
    """Write the cloud assembly."""
    if said("broken") is not None:
        print("the app fails", file=sys.stderr)  # noqa: T201 - as an app does
        return 1
    time.sleep(float(said("slow") or 0))
    name = HERE.name
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    function = {
        "FunctionName": name,
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": (HERE / "src" / "handler.py").read_text()},
    }
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
    }
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{said('account') or '123456789012'}/us-east-1",
        "properties": {"templateFile": "template.json"},
        "displayName": name,
    }
    out = Path(os.environ["CDK_OUTDIR"])
    out.mkdir(exist_ok=True)
    (out / "template.json").write_text(json.dumps({"Resources": resources}))
    (out / "manifest.json").write_text(json.dumps({"version": "48.0.0", "artifacts": {name: stack}}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
