"""The HTTP API: one explicit route per operation, each behind the authorizer unless it says why not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigatewayv2_authorizers import HttpLambdaAuthorizer, HttpLambdaResponseType
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from stacks.acknowledgements import acknowledge

if TYPE_CHECKING:
    from aws_cdk import RemovalPolicy
    from aws_cdk import aws_lambda as lambda_

_GET: Final = apigateway.HttpMethod.GET
_POST: Final = apigateway.HttpMethod.POST

ROUTES: Final = (
    (_POST, "/v1/events"),
    (_GET, "/v1/events/{id}"),
    (_GET, "/v1/ready"),
)
"""Routes that need an API key."""

PUBLIC_ROUTES: Final = ((_GET, "/v1/health"),)
"""Routes that answer anybody."""

_KEY_CACHE: Final = Duration.minutes(1)
"""How long a decision about an API key is remembered: a disabled key works this much longer."""

_REQUESTS_PER_SECOND: Final = 100
_BURST: Final = 200

_ACCESS_LOG: Final = {
    "requestId": "$context.requestId",
    "routeKey": "$context.routeKey",
    "status": "$context.status",
    "tenant": "$context.authorizer.tenant_id",
    "responseLatency": "$context.responseLatency",
    "integrationError": "$context.integrationErrorMessage",
    "authorizerError": "$context.authorizer.error",
    "sourceIp": "$context.identity.sourceIp",
}
"""Never the headers: they hold API keys."""


class EventHttpApi(Construct):
    """The HTTP API and its access log.

    Args:
        name: The API's name.
        handler: Answers every route.
        authorizer: Turns the header ``x-api-key`` into a tenant.
        log_retention: How long the access log is kept.
        log_removal: What happens to the access log when its stack is deleted.

    Attributes:
        http_api: The API.
        url: Where it answers, without a slash at the end.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        handler: lambda_.IFunction,
        authorizer: lambda_.IFunction,
        log_retention: logs.RetentionDays,
        log_removal: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.http_api = apigateway.HttpApi(self, "Api", api_name=name, create_default_stage=False)
        key_check = HttpLambdaAuthorizer(
            "ApiKey",
            authorizer,
            response_types=[HttpLambdaResponseType.SIMPLE],
            identity_source=["$request.header.x-api-key"],
            results_cache_ttl=_KEY_CACHE,
        )
        integration = HttpLambdaIntegration("Handler", handler)
        for method, path in ROUTES:
            self.http_api.add_routes(path=path, methods=[method], integration=integration, authorizer=key_check)
        for method, path in PUBLIC_ROUTES:
            for route in self.http_api.add_routes(path=path, methods=[method], integration=integration):
                acknowledge(
                    route,
                    "AwsSolutions::AwsSolutions-APIG4",
                    "The health check answers load balancers, which have no key; it calls nothing and tells nothing.",
                )
        log = logs.LogGroup(self, "AccessLog", retention=log_retention, removal_policy=log_removal)
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.http_api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(rate_limit=_REQUESTS_PER_SECOND, burst_limit=_BURST),
        )
        # The construct wants an object of a TypeScript interface here; the resource takes plain values.
        resource = cast("apigateway.CfnStage", stage.node.default_child)
        resource.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=log.log_group_arn, format=json.dumps(_ACCESS_LOG)
        )
        self.url = f"https://{self.http_api.api_id}.execute-api.{Stack.of(self).region}.{Stack.of(self).url_suffix}"
