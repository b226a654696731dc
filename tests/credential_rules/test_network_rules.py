"""The network is judged as a whole: across stacks, through parameters, and only as far as the run decides."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credential_rules import function_reaches_what_it_may_call as reaches
from credential_rules import no_way_out
from credential_rules.barriers import barriers
from credential_rules.called_services import answers_for, calls_of
from credential_rules.engine import Target, judge
from credential_rules.index import Index
from credential_rules.network_path import contains, is_everywhere
from credential_rules.reachability import ways
from credential_rules.reader import parse
from credential_rules.registry import all_rules
from credential_rules.template import Template
from credential_rules.values import literal_text

if TYPE_CHECKING:
    from credential_rules.rule import Rule

NETWORK = """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/20, EnableDnsHostnames: true}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}
  Functions: {Type: AWS::EC2::SecurityGroup, Properties: {VpcId: !Ref Vpc}}
  ToDoors:
    Type: AWS::EC2::SecurityGroupEgress
    Properties: {GroupId: !GetAtt Functions.GroupId, IpProtocol: tcp, FromPort: 443, ToPort: 443, DestinationSecurityGroupId: !GetAtt Doors.GroupId}
  Doors:
    Type: AWS::EC2::SecurityGroup
    Properties:
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{IpProtocol: "6", FromPort: "443", ToPort: "443", SourceSecurityGroupId: !GetAtt Functions.GroupId}]
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sqs
      PrivateDnsEnabled: true
      SubnetIds: [!Ref Subnet]
      SecurityGroupIds: [!GetAtt Doors.GroupId]
Outputs:
  Subnet: {Value: !Ref Subnet, Export: {Name: network-subnet}}
  Group: {Value: !GetAtt Functions.GroupId, Export: {Name: network-group}}
