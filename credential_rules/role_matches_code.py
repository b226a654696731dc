"""Least privilege as a comparison: what the code calls is allowed, and what is allowed the code calls."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from credential_rules import iam_actions
from credential_rules.branches import always, branch_of, first_open
from credential_rules.code_calls import is_told_as_a_finding, operations_of
from credential_rules.grants import (
    BUNDLES,
    STREAM_ACTIONS,
    STREAM_READS,
    allowed,
    allowed_in_some_branches,
    correction,
    corrections,
    covers,
    denying,
    granting_another_caller,
    granting_elsewhere,
    is_for,
    is_of_objects,
    opaque_policies,
    possibly_denying,
)
from credential_rules.iam_actions import matches
from credential_rules.needs import needs_of
from credential_rules.rule import (
    CANNOT_TELL,
    FUNCTION_TYPES,
    Example,
    Finding,
    Function,
    Index,
    Resource,
    Rule,
    Statement,
)
from credential_rules.sam_policies import policy_template_of
from credential_rules.sdk_services import prefix_of
from credential_rules.taught_calls import HOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.code_calls import CodeCalls
    from credential_rules.grants import Correction, Ground
    from credential_rules.index import Role
    from credential_rules.needs import Need, Target
    from credential_rules.rule import Text, Value

_MOST_PLACES: Final = 2  # that a finding names; whoever mends them finds the others
_OF_THE_CDK: Final = re.compile(
    r"Custom::.+|LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a|AWS679f53fac002430cb0da5b7982bd2287"
    r"|framework-(onEvent|isComplete|onTimeout)"
)
"""What the CDK calls its own functions for custom resources: singletons, and the provider framework."""
_FOR_LAMBDA: Final = frozenset({"lambda.amazonaws.com", "edgelambda.amazonaws.com"})


def _role_and_code(index: Index, resource: Resource) -> Iterator[Finding]:
    function = index.functions[resource]
    calls = operations_of(index, function)
    if _is_of_the_cdk(resource) or not (calls.has_code or is_told_as_a_finding(function)):
        return
    for wrong in calls.mistaught:
        yield Finding(
            resource,
            f"{_place(wrong.path, wrong.line)}: the comment that says what the line calls says nothing that AWS knows:"
            f" {wrong.reason}. What is called there is not compared with the role of '{resource.logical_id}'.",
            HOW,
        )
    for unknown in calls.unknown:
        yield Finding(
            resource,
            f"{_place(unknown.path, unknown.line)}: {unknown.reason}. Whether the role of '{resource.logical_id}' allows what"
            " its code calls, and nothing else, cannot be told.",
            unknown.teach,
            CANNOT_TELL,
        )
    if not calls.has_code:
        return
    role = function.role
    if role is None:
        if calls.calls:
            yield _no_role(resource, calls)
        return
    yield from _other_roles(index, function, role, calls)
    judged = [one for one in role.functions if operations_of(index, one).has_code and not _is_of_the_cdk(one.resource)]
    if judged[0] is function:
        yield from _compared(index, role, judged)


def _compared(index: Index, role: Role, judged: list[Function]) -> Iterator[Finding]:
    """What is missing, then what is unused. A grant in the place of what is missing is one fault, told once."""
    idle = list(_idle(index, role)) if role.functions[0] is judged[0] else []
    for function in judged:
        yield from _missing(index, function, role, idle)
    for grant in idle:
        if grant.actions:
            yield _unused_finding(index, role, grant)


def _place(path: str, line: int) -> str:
    return f"{path}:{line}" if line else path


def _is_of_the_cdk(resource: Resource) -> bool:
    """Whether it is a function that the CDK's library brings along: code and role are the library's."""
    return any(_OF_THE_CDK.fullmatch(step) for step in resource.construct_path.split("/"))


def _other_roles(index: Index, function: Function, role: Role, calls: CodeCalls) -> Iterator[Finding]:
    """What is missing in the roles that the function has instead where a condition of the template says so."""
    resource = function.resource
    for value, text in resource["Role"].located_texts():
        branches, other = branch_of(value), text.resource
        if other is role.resource or always([branches], branch_of(resource)) is False:
            continue
        if other in index.roles:
            yield from _missing(index, function, index.roles[other], [])
        elif calls.calls:
            name, truth = first_open(branches, branch_of(resource)) or ("", True)
            yield _no_role(resource, calls, f" where the condition '{name}' is {str(truth).lower()}" if name else "")


def _named(function: Function, role: Role) -> Value | Resource:
    """Where the template gives the function that role; the function itself where SAM makes one."""
    given = function.resource["Role"].located_texts()
    return next(
        (at for at, text in given if text.resource is role.resource), function.resource["Role"] or function.resource
    )


def _no_role(resource: Resource, calls: CodeCalls, where: str = "") -> Finding:
    first, more = calls.calls[0], len(calls.calls) - 1
    called = f"{_place(first.path, first.line)} {first.operation}" + (f" and {more} more" if more else "")
    return Finding(
        resource["Role"] or resource,
        f"The role of '{resource.logical_id}' is not part of this run{where}: whether it allows what the code calls"
        f" ({called}), and nothing else, cannot be told.",
        "Define the role in the same app, or check its template together with this one.",
        CANNOT_TELL,
    )


# --- missing ------------------------------------------------------------------------------------------------------


def _missing(index: Index, function: Function, role: Role, idle: list[_Idle]) -> Iterator[Finding]:
    by_what: dict[tuple[str, object, str, bool, object], list[Need]] = {}
    for need in needs_of(index, function, role):
        if need.is_required:
            by_what.setdefault((need.action, need.target, need.below, need.by_code, need.under), []).append(need)
    for needs in by_what.values():
        need = needs[0]
        deny = denying(role, need)
        answer = False if deny is not None else allowed(index, role, need)
        if answer is True:
            continue
        if answer is False and deny is None:
            meant = next(corrections(role, need), None)
            if meant is not None:
                yield _miswritten_finding(function, role, needs, meant)
                continue
        if answer is None:
            why, fix = _undecided(index, role, need)
            yield Finding(
                _named(function, role),
                f"{_needed(function, needs)}, and whether its role '{role.resource.logical_id}' allows it cannot be told:"
                f" {why}.",
                fix,
                CANNOT_TELL,
            )
            continue
        misplaced = None
        if deny is None:
            misplaced = next((grant for grant in idle if grant.is_in_the_place_of(need)), None)
        yield _missing_finding(function, role, needs, deny, misplaced)


def _missing_finding(
    function: Function,
    role: Role,
    needs: list[Need],
    deny: Statement | None,
    misplaced: _Idle | None,
) -> Finding:
    need = needs[0]
    name, at, needed = role.resource.logical_id, _named(function, role), _needed(function, needs)
    granting = granting_elsewhere(role, need) if deny is None else []
    to_another = granting_another_caller(role, need) if deny is None else None
    if deny is not None:
        why = f"and its role '{name}' denies it ({_statement(deny)})"
    elif granting:
        why = f"and its role '{name}' allows it only on {_granted_on(granting, misplaced)}"
    elif to_another is not None:
        by = _statement(to_another)
        why = f"and its role '{name}' allows it to others only, by the condition on lambda:SourceFunctionArn of {by}"
    else:
        why = f"and no statement of its role '{name}' allows it"
    fix = f"Allow {need.action} on {_arn(need)} in the role '{name}'" + (
        ", or remove the call." if need.by_code else ", or remove what needs it."
    )
    if deny is not None:
        fix = f"{'Remove the call, or narrow' if need.by_code else 'Narrow'} {_statement(deny)}: no Allow wins over a Deny."
    if misplaced is not None:
        at = misplaced.statement.where("Resource", misplaced.on[0])
        fix = _put_right(need, misplaced) + (", or correct what the call is given." if need.by_code else ".")
    return Finding(at, f"{needed}, {why}: {_refused(need)}.", fix)


def _undecided(index: Index, role: Role, need: Need) -> tuple[str, str]:
    """Why nobody can say whether a role allows what is needed, and what to do so that it can be said."""
    denial = possibly_denying(role, need)
    if denial is not None:
        if first_open(denial.branches, need.under) is not None:
            why = f"{_ground(denial)} denies it if {_where(denial, need)}"
        elif need.target is None:
            why = f"{_ground(denial)} denies it on some, and nobody knows what is worked with"
        else:
            why = f"{_ground(denial)} denies what only the deployment decides"
        return why, f"Take {need.action} out of that statement, or have it name by reference what it is about."
    some = allowed_in_some_branches(index, role, need)
    if some:
        where = " or ".join(dict.fromkeys(_where(one, need) for one in some))
        return (
            f"{' and '.join(_ground(one) for one in some[:_MOST_PLACES])} allows it, and is there only if {where}",
            f"Allow {need.action} on {_arn(need)} whatever the condition is, or put what needs it under the same condition.",
        )
    unseen = ", ".join(opaque_policies(role))
    own = f"Allow {need.action} on {_arn(need)} by a statement of the role '{role.resource.logical_id}'"
    if unseen:
        return (
            f"{unseen} is not part of this run",
            f"{own}, in place of {unseen}; or, if the policy is your own, check its template together with this one.",
        )
    return "what its statements name is only decided by the deployment", f"{own} that names it by reference."


def _ground(ground: Ground) -> str:
    return f"'{ground.what}'" if isinstance(ground.what, str) else _statement(ground.what)


def _where(ground: Ground, need: Need) -> str:
    """The condition on which a ground depends where it is needed."""
    name, truth = first_open(ground.branches, need.under) or ("", True)
    return f"the condition '{name}' is {str(truth).lower()}"


def _granted_on(granting: list[Statement], misplaced: _Idle | None) -> str:
    """The resources on which an action is granted, each with its statement; first the grant that is put right."""
    listed = [(misplaced.statement, misplaced.on)] if misplaced is not None else []
    listed += [(one, one.resources) for one in granting if misplaced is None or one is not misplaced.statement]
    shown = " and ".join(f"{_listed(on)} ({_statement(statement)})" for statement, on in listed[:_MOST_PLACES])
    return shown + (f" and {len(listed) - _MOST_PLACES} more" if len(listed) > _MOST_PLACES else "")


def _listed(on: tuple[Text, ...]) -> str:
    return ", ".join(f"'{text.pattern}'" for text in on)


def _put_right(need: Need, misplaced: _Idle) -> str:
    template = policy_template_of(misplaced.statement)
    if template:
        return f"Name {_shown(need)} in the policy template '{template}'"
    return f"Allow {need.action} on {_arn(need)} in place of {_listed(misplaced.on)}"


def _arn(need: Need) -> str:
    """What to write as a statement's resource."""
    target, end = need.target, ""
    if target is None:
        return _shown(need) if _shown(need) == "'*'" else "what it works with"
    if need.action.startswith("s3:"):
        end = "/*" if is_of_objects(need.action) else ""
        if isinstance(target, str) and "${" not in target:
            return f"'{target}{end}'" if target.startswith("arn:") else f"'arn:aws:s3:::{target}{end}'"
    elif need.below:
        end = f"/index/{need.below}"
    of = "the ARN of the stream of" if need.action in STREAM_ACTIONS else "the ARN of"
    name = target.logical_id if isinstance(target, Resource) else target
    return f"{of} '{name}'" + (f" followed by '{end}'" if end else "")


