"""The application as it is deployed to AWS, diagnosed: its own policies on every side, and nothing to say."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from operator_cli.commands.diagnose import examine
from operator_cli.diagnosis.cause import Slug
from stacks.settings import Function, Service
from tests.operator_cli.diagnosis.recorded import Recorded, document, https
from tests.stacks.asking import ADMINISTRATOR, ORGANISATION, Case

if TYPE_CHECKING:
    from collections.abc import Mapping

    from operator_cli.diagnosis.conclusion import Diagnosis
    from tests.stacks.cloud_assembly import Assembly, Resource

SOURCE: Final = Path(__file__).resolve().parents[2] / "lambda_src"
GATEWAYS: Final = {Service.DYNAMODB, Service.S3}


class Told(Recorded):
    """What AWS would tell of one function of a deployment: its roles, stores, endpoints and key as they are synthesised.

    Its network is a plain one: that of the stacks is judged where it is synthesised.
    """

    def __init__(self, case: Case, function: Function) -> None:
        super().__init__()
        deployed, settings = case.deployed, case.deployed.settings
        api = deployed.assembly.api
        resource = _function(case, function)
        properties = resource.properties
        name, place = settings.function_name(function), f"{settings.region}:{deployed.account}"
        self.configuration |= {
            "FunctionName": name,
            "FunctionArn": f"arn:aws:lambda:{place}:function:{name}",
            "Handler": properties["Handler"],
            "Role": f"arn:aws:iam::{deployed.account}:role/{settings.role_name(function)}",
        }
        variables: Mapping[str, Any] = properties["Environment"]["Variables"]
        physical = {f"<{each.path}>": deployed.arn(each) for each in deployed.assembly.data.of_type(*_STORED)}
        self.variables = {
            key: _physical(deployed.text(api, value), physical, settings.region) for key, value in variables.items()
        }
        self.files = {
            path.relative_to(SOURCE).as_posix(): path.read_text("utf-8") for path in SOURCE.rglob("event_api/*.py")
        }
        self.inline = copy.deepcopy({str(number): each for number, each in enumerate(case.identity[function])})
        self.organisation = ORGANISATION if settings.organization else ""
        self.boundary = ADMINISTRATOR if settings.permissions_boundary else None
        self.policies = copy.deepcopy(dict(case.policies))
        self.endpoints = {
            identifier: {
                "VpcEndpointType": "Gateway" if service in GATEWAYS else "Interface",
                "ServiceName": f"com.amazonaws.{settings.region}.{service}",
                "RouteTableIds": ["rtb-1"],
                "SubnetIds": list(self.subnets),
                "Groups": [{"GroupId": "sg-doors"}],
                "PrivateDnsEnabled": True,
                "PolicyDocument": json.dumps(policy),
            }
            for service, (identifier, policy) in case.endpoints.items()
        }
        everywhere = https(IpRanges=[{"CidrIp": "0.0.0.0/0"}])
        self.groups["sg-functions"]["IpPermissionsEgress"] = [everywhere]
        for key in deployed.assembly.data.of_type("AWS::KMS::Key"):
            arn = deployed.arn(key)
            self.encryption = dict.fromkeys(self.policies, arn)
            self.key_policies = {arn: deployed.document(deployed.assembly.data, key.properties["KeyPolicy"])}


_STORED: Final = ("AWS::DynamoDB::GlobalTable", "AWS::SQS::Queue", "AWS::S3::Bucket")


def _function(case: Case, function: Function) -> Resource:
    named = case.deployed.settings.function_name(function)
    api = case.deployed.assembly.api
    (found,) = (
        each
        for each in api.of_type("AWS::Lambda::Function")
        if case.deployed.text(api, each.properties["FunctionName"]) == named
    )
    return found


def _physical(text: str, arns: Mapping[str, str], region: str) -> str:
    """Give what a reference to a store stands for: a queue's URL, else a name."""
    arn = arns.get(text)
    if arn is None:
        return text
    *_, account, name = arn.split(":")
    if ":sqs:" in arn:
        return f"https://sqs.{region}.amazonaws.com/{account}/{name}"
    return name.rpartition("/")[2]


def diagnose(told: Told) -> Diagnosis:
    """Diagnose a function."""
    return examine(told, told.configuration["FunctionName"])


@pytest.fixture(scope="module", params=["dev", "prod"])
def case(request: pytest.FixtureRequest) -> Case:
    """A deployment with the keys of AWS's services, and one of an organisation with a key of its own."""
    return Case(request.getfixturevalue(request.param))


@pytest.mark.parametrize("function", Function)
def test_a_deployed_function_has_nothing_wrong(case: Case, function: Function) -> None:
    """Its role, the endpoints, the stores' policies and their key agree on what its code does."""
    diagnosis = diagnose(Told(case, function))
    assert (diagnosis.causes, diagnosis.doubts) == ((), ())


@pytest.fixture(scope="module")
def with_key(prod: Assembly) -> Case:
    """The deployment with a key of its own."""
    return Case(prod)


def test_behind_other_endpoints_each_store_refuses_by_its_own_statement(with_key: Case) -> None:
    """As after a replacement of the network: the API function uses a table, the queue and the bucket."""
    told = Told(with_key, Function.API)
    told.endpoints = {f"vpce-{number}": each for number, each in enumerate(told.endpoints.values())}
    causes = {cause.slug: cause for cause in diagnose(told).causes}
    assert causes.keys() == {Slug.TABLE_POLICY, Slug.QUEUE_POLICY, Slug.BUCKET_POLICY}
    for cause in causes.values():
        assert any("statement 'ApiThroughEndpoint' denies it" in line for line in cause.evidence)


def test_a_role_without_its_grants_on_the_key_is_told_what_it_lacks(with_key: Case) -> None:
    """For each service by itself: the grants are as narrow as those that the stack makes."""
    told = Told(with_key, Function.API)
    for policy in told.inline.values():
        policy["Statement"] = [each for each in policy["Statement"] if "kms:" not in json.dumps(each["Action"])]
    causes = diagnose(told).causes
    assert {cause.slug for cause in causes} == {Slug.KEY_PERMISSION}
    services = {f"{service}.{with_key.deployed.settings.region}.amazonaws.com" for service in ("dynamodb", "sqs", "s3")}
    assert {service for service in services for cause in causes if service in cause.fix} == services
    told.inline["key"] = document(*(json.loads(cause.fix[cause.fix.index("{") :]) for cause in causes))
    assert diagnose(told).is_healthy
