"""How the functions run: where, on what, for how long, and with which variables."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from aws_cdk import aws_lambda as lambda_

from event_api.role_clients import WORST_CALL_SECONDS
from event_api.telemetry import METRIC_NAMESPACE
from stacks.settings import Function
from tests.stacks.function_source import read_variables, required_variables
from tests.stacks.permissions import functions

if TYPE_CHECKING:
    from tests.stacks.cloud_assembly import Assembly, Resource, Template

API_GATEWAY_WAITS_SECONDS = 30
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""

SET_BY_LAMBDA = frozenset({"AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME"})
"""What the runtime sets, of that which our code asks for."""

RESERVED = frozenset(
    {
        *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
        *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
        *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
    }
)
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""

CREDENTIAL_WORDS = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|PRIVATE|ACCESS_?KEY|PROFILE|AUTH|ENDPOINT_URL", re.IGNORECASE
)
KEY_ID = re.compile(r"\b(AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b")


def _in_vpc(assembly: Assembly) -> dict[str, Resource]:
    return functions(assembly.api)


def _everywhere(assembly: Assembly) -> list[tuple[Template, str, Resource]]:
    return [
        (template, name, function)
        for template in assembly.templates.values()
        for name, function in functions(template).items()
    ]


def _variables(template: Template, function: Resource) -> dict[str, str]:
    given = function.properties.get("Environment", {}).get("Variables", {})
    return {name: template.text(value) for name, value in given.items()}


def test_there_is_one_function_for_each_entry_module(deployment: Assembly) -> None:
    """The functions of the settings, and the one that a deployment asks for prefix lists."""
    assert set(_in_vpc(deployment)) == set(Function)
    assert set(functions(deployment.network)) == {"prefix_lists", "default_group"}
    for _, name, function in _everywhere(deployment):
        assert function.properties["Handler"] == f"event_api.{name}.handler"


@pytest.mark.parametrize("name", list(Function))
def test_functions_run_in_the_isolated_subnets_in_the_functions_group(deployment: Assembly, name: Function) -> None:
    """All of the subnets, so that a zone may fail, and no group beside the one that reaches the endpoints only."""
    place = _in_vpc(deployment)[name].properties["VpcConfig"]
    subnets = {f"<{subnet.path}>" for subnet in deployment.network.of_type("AWS::EC2::Subnet")}
    assert set(deployment.api.texts(place["SubnetIds"])) == subnets
    assert deployment.api.texts(place["SecurityGroupIds"]) == ["<Network/Functions.GroupId>"]


def test_functions_run_on_the_newest_python(deployment: Assembly) -> None:
    """As cdk-nag asks, and as the layer's wheels are chosen for."""
    minors = [
        int(name.removeprefix("PYTHON_3_")) for name in dir(lambda_.Runtime) if re.fullmatch(r"PYTHON_3_\d+", name)
    ]
    newest = f"python3.{max(minors)}"
    for _, _, function in _everywhere(deployment):
        assert function.properties["Runtime"] == newest
    (layer,) = deployment.api.of_type("AWS::Lambda::LayerVersion")
    assert layer.properties["CompatibleRuntimes"] == [newest]


@pytest.mark.parametrize(("name", "architecture"), [("dev", "arm64"), ("x86", "x86_64")])
def test_functions_and_their_layer_are_for_the_processor_of_the_setting(
    name: str, architecture: str, request: pytest.FixtureRequest
) -> None:
    """ARM64 unless set otherwise; wheels for the other one could not be imported."""
    assembly: Assembly = request.getfixturevalue(name)
    for _, _, function in _everywhere(assembly):
        assert function.properties["Architectures"] == [architecture]
    (layer,) = assembly.api.of_type("AWS::Lambda::LayerVersion")
    assert layer.properties["CompatibleArchitectures"] == [architecture]


def test_functions_have_their_dependencies(deployment: Assembly) -> None:
    """Those of the application by the layer; the one for deployments runs on the runtime's own SDK."""
    for function in _in_vpc(deployment).values():
        assert deployment.api.texts(function.properties["Layers"]) == ["<Api/Dependencies>"]


def test_functions_outlive_the_slowest_call_of_their_clients(deployment: Assembly) -> None:
    """Else a closed path ends in Lambda's "Task timed out", without the line that says which call it was."""
    for _, name, function in _everywhere(deployment):
        assert function.properties["Timeout"] > WORST_CALL_SECONDS, name


def test_the_api_function_ends_before_api_gateway_gives_up(deployment: Assembly) -> None:
    """A client gets an answer of ours, not a bare 503."""
    assert _in_vpc(deployment)["api"].properties["Timeout"] < API_GATEWAY_WAITS_SECONDS


def test_no_variable_is_a_credential_or_looks_like_one(deployment: Assembly) -> None:
    """The role is all a function needs; a name like a credential's invites somebody to fill it."""
    for template, _, function in _everywhere(deployment):
        for name, value in _variables(template, function).items():
            assert not CREDENTIAL_WORDS.search(name), name
            assert not KEY_ID.search(value), name


def test_no_variable_is_reserved(deployment: Assembly) -> None:
    """Lambda refuses them in the middle of a deployment."""
    for template, _, function in _everywhere(deployment):
        names = _variables(template, function).keys()
        assert not names & RESERVED
        assert not {name for name in names if name.startswith(("AWS_", "_"))}


def test_every_variable_that_a_function_requires_is_set(deployment: Assembly) -> None:
    """Read from the source of its entry module and all that it imports: a missing one stops it at its start."""
    for template, entry, function in _everywhere(deployment):
        asked = required_variables(entry)
        assert asked
        assert asked - SET_BY_LAMBDA <= _variables(template, function).keys(), entry