"""
CODE = """
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Role.Arn
      VpcConfig: {SubnetIds: [!ImportValue network-subnet], SecurityGroupIds: [!ImportValue network-group]}
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies: [{PolicyDocument: {Statement: [{Effect: Allow, Action: "ACTION", Resource: "*"}]}}]
"""


def judged(rule: Rule, *texts: str) -> list[tuple[str, str]]:
    """The findings on several templates of one run: severity and message."""
    templates = [Template(f"{number}.yaml", parse(text)) for number, text in enumerate(texts)]
    report = judge(Target(templates=templates), [rule])
    assert report.errors == {}
    return [(found.severity, found.message) for found in report.findings]


IDLE = "'Door' carries nothing"


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("sqs:SendMessage", []),
        ("SQS:Send*", []),
        ("sqs:*", []),
        ("dynamodb:GetItem", ["no endpoint for dynamodb", IDLE]),
        ("cloudwatch:PutMetricData", ["no endpoint for monitoring", IDLE]),
        ("logs:FilterLogEvents", ["no endpoint for logs", IDLE]),
        ("kms:Sign", ["no endpoint for kms", IDLE]),
        ("logs:PutLogEvents", [IDLE]),
        ("logs:*", [IDLE]),
        ("kms:Decrypt", [IDLE]),
        ("ec2:CreateNetworkInterface", [IDLE]),
        ("rds-db:connect", [IDLE]),
        ("iam:PassRole", [IDLE]),
        ("*", []),
    ],
)
def test_role_and_endpoints_are_compared_across_stacks(action: str, answer: list[str]) -> None:
    """What the code may call needs an endpoint; what Lambda does itself needs none; an endpoint needs a caller."""
    found = judged(reaches.RULE, NETWORK, CODE.replace("ACTION", action))
    assert {severity for severity, _ in found} <= {"error"}
    assert len(found) == len(answer)
    assert all(any(part in message for _, message in found) for part in answer)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("DestinationSecurityGroupId: !GetAtt Doors.GroupId", "CidrIp: 10.0.0.0/20", ""),
        ("DestinationSecurityGroupId: !GetAtt Doors.GroupId", "CidrIp: 10.1.0.0/20", "let no HTTPS out"),
        ("DestinationSecurityGroupId: !GetAtt Doors.GroupId", "DestinationPrefixListId: pl-63a5400a", "let no HTTPS out"),
        ("FromPort: 443, ToPort: 443, Destination", "FromPort: 80, ToPort: 80, Destination", "let no HTTPS out"),
        ("SourceSecurityGroupId: !GetAtt Functions.GroupId", "CidrIp: 10.0.0.0/25", "does not admit it"),
        ("SourceSecurityGroupId: !GetAtt Functions.GroupId", "CidrIp: !GetAtt Vpc.CidrBlock", ""),
        ("SourceSecurityGroupId: !GetAtt Functions.GroupId", "SourceSecurityGroupId: sg-0123456789abcdef0", "does not admit it"),
        ("SourceSecurityGroupId: !GetAtt Functions.GroupId", "SourcePrefixListId: pl-0123", ""),
        ("PrivateDnsEnabled: true", "PrivateDnsEnabled: false", "no private DNS"),
        ("SecurityGroupIds: [!GetAtt Doors.GroupId]", "SecurityGroupIds: [sg-0123456789abcdef0]", "let no HTTPS out"),
        ("eu-west-1.sqs", "eu-west-1.sqs-fips", ""),
    ],
)  # fmt: skip
def test_one_missing_link_breaks_the_way(before: str, after: str, says: str) -> None:
    """DNS, egress and ingress are all needed; what the run does not show is no error."""
    assert before in NETWORK
    found = judged(reaches.RULE, NETWORK.replace(before, after), CODE.replace("ACTION", "sqs:SendMessage"))
    assert [severity for severity, _ in found] == (["error"] if says else [])
    assert says in "".join(message for _, message in found)


@pytest.mark.parametrize(
    ("extra", "severity"),
    [
        ("", "error"),
        ("  Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: https://example.com/x.yaml}}", "cannot-tell"),
        ("  More: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: !Ref Vpc, ServiceName: !Ref Service}}", "cannot-tell"),
    ],
)  # fmt: skip
def test_missing_endpoint_is_sure_only_if_the_run_shows_all(extra: str, severity: str) -> None:
    """A nested stack that was not given, or an endpoint of an unknown service, may be the missing one."""
    network = NETWORK.replace("Outputs:", f"{extra}\nOutputs:")
    network += "Parameters: {Service: {Type: String}}\n"
    found = judged(reaches.RULE, network, CODE.replace('"ACTION"', "[sqs:SendMessage, sns:Publish]"))
    assert [level for level, _ in found] == [severity]
    assert "sns" in found[0][1]


@pytest.mark.parametrize(
    "extra",
    [
        "  Machine: {Type: AWS::EC2::Instance, Properties: {SubnetId: !Ref Subnet}}",
        "  Shared: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Subnet}}",
    ],
)
def test_endpoint_is_idle_only_if_nobody_else_may_use_it(extra: str) -> None:
    """Machines in the VPC, or parts of it handed on, leave the question open: silence, not a guess."""
    network = NETWORK.replace("Outputs:", f"{extra}\nOutputs:")
    assert judged(reaches.RULE, network, CODE.replace("ACTION", "kms:Decrypt")) == []
    assert judged(reaches.RULE, NETWORK, CODE.replace("ACTION", "kms:Decrypt")) != []


def test_what_lambda_sends_to_a_destination_is_no_call_of_the_code() -> None:
    """The dead-letter queue and destinations are Lambda's own deliveries, made with the function's role."""
    raw = parse("""
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties: {Role: !GetAtt R.Arn, DeadLetterConfig: {TargetArn: !GetAtt Dead.Arn}}
  Dead: {Type: AWS::SQS::Queue}
  Done: {Type: AWS::SNS::Topic}
  Invoke:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: {FunctionName: !Ref F, DestinationConfig: {OnSuccess: {Destination: !Ref Done}}}
  R:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement:
              - {Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Dead.Arn}
              - {Effect: Allow, Action: sns:Publish, Resource: !Ref Done}
              - {Effect: Allow, Action: [ssm:GetParameter, s3:GetObject], Resource: "*"}
              - {Effect: Deny, Action: "s3:*", Resource: "*"}
