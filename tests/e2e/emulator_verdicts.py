"""Asks the emulator's own evaluator: run by the emulator's interpreter, one question and one answer a line."""

from __future__ import annotations

import json
import sys

from ministack.core.iam_evaluator import (  # type: ignore[import-not-found]
    EvalContext,
    combine_resource_policy,
    evaluate,
    parse_policy_document,
)

for line in sys.stdin:
    asked = json.loads(line)
    context = EvalContext(
        principal_arn=asked["principal"],
        principal_type="AssumedRole",
        principal_account=asked["account"],
        action=asked["action"],
        resource_arn=asked["resource"],
        region="eu-west-1",
        service_context=asked["context"],
    )
    limits = [[parse_policy_document(limit)] for limit in asked["limits"]]
    verdict = evaluate(context, [parse_policy_document(asked["identity"])], *limits)
    if asked["policy"] is not None:
        verdict = combine_resource_policy(verdict, context, asked["policy"], asked["owner"], limits=tuple(limits))
    sys.stdout.write(f"{verdict.decision}\n")
    sys.stdout.flush()
