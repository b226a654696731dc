"""How the stacks hang together, and that deployments do not get in each other's way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stacks.cloud_assembly import STACKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stacks.cloud_assembly import Assembly, Json

NAME_OF = {
    "AWS::ApiGatewayV2::Api": None,
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::GlobalTable": "TableName",
    "AWS::EC2::SecurityGroup": "GroupName",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::KMS::Key": None,
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Scheduler::Schedule": "Name",
}
"""The property that holds a resource's physical name; an API's name need not be unique, and a key has none."""

NOT_REGIONAL = ("AWS::IAM::Role", "AWS::CloudWatch::Dashboard", "AWS::S3::Bucket")
"""Types whose names an account has once, whatever the region. CloudWatch says so of dashboards in PutDashboard."""


def _depends_on(assembly: Assembly) -> dict[str, set[str]]:
    """Give each stack's dependencies on our other stacks, as the CLI reads them."""
    part_of = {assembly.stack(part): part for part in STACKS}
    return {
        part: {
            part_of[name]
            for name in assembly.manifest["artifacts"][assembly.stack(part)].get("dependencies", [])
            if name in part_of
        }
        for part in STACKS
    }


def test_stacks_are_deployed_network_first_then_data_then_api(deployment: Assembly) -> None:
    """One direction, no circle: the stores' policies name the endpoints, and the functions are placed between both."""
    depends = _depends_on(deployment)
    assert depends["Network"] == set()
    assert depends["Data"] == {"Network"}
    assert "Network" in depends["Api"]
    assert depends["Api"] <= {"Data", "Network"}


def _imports(value: Json) -> Iterator[str]:
    match value:
        case {"Fn::ImportValue": str(name)}:
            yield name
        case dict():
            for inner in value.values():
                yield from _imports(inner)
        case list():
            for inner in value:
                yield from _imports(inner)


def test_a_stack_imports_only_from_those_that_are_deployed_before_it(deployment: Assembly) -> None:
    """What the templates really refer to is in the order that the manifest states."""
    depends = _depends_on(deployment)
    for part, template in deployment.templates.items():
        for name in _imports(template.content):
            exporter = name.partition(":")[0].rpartition("-")[2]
            assert exporter in depends[part]
            assert deployment.exported(name)


def _names(assembly: Assembly) -> set[tuple[str, str]]:
    """Give the physical names that are stated, by type, with account and region as the template has them."""
    found = set()
    for template, resource in assembly.of_type(*NAME_OF):
        name = resource.properties.get(NAME_OF[resource.type] or "")
        if name:
            text = template.text(name).replace("<AWS::Region>", assembly.region)
            found.add((resource.type, text))
    return found


def test_every_type_that_we_deploy_is_known_to_these_tests(deployment: Assembly) -> None:
    """A type whose physical names are not looked at could collide unseen."""
    nameless = {
        *("AWS::ApiGatewayV2::Authorizer", "AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::Route"),
        *("AWS::ApiGatewayV2::Stage", "AWS::EC2::FlowLog", "AWS::EC2::RouteTable", "AWS::EC2::SecurityGroupEgress"),
        *("AWS::EC2::SecurityGroupIngress", "AWS::EC2::Subnet", "AWS::EC2::SubnetRouteTableAssociation"),
        *("AWS::EC2::VPC", "AWS::EC2::VPCEndpoint", "AWS::IAM::Policy", "AWS::Lambda::EventInvokeConfig"),
        *("AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission", "AWS::S3::BucketPolicy"),
        *("AWS::SQS::QueuePolicy", "Custom::GatewayPrefixLists", "Custom::EmptyDefaultGroup"),
    }
    types = {resource.type for template in deployment.templates.values() for resource in template.resources}
    assert types <= NAME_OF.keys() | nameless


def test_two_environments_share_an_account_and_region(dev: Assembly, prod: Assembly) -> None:
    """No physical name, stack or export of one is in the way of the other."""
    assert dev.region == prod.region
    assert _names(dev)
    assert not _names(dev) & _names(prod)
    assert not {dev.stack(part) for part in STACKS} & {prod.stack(part) for part in STACKS}


def test_one_environment_can_be_in_two_regions_of_an_account(dev: Assembly, small: Assembly) -> None:
    """Names of what is not bound to a region contain the region."""
    assert dev.region != small.region
    shared = _names(dev) & _names(small)
    assert {(type_, name) for type_, name in shared if type_ in NOT_REGIONAL} == set()
    assert {type_ for type_, _ in _names(dev)} >= set(NOT_REGIONAL)


def test_names_fit_where_they_are_used(deployment: Assembly) -> None:
    """64 characters for roles and functions, 63 for buckets; an account id has twelve."""
    for type_, name in _names(deployment):
        limit = {"AWS::IAM::Role": 64, "AWS::Lambda::Function": 64, "AWS::S3::Bucket": 63}.get(type_, 255)
        assert len(name.replace("<AWS::AccountId>", "123456789012")) <= limit


def test_everything_is_tagged_with_its_deployment(deployment: Assembly) -> None:
    """A bill can be read by environment."""
    environment = deployment.context.get("environment", "dev")
    tagged = list(deployment.of_type("AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::S3::Bucket", "AWS::EC2::VPC"))
    for _, resource in tagged:
        assert {"Key": "environment", "Value": environment} in resource.properties["Tags"]
        assert {"Key": "project", "Value": "rolebound"} in resource.properties["Tags"]
