"""The HTTP API: an explicit route for each operation, each behind a key unless it says why not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.stacks.function_source import route_keys
from tests.stacks.permissions import functions

if TYPE_CHECKING:
    from tests.stacks.cloud_assembly import Assembly, Resource


def _routes(assembly: Assembly) -> dict[str, Resource]:
    return {route.properties["RouteKey"]: route for route in assembly.api.of_type("AWS::ApiGatewayV2::Route")}


def test_there_is_a_route_for_each_operation_and_for_nothing_else(deployment: Assembly) -> None:
    """What API Gateway lets through is what the function answers: the two lists are the same."""
    assert set(_routes(deployment)) == route_keys()


def test_no_route_catches_all(deployment: Assembly) -> None:
    """A proxy route would let everything reach the function, authorised by one rule."""
    for key in _routes(deployment):
        assert "$default" not in key
        assert "+}" not in key
        assert not key.startswith("ANY ")


def test_all_but_the_health_check_need_a_key(deployment: Assembly) -> None:
    """A load balancer has no key; everybody else has."""
    api = deployment.api
    for key, route in _routes(deployment).items():
        if key == "GET /v1/health":
            assert route.properties["AuthorizationType"] == "NONE"
        else:
            assert route.properties["AuthorizationType"] == "CUSTOM"
            assert api.text(route.properties["AuthorizerId"]) == "<Api/HttpApi/Api/ApiKey>"


def test_every_route_leads_to_the_api_function(deployment: Assembly) -> None:
    """In payload format 2.0, which the function reads."""
    api = deployment.api
    (integration,) = api.of_type("AWS::ApiGatewayV2::Integration")
    assert integration.properties["IntegrationType"] == "AWS_PROXY"
    assert integration.properties["PayloadFormatVersion"] == "2.0"
    assert api.text(integration.properties["IntegrationUri"]) == "<Api/Api/Function.Arn>"
    for route in _routes(deployment).values():
        assert api.text(route.properties["Target"]) == f"integrations/<{integration.path}>"


def test_the_authorizer_reads_one_header_and_answers_simply(deployment: Assembly) -> None:
    """A request without the header is refused without a call, and the answer is remembered for a minute by its value."""
    api = deployment.api
    (authorizer,) = api.of_type("AWS::ApiGatewayV2::Authorizer")
    assert authorizer.properties["AuthorizerType"] == "REQUEST"
    assert authorizer.properties["AuthorizerPayloadFormatVersion"] == "2.0"
    assert authorizer.properties["EnableSimpleResponses"] is True
    assert authorizer.properties["IdentitySource"] == ["$request.header.x-api-key"]
    assert authorizer.properties["AuthorizerResultTtlInSeconds"] == 60
    assert "<Api/Authorizer/Function.Arn>" in api.text(authorizer.properties["AuthorizerUri"])


def test_only_our_api_may_invoke_the_functions(deployment: Assembly) -> None:
    """Each permission names API Gateway and the ARN of our API; nothing else invokes them by a policy of theirs."""
    api = deployment.api
    invoked = set()
    for permission in api.of_type("AWS::Lambda::Permission"):
        assert permission.properties["Principal"] == "apigateway.amazonaws.com"
        assert permission.properties["Action"] == "lambda:InvokeFunction"
        source = api.text(permission.properties["SourceArn"])
        assert source.startswith("arn:aws:execute-api:<AWS::Region>:<AWS::AccountId>:<Api/HttpApi/Api>/")
        invoked.add(api.text(permission.properties["FunctionName"]))
    assert invoked == {"<Api/Api/Function.Arn>", "<Api/Authorizer/Function.Arn>"}
    for template in deployment.templates.values():
        for function in functions(template).values():
            assert f"<{function.path}.FunctionUrl>" not in str(template.content)
        assert not template.of_type("AWS::Lambda::Url")


def test_requests_are_throttled(deployment: Assembly) -> None:
    """A client that runs wild costs a known amount."""
    (stage,) = deployment.api.of_type("AWS::ApiGatewayV2::Stage")
    settings = stage.properties["DefaultRouteSettings"]
    assert 0 < settings["ThrottlingRateLimit"] <= 1000
    assert 0 < settings["ThrottlingBurstLimit"] <= 2000
    assert not stage.properties.get("RouteSettings")


def test_the_access_log_tells_who_asked_what_and_never_the_key(deployment: Assembly) -> None:
    """Tenant, route, status and the request's id; no header, body or query, where keys may be."""
    api = deployment.api
    (stage,) = api.of_type("AWS::ApiGatewayV2::Stage")
    log = stage.properties["AccessLogSettings"]
    assert api.text(log["DestinationArn"]) == "<Api/HttpApi/AccessLog.Arn>"
    logged = set(json.loads(log["Format"]).values())
    assert {
        "$context.requestId",
        "$context.routeKey",
        "$context.status",
        "$context.authorizer.tenant_id",
    } <= logged
    for value in logged:
        assert value.startswith("$context.")
        for part in ("header", "querystring", "body", "identity.apiKey", "$context.path"):
            assert part not in value


def test_the_url_is_told(deployment: Assembly) -> None:
    """As an output: whoever deploys needs it for the first request."""
    outputs = deployment.api.content["Outputs"]
    url = deployment.api.text(outputs["ApiUrl"]["Value"])
    assert url == "https://<Api/HttpApi/Api>.execute-api.<AWS::Region>.<AWS::URLSuffix>"