def _miswritten_finding(
    function: Function, role: Role, needs: list[Need], meant: tuple[Statement, Text, Correction]
) -> Finding:
    statement, text, right = meant
    return Finding(
        _named(function, role),
        f"{_needed(function, needs)}, and its role '{role.resource.logical_id}' allows that on '{text.pattern}'"
        f" ({_statement(statement)}): {right.why}, so that the statement never matches, and {_refused(needs[0])}.",
        f"Write '{right.written.pattern}' instead, or beside it where another action needs what stands there.",
    )


def _needed(function: Function, needs: list[Need]) -> str:
    need, name = needs[0], function.resource.logical_id
    places = "; ".join(one.reason for one in needs[:_MOST_PLACES])
    more = f" and {len(needs) - _MOST_PLACES} more" if len(needs) > _MOST_PLACES else ""
    who = f"'{name}'" if need.by_code else f"Lambda, for '{name}',"
    return f"{who} needs {need.action} on {_shown(need)} ({places}{more})"


def _refused(need: Need) -> str:
    if need.by_code:
        return "the call is refused with AccessDenied"
    return "it is refused, and what depends on it does not work"


def _shown(need: Need) -> str:
    target = need.target
    if target is None:
        known = iam_actions.action(need.action)
        return "'*'" if known is not None and not known.has_resource_level else "what it works with"
    name = target.logical_id if isinstance(target, Resource) else target
    return f"'{name}'" + (f", index '{need.below}'" if need.below and need.below != "*" else "")


