"""A deployed function and everything that decides whether its calls to AWS succeed: what AWS's own APIs say of it.

Nothing is judged here. Each read may be refused by itself; what depends on it is then not known, and the permission
that it needs is named.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from operator_cli.answers import Failure
from operator_cli.diagnosis.organisation import ORGANISATION_READ
from operator_cli.diagnosis.questions import AT_ONCE, Policy, Question, Read, Reader, Unread, document_of
from operator_cli.diagnosis.stores import NO_STORES, STORE_READS, Stores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from operator_cli.diagnosis.questions import Answer, Ask

MOST_LOG_STREAMS: Final = 4
"""Each stream is one execution environment: the last few show what the function does now."""
_MOST_STREAMS_LISTED: Final = 50
"""The most that CloudWatch Logs lists on one page."""
MOST_LINES_PER_STREAM: Final = 300
_MOST_SOURCE_BYTES: Final = 10_000_000
_MOST_FILES: Final = 50_000
_MOST_UNPACKED_BYTES: Final = 1_000_000_000
"""Lambda itself takes 250 MB, unpacked."""


class Fetch(Protocol):
    """Downloads the archive behind an address that Lambda gave."""

    def __call__(self, address: str, /) -> bytes | Failure:
        """Give the archive, or why it cannot be had."""
        ...


GET_FUNCTION: Final = Read("lambda", "get_function", "lambda:GetFunction")
_MAPPINGS: Final = Read("lambda", "list_event_source_mappings", "lambda:ListEventSourceMappings")
_LAYER: Final = Read("lambda", "get_layer_version_by_arn", "lambda:GetLayerVersion")
_ROLE: Final = Read("iam", "get_role", "iam:GetRole")
_INLINE_NAMES: Final = Read("iam", "list_role_policies", "iam:ListRolePolicies")
_INLINE: Final = Read("iam", "get_role_policy", "iam:GetRolePolicy")
_ATTACHED: Final = Read("iam", "list_attached_role_policies", "iam:ListAttachedRolePolicies")
_POLICY: Final = Read("iam", "get_policy", "iam:GetPolicy")
_POLICY_VERSION: Final = Read("iam", "get_policy_version", "iam:GetPolicyVersion")
_SUBNETS: Final = Read("ec2", "describe_subnets", "ec2:DescribeSubnets")
_ROUTE_TABLES: Final = Read("ec2", "describe_route_tables", "ec2:DescribeRouteTables")
_ENDPOINTS: Final = Read("ec2", "describe_vpc_endpoints", "ec2:DescribeVpcEndpoints")
_GROUPS: Final = Read("ec2", "describe_security_groups", "ec2:DescribeSecurityGroups")
_VPC: Final = Read("ec2", "describe_vpcs", "ec2:DescribeVpcs")
_DNS: Final = Read("ec2", "describe_vpc_attribute", "ec2:DescribeVpcAttribute")
_PREFIX_LISTS: Final = Read("ec2", "describe_prefix_lists", "ec2:DescribePrefixLists")
_ACLS: Final = Read("ec2", "describe_network_acls", "ec2:DescribeNetworkAcls")
_DHCP: Final = Read("ec2", "describe_dhcp_options", "ec2:DescribeDhcpOptions")
_ZONES: Final = Read("route53", "list_hosted_zones_by_vpc", "route53:ListHostedZonesByVPC")
_STREAMS: Final = Read("logs", "describe_log_streams", "logs:DescribeLogStreams")
_LINES: Final = Read("logs", "get_log_events", "logs:GetLogEvents")

_NO_ROLE: Final = frozenset({"NoSuchEntity", "NoSuchEntityException"})
_NO_LOG: Final = frozenset({"ResourceNotFoundException"})

_FUNCTION_READS: Final = (
    GET_FUNCTION,
    _MAPPINGS,
    _LAYER,
    _ROLE,
    _INLINE_NAMES,
    _INLINE,
    _ATTACHED,
    _POLICY,
    _POLICY_VERSION,
    _SUBNETS,
    _ROUTE_TABLES,
    _ENDPOINTS,
    _GROUPS,
    _VPC,
    _DNS,
    _PREFIX_LISTS,
    _ACLS,
    _DHCP,
    _ZONES,
    _STREAMS,
    _LINES,
)
READS: Final = (*_FUNCTION_READS, *STORE_READS, ORGANISATION_READ)
"""Everything that is ever asked."""


@dataclass(frozen=True, slots=True)
class Role:
    """The function's role. `is_complete` is False if some policy, or the list of them, was not read.

    `trust` says who may assume it, None if that was not read; `exists` is False if IAM has no such role.
    """

    arn: str
    policies: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    is_complete: bool = True
    trust: Policy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    exists: bool = True

    @property
    def name(self) -> str:
        """Its name, without path."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Network:
    """The function's VPC, each part as EC2 describes it; None for what was not read.

    `name_servers` are those that DHCP gives out, empty for Amazon's; `prefix_lists` gives the names of AWS's own by their
    ids, `zones` those of the private hosted zones.
    """

    vpc: str
    subnets: Sequence[Mapping[str, Any]] | None = None
    route_tables: Sequence[Mapping[str, Any]] | None = None
    endpoints: Sequence[Mapping[str, Any]] | None = None
    groups: Sequence[Mapping[str, Any]] | None = None
    cidrs: Sequence[str] | None = None
    resolves_names: bool | None = None
    gives_names: bool | None = None
    acls: Sequence[Mapping[str, Any]] | None = None
    name_servers: Sequence[str] = ()
    prefix_lists: Mapping[str, str] = field(default_factory=dict)
    zones: Sequence[str] | None = None

    @property
    def is_known(self) -> bool:
        """Whether everything was read that a call's way depends on."""
        parts = (self.subnets, self.route_tables, self.endpoints, self.groups, self.acls)
        return all(part is not None for part in parts)


