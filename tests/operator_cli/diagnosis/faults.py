"""Faults of the recorded function: what each changes, the one cause that it gets, and which others it excludes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from operator_cli.diagnosis.cause import Slug
from tests.operator_cli.conftest import KEY_ID, SECRET, SESSION_TOKEN, TEMPORARY_KEY_ID
from tests.operator_cli.diagnosis.recorded import (
    ACCOUNT,
    KEY,
    NAME,
    QUEUE,
    REGION,
    ROLE,
    TABLE,
    Recorded,
    acl_entries,
    deny,
    document,
    statement,
    to_group,
    to_prefix_list,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Fault(NamedTuple):
    """One fault.

    Attributes:
        slug: The cause that it gets.
        plant: Plants it.
        changes: What it changes or takes away, in words parted by spaces. A fault of something that is not there cannot be
            told: faults that share a word are no pair.
    """

    slug: Slug
    plant: Callable[[Recorded], Any]
    changes: str

    def is_independent_of(self, other: Fault) -> bool:
        """Whether both can be there, and be seen."""
        return not {*self.changes.split()} & {*other.changes.split()}


def _variables(**variables: str) -> Callable[[Recorded], Any]:
    return lambda recorded: recorded.variables.update(variables)


def _code(text: str) -> Callable[[Recorded], Any]:
    return lambda recorded: recorded.files.update({"app/index.py": text})


def _more_code(text: str) -> Callable[[Recorded], Any]:
    return lambda recorded: recorded.files.update({"app/other.py": text})


def _endpoint(name: str, **changes: object) -> Callable[[Recorded], Any]:
    return lambda recorded: recorded.endpoints[name].update(changes)


def _group(name: str, **changes: object) -> Callable[[Recorded], Any]:
    return lambda recorded: recorded.groups[name].update(changes)


def _role(*statements: Mapping[str, Any]) -> Callable[[Recorded], Any]:
    return lambda recorded: recorded.inline.update(work=document(*statements))


def _logs(*texts: str) -> Callable[[Recorded], Any]:
    return lambda recorded: recorded.logs(*texts)


def _denied(why: str, *, action: str = "sqs:SendMessage", on: str = f" on resource: {QUEUE}") -> str:
    return (
        "[ERROR] ClientError: An error occurred (AccessDenied) when calling the SendMessage operation: User:"
        f" arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{NAME} is not authorized to perform: {action}{on} {why}"
    )


def _without_subnet(recorded: Recorded) -> None:
    recorded.tables["rtb-1"]["Associations"].pop()


def _igw(recorded: Recorded) -> None:
    del recorded.endpoints["vpce-queue"]
    recorded.tables["rtb-1"]["Routes"].append(
        {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}
    )


_PUT: Final = statement("dynamodb:PutItem", TABLE)
_SEND: Final = statement("sqs:SendMessage", QUEUE)

OTHER: Final = "999999999999"
OF_ROLE: Final = {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"}


def _refuses(store: str, *statements: Mapping[str, Any]) -> Callable[[Recorded], Any]:
    """Add statements to what a store's policy refuses."""
    return lambda recorded: recorded.policies.update(
        {store: document(*recorded.policies[store]["Statement"], *statements)}  # type: ignore[index] # it has one
    )


def _elsewhere(sid: str, action: str, store: str) -> Callable[[Recorded], Any]:
    """Refuse the role what does not come through an endpoint that is not the function's."""
    condition = {"ArnEquals": OF_ROLE, "StringNotEquals": {"aws:SourceVpce": "vpce-old"}}
    return _refuses(store, deny(sid, action, store, **condition))


def _key(store: str, *role: Mapping[str, Any], policy: Mapping[str, Any] | None = None) -> Callable[[Recorded], Any]:
    """Encrypt a store with a customer's key."""

    def plant(recorded: Recorded) -> None:
        recorded.encryption[store] = KEY
        recorded.inline["key"] = document(*role)
        if policy is not None:
            recorded.key_policies[KEY] = document(policy)

    return plant


