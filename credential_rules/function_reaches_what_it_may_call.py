"""A call from a VPC without a way to the service does not fail: it hangs until the function is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credential_rules.called_services import answers_for, calls_of, endpoint_name
from credential_rules.endpoint_admission import admits
from credential_rules.network_path import GATEWAY_SERVICES, aws_services, network_of
from credential_rules.reachability import Walk
from credential_rules.rule import CANNOT_TELL, ERROR, FUNCTION_TYPES, Example, Finding, Function, Index, Resource, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.rule import Endpoint, Subnet, Value

_MAY_USE_ENDPOINTS: Final = (
    "AWS::AppRunner::",
    "AWS::AutoScaling::",
    "AWS::Batch::",
    "AWS::Cloud9::",
    "AWS::CodeBuild::",
    "AWS::DMS::",
    "AWS::DataSync::",
    "AWS::EC2::ClientVpn",
    "AWS::EC2::EC2Fleet",
    "AWS::EC2::Host",
    "AWS::EC2::Instance",
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::SpotFleet",
    "AWS::EC2::TransitGateway",
    "AWS::EC2::VPCPeeringConnection",
    "AWS::EC2::VPNGateway",
    "AWS::ECS::",
    "AWS::EKS::",
    "AWS::EMR",
    "AWS::ElasticBeanstalk::",
    "AWS::GameLift::",
    "AWS::Glue::",
    "AWS::ImageBuilder::",
    "AWS::M2::",
    "AWS::MWAA::",
    "AWS::QuickSight::",
    "AWS::RAM::",
    "AWS::RDS::",
    "AWS::Redshift::",
    "AWS::SageMaker::",
    "AWS::Synthetics::",
    "AWS::WorkSpaces::",
)
"""What may call AWS from a VPC besides functions: with any of these in the run nobody can say that an endpoint is idle."""


def _calls_that_hang(index: Index, resource: Resource) -> Iterator[Finding]:
    if resource.type == "AWS::EC2::VPCEndpoint":
        yield from _idle_endpoint(index, resource)
        return
    value = resource["VpcConfig"]["SubnetIds"]
    if not value:
        return
    function = index.functions[resource]
    calls = calls_of(index, function)
    walk = Walk(index, function, judge_policies=False)
    if not walk.subnets:
        if calls.services or not calls.is_complete:
            yield _not_of_this_run(value, resource, calls.services)
        return
    if function.role is None:
        yield from _unknown_role(index, function, walk.subnets, value)
        return
    for service, action in sorted(calls.services.items()):
        way = walk.to(service, action)
        if way.obstacle:
            yield Finding(
                value,
                f"'{resource.logical_id}' may call {service} ({action}), but {way.obstacle}: the call hangs until the"
                " function's time-out.",
                _fix(service),
                CANNOT_TELL if way.may_be_completed_elsewhere else ERROR,
            )


def _not_of_this_run(value: Value, resource: Resource, services: dict[str, str]) -> Finding:
    what = ", ".join(sorted(services)) or "what its role allows"
    return Finding(
        value,
        f"'{resource.logical_id}' runs in subnets that are not part of this run: whether it reaches {what} cannot be told."
        " If the VPC has neither an endpoint nor a way out, its calls hang.",
        "Check the template of the network together with this one.",
        CANNOT_TELL,
    )


def _unknown_role(index: Index, function: Function, subnets: list[Subnet], value: Value) -> Iterator[Finding]:
    network = network_of(index)
    if not all(network.default_routes(subnet) for subnet in subnets):
        yield Finding(
            value,
            f"'{function.resource.logical_id}' runs in a VPC without a way out, and its role is not part of this run: what"
            " it may call, and whether the endpoints suffice, cannot be told.",
            "Check the template of the role together with this one.",
            CANNOT_TELL,
        )


def _fix(service: str) -> str:
    """What to do."""
    name = endpoint_name(service)
    kind = (
        "a gateway endpoint in the subnets' route tables, and egress on 443 to its prefix list"
        if service in GATEWAY_SERVICES
        else "an interface endpoint with private DNS, whose security group admits the function's on 443,"
        " and egress on 443 to that group"
    )
    return f"Give the VPC {kind} (com.amazonaws.<region>.{name}). If the code never calls {service}, take the action from the role."


# --- endpoints that nobody uses -----------------------------------------------------------------------------------


def _idle_endpoint(index: Index, resource: Resource) -> Iterator[Finding]:
    network = network_of(index)
    endpoint = network.by_resource[resource]
    services = aws_services(endpoint)
    # Gateway endpoints cost nothing, and everybody may ask STS who they are whom the endpoint lets.
    if not services or set(endpoint.kinds) != {"Interface"} or _answers_who_am_i(index, endpoint, services):
        return
    named = _named_in_vpc(index, endpoint)
    if named is None or any(answers_for(name, service) for name in services for service in named):
        return
    yield Finding(
        resource,
        f"No function in its VPC may call {services[0]}: the endpoint '{resource.logical_id}' carries nothing, costs money"
        " by the hour in every zone, and is one more door.",
        "Remove the endpoint, or grant the role that calls the service.",
    )


def _answers_who_am_i(index: Index, endpoint: Endpoint, services: list[str]) -> bool:
    """Whether it is an endpoint of STS that lets, or may let, some function in its VPC ask who it is."""
    if not any(name.startswith("sts") for name in services):
        return False
    functions = [function for vpc in endpoint.vpcs for function in network_of(index).functions_in.get(vpc, ())]
    return any(admits(index, function, endpoint, "sts:GetCallerIdentity") is not False for function in functions)


def _named_in_vpc(index: Index, endpoint: Endpoint) -> set[str] | None:
    """The services that the functions in an endpoint's VPC may call; None if others may be there, or it is not known."""
    network = network_of(index)
    vpcs = endpoint.vpcs
    if not vpcs or not all(isinstance(vpc, Resource) and vpc.type == "AWS::EC2::VPC" for vpc in vpcs):
        return None
    if network.has_templates_not_given or any(kind.startswith(_MAY_USE_ENDPOINTS) for kind in index.by_type):
        return None
    functions = [function for vpc in vpcs for function in network.functions_in.get(vpc, ())]
    calls = [calls_of(index, function) for function in functions]
    if not calls or "" in network.functions_in or network.is_shared_with_others:
        return None
    if not all(found.is_complete for found in calls):
        return None
    return {service for found in calls for service in found.named}