""")
    template = Template("t.yaml", raw)
    index = Index([template])
    (function,) = index.functions.values()
    assert calls_of(index, function).services == {"ssm": "ssm:GetParameter"}


@pytest.mark.parametrize(
    ("deny", "is_denied"),
    [
        ("Resource: '*'", True),
        ("Resource: '*', Condition: {ArnEquals: {'lambda:SourceFunctionArn': !GetAtt F.Arn}}", True),
        ("Resource: '*', Condition: {ArnNotEquals: {'lambda:SourceFunctionArn': !GetAtt F.Arn}}", False),
        ("Resource: '*', Condition: {ArnEquals: {'lambda:SourceFunctionArn': 'arn:aws:lambda:*:1:function:o'}}", False),
        ("Resource: '*', Condition: !ImportValue Some", False),
        ("Resource: 'arn:aws:s3:::secret/*'", False),
    ],
)
def test_only_what_the_code_is_surely_denied_needs_no_way(deny: str, *, is_denied: bool) -> None:
    """A Deny that hits another function's code, or all but this one's, leaves the call, and the call needs its way."""
    raw = parse(f"""
Resources:
  F: {{Type: AWS::Lambda::Function, Properties: {{Role: !GetAtt R.Arn}}}}
  R:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement:
              - {{Effect: Allow, Action: s3:GetObject, Resource: "*"}}
              - {{Effect: Deny, Action: "s3:*", {deny}}}
""")
    index = Index([Template("t.yaml", raw)])
    (function,) = index.functions.values()
    assert (calls_of(index, function).services == {}) is is_denied


@pytest.mark.parametrize(
    ("endpoint", "service", "answer"),
    [
        ("sqs", "sqs", True),
        ("sqs-fips", "sqs", True),
        ("ecr.api", "ecr", True),
        ("monitoring", "cloudwatch", True),
        ("logs", "cloudwatch", False),
        ("kinesis-streams", "kinesis", True),
        ("kinesis-firehose", "kinesis", False),
        ("execute-api", "execute-api", True),
        ("s3", "sqs", False),
    ],
)
def test_endpoint_names_are_not_always_action_prefixes(endpoint: str, service: str, *, answer: bool) -> None:
    """CloudWatch's endpoint is called monitoring, ECR has two."""
    assert answers_for(endpoint, service) == answer


@pytest.mark.parametrize(
    ("cidr", "answer"),
    [
        ("0.0.0.0/0", True),
        (" 0.0.0.0/0 ", True),
        ("::/0", True),
        (":/0", True),
        ("0.0.0.0/1", True),
        ("128.0.0.0/1", True),
        ("2000::/3", True),
        ("10.0.0.0/8", False),
        ("fd00::/8", False),
        ("255.255.255.255/32", False),
        ("10.0.0.5/16", False),
        ("nonsense", False),
    ],
)
def test_block_is_everywhere_if_no_private_range_is_as_wide(cidr: str, *, answer: bool) -> None:
    """Halves of the Internet are the Internet."""
    assert is_everywhere(literal_text(cidr)) == answer


def test_blocks_of_different_versions_hold_nothing_of_each_other() -> None:
    """IPv4 in IPv6 is no containment, and a word is not known."""
    assert contains(literal_text("10.0.0.0/8"), literal_text("10.1.0.0/16")) is True
    assert contains(literal_text("10.0.0.0/8"), literal_text("fd00::/8")) is False
    assert contains(literal_text("fd00::/8"), literal_text("fd00:1::/32")) is True
    assert contains(literal_text("10.0.0.0/8"), literal_text("word")) is None