def _statement(statement: Statement) -> str:
    template = policy_template_of(statement)
    if template:
        return f"policy template '{template}' of '{statement.owner.logical_id}'"
    return (
        f"statement '{statement.sid}' of '{statement.owner.logical_id}'"
        if statement.sid
        else f"'{statement.owner.logical_id}'"
    )


# --- unused -------------------------------------------------------------------------------------------------------


@dataclass(eq=False, slots=True)
class _Idle:
    """Actions that a statement allows on what nobody needs them on. `together` are those that were granted as one."""

    statement: Statement
    on: tuple[Text, ...]
    actions: list[Text]
    together: list[frozenset[str]]
    _taken: dict[str, Target] = field(default_factory=dict)

    def is_in_the_place_of(self, need: Need) -> bool:
        """Whether it allows the action that is missing elsewhere; it is then no longer a fault of its own.

        It is in the place of one resource only: what is missing on a second one is missing.
        """
        if need.target is None or not is_for(self.statement, need):
            return False
        for literal in [*(action.literal or "" for action in self.actions), *self._taken]:
            if matches(literal, need.action) and self._taken.get(literal, need.target) == need.target:
                one = frozenset({literal}).union(*(bundle for bundle in self.together if literal in bundle))
                self._taken |= dict.fromkeys(one, need.target)
                self.actions = [action for action in self.actions if action.literal not in one]
                return True
        return False


