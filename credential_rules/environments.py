"""Where a resource type keeps the environment of its code: variables by name, in the clear for all who may read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from credential_rules.property_paths import reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.template import Resource, Template, Value


class Variable(NamedTuple):
    """One variable. `name` is empty if the template does not decide it; `value` may have several branches."""

    name: str
    value: Value


class _Kept(NamedTuple):
    """How a type keeps variables: at `path` a mapping, or a list of mappings with a `name` and a `value` each."""

    path: str
    name: str = ""
    value: str = ""


_NAMED: Final = ("Name", "Value")

_KEPT: Final[dict[str, tuple[_Kept, ...]]] = {
    "AWS::Lambda::Function": (_Kept("Environment.Variables"),),
    "AWS::Serverless::Function": (_Kept("Environment.Variables"),),
    "AWS::ECS::TaskDefinition": (_Kept("ContainerDefinitions[].Environment", *_NAMED),),
    "AWS::ECS::DaemonTaskDefinition": (_Kept("ContainerDefinitions[].Environment", *_NAMED),),
    "AWS::ECS::ExpressGatewayService": (_Kept("PrimaryContainer.Environment", *_NAMED),),
    "AWS::Batch::JobDefinition": (
        _Kept("ContainerProperties.Environment", *_NAMED),
        _Kept("NodeProperties.NodeRangeProperties[].Container.Environment", *_NAMED),
        _Kept("EcsProperties.TaskProperties[].Containers[].Environment", *_NAMED),
        _Kept("EksProperties.PodProperties.Containers[].Env", *_NAMED),
        _Kept("EksProperties.PodProperties.InitContainers[].Env", *_NAMED),
        _Kept("NodeProperties.NodeRangeProperties[].EcsProperties.TaskProperties[].Containers[].Environment", *_NAMED),
        _Kept("NodeProperties.NodeRangeProperties[].EksProperties.PodProperties.Containers[].Env", *_NAMED),
        _Kept("NodeProperties.NodeRangeProperties[].EksProperties.PodProperties.InitContainers[].Env", *_NAMED),
    ),
    "AWS::CodeBuild::Project": (_Kept("Environment.EnvironmentVariables", *_NAMED),),
    "AWS::CodePipeline::Pipeline": (_Kept("Stages[].Actions[].EnvironmentVariables", *_NAMED),),
    "AWS::AppRunner::Service": (
        _Kept("SourceConfiguration.ImageRepository.ImageConfiguration.RuntimeEnvironmentVariables", *_NAMED),
        _Kept(
            "SourceConfiguration.CodeRepository.CodeConfiguration.CodeConfigurationValues.RuntimeEnvironmentVariables",
            *_NAMED,
        ),
    ),
    "AWS::Amplify::App": (
        _Kept("EnvironmentVariables", *_NAMED),
        _Kept("AutoBranchCreationConfig.EnvironmentVariables", *_NAMED),
    ),
    "AWS::Amplify::Branch": (_Kept("EnvironmentVariables", *_NAMED),),
    "AWS::AppSync::GraphQLApi": (_Kept("EnvironmentVariables"),),
    "AWS::ApiGateway::Stage": (_Kept("Variables"),),
    "AWS::ApiGateway::Deployment": (_Kept("StageDescription.Variables"),),
    "AWS::ApiGatewayV2::Stage": (_Kept("StageVariables"),),
    "AWS::Serverless::Api": (_Kept("Variables"),),
    "AWS::Serverless::HttpApi": (_Kept("StageVariables"),),
    "AWS::BedrockAgentCore::Runtime": (_Kept("EnvironmentVariables"),),
    "AWS::DeviceFarm::Project": (_Kept("EnvironmentVariables", *_NAMED),),
    "AWS::ElasticBeanstalk::Environment": (_Kept("OptionSettings", "OptionName", "Value"),),
    "AWS::ElasticBeanstalk::ConfigurationTemplate": (_Kept("OptionSettings", "OptionName", "Value"),),
    "AWS::GameLift::ContainerGroupDefinition": (
        _Kept("GameServerContainerDefinition.EnvironmentOverride", *_NAMED),
        _Kept("SupportContainerDefinitions[].EnvironmentOverride", *_NAMED),
    ),
    "AWS::Glue::Job": (_Kept("DefaultArguments"), _Kept("NonOverridableArguments")),
    "AWS::Glue::Trigger": (_Kept("Actions[].Arguments"),),
    "AWS::Glue::DevEndpoint": (_Kept("Arguments"),),
    "AWS::Greengrass::FunctionDefinition": (
        _Kept("InitialVersion.Functions[].FunctionConfiguration.Environment.Variables"),
    ),
    "AWS::Greengrass::FunctionDefinitionVersion": (_Kept("Functions[].FunctionConfiguration.Environment.Variables"),),
    "AWS::GreengrassV2::ComponentVersion": (_Kept("LambdaFunction.ComponentLambdaParameters.EnvironmentVariables"),),
    "AWS::IoTAnalytics::Dataset": (_Kept("Actions[].ContainerAction.Variables", "VariableName", "StringValue"),),
    "AWS::KinesisAnalyticsV2::Application": (
        _Kept("ApplicationConfiguration.EnvironmentProperties.PropertyGroups[].PropertyMap"),
    ),
    "AWS::Lightsail::Container": (_Kept("ContainerServiceDeployment.Containers[].Environment", "Variable", "Value"),),
    "AWS::MWAA::Environment": (_Kept("AirflowConfigurationOptions"),),
    "AWS::OpsWorks::App": (_Kept("Environment", "Key", "Value"),),
    "AWS::Pipes::Pipe": (
        _Kept("TargetParameters.BatchJobParameters.ContainerOverrides.Environment", *_NAMED),
        _Kept("TargetParameters.EcsTaskParameters.Overrides.ContainerOverrides[].Environment", *_NAMED),
    ),
    "AWS::RoboMaker::RobotApplication": (_Kept("Environment"),),
    "AWS::RoboMaker::SimulationApplication": (_Kept("Environment"),),
    "AWS::SageMaker::Model": (_Kept("PrimaryContainer.Environment"), _Kept("Containers[].Environment")),
    "AWS::SageMaker::ModelPackage": (
        _Kept("InferenceSpecification.Containers[].Environment"),
        _Kept("AdditionalInferenceSpecifications[].Containers[].Environment"),
        _Kept("AdditionalInferenceSpecificationsToAdd[].Containers[].Environment"),
        _Kept("ValidationSpecification.ValidationProfiles[].TransformJobDefinition.Environment"),
    ),
    "AWS::SageMaker::InferenceComponent": (_Kept("Specification.Container.Environment"),),
    "AWS::SageMaker::ProcessingJob": (_Kept("Environment"),),
    "AWS::SageMaker::MonitoringSchedule": (_Kept("MonitoringScheduleConfig.MonitoringJobDefinition.Environment"),),
    "AWS::SageMaker::DataQualityJobDefinition": (_Kept("DataQualityAppSpecification.Environment"),),
    "AWS::SageMaker::ModelBiasJobDefinition": (_Kept("ModelBiasAppSpecification.Environment"),),
    "AWS::SageMaker::ModelExplainabilityJobDefinition": (_Kept("ModelExplainabilityAppSpecification.Environment"),),
    "AWS::SageMaker::ModelQualityJobDefinition": (_Kept("ModelQualityAppSpecification.Environment"),),
    "AWS::SageMaker::AppImageConfig": (
        _Kept("CodeEditorAppImageConfig.ContainerConfig.ContainerEnvironmentVariables", "Key", "Value"),
        _Kept("JupyterLabAppImageConfig.ContainerConfig.ContainerEnvironmentVariables", "Key", "Value"),
    ),
    "AWS::Synthetics::Canary": (_Kept("RunConfig.EnvironmentVariables"),),
}

ENVIRONMENT_TYPES: Final = tuple(_KEPT)
"""The types whose resources give their code an environment."""

_RESOLVED_AT_RUN_TIME: Final = frozenset({"SECRETS_MANAGER", "PARAMETER_STORE"})


def variables(resource: Resource) -> Iterator[Variable]:
    """The variables that are written at the resource itself: SAM's `Globals` are `global_variables`.

    Left out is what holds only the name of a secret that the service fetches at run time (`Type: SECRETS_MANAGER`).
    """
    properties = resource.at("Properties")
    for kept in _KEPT.get(resource.type, ()):
        for environment in reach(properties, kept.path):
            if kept.name:
                yield from _pairs(environment, kept)
            else:
                yield from (Variable(name, value) for name, value in environment.entries())


def global_variables(template: Template) -> Iterator[Variable]:
    """The variables that SAM's `Globals` give to every function."""
    if "Globals" in template.raw:
        variables = template.at("Globals", "Function", "Environment", "Variables")
        yield from (Variable(name, value) for name, value in variables.entries())


def environments(resource: Resource) -> Iterator[Value]:
    """The places that `variables` reads, one value per branch."""
    for kept in _KEPT.get(resource.type, ()):
        yield from reach(resource.at("Properties"), kept.path)


def _pairs(environment: Value, kept: _Kept) -> Iterator[Variable]:
    for pair in environment.each():
        if _RESOLVED_AT_RUN_TIME.isdisjoint(pair["Type"].literals()):
            for name in pair[kept.name].literals() or [""]:
                yield Variable(name, pair[kept.value])
