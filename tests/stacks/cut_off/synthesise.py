"""Run in a checkout: synthesises each deployment that the first argument lists, and then one that is refused.

In `modules.json` it leaves a list of what Python has imported.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

sys.path.insert(0, str(Path.cwd()))

from app import build_app  # the checkout's own

for outdir, context in json.loads(sys.argv[1]):
    build_app(outdir, context).synth()
Path("modules.json").write_text(json.dumps(sorted(sys.modules)), encoding="utf-8")

bad = build_app("out-refused")
stack = Stack(bad, "Refused")
sqs.CfnQueue(stack, "Queue")
iam.CfnUser(stack, "User")
vpc = ec2.CfnVPC(stack, "Vpc", cidr_block="10.0.0.0/24")
ec2.CfnSecurityGroup(
    stack,
    "Group",
    group_description="Open to the world",
    vpc_id=vpc.ref,
    security_group_ingress=[
        ec2.CfnSecurityGroup.IngressProperty(ip_protocol="tcp", from_port=22, to_port=22, cidr_ip="0.0.0.0/0")
    ],
)
try:
    bad.synth()
except RuntimeError as refusal:
    sys.stderr.write(f"Refused: {refusal}\n")