class LogLine(NamedTuple):
    """One event of a log group. `timestamp` is in milliseconds since 1970."""

    timestamp: int
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a function.

    Attributes:
        configuration: As Lambda describes it, without its environment.
        environment: Its variables. Their values serve to judge and are shown nowhere.
        role: None if it has none.
        network: None outside of a VPC.
        log_group: Where it writes.
        log: Its last lines, in no order; None if they were not read.
        mappings: Its event source mappings; None if they were not read.
        code: The folder with the source that it runs; None if there is none to read.
        layers: The folders with the source of its layers.
        unread: What AWS did not tell.
        stores: The queues, tables and buckets that its code calls, as far as they were read.
        organisation: The id of the account's organisation, empty for none; None if nobody asked, or was told.
        qualifier: The version or alias that was asked for; empty for the function as it is edited.
    """

    configuration: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    role: Role | None = None
    network: Network | None = None
    log_group: str = ""
    log: Sequence[LogLine] | None = ()
    mappings: Sequence[Mapping[str, Any]] | None = ()
    code: Path | None = None
    layers: tuple[Path, ...] = ()
    unread: tuple[Unread, ...] = ()
    stores: Stores = NO_STORES
    organisation: str | None = None
    qualifier: str = ""

    @property
    def name(self) -> str:
        """The function's name."""
        return str(self.configuration.get("FunctionName", ""))

    @property
    def arn(self) -> str:
        """The function's ARN, without a version."""
        return ":".join(str(self.configuration.get("FunctionArn", "")).split(":")[:7])

    @property
    def region(self) -> str:
        """Where it is deployed."""
        return self.arn.split(":")[3] if self.arn.count(":") > 5 else ""  # noqa: PLR2004 (an ARN's fields)

    @property
    def account(self) -> str:
        """Whose it is."""
        return self.arn.split(":")[4] if self.arn.count(":") > 5 else ""  # noqa: PLR2004 (an ARN's fields)


class Named(NamedTuple):
    """A function as an operator names it: `api`, `api:live`, or its ARN with or without a version or an alias."""

    name: str
    qualifier: str
    partition: str


_NAME: Final = re.compile(
    r"(?:(?:arn:(?P<partition>[^:]+):lambda:[^:]*:)?\d{12}:(?:function:)?)?(?P<name>[^:]+)(?::(?P<qualifier>[^:]+))?"
)


def named(function: str) -> Named:
    """Take a name apart, in each form that Lambda takes; what is of none of them is taken for a name."""
    found = _NAME.fullmatch(function)
    if found is None:
        return Named(function, "", "aws")
    return Named(found["name"], found["qualifier"] or "", found["partition"] or "aws")