USES_KEY: Final = statement(["kms:Decrypt", "kms:GenerateDataKey"], KEY)
_ANOTHERS: Final = {
    "Sid": "AnotherRole",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/another"},
    "Action": "kms:*",
    "Resource": "*",
}

PASSES_KEY: Final = """\
import os

import boto3

QUEUE = boto3.client("sqs", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
                     aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"])
"""

FAULTS: Final[Mapping[str, Fault]] = {
    # --- whether it has an identity ---
    "update-failed": Fault(
        Slug.NOT_ACTIVE,
        lambda r: r.configuration.update(
            LastUpdateStatus="Failed", LastUpdateStatusReason="The subnet has no addresses"
        ),
        "state",
    ),
    "role-deleted": Fault(
        Slug.ROLE_MISSING, lambda r: setattr(r, "trust", None), "role boundary trust queue-endpoint queue table key"
    ),
    "role-trusts-another-service": Fault(
        Slug.ROLE_TRUST,
        lambda r: setattr(
            r,
            "trust",
            document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}),
        ),
        "trust",
    ),
    "role-trusts-another-function": Fault(
        Slug.ROLE_TRUST,
        lambda r: setattr(
            r,
            "trust",
            document(
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                    "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:another"}},
                }
            ),
        ),
        "trust",
    ),
    # --- who signs ---
    "key-without-token": Fault(Slug.EXPLICIT_KEY, _more_code(PASSES_KEY), "other-code"),
    "settings-key": Fault(
        Slug.EXPLICIT_KEY,
        _more_code(
            "import boto3\nfrom pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n"
            '    aws_access_key_id: str = ""\n    aws_secret_access_key: str = ""\n\n\nsettings = Settings()\n'
            'SQS = boto3.client("sqs", aws_access_key_id=settings.aws_access_key_id,'
            " aws_secret_access_key=settings.aws_secret_access_key)\n"
        ),
        "other-code",
    ),
    "token-removed": Fault(
        Slug.REMOVED_CREDENTIALS,
        _more_code('import os\n\nos.environ.pop("AWS_SESSION_TOKEN", None)\n'),
        "other-code",
    ),
    "secret-removed": Fault(
        Slug.REMOVED_CREDENTIALS, _more_code('import os\n\ndel os.environ["AWS_SECRET_ACCESS_KEY"]\n'), "other-code"
    ),
    "environment-cleared": Fault(
        Slug.REMOVED_CREDENTIALS, _more_code("import os\n\nos.environ.clear()\n"), "other-code"
    ),
    "token-unset-for-others": Fault(
        Slug.CODE_TOUCHES_CREDENTIALS, _more_code('import os\n\nos.unsetenv("AWS_SESSION_TOKEN")\n'), "other-code"
    ),
    "profile-in-code": Fault(
        Slug.STALE_PROFILE, _more_code('import boto3\n\nSESSION = boto3.Session(profile_name="dev")\n'), "other-code"
    ),
    "key-in-code": Fault(Slug.LONG_LIVED_KEY, _more_code(f'KEY = "{KEY_ID}"\n'), "other-code"),
    "assumed-session-kept": Fault(
        Slug.COPIED_SESSION,
        _more_code(
            "import os\n\nimport boto3\n\nSQS = boto3.client('sqs', aws_access_key_id=os.environ['ID'],"
            " aws_secret_access_key=os.environ['SECRET'], aws_session_token=os.environ['TOKEN'])\n"
        ),
        "other-code",
    ),
    "profile-set-by-code": Fault(
        Slug.CODE_TOUCHES_CREDENTIALS, _more_code('import os\n\nos.environ["AWS_PROFILE"] = "dev"\n'), "other-code"
    ),
    "user-key": Fault(Slug.LONG_LIVED_KEY, _variables(SENDER_ID=KEY_ID, SENDER_SECRET=SECRET[:40]), "variables-key"),
    "secret-alone": Fault(
        Slug.LONG_LIVED_KEY,
        _variables(SENDER_SECRET_ACCESS_KEY=SECRET[:40]),
        "variables-key",
    ),
    "session-copied": Fault(
        Slug.COPIED_SESSION, _variables(SENDER_ID=TEMPORARY_KEY_ID, SENDER_TOKEN=SESSION_TOKEN), "variables-key"
    ),
    "profile": Fault(Slug.STALE_PROFILE, _variables(AWS_PROFILE="dev"), "variables-profile"),
    "default-profile": Fault(Slug.STALE_PROFILE, _variables(AWS_DEFAULT_PROFILE="dev"), "variables-profile"),
    "config-file": Fault(Slug.OTHER_SOURCE, _variables(AWS_CONFIG_FILE="/opt/config"), "variables-source"),
    "container-uri": Fault(
        Slug.OTHER_SOURCE, _variables(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1/x"), "variables-source"
    ),
    "region": Fault(Slug.RESERVED_VARIABLE, _variables(AWS_REGION=REGION), "variables-reserved"),
    "reserved-key": Fault(Slug.RESERVED_VARIABLE, _variables(AWS_ACCESS_KEY_ID=KEY_ID), "variables-reserved"),
    "old-token": Fault(Slug.LEFTOVER_TOKEN, _variables(AWS_SECURITY_TOKEN=SESSION_TOKEN), "variables-token"),
    "override": Fault(Slug.ENDPOINT_OVERRIDE, _variables(AWS_ENDPOINT_URL_SQS="https://sqs.example"), "variables-url"),
    "override-all": Fault(Slug.ENDPOINT_OVERRIDE, _variables(AWS_ENDPOINT_URL="https://aws.example"), "variables-url"),
    "global-sts": Fault(Slug.GLOBAL_STS, _variables(AWS_STS_REGIONAL_ENDPOINTS="legacy"), "variables-sts"),
    # --- whether calls arrive ---
    "no-queue-endpoint": Fault(
        Slug.MISSING_ENDPOINT, lambda r: r.endpoints.pop("vpce-queue"), "queue-endpoint doors dns"
    ),
    "endpoint-elsewhere": Fault(
        Slug.MISSING_ENDPOINT, _endpoint("vpce-queue", VpcId="vpc-2"), "queue-endpoint doors dns"
    ),
    "internet-gateway-only": Fault(Slug.MISSING_ENDPOINT, _igw, "queue-endpoint doors dns"),
    "private-dns-off": Fault(Slug.PRIVATE_DNS, _endpoint("vpce-queue", PrivateDnsEnabled=False), "queue-endpoint dns"),
    "no-dns-host-names": Fault(Slug.VPC_DNS, lambda r: r.dns.update(enableDnsHostnames=False), "dns"),
    "no-dns-support": Fault(Slug.VPC_DNS, lambda r: r.dns.update(enableDnsSupport=False), "dns"),
    "no-table-endpoint": Fault(Slug.MISSING_ENDPOINT, lambda r: r.endpoints.pop("vpce-tables"), "table-endpoint"),
    "endpoint-in-other-table": Fault(
        Slug.ROUTE_TABLE, _endpoint("vpce-tables", RouteTableIds=["rtb-main"]), "table-endpoint"
    ),
    "endpoint-in-no-table": Fault(Slug.ROUTE_TABLE, _endpoint("vpce-tables", RouteTableIds=[]), "table-endpoint"),
    "one-subnet-not-associated": Fault(Slug.ROUTE_TABLE, _without_subnet, "table-endpoint"),
    "function-in-other-group": Fault(
        Slug.SECURITY_GROUP,
        lambda r: r.configuration["VpcConfig"].update(SecurityGroupIds=["sg-other"]),
        "groups doors",
    ),
    "nothing-leaves": Fault(Slug.SECURITY_GROUP, _group("sg-functions", IpPermissionsEgress=[]), "groups"),
    "wrong-prefix-list": Fault(
        Slug.SECURITY_GROUP,
        _group("sg-functions", IpPermissionsEgress=[to_group("sg-doors"), to_prefix_list("pl-s3")]),
        "groups table-endpoint",
    ),
    "doors-admit-nobody": Fault(Slug.SECURITY_GROUP, _group("sg-doors", IpPermissions=[]), "groups doors"),
    "doors-admit-another-port": Fault(
        Slug.SECURITY_GROUP,
        _group("sg-doors", IpPermissions=[{**to_group("sg-functions"), "FromPort": 80, "ToPort": 80}]),
        "groups doors",
    ),
    "acl-denies": Fault(
        Slug.NETWORK_ACL, lambda r: r.acls["acl-default"].update(Entries=acl_entries("deny", 32767)), "subnets"
    ),
    # --- whether calls are allowed ---
    "missing-action": Fault(Slug.MISSING_ACTION, _role(_PUT), "role"),
    "wrong-resource": Fault(Slug.WRONG_RESOURCE, _role(_PUT, statement("sqs:SendMessage", f"{QUEUE}-2")), "role"),
    "denied-by-role": Fault(
        Slug.EXPLICIT_DENY, _role(_PUT, _SEND, {**statement("sqs:*", "*"), "Effect": "Deny"}), "role"
    ),
    "boundary": Fault(
        Slug.BOUNDARY, lambda r: setattr(r, "boundary", document(statement("dynamodb:*", "*"))), "boundary"
    ),
    "endpoint-policy": Fault(
        Slug.ENDPOINT_POLICY,
        _endpoint(
            "vpce-queue", PolicyDocument=json.dumps(document(statement("sqs:ReceiveMessage", QUEUE, Principal="*")))
        ),
        "queue-endpoint",
    ),
    "endpoint-policy-for-another-role": Fault(
        Slug.ENDPOINT_POLICY,
        _endpoint(
            "vpce-queue",
            PolicyDocument=json.dumps(
                document(
                    statement(
                        "sqs:SendMessage",
                        QUEUE,
                        Principal="*",
                        Condition={"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/another"}},
                    )
                )
            ),
        ),
        "queue-endpoint",
    ),
    # --- whether the resources and their keys let it in ---
    "queue-through-another-endpoint": Fault(
        Slug.QUEUE_POLICY, _elsewhere("ApiThroughEndpoint", "sqs:SendMessage", QUEUE), "queue queue-endpoint groups"
    ),
    "queue-of-other-accounts": Fault(
        Slug.QUEUE_POLICY,
        _refuses(QUEUE, deny("OthersOnly", "sqs:*", QUEUE, StringNotEquals={"aws:PrincipalAccount": OTHER})),
        "queue",
    ),
    "queue-for-nobody": Fault(Slug.QUEUE_POLICY, _refuses(QUEUE, deny("Nobody", "sqs:Send*", QUEUE)), "queue"),
    "table-through-another-endpoint": Fault(
        Slug.TABLE_POLICY, _elsewhere("ApiThroughEndpoint", "dynamodb:PutItem", TABLE), "table table-endpoint groups"
    ),
    "table-of-another-account": Fault(
        Slug.TABLE_POLICY,
        lambda r: r.policies.update(
            {TABLE: document(deny("NoStrangers", "dynamodb:*", TABLE, StringNotEquals={"aws:PrincipalAccount": OTHER}))}
        ),
        "table",
    ),
    "key-not-allowed": Fault(Slug.KEY_PERMISSION, _key(QUEUE), "key boundary"),
    "key-half-allowed": Fault(Slug.KEY_PERMISSION, _key(QUEUE, statement("kms:Decrypt", KEY)), "key boundary"),
    "tables-key-not-allowed": Fault(Slug.KEY_PERMISSION, _key(TABLE), "key boundary"),
    "key-allowed-through-another-service": Fault(
        Slug.KEY_PERMISSION,
        _key(
            TABLE,
            {
                **USES_KEY,
                "Condition": {"StringEquals": {"kms:ViaService": f"sqs.{REGION}.amazonaws.com"}},
            },
        ),
        "key boundary",
    ),
    "key-for-another-role": Fault(Slug.KEY_POLICY, _key(QUEUE, USES_KEY, policy=_ANOTHERS), "key"),
    "key-through-another-service": Fault(
        Slug.KEY_POLICY,
        _key(
            TABLE,
            USES_KEY,
            policy={
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "kms:*",
                "Resource": "*",
                "Condition": {"StringEquals": {"kms:ViaService": f"sqs.{REGION}.amazonaws.com"}},
            },
        ),
        "key",
    ),
    # --- what only the log shows ---
    "logged-expiry": Fault(
        Slug.COPIED_SESSION,
        _logs("An error occurred (ExpiredTokenException) when calling the PutItem operation"),
        "log",
    ),
    "logged-unknown-signer": Fault(
        Slug.UNKNOWN_SIGNER,
        _logs(
            "An error occurred (UnrecognizedClientException) when calling the PutItem operation: The security token"
            " included in the request is invalid."
        ),
        "log",
    ),
    "logged-signature": Fault(
        Slug.WRONG_SECRET,
        _logs("An error occurred (SignatureDoesNotMatch) when calling the ListBuckets operation"),
        "log",
    ),
    "logged-no-credentials": Fault(
        Slug.NO_CREDENTIALS, _logs("botocore.exceptions.NoCredentialsError: Unable to locate credentials"), "log"
    ),
    "logged-profile": Fault(
        Slug.STALE_PROFILE,
        _logs("botocore.exceptions.ProfileNotFound: The config profile (x) could not be found"),
        "log",
    ),
    "logged-clock": Fault(
        Slug.CLOCK, _logs("An error occurred (RequestTimeTooSkewed) when calling the PutObject"), "log"
    ),
    "logged-import": Fault(
        Slug.NOT_CREDENTIALS, _logs("[ERROR] Runtime.ImportModuleError: Unable to import module 'index'"), "log"
    ),
    "logged-memory": Fault(
        Slug.NOT_CREDENTIALS, _logs("RequestId: 1 Error: Runtime exited with error: signal: killed"), "log"
    ),
    "logged-scp": Fault(Slug.ORGANISATION, _logs(_denied("with an explicit deny in a service control policy")), "log"),
    "logged-rcp": Fault(
        Slug.ORGANISATION, _logs(_denied("because no resource control policy allows the sqs:SendMessage action")), "log"
    ),
    "logged-endpoint-policy": Fault(
        Slug.ENDPOINT_POLICY, _logs(_denied("because no VPC endpoint policy allows the sqs:SendMessage action")), "log"
    ),
    "logged-boundary": Fault(
        Slug.BOUNDARY, _logs(_denied("because no permissions boundary allows the sqs:SendMessage action")), "log"
    ),
    "logged-session-policy": Fault(
        Slug.SESSION_POLICY, _logs(_denied("because no session policy allows the sqs:SendMessage action")), "log"
    ),
    "logged-resource-policy": Fault(
        Slug.RESOURCE_POLICY, _logs(_denied("with an explicit deny in a resource-based policy")), "log queue"
    ),
    "logged-identity-deny": Fault(
        Slug.EXPLICIT_DENY, _logs(_denied("with an explicit deny in an identity-based policy")), "log"
    ),
    "logged-missing-action": Fault(
        Slug.MISSING_ACTION,
        _logs(
            _denied("because no identity-based policy allows the sqs:PurgeQueue action", action="sqs:PurgeQueue", on="")
        ),
        "log role",
    ),
    "logged-wrong-resource": Fault(
        Slug.WRONG_RESOURCE,
        _logs(
            _denied("because no identity-based policy allows the sqs:SendMessage action", on=f" on resource: {QUEUE}-2")
        ),
        "log role",
    ),
}