@pytest.mark.parametrize(
    ("route", "severities"),
    [
        ("{DestinationCidrBlock: 0.0.0.0/0, GatewayId: igw-0123}", ["error"]),
        ("{DestinationCidrBlock: 203.0.113.0/24, GatewayId: igw-0123}", ["error"]),
        ("{DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Gateway}", ["error"]),
        ("{DestinationCidrBlock: 10.8.0.0/16, GatewayId: !Ref Gateway}", ["cannot-tell"]),
        ("{DestinationCidrBlock: 10.8.0.0/16, GatewayId: local}", []),
        ("{DestinationCidrBlock: 10.8.0.0/16, GatewayId: vgw-0123}", ["error"]),
        ("{DestinationCidrBlock: 0.0.0.0/0, GatewayId: vgw-0123}", ["error"]),
        ("{DestinationIpv6CidrBlock: '::/0', EgressOnlyInternetGatewayId: eigw-0123}", ["error"]),
        ("{DestinationCidrBlock: 0.0.0.0/0, InstanceId: i-0123}", ["error"]),
        ("{DestinationCidrBlock: !Ref Peer, InstanceId: i-0123}", ["cannot-tell"]),
        ("{DestinationCidrBlock: 10.0.1.0/24, InstanceId: i-0123}", []),
        ("{DestinationCidrBlock: 10.8.0.0/16, TransitGatewayId: tgw-0123}", ["error"]),
        ("{DestinationCidrBlock: 10.8.0.0/16, CoreNetworkArn: 'arn:aws:networkmanager::1:core-network/c'}", ["error"]),
    ],
)
def test_route_is_judged_by_where_it_leads(route: str, severities: list[str]) -> None:
    """A default route is a way out through whatever target, and any route to another network is; one within the VPC is not."""
    text = f"""
Parameters: {{Gateway: {{Type: String}}, Peer: {{Type: String}}}}
Resources: {{R: {{Type: AWS::EC2::Route, Properties: {route.replace("{", "{RouteTableId: rtb-0123, ", 1)}}}}}
"""
    assert [severity for severity, _ in judged(no_way_out.RULE, text)] == severities


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["A", "B", "0.0.0.0/0", "10.0.0.0/24", "-1", "tcp", "com.amazonaws.x.sqs", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Ref", "Fn::If", "Fn::GetAtt", "Fn::Sub", "CidrIp", "IpProtocol", "FromPort", "ToPort", "SubnetIds", "Statement", "Action", "Effect", "Principal"]), inner, max_size=3)
    ),
    max_leaves=12,
)  # fmt: skip
RULES = [rule for rule in all_rules() if rule.group == "Network path"]
TYPES = sorted({kind for rule in RULES for kind in rule.applies_to} | {"AWS::EC2::VPC", "AWS::IAM::Role", "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::SecurityGroupIngress", "AWS::Lambda::EventSourceMapping", "AWS::Route53::HostedZone"})  # fmt: skip
PROPERTIES = ["VpcId", "CidrBlock", "SubnetIds", "SubnetId", "RouteTableId", "RouteTableIds", "SecurityGroupIds", "GroupId", "SecurityGroupEgress", "SecurityGroupIngress", "VpcConfig", "Role", "Policies", "ServiceName", "VpcEndpointType", "PrivateDnsEnabled", "PolicyDocument", "DestinationCidrBlock", "GatewayId", "FunctionName", "Events", "Name", "VPCs", "ManagedPolicyArns"]  # fmt: skip


@settings(max_examples=150)
@given(
    resources=st.dictionaries(
        st.sampled_from(["A", "B", "C", "D"]),
        st.fixed_dictionaries(
            {
                "Type": st.sampled_from(TYPES),
                "Properties": st.dictionaries(st.sampled_from(PROPERTIES), VALUES, max_size=5),
            }
        ),
        min_size=1,
    ),
    outputs=VALUES,
)
def test_arbitrary_networks_always_get_an_answer(resources: dict[str, object], outputs: object) -> None:
    """No structure breaks a rule, or the walk that other tools take by themselves."""
    template = Template("t.json", {"Resources": resources, "Outputs": {"O": outputs}})  # type: ignore[dict-item]
    assert judge(Target(templates=[template]), RULES).errors == {}
    index = Index([template])
    assert {way.verdict for way in ways(index)} <= {True, False, None}
    assert all(barrier.reasons for barrier in barriers(index))


def test_network_rules_stay_linear() -> None:
    """More functions take as much more time and no more: nothing is looked up by scanning."""

    def seconds(count: int) -> float:
        functions = "\n".join(
            f"  F{number}: {{Type: AWS::Lambda::Function, Properties: {{Role: !GetAtt Role.Arn, "
            f" VpcConfig: {{SubnetIds: [!Ref Subnet], SecurityGroupIds: [!GetAtt Functions.GroupId]}}}}}}"
            for number in range(count)
        )
        role = CODE.rsplit("  Role:", 1)[-1].replace("ACTION", "sqs:SendMessage")
        text = NETWORK.replace("Outputs:", f"{functions}\n  Role:{role}\nOutputs:")
        index = Index([Template("t.yaml", parse(text))])
        start = time.process_time()
        for resource in index.resources("AWS::Lambda::Function"):
            assert reaches.RULE.on_resource is not None
            assert list(reaches.RULE.on_resource(index, resource)) == []
        return time.process_time() - start

    small, large = min(seconds(200) for _ in range(3)), min(seconds(800) for _ in range(3))
    # Four times as many; quadratic would take sixteen times as long.
    assert large < 8 * small