def permissions(function: str = "*") -> dict[str, Any]:
    """Give the policy that lets somebody read all of this, and nothing else, of one function."""
    name, qualifier, partition = named(function)
    of_name = f"arn:{partition}:lambda:*:*:function:{name}"
    names = {read.permission for read in READS}
    of_function = {"lambda:GetFunction"}
    of_log = {name for name in names if name.startswith("logs:")}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": sorted(of_function),
                # A version or an alias is asked for by its own ARN.
                "Resource": f"{of_name}:{qualifier}" if qualifier else of_name,
            },
            {
                "Effect": "Allow",
                "Action": sorted(of_log),
                # The group by both of its names: some actions ask for the one, some for the other.
                "Resource": [
                    f"arn:{partition}:logs:*:*:log-group:/aws/lambda/{name}",
                    f"arn:{partition}:logs:*:*:log-group:/aws/lambda/{name}:*",
                ],
            },
            # Neither network nor roles are known before they are read, and EC2 knows no resource for Describe.
            {"Effect": "Allow", "Action": sorted(names - of_function - of_log), "Resource": "*"},
        ],
    }


def gather(ask: Ask, fetch: Fetch, function: str, folder: Path) -> Facts | Failure:
    """Read everything of a function. If the function itself cannot be read, give why.

    Args:
        ask: Asks AWS.
        fetch: Downloads code.
        function: Its name or ARN.
        folder: An empty folder for its code.
    """
    qualifier = named(function).qualifier
    found = ask(GET_FUNCTION.service, GET_FUNCTION.operation, {"FunctionName": function})
    if isinstance(found, Failure):
        return found
    configuration = dict(found["Configuration"])
    # An alias stands for a version: its streams carry that one's number.
    version = str(configuration.get("Version") or qualifier) if qualifier else ""
    polled = f"{configuration['FunctionName']}:{qualifier}" if qualifier else configuration["FunctionName"]
    environment = (configuration.pop("Environment", None) or {}).get("Variables") or {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reader = Reader(ask, pool)
        code = pool.submit(_code, reader, fetch, found, folder)
        role_arn = str(configuration.get("Role") or "")
        role_name = role_arn.rpartition("/")[2]
        region = str(configuration["FunctionArn"]).split(":")[3]
        vpc = str((configuration.get("VpcConfig") or {}).get("VpcId") or "")
        log_group = str(
            (configuration.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{configuration['FunctionName']}"
        )
        role, network = _role_questions(role_name) if role_arn else [], _network_questions(vpc, region) if vpc else []
        first = reader.all(
            [
                Question(_MAPPINGS, {"FunctionName": polled}, "what polls for the function"),
                Question(
                    _STREAMS,
                    {
                        "logGroupName": log_group,
                        "orderBy": "LastEventTime",
                        "descending": True,
                        # Those of all versions stand in one list.
                        "limit": _MOST_STREAMS_LISTED if qualifier else MOST_LOG_STREAMS,
                    },
                    f"the log group {log_group}",
                    _NO_LOG,
                ),
                *role,
                *network,
            ]
        )
        mappings, streams, *rest = first
        later_log = pool.submit(_log, reader, log_group, streams, version)
        later_role = pool.submit(_role, reader, role_arn, rest[: len(role)]) if role_arn else None
        later_network = pool.submit(_network, reader, vpc, rest[len(role) :]) if vpc else None
        lines = later_log.result()
        read_role = later_role.result() if later_role is not None else None
        read_network = later_network.result() if later_network is not None else None
        source, layers = code.result()
        # Of a role that is not there, that it has no policies either says nothing.
        is_gone = read_role is not None and not read_role.exists
        unread = [one for one in reader.unread if not (is_gone and one.permission.startswith("iam:"))]
        log_was_refused = any(one.permission in {_STREAMS.permission, _LINES.permission} for one in unread)
        return Facts(
            configuration=configuration,
            environment=environment,
            role=read_role,
            network=read_network,
            log_group=log_group,
            log=None if log_was_refused and not lines else lines,
            mappings=None if mappings is None else mappings.get("EventSourceMappings", ()),
            code=source,
            layers=layers,
            qualifier=qualifier,
            unread=tuple(sorted(unread, key=lambda unread: (unread.permission, unread.what))),
        )


# --- role ---------------------------------------------------------------------------------------------------------


def _role_questions(name: str) -> list[Question]:
    return [
        Question(_ROLE, {"RoleName": name}, f"the role '{name}'", _NO_ROLE),
        Question(_INLINE_NAMES, {"RoleName": name}, f"the inline policies of the role '{name}'"),
        Question(_ATTACHED, {"RoleName": name}, f"the managed policies of the role '{name}'"),
    ]


def _role(reader: Reader, arn: str, answers: Sequence[Answer | None]) -> Role:
    name = arn.rpartition("/")[2]
    role, inline, attached = answers
    if role is None and not any(unread.permission == _ROLE.permission for unread in reader.unread):
        return Role(arn=arn, is_complete=False, exists=False)
    trust = ((role or {}).get("Role") or {}).get("AssumeRolePolicyDocument")
    boundary = str(((role or {}).get("Role") or {}).get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") or "")
    inline_names = list((inline or {}).get("PolicyNames", ()))
    managed = [str(policy["PolicyArn"]) for policy in (attached or {}).get("AttachedPolicies", ())]
    arns = [*managed, *([boundary] if boundary else [])]
    second = reader.all(
        [
            *(
                Question(_INLINE, {"RoleName": name, "PolicyName": policy}, f"the inline policy '{policy}'")
                for policy in inline_names
            ),
            *(Question(_POLICY, {"PolicyArn": policy}, f"the policy {policy}") for policy in arns),
        ]
    )
    versions = second[len(inline_names) :]
    third = reader.all(
        Question(
            _POLICY_VERSION,
            {"PolicyArn": policy, "VersionId": version["Policy"]["DefaultVersionId"]},
            f"the policy {policy}",
        )
        for policy, version in zip(arns, versions, strict=True)
        if version is not None
    )
    documents = iter(third)
    by_arn = {
        policy: next(documents) if version is not None else None for policy, version in zip(arns, versions, strict=True)
    }
    policies = [
        Policy(policy, document_of(answer["PolicyDocument"]))
        for policy, answer in zip(inline_names, second, strict=False)
        if answer is not None
    ]
    policies += [
        Policy(policy, document_of(answer["PolicyVersion"]["Document"]))
        for policy in managed
        if (answer := by_arn[policy]) is not None
    ]
    bounding = by_arn.get(boundary)
    return Role(
        arn=arn,
        policies=tuple(policies),
        boundary=Policy(boundary, document_of(bounding["PolicyVersion"]["Document"])) if bounding is not None else None,
        tags={str(tag["Key"]): str(tag["Value"]) for tag in ((role or {}).get("Role") or {}).get("Tags", ())},
        trust=None if trust is None else Policy("trust", document_of(trust)),
        is_complete=all(part is not None for part in (role, inline, attached, *second, *third)),
    )


# --- network ------------------------------------------------------------------------------------------------------


def _network_questions(vpc: str, region: str) -> list[Question]:
    in_vpc = {"Filters": [{"Name": "vpc-id", "Values": [vpc]}]}
    return [
        Question(_SUBNETS, in_vpc, f"the subnets of {vpc}"),
        Question(_ROUTE_TABLES, in_vpc, f"the route tables of {vpc}"),
        Question(_ENDPOINTS, in_vpc, f"the endpoints of {vpc}"),
        Question(_GROUPS, in_vpc, f"the security groups of {vpc}"),
        Question(_VPC, {"VpcIds": [vpc]}, f"the addresses of {vpc}"),
        Question(_DNS, {"VpcId": vpc, "Attribute": "enableDnsSupport"}, f"whether {vpc} resolves names"),
        Question(_DNS, {"VpcId": vpc, "Attribute": "enableDnsHostnames"}, f"whether {vpc} gives names"),
        Question(_ACLS, in_vpc, f"the network ACLs of {vpc}"),
        Question(_PREFIX_LISTS, {}, "AWS's prefix lists"),
        Question(_ZONES, {"VPCId": vpc, "VPCRegion": region}, f"the private hosted zones of {vpc}"),
    ]


def _network(reader: Reader, vpc: str, answers: Sequence[Answer | None]) -> Network:
    subnets, tables, endpoints, groups, description, support, names, acls, lists, zones = answers

    def part(answer: Answer | None, key: str) -> Sequence[Mapping[str, Any]] | None:
        # Filtered once more: a local AWS may not know the filter.
        return None if answer is None else [entry for entry in answer.get(key, ()) if entry.get("VpcId") == vpc]

    described = next(iter((description or {}).get("Vpcs", ())), None)
    return Network(
        vpc=vpc,
        subnets=part(subnets, "Subnets"),
        route_tables=part(tables, "RouteTables"),
        endpoints=part(endpoints, "VpcEndpoints"),
        groups=part(groups, "SecurityGroups"),
        cidrs=None if described is None else _cidrs(described),
        resolves_names=None if support is None else bool(support["EnableDnsSupport"]["Value"]),
        gives_names=None if names is None else bool(names["EnableDnsHostnames"]["Value"]),
        acls=part(acls, "NetworkAcls"),
        name_servers=_name_servers(reader, vpc, str((described or {}).get("DhcpOptionsId") or "default")),
        prefix_lists={entry["PrefixListId"]: entry["PrefixListName"] for entry in (lists or {}).get("PrefixLists", ())},
        zones=None if zones is None else [str(zone["Name"]) for zone in zones.get("HostedZoneSummaries", ())],
    )


def _name_servers(reader: Reader, vpc: str, options: str) -> list[str]:
    """Give the DNS servers that a VPC's machines are told to ask; none where nothing but Amazon's is said."""
    if options == "default":
        return []
    question = Question(_DHCP, {"DhcpOptionsIds": [options]}, f"the DNS servers of {vpc}")
    return [
        str(value["Value"])
        for entry in (reader.answer(question) or {}).get("DhcpOptions", ())
        for configuration in entry.get("DhcpConfigurations", ())
        if configuration.get("Key") == "domain-name-servers"
        for value in configuration.get("Values", ())
        if value.get("Value") != "AmazonProvidedDNS"
    ]


def _cidrs(described: Mapping[str, Any]) -> list[str]:
    blocks = [described["CidrBlock"]]
    blocks += [entry["CidrBlock"] for entry in described.get("CidrBlockAssociationSet", ())]
    return list(dict.fromkeys(blocks))


# --- log and code -------------------------------------------------------------------------------------------------


def _log(reader: Reader, group: str, streams: Answer | None, version: str) -> tuple[LogLine, ...]:
    """Read the last lines; those of one version if it is given. A stream carries its version: `2026/11/25/[7]0a1b…`."""
    listed = [str(stream["logStreamName"]) for stream in (streams or {}).get("logStreams", ())]
    names = [name for name in listed if not version or f"[{version}]" in name][:MOST_LOG_STREAMS]
    answers = reader.all(
        Question(
            _LINES,
            {"logGroupName": group, "logStreamName": name, "limit": MOST_LINES_PER_STREAM, "startFromHead": False},
            f"the log group {group}",
            _NO_LOG,
        )
        for name in names
    )
    return tuple(
        LogLine(int(event["timestamp"]), str(event["message"]))
        for answer in answers
        for event in (answer or {}).get("events", ())
    )


def _code(reader: Reader, fetch: Fetch, found: Answer, folder: Path) -> tuple[Path | None, tuple[Path, ...]]:
    """Fetch the function's own code and that of its layers."""
    configuration = found["Configuration"]
    if not str(configuration.get("Runtime", "")).startswith("python"):
        return None, ()
    own = _fetched(reader, fetch, str((found.get("Code") or {}).get("Location") or ""), folder / "function", "the code")
    layers = []
    for number, layer in enumerate(configuration.get("Layers", ())):
        arn = str(layer["Arn"])
        answer = reader.answer(Question(_LAYER, {"Arn": arn}, f"the layer {arn}"))
        if answer is None:
            continue
        address = str((answer.get("Content") or {}).get("Location") or "")
        fetched = _fetched(reader, fetch, address, folder / f"layer-{number}", f"the layer {arn}")
        if fetched is not None:
            layers.append(fetched / "python")
    return own, tuple(layers)


def _fetched(reader: Reader, fetch: Fetch, address: str, folder: Path, what: str) -> Path | None:
    content = fetch(address)
    problem = content.code if isinstance(content, Failure) else _unpacked(content, folder)
    if problem:
        reader.unread.append(Unread(what, "", problem, is_denied=False))
        return None
    return folder


def _unpacked(content: bytes, folder: Path) -> str:
    """Unpack the source, and what says which of it is installed packages; give what went wrong, empty if nothing."""
    folder.mkdir(parents=True)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > _MOST_FILES or sum(member.file_size for member in members) > _MOST_UNPACKED_BYTES:
                return "TooLarge"
            for member in members:
                wanted = member.filename.endswith((".py", ".dist-info/RECORD", "pyvenv.cfg"))
                if wanted and member.file_size <= _MOST_SOURCE_BYTES:
                    archive.extract(member, folder)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, zlib.error) as error:
        return type(error).__name__
    return ""
