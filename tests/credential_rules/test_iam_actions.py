"""The door to the action database answers what rules on statements ask."""

from __future__ import annotations

import subprocess
import sys
import time

from credential_rules import iam_actions


def test_action_says_whether_it_has_a_resource_level() -> None:
    """Only for actions with a resource level is `Resource: *` a finding."""
    send, listing = iam_actions.action("SQS:sendmessage"), iam_actions.action("s3:ListAllMyBuckets")
    assert send is not None
    assert listing is not None
    assert send.name == "sqs:SendMessage"
    assert send.arn_formats == ("arn:${Partition}:sqs:${Region}:${Account}:${QueueName}",)
    assert send.access_levels == ("Write",)
    assert send.has_resource_level
    assert not listing.has_resource_level
    assert iam_actions.action("sqs:Nonsense") is None
    assert iam_actions.action("nonsense:Do") is None


def test_wildcards_expand_as_iam_matches() -> None:
    """In any case, `*` and `?`, within one service; one service's `*` never reads another's data."""
    names = {action.name for action in iam_actions.expand("s3:get*acl")}
    assert {"s3:GetBucketAcl", "s3:GetObjectAcl"} <= names
    assert all(name.startswith("s3:Get") for name in names)
    assert [action.name for action in iam_actions.expand("sqs:?endMessage")] == ["sqs:SendMessage"]
    assert iam_actions.expand("sqs") == ()
    assert iam_actions.matches("SQS:Send*", "sqs:SendMessage")


def test_operation_gives_its_actions() -> None:
    """Batch operations need the single permission."""
    assert iam_actions.actions_of_operation("sqs", "SendMessageBatch") == ("sqs:SendMessage",)
    assert iam_actions.actions_of_operation("dynamodb", "Query") == ("dynamodb:Query",)
    assert iam_actions.actions_of_operation("dynamodb", "Nonsense") == ()


def test_first_answer_is_quick() -> None:
    """One service's data is read, not the whole database: a run of few services stays quick."""
    script = "from credential_rules import iam_actions as a; assert a.action('sqs:SendMessage')"
    subprocess.run([sys.executable, "-c", script], check=True)
    start = time.process_time()
    iam_actions._actions.cache_clear()
    assert iam_actions.action("dynamodb:Query")
    assert time.process_time() - start < 0.15