def _idle(index: Index, role: Role) -> Iterator[_Idle]:
    """What nobody needs of a role. Where something is not understood, what it might need is left alone."""
    everything = [operations_of(index, function) for function in role.functions]
    open_services: set[str] = set()
    for calls in everything:
        if not calls.has_code or calls.mistaught or any(not unknown.service for unknown in calls.unknown):
            return
        open_services |= {prefix_of(unknown.service) for unknown in calls.unknown}
    if open_services:
        open_services.add("kms")
    if not _is_only_for_functions(role):
        return
    useful = [need for function in role.functions for need in needs_of(index, function) if denying(role, need) is None]
    missing = [need for need in useful if need.is_required and allowed(index, role, need) is False]
    for statement in role.statements:
        if statement.kind == "identity" and statement.effect == "Allow":
            yield from _idle_of(statement, useful, missing, open_services)


def _is_only_for_functions(role: Role) -> bool:
    """Whether nobody but Lambda takes on the role: what others do with it, the functions' code does not show."""
    return all(
        principal.kind == "Service" and principal.text.literal in _FOR_LAMBDA
        for statement in role.trust
        if statement.effect == "Allow"
        for principal in statement.principals
    )


def _idle_of(statement: Statement, needs: list[Need], missing: list[Need], open_services: set[str]) -> Iterator[_Idle]:
    literals = [action.literal for action in statement.actions if action.literal]
    bundles = [bundle for bundle in BUNDLES if bundle <= set(literals)]
    if policy_template_of(statement):
        bundles = [frozenset(literals)]
    needs = [need for need in needs if is_for(statement, need)]
    idle: dict[tuple[Text, ...], list[Text]] = {}
    for action in statement.actions:
        literal = action.literal
        if literal is None or literal == "*" or literal.partition(":")[0] in open_services or literal.endswith(":*"):
            # What is that wide is `no-wildcard-actions`' to report.
            continue
        together = [bundle for bundle in bundles if literal in bundle] or [frozenset({literal})]
        # A library lists a table with its indexes, and a bucket with its objects, for every action.
        meant = [text for text in statement.resources if _works_on(literal, text)] or statement.resources
        on = tuple(
            text
            for text in meant
            if not any(_is_used(one, text, needs) or _is_miswritten(one, text, missing) for one in together)
        )
        if len(on) == len(meant):
            # It may name what the action does not work on besides: on everything, then.
            on = statement.resources
        if on:
            idle.setdefault(on, []).append(action)
    for on, actions in idle.items():
        yield _Idle(statement, on, actions, bundles)