_ROLE: Final = """
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole]
      Policies:
        - PolicyName: work
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: sqs:SendMessage, Resource: "arn:aws:sqs:eu-west-1:123456789012:events"}
              - {Effect: Allow, Action: [logs:CreateLogStream, logs:PutLogEvents], Resource: "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/worker:*"}
"""

_NETWORK: Final = """
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/20, EnableDnsHostnames: true}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Association:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref Subnet, RouteTableId: !Ref Table}
"""

_FUNCTION: Final = """
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.14
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code: {S3Bucket: code, S3Key: worker.zip}
      VpcConfig: {SubnetIds: [!Ref Subnet], SecurityGroupIds: [!GetAtt Functions.GroupId]}
"""

_GROUPS: Final = """
  Functions:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Functions
      VpcId: !Ref Vpc
      SecurityGroupEgress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, DestinationSecurityGroupId: !GetAtt Doors.GroupId}
  Doors: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: Endpoints, VpcId: !Ref Vpc}}
  In:
    Type: AWS::EC2::SecurityGroupIngress
    Properties:
      GroupId: !GetAtt Doors.GroupId
      IpProtocol: tcp
      FromPort: 443
      ToPort: 443
      SourceSecurityGroupId: !GetAtt Functions.GroupId
"""


def _interface(service: str, name: str = "Door", private_dns: str = "true") -> str:
    return f"""
  {name}:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Interface
      ServiceName: !Sub com.amazonaws.${{AWS::Region}}.{service}
      PrivateDnsEnabled: {private_dns}
      SubnetIds: [!Ref Subnet]
      SecurityGroupIds: [!GetAtt Doors.GroupId]
"""


_ISOLATED: Final = "\nResources:" + _FUNCTION + _ROLE + _NETWORK + _GROUPS
_OPEN_GROUP: Final = """
  Functions: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: Functions, VpcId: !Ref Vpc}}
"""
_WITH_NAT: Final = """
  Out:
    Type: AWS::EC2::Route
    Properties: {RouteTableId: !Ref Table, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: nat-0123456789abcdef0}
"""
_TABLE_ROLE: Final = _ROLE.replace("sqs:SendMessage", "dynamodb:PutItem").replace(
    "arn:aws:sqs:eu-west-1:123456789012:events", "arn:aws:dynamodb:eu-west-1:123456789012:table/events"
)