def test_no_variable_is_set_that_the_function_does_not_read(deployment: Assembly) -> None:
    """What nobody reads promises a behaviour that is not there."""
    for template, entry, function in _everywhere(deployment):
        assert set(_variables(template, function)) - read_variables(entry) == set(), entry


def test_variables_name_our_own_resources(deployment: Assembly) -> None:
    """The tables, queue and bucket of this deployment, by reference."""
    api = deployment.api
    references = {
        "EVENTS_TABLE": "<Data/Events>",
        "API_KEYS_TABLE": "<Data/ApiKeys>",
        "EVENT_QUEUE_URL": "<Data/EventQueue>",
        "PAYLOAD_BUCKET": "<Data/Payloads>",
    }
    given = list(chain.from_iterable(_variables(api, function).items() for function in _in_vpc(deployment).values()))
    for name, meant in references.items():
        values = {value for variable, value in given if variable == name}
        assert values == {meant}, name


@pytest.mark.parametrize(("name", "check"), [("dev", "on"), ("small", "off")])
def test_the_role_check_follows_the_sts_endpoint(name: str, check: str, request: pytest.FixtureRequest) -> None:
    """Without a way to STS the question would hang until it times out, and the service would never be ready."""
    assembly: Assembly = request.getfixturevalue(name)
    assert _variables(assembly.api, _in_vpc(assembly)["api"])["ROLE_CHECK"] == check


def test_every_function_has_a_log_group_of_its_own_with_an_end(deployment: Assembly) -> None:
    """Lambda would make one without an end; its name is the function's, as alarms and people expect."""
    for template, _, function in _everywhere(deployment):
        wanted = f"/aws/lambda/{template.text(function.properties['FunctionName'])}"
        (group,) = (
            group
            for group in template.of_type("AWS::Logs::LogGroup")
            if template.text(group.properties.get("LogGroupName", "")) == wanted
        )
        assert template.text(function.properties["LoggingConfig"]["LogGroup"]) == f"<{group.path}>"
        assert group.properties["RetentionInDays"]


@pytest.mark.parametrize(("name", "days"), [("dev", 30), ("prod", 90)])
def test_logs_are_kept_as_long_as_set(name: str, days: int, request: pytest.FixtureRequest) -> None:
    """Every log group of the application, flow logs and access log included."""
    assembly: Assembly = request.getfixturevalue(name)
    for _, group in assembly.of_type("AWS::Logs::LogGroup"):
        assert group.properties["RetentionInDays"] == days, group.path


def test_the_code_is_the_package_alone(dev: Assembly) -> None:
    """No caches and no list of requirements: what is deployed does not depend on what was run here before."""
    key = _in_vpc(dev)["api"].properties["Code"]["S3Key"]
    staged = dev.folder / f"asset.{key.removesuffix('.zip')}"
    assert {path.name for path in staged.iterdir()} == {"event_api"}
    assert {path.suffix for path in staged.rglob("*") if path.is_file()} == {".py"}


def test_the_worker_takes_from_the_queue_and_reports_each_failure(deployment: Assembly) -> None:
    """One bad message does not bring back the whole batch."""
    api = deployment.api
    (mapping,) = api.of_type("AWS::Lambda::EventSourceMapping")
    assert api.text(mapping.properties["EventSourceArn"]) == "<Data/EventQueue.Arn>"
    assert api.text(mapping.properties["FunctionName"]) == "<Api/Worker/Function>"
    assert mapping.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_worker_may_take_messages_before_it_is_connected(deployment: Assembly) -> None:
    """Lambda tries the role's permission when the mapping is made."""
    api = deployment.api
    (mapping,) = api.of_type("AWS::Lambda::EventSourceMapping")
    (policy,) = (each for each in api.of_type("AWS::IAM::Policy") if each.path == "Api/Worker/Role/DefaultPolicy")
    assert policy.logical_id in mapping.body["DependsOn"]


def test_the_sweeper_is_started_again_and_again(deployment: Assembly) -> None:
    """Every minute; a start that Lambda did not take is not repeated, because the next one comes by itself."""
    api = deployment.api
    (schedule,) = api.of_type("AWS::Scheduler::Schedule")
    target = schedule.properties["Target"]
    assert schedule.properties["ScheduleExpression"] == "rate(1 minute)"
    assert schedule.properties.get("State", "ENABLED") == "ENABLED"
    assert api.text(target["Arn"]) == "<Api/Sweeper/Function.Arn>"
    assert api.text(target["RoleArn"]) == "<Api/Sweep/Role.Arn>"
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0}


def test_a_sweep_that_failed_is_not_repeated(deployment: Assembly) -> None:
    """The scheduler starts it asynchronously, and Lambda would run a failed one twice more beside its successors."""
    api = deployment.api
    (config,) = api.of_type("AWS::Lambda::EventInvokeConfig")
    assert api.text(config.properties["FunctionName"]) == "<Api/Sweeper/Function>"
    assert config.properties["Qualifier"] == "$LATEST"
    assert config.properties["MaximumRetryAttempts"] == 0


def test_a_sweep_goes_on_for_most_of_its_time(deployment: Assembly) -> None:
    """It starts no event that two slowest calls might not finish; that must leave it most of its time."""
    assert _in_vpc(deployment)["sweeper"].properties["Timeout"] >= 4 * 2 * WORST_CALL_SECONDS


def test_metrics_say_which_deployment_and_function_they_are_of(deployment: Assembly) -> None:
    """Telemetry takes its dimensions from these variables."""
    assert METRIC_NAMESPACE
    environment = deployment.context.get("environment", "dev")
    for name, function in _in_vpc(deployment).items():
        variables = _variables(deployment.api, function)
        assert variables["POWERTOOLS_SERVICE_NAME"] == name
        assert variables["ROLEBOUND_ENVIRONMENT"] == environment