def _unused_finding(index: Index, role: Role, grant: _Idle) -> Finding:
    statement, actions, on = grant.statement, grant.actions, grant.on
    names = ", ".join(f"'{function.resource.logical_id}'" for function in role.functions)
    listed = ", ".join(action.pattern for action in actions)
    where = "" if len(on) == len(statement.resources) else f" on {_listed(on)}"
    template = policy_template_of(statement)
    take = (
        f"Take the policy template '{template}' away, choose a narrower one, or write the statement that is needed."
        if template
        else f"Take {listed}{where} from the statement."
    )
    absent = dict.fromkeys(package for one in role.functions for package in operations_of(index, one).absent)
    if absent:
        packages = ", ".join(f"'{package}'" for package in absent)
        return Finding(
            statement.where("Action", actions[0]),
            f"'{role.resource.logical_id}' allows {listed}{where} ({_statement(statement)}), and nothing that was read needs"
            f" it. Whether {packages} does, which {names} imports and which is not among the code, cannot be told.",
            f"Check what is deployed, with its packages in it (after a build). {take[:-1]} if they do not call it, or say it"
            f" where they are imported. {HOW}",
            CANNOT_TELL,
        )
    return Finding(
        statement.where("Action", actions[0]),
        f"'{role.resource.logical_id}' allows {listed}{where} ({_statement(statement)}), and neither the code of {names} nor"
        " Lambda itself needs it: whoever gets hold of the role can do it all the same.",
        f"{take} If the code does call it in a way that was not seen, say so there. {HOW}",
    )


def _works_on(literal: str, text: Text) -> bool:
    """Whether an action works on that kind of resource at all."""
    pattern = text.pattern
    if "/index/" in pattern:
        return any("index/" in form for action in iam_actions.expand(literal) for form in action.arn_formats)
    if literal.lower().startswith("s3:"):
        is_object = "/" in pattern.rpartition(":::")[2] or pattern.endswith("/*")
        return any(is_of_objects(action.name) == is_object for action in iam_actions.expand(literal))
    return True


def _is_used(actions: frozenset[str], text: Text, needs: list[Need]) -> bool:
    """Whether one of the actions, which were granted together, is needed on a resource."""
    if actions == STREAM_READS:
        return any(_is_same_resource(text, need) for need in needs)
    for need in needs:
        if any(matches(action, need.action) for action in actions) and (
            covers(text, need) is not False or (len(actions) > 1 and _is_same_resource(text, need))
        ):
            return True
    return False


def _is_miswritten(actions: frozenset[str], text: Text, missing: list[Need]) -> bool:
    """Whether a resource is meant for what is missing, which is then the finding."""
    return any(
        any(matches(action, need.action) for action in actions) and correction(text, need) is not None
        for need in missing
    )


def _is_same_resource(text: Text, need: Need) -> bool:
    """Whether both are about one table, its indexes included, or one bucket with its objects."""
    return any(hole.resource is not None and hole.resource is need.target for hole in text.holes)


_FUNCTION: Final = """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
  Log: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 30}}
  Queue: {Type: AWS::SQS::Queue, Properties: {SqsManagedSseEnabled: true}}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.14
      Handler: index.handler
      Role: !GetAtt Role.Arn
      LoggingConfig: {LogGroup: !Ref Log}
      Environment: {Variables: {TABLE: !Ref Table, QUEUE_URL: !Ref Queue}}
      Code:
        ZipFile: |
          import os
          import boto3

          class Orders:
              def __init__(self, name):
                  self._table = boto3.resource("dynamodb").Table(name)

              def get(self, key):
                  return self._table.get_item(Key={"pk": key}).get("Item")

          orders = Orders(os.environ["TABLE"])

          def handler(event, context):
              return orders.get(event["id"])
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: work
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: [logs:CreateLogStream, logs:PutLogEvents], Resource: !GetAtt Log.Arn}
"""