RULE = Rule(
    slug="function-reaches-what-it-may-call",
    group="Network path",
    sentence="A function in a VPC has a way to every service that its role lets it call, and no endpoint is idle.",
    reason=(
        "A call without a way does not fail: it hangs until the function's time-out, and the log tells nothing. The way is"
        " an endpoint with private DNS or a route, and security groups on both sides that agree. An endpoint that nobody"
        " may use costs money by the hour."
    ),
    remedy=(
        "For each service that the role names, give the VPC an endpoint that the function's subnets and security groups"
        " lead to; take from the role what the code does not call. What Lambda itself does with the role (logs, traces,"
        " network interfaces, polling of event sources, destinations) needs no endpoint. A subnet with a NAT gateway"
        " reaches everything, which no-way-out refuses; an Internet gateway alone serves no function."
    ),
    applies_to=(*FUNCTION_TYPES, "AWS::EC2::VPCEndpoint"),
    on_resource=_calls_that_hang,
    bad=(
        Example(
            "no-endpoint-for-the-service",
            _ISOLATED,
            finding="may call sqs (sqs:SendMessage), but its VPC has no endpoint for sqs",
        ),
        Example(
            "gateway-endpoint-in-another-route-table",
            "\nResources:"
            + _FUNCTION
            + _TABLE_ROLE
            + _NETWORK
            + _OPEN_GROUP
            + """
  Other: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: !Ref Vpc, ServiceName: com.amazonaws.eu-west-1.dynamodb, RouteTableIds: [!Ref Other]}
""",
            finding="'Door' is not in the route table of its subnet 'Subnet'",
        ),
        Example(
            "gateway-endpoint-without-egress",
            "\nResources:"
            + _FUNCTION
            + _TABLE_ROLE
            + _NETWORK
            + _GROUPS
            + """
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: !Ref Vpc, ServiceName: com.amazonaws.eu-west-1.dynamodb, RouteTableIds: [!Ref Table]}
""",
            finding="no HTTPS out to the prefix list of the endpoint 'Door'",
        ),
        Example(
            "endpoint-without-private-dns",
            _ISOLATED + _interface("sqs", private_dns="false"),
            finding="the endpoint 'Door' has no private DNS",
        ),
        Example(
            "endpoint-whose-group-admits-others",
            (_ISOLATED + _interface("sqs")).replace(
                "SourceSecurityGroupId: !GetAtt Functions.GroupId", "CidrIp: 10.0.9.0/24"
            ),
            finding="does not admit it on port 443",
        ),
        Example(
            "function-whose-group-lets-nothing-out",
            (_ISOLATED + _interface("sqs")).replace(
                "DestinationSecurityGroupId: !GetAtt Doors.GroupId", "CidrIp: 10.9.0.0/24"
            ),
            finding="its security groups let no HTTPS out to the endpoint 'Door'",
        ),
        Example(
            "internet-gateway-serves-no-function",
            "\nResources:"
            + _FUNCTION
            + _ROLE
            + _NETWORK
            + _OPEN_GROUP
            + """
  Gateway: {Type: AWS::EC2::InternetGateway}
  Out:
    Type: AWS::EC2::Route
    Properties: {RouteTableId: !Ref Table, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Gateway}
""",
            finding="leads to an Internet gateway only",
        ),
        Example(
            "sam-function-with-a-policy-template",
            """
Transform: AWS::Serverless-2016-10-31
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.14
      Handler: index.handler
      InlineCode: "def handler(event, context): pass"
      Policies: [DynamoDBCrudPolicy: {TableName: events}]
      VpcConfig: {SubnetIds: [!Ref Subnet], SecurityGroupIds: [!Ref Functions]}
"""
            + _NETWORK
            + _OPEN_GROUP,
            finding="may call dynamodb",
        ),
        Example(
            "idle-endpoint",
            _ISOLATED + _interface("sqs") + _interface("secretsmanager", "Idle"),
            finding="the endpoint 'Idle' carries nothing",
        ),
        Example(
            "endpoint-of-sts-that-lets-nobody-ask",
            _ISOLATED
            + _interface("sqs")
            + _interface("sts", "Idle")
            + """      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: "*"
            Action: sts:GetCallerIdentity
            Resource: "*"
            Condition: {ArnEquals: {aws:PrincipalArn: "arn:aws:iam::123456789012:role/who-left"}}
""",
            finding="the endpoint 'Idle' carries nothing",
        ),
        Example(
            "subnets-from-elsewhere",
            """
Parameters:
  Subnets: {Type: "List<AWS::EC2::Subnet::Id>"}
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Role.Arn
      Code: {S3Bucket: code, S3Key: worker.zip}
      VpcConfig: {SubnetIds: !Ref Subnets, SecurityGroupIds: [sg-0123456789abcdef0]}
"""
            + _ROLE,
            severity="cannot-tell",
            finding="subnets that are not part of this run",
        ),
    ),
    good=(
        Example("interface-endpoint", _ISOLATED + _interface("sqs")),
        Example(
            "gateway-endpoint",
            "\nResources:"
            + _FUNCTION
            + _TABLE_ROLE
            + _NETWORK
            + _OPEN_GROUP
            + """
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: !Ref Vpc, ServiceName: com.amazonaws.eu-west-1.dynamodb, RouteTableIds: [!Ref Table]}
""",
        ),
        Example(
            "endpoint-of-sts-that-tells-who-asks",
            _ISOLATED
            + _interface("sqs")
            + _interface("sts", "WhoAmI")
            + """      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: "*"
            Action: sts:GetCallerIdentity
            Resource: "*"
            Condition: {ArnEquals: {aws:PrincipalArn: !GetAtt Role.Arn}}
""",
        ),
        Example(
            "nat-gateway-reaches-everything", "\nResources:" + _FUNCTION + _ROLE + _NETWORK + _OPEN_GROUP + _WITH_NAT
        ),
        Example(
            "lambda-polls-and-sends-from-outside-the-vpc",
            _ISOLATED.replace(
                "Action: sqs:SendMessage", "Action: [sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes]"
            )
            + """
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !Ref Worker, EventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:events"}
""",
        ),
        Example(
            "function-outside-of-any-vpc",
            """
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties: {Role: !GetAtt Role.Arn, Code: {S3Bucket: code, S3Key: worker.zip}}
"""
            + _ROLE,
        ),
    ),
)