def _granted(*statements: str) -> str:
    return _FUNCTION + "".join(f"              - {statement}\n" for statement in statements)


_POLLED: Final = (
    "{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Table.Arn}",
    "{Effect: Allow, Action: [sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes], Resource: !GetAtt Queue.Arn}",
)
_KEPT_FROM_CODE: Final = (
    "{{Sid: NotFromCode, Effect: Deny, Action: 'sqs:*', Resource: '*', Condition: {{{operator}:"
    " {{lambda:SourceFunctionArn: 'arn:aws:lambda:*:*:function:*'}}}}}}"
)
_MAPPING: Final = """
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !Ref Function, EventSourceArn: !GetAtt Queue.Arn}
"""


RULE = Rule(
    slug="role-matches-code",
    group="Roles",
    sentence="A function's role allows what its code calls, on what it calls it on, and nothing else.",
    reason=(
        "A permission that the code needs and the role lacks is an outage at the first call. One that the role has and"
        " nobody needs is what an intruder finds: the delete on a table that the code only reads. Both are visible before"
        " the deployment, in the code and in the template."
    ),
    remedy=(
        "Allow what is missing on the resource that the finding names; take away what nobody needs. Every call of the SDK"
        " that is reached from the handler counts, through whatever wrappers of your own: what a call goes to is followed"
        " through arguments and variables of the environment into the template. So does what Lambda does with the role: its"
        " log, network interfaces, traces, event sources, destinations, and the keys of what is encrypted. What it does from"
        " outside your code can be kept from the code by a Deny with ArnEquals on lambda:SourceFunctionArn. A grant of the"
        " CDK (grant_read_data) or a policy template of SAM is one decision: it is used if any part of it is. Where the code"
        " decides at run time what it calls, say it at the end of the line: `# aws: dynamodb:PutItem on TABLE, sqs:SendMessage`"
        " or `# aws: none`; for code that is not Python, in the function's Metadata: `AwsOperations: [dynamodb:PutItem]`. Only"
        " functions whose code is part of the run are judged; code that a template names beside it (CodeUri: src/) and that is"
        " not there is told as what could not be read, for it was never checked."
    ),
    applies_to=FUNCTION_TYPES,
    on_resource=_role_and_code,
    bad=(
        Example(
            "reads-and-may-delete",
            _granted("{Effect: Allow, Action: [dynamodb:GetItem, dynamodb:DeleteItem], Resource: !GetAtt Table.Arn}"),
            finding="allows dynamodb:DeleteItem",
        ),
        Example(
            "may-not-read",
            _granted("{Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt Table.Arn}"),
            finding="needs dynamodb:GetItem on 'Table' (index.py:9 GetItem on TABLE)",
        ),
        Example(
            "reads-another-resource",
            _granted(
                "{Effect: Allow, Action: dynamodb:GetItem, Resource: !Sub 'arn:aws:dynamodb:*:${AWS::AccountId}:table/other'}"
            ),
            finding="needs dynamodb:GetItem on 'Table'",
        ),
        Example(
            "one-queue-too-many",
            _granted(
                "{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Table.Arn}",
                "{Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn}",
            ),
            finding="allows sqs:SendMessage",
        ),
        Example(
            "secret-without-its-six-characters",
            _granted(
                "{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Table.Arn}",
                "{Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: 'arn:aws:secretsmanager:*:123456789012:secret:prod/db'}",
            ).replace(
                'return orders.get(event["id"])',
                'return boto3.client("secretsmanager").get_secret_value(SecretId="prod/db"), orders.get(event["id"])',
            ),
            finding="a secret's ARN goes on with a hyphen and six characters that AWS adds to the name",
        ),
        Example(
            "denied-again",
            _granted(
                "{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Table.Arn}",
                "{Sid: NoReads, Effect: Deny, Action: 'dynamodb:Get*', Resource: '*'}",
            ),
            finding="denies it (statement 'NoReads' of 'Role')",
        ),
        Example(
            "receives-what-is-kept-for-the-poller",
            _granted(*_POLLED, _KEPT_FROM_CODE.format(operator="ArnEquals")).replace(
                'return orders.get(event["id"])',
                'return boto3.client("sqs").receive_message(QueueUrl=os.environ["QUEUE_URL"]), orders.get(event["id"])',
            )
            + _MAPPING,
            finding="'Function' needs sqs:ReceiveMessage on 'Queue' (index.py:14 ReceiveMessage on QUEUE_URL), and its role",
        ),
        Example(
            "deny-for-code-that-stops-the-poller",
            _granted(*_POLLED, _KEPT_FROM_CODE.format(operator="ArnEqualsIfExists")) + _MAPPING,
            finding="Lambda, for 'Function', needs sqs:ReceiveMessage on 'Queue' (event source mapping 'Mapping')",
        ),
        Example(
            "decided-at-run-time",
            _granted("{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Table.Arn}").replace(
                "self._table.get_item(", "getattr(self._table, os.environ['METHOD'])("
            ),
            severity="cannot-tell",
            finding="index.py:9: which operation of dynamodb is called is decided at run time",
        ),
        Example(
            "taught-with-a-typo",
            _granted("{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Table.Arn}").replace(
                '.get("Item")', '.get("Item")  # aws: dynamodb:GetItems'
            ),
            finding="'dynamodb' has no operation or action 'GetItems'",
        ),
    ),
    good=(
        Example(
            "what-it-calls-and-no-more",
            _granted("{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Table.Arn}"),
        ),
        Example(
            "polled-by-lambda-and-kept-from-code",
            _granted(*_POLLED, _KEPT_FROM_CODE.format(operator="ArnEquals")) + _MAPPING,
        ),
        Example(
            "secret-by-its-name",
            _granted(
                "{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Table.Arn}",
                "{Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-??????'}",
            ).replace(
                'return orders.get(event["id"])',
                'return boto3.client("secretsmanager").get_secret_value(SecretId="prod/db"), orders.get(event["id"])',
            ),
        ),
        Example(
            "taught",
            _granted("{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Table.Arn}").replace(
                'self._table.get_item(Key={"pk": key}).get("Item")',
                'getattr(self._table, os.environ["METHOD"])(Key={"pk": key})  # aws: dynamodb:GetItem on TABLE',
            ),
        ),
        Example(
            "policy-template-of-sam",
            """
Transform: AWS::Serverless-2016-10-31
Resources:
  Table: {Type: AWS::Serverless::SimpleTable}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.14
      Handler: index.handler
      Environment: {Variables: {TABLE: !Ref Table}}
      Policies: [{DynamoDBReadPolicy: {TableName: !Ref Table}}]
      InlineCode: |
        import os
        import boto3
        def handler(event, context):
            client = boto3.client("dynamodb")
            return client.get_item(TableName=os.environ["TABLE"], Key={"id": {"S": event["id"]}})
""",
        ),
        Example(
            "code-elsewhere",
            """
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.14
      Handler: index.handler
      Role: arn:aws:iam::123456789012:role/worker
      Code: {S3Bucket: artifacts, S3Key: worker.zip}
""",
        ),
        Example(
            "another-language-and-told",
            """
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {KmsMasterKeyId: alias/aws/sns}}
  Function:
    Type: AWS::Lambda::Function
    Metadata: {AwsOperations: [sns:Publish on TOPIC]}
    Properties:
      Runtime: nodejs24.x
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Environment: {Variables: {TOPIC: !Ref Topic}}
      Code: {ZipFile: "exports.handler = async () => {}"}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]
      Policies:
        - PolicyName: work
          PolicyDocument: {Statement: [{Effect: Allow, Action: sns:Publish, Resource: !Ref Topic}]}
""",
        ),
    ),
)
