"""Every property of a CloudFormation resource type that takes a password, token or key.

Drawn from the resource types' own schemas (each writable text whose name promises a secret, read one by one: key ids,
ARNs, names of secrets, file names and read-only attributes are left out), with the free-form mappings that schemas do
not describe. `[]` is each element of a list, `{}` each key that promises a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credential_rules.credential_forms import promise_of
from credential_rules.property_paths import reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.template import Resource, Value

_APPFLOW = "ConnectorProfileConfig.ConnectorProfileCredentials."
_APPFLOW_OAUTH = ("AccessToken", "ClientSecret", "RefreshToken", "ConnectorOAuthRequest.AuthCode")
_AGENT = "ServiceDetails."
_OAUTH_PROVIDER = "Oauth2ProviderConfigInput."
_GLUE_AUTHENTICATION = (
    "AuthenticationConfiguration.BasicAuthenticationCredentials.Password",
    "AuthenticationConfiguration.CustomAuthenticationCredentials.{}",
    "AuthenticationConfiguration.OAuth2Properties.AuthorizationCodeProperties.AuthorizationCode",
    "AuthenticationConfiguration.OAuth2Properties.OAuth2Credentials.AccessToken",
    "AuthenticationConfiguration.OAuth2Properties.OAuth2Credentials.JwtToken",
    "AuthenticationConfiguration.OAuth2Properties.OAuth2Credentials.RefreshToken",
    "AuthenticationConfiguration.OAuth2Properties.OAuth2Credentials.UserManagedClientApplicationClientSecret",
    "AuthenticationConfiguration.OAuth2Properties.TokenUrlParametersMap.{}",
    "ConnectionProperties.{}",
)

PASSWORD_PROPERTIES: Final[dict[str, tuple[str, ...]]] = {
    "Alexa::ASK::Skill": ("AuthenticationConfiguration.ClientSecret", "AuthenticationConfiguration.RefreshToken"),
    "AWS::AmazonMQ::Broker": ("Users[].Password", "LdapServerMetadata.ServiceAccountPassword"),
    "AWS::Amplify::App": (
        "AccessToken",
        "OauthToken",
        "BasicAuthConfig.Password",
        "AutoBranchCreationConfig.BasicAuthConfig.Password",
    ),
    "AWS::Amplify::Branch": ("BasicAuthConfig.Password",),
    "AWS::ApiGateway::ApiKey": ("Value",),
    "AWS::AppFlow::ConnectorProfile": (
        *(
            f"{_APPFLOW}{path}"
            for path in (
                "Amplitude.ApiKey",
                "Amplitude.SecretKey",
                "CustomConnector.ApiKey.ApiKey",
                "CustomConnector.ApiKey.ApiSecretKey",
                "CustomConnector.Basic.Password",
                "CustomConnector.Custom.CredentialsMap.{}",
                "CustomConnector.Oauth2.AccessToken",
                "CustomConnector.Oauth2.ClientSecret",
                "CustomConnector.Oauth2.OAuthRequest.AuthCode",
                "CustomConnector.Oauth2.RefreshToken",
                "Datadog.ApiKey",
                "Datadog.ApplicationKey",
                "Dynatrace.ApiToken",
                "InforNexus.AccessKeyId",
                "InforNexus.Datakey",
                "InforNexus.SecretAccessKey",
                "Redshift.Password",
                "SAPOData.BasicAuthCredentials.Password",
                "Salesforce.JwtToken",
                "ServiceNow.OAuth2Credentials.AccessToken",
                "ServiceNow.OAuth2Credentials.ClientSecret",
                "ServiceNow.OAuth2Credentials.OAuthRequest.AuthCode",
                "ServiceNow.OAuth2Credentials.RefreshToken",
                "ServiceNow.Password",
                "Singular.ApiKey",
                "Snowflake.Password",
                "Trendmicro.ApiSecretKey",
                "Veeva.Password",
            )
        ),
        *(
            f"{_APPFLOW}{connector}.{path}"
            for connector in (
                "GoogleAnalytics",
                "Marketo",
                "Pardot",
                "SAPOData.OAuthCredentials",
                "Salesforce",
                "Slack",
                "Zendesk",
            )
            for path in _APPFLOW_OAUTH
        ),
    ),
    "AWS::AppStream::DirectoryConfig": ("ServiceAccountCredentials.AccountPassword",),
    "AWS::BackupGateway::Hypervisor": ("Password",),
    "AWS::BedrockAgentCore::ApiKeyCredentialProvider": ("ApiKey",),
    "AWS::BedrockAgentCore::OAuth2CredentialProvider": tuple(
        f"{_OAUTH_PROVIDER}{provider}.ClientSecret"
        for provider in (
            "AtlassianOauth2ProviderConfig",
            "CustomOauth2ProviderConfig",
            "GithubOauth2ProviderConfig",
            "GoogleOauth2ProviderConfig",
            "IncludedOauth2ProviderConfig",
            "LinkedinOauth2ProviderConfig",
            "MicrosoftOauth2ProviderConfig",
            "SalesforceOauth2ProviderConfig",
            "SlackOauth2ProviderConfig",
        )
    ),
    "AWS::CodeBuild::SourceCredential": ("Token",),
    "AWS::CodePipeline::Pipeline": ("Stages[].Actions[].Configuration.{}",),
    "AWS::CodePipeline::Webhook": ("AuthenticationConfiguration.SecretToken",),
    "AWS::CodeStar::GitHubRepository": ("RepositoryAccessToken",),
    "AWS::Cognito::UserPoolIdentityProvider": ("ProviderDetails.{}",),
    "AWS::Connect::User": ("Password",),
    "AWS::DMS::Endpoint": (
        "Password",
        "GcpMySQLSettings.Password",
        "KafkaSettings.SaslPassword",
        "KafkaSettings.SslClientKeyPassword",
        "MicrosoftSqlServerSettings.Password",
        "MongoDbSettings.Password",
        "OracleSettings.AsmPassword",
        "RedisSettings.AuthPassword",
    ),
    "AWS::DataSync::LocationAzureBlob": ("AzureBlobSasConfiguration.AzureBlobSasToken",),
    "AWS::DataSync::LocationFSxONTAP": ("Protocol.SMB.Password",),
    "AWS::DataSync::LocationFSxWindows": ("Password",),
    "AWS::DataSync::LocationObjectStorage": ("AccessKey", "SecretKey"),
    "AWS::DataSync::LocationSMB": ("Password",),
    "AWS::DataZone::Connection": (
        *(f"Props.GlueProperties.GlueConnectionInput.{path}" for path in _GLUE_AUTHENTICATION),
        "Props.RedshiftProperties.Credentials.UsernamePassword.Password",
    ),
    "AWS::DevOpsAgent::Service": tuple(
        f"{_AGENT}{path}"
        for path in (
            "Dynatrace.AuthorizationConfig.OAuthClientCredentials.ClientSecret",
            "GitLab.TokenValue",
            "MCPServer.AuthorizationConfig.ApiKey.ApiKeyValue",
            "MCPServer.AuthorizationConfig.OAuthClientCredentials.ClientSecret",
            "MCPServerNewRelic.AuthorizationConfig.ApiKey.ApiKey",
            "MCPServerSplunk.AuthorizationConfig.BearerToken.TokenValue",
            "PagerDuty.AuthorizationConfig.OAuthClientCredentials.ClientSecret",
            "ServiceNow.AuthorizationConfig.OAuthClientCredentials.ClientSecret",
        )
    ),
    "AWS::DirectConnect::PrivateVirtualInterface": ("BgpPeers[].AuthKey",),
    "AWS::DirectConnect::PublicVirtualInterface": ("BgpPeers[].AuthKey",),
    "AWS::DirectConnect::TransitVirtualInterface": ("BgpPeers[].AuthKey",),
    "AWS::DirectoryService::MicrosoftAD": ("Password",),
    "AWS::DirectoryService::SimpleAD": ("Password",),
    "AWS::DocDB::DBCluster": ("MasterUserPassword",),
    "AWS::DocDBElastic::Cluster": ("AdminUserPassword",),
    "AWS::EC2::VPNConnection": ("VpnTunnelOptionsSpecifications[].PreSharedKey",),
    "AWS::EC2::VerifiedAccessTrustProvider": ("OidcOptions.ClientSecret", "NativeApplicationOidcOptions.ClientSecret"),
    "AWS::EMR::Cluster": (
        "KerberosAttributes.ADDomainJoinPassword",
        "KerberosAttributes.CrossRealmTrustPrincipalPassword",
        "KerberosAttributes.KdcAdminPassword",
    ),
    "AWS::ElastiCache::ReplicationGroup": ("AuthToken",),
    "AWS::ElastiCache::User": ("Passwords[]", "AuthenticationMode.Passwords[]"),
    "AWS::ElasticLoadBalancingV2::Listener": ("DefaultActions[].AuthenticateOidcConfig.ClientSecret",),
    "AWS::ElasticLoadBalancingV2::ListenerRule": ("Actions[].AuthenticateOidcConfig.ClientSecret",),
    "AWS::Elasticsearch::Domain": ("AdvancedSecurityOptions.MasterUserOptions.MasterUserPassword",),
    "AWS::Events::Connection": (
        "AuthParameters.ApiKeyAuthParameters.ApiKeyValue",
        "AuthParameters.BasicAuthParameters.Password",
        "AuthParameters.OAuthParameters.ClientParameters.ClientSecret",
    ),
    "AWS::FSx::FileSystem": (
        "OntapConfiguration.FsxAdminPassword",
        "WindowsConfiguration.SelfManagedActiveDirectoryConfiguration.Password",
    ),
    "AWS::FSx::StorageVirtualMachine": (
        "ActiveDirectoryConfiguration.SelfManagedActiveDirectoryConfiguration.Password",
        "SvmAdminPassword",
    ),
    "AWS::Glue::Connection": tuple(f"ConnectionInput.{path}" for path in _GLUE_AUTHENTICATION),
    "AWS::IAM::SAMLProvider": ("AddPrivateKey",),
    "AWS::IAM::ServerCertificate": ("PrivateKey",),
    "AWS::IAM::User": ("LoginProfile.Password",),
    "AWS::InspectorV2::CodeSecurityIntegration": (
        "CreateIntegrationDetails.gitlabSelfManaged.accessToken",
        "UpdateIntegrationDetails.gitlabSelfManaged.authCode",
    ),
    "AWS::IoTWireless::PartnerAccount": ("Sidewalk.AppServerPrivateKey", "SidewalkUpdate.AppServerPrivateKey"),
    "AWS::IoTWireless::WirelessDevice": (
        "LoRaWAN.OtaaV10x.AppKey",
        "LoRaWAN.OtaaV11.AppKey",
        "LoRaWAN.OtaaV11.NwkKey",
        "LoRaWAN.AbpV10x.SessionKeys.AppSKey",
        "LoRaWAN.AbpV10x.SessionKeys.NwkSKey",
        "LoRaWAN.AbpV11.SessionKeys.AppSKey",
    ),
    "AWS::KinesisFirehose::DeliveryStream": (
        "HttpEndpointDestinationConfiguration.EndpointConfiguration.AccessKey",
        "RedshiftDestinationConfiguration.Password",
        "SnowflakeDestinationConfiguration.KeyPassphrase",
        "SnowflakeDestinationConfiguration.PrivateKey",
        "SplunkDestinationConfiguration.HECToken",
    ),
    "AWS::Lightsail::Database": ("MasterUserPassword",),
    "AWS::ManagedBlockchain::Member": (
        "MemberConfiguration.MemberFrameworkConfiguration.MemberFabricConfiguration.AdminPassword",
    ),
    "AWS::MediaLive::Channel": (
        "EncoderSettings.OutputGroups[].OutputGroupSettings.HlsGroupSettings.HlsCdnSettings.HlsAkamaiSettings.Token",
        "EncoderSettings.OutputGroups[].OutputGroupSettings.HlsGroupSettings.HlsCdnSettings.HlsAkamaiSettings.Salt",
    ),
    "AWS::MemoryDB::User": ("AuthenticationMode.Passwords[]",),
    "AWS::OpenSearchService::Domain": ("AdvancedSecurityOptions.MasterUserOptions.MasterUserPassword",),
    "AWS::OpsWorks::App": ("AppSource.Password", "AppSource.SshKey", "SslConfiguration.PrivateKey"),
    "AWS::OpsWorks::Stack": (
        "CustomCookbooksSource.Password",
        "CustomCookbooksSource.SshKey",
        "RdsDbInstances[].DbPassword",
    ),
    "AWS::Pinpoint::ADMChannel": ("ClientSecret",),
    "AWS::Pinpoint::APNSChannel": ("PrivateKey", "TokenKey"),
    "AWS::Pinpoint::APNSSandboxChannel": ("PrivateKey", "TokenKey"),
    "AWS::Pinpoint::APNSVoipChannel": ("PrivateKey", "TokenKey"),
    "AWS::Pinpoint::APNSVoipSandboxChannel": ("PrivateKey", "TokenKey"),
    "AWS::Pinpoint::BaiduChannel": ("ApiKey", "SecretKey"),
    "AWS::Pinpoint::GCMChannel": ("ApiKey", "ServiceJson"),
    "AWS::QuickSight::ActionConnector": (
        "AuthenticationConfig.AuthenticationMetadata.ApiKeyConnectionMetadata.ApiKey",
        (
            "AuthenticationConfig.AuthenticationMetadata.AuthorizationCodeGrantMetadata.AuthorizationCodeGrantCredentialsDetails"
            ".AuthorizationCodeGrantDetails.ClientSecret"
        ),
        "AuthenticationConfig.AuthenticationMetadata.BasicAuthConnectionMetadata.Password",
        (
            "AuthenticationConfig.AuthenticationMetadata.ClientCredentialsGrantMetadata.ClientCredentialsDetails"
            ".ClientCredentialsGrantDetails.ClientSecret"
        ),
    ),
    "AWS::QuickSight::DataSource": (
        "Credentials.CredentialPair.Password",
        "Credentials.KeyPairCredentials.PrivateKey",
        "Credentials.KeyPairCredentials.PrivateKeyPassphrase",
    ),
    "AWS::RDS::DBCluster": ("MasterUserPassword",),
    "AWS::RDS::DBInstance": ("MasterUserPassword", "TdeCredentialPassword"),
    "AWS::Redshift::Cluster": ("MasterUserPassword",),
    "AWS::RedshiftServerless::Namespace": ("AdminUserPassword",),
    "AWS::SES::EmailIdentity": ("DkimSigningAttributes.DomainSigningPrivateKey",),
    "AWS::SES::MailManagerIngressPoint": ("IngressPointConfiguration.SmtpPassword",),
    "AWS::SecurityLake::SubscriberNotification": (
        "NotificationConfiguration.HttpsNotificationConfiguration.AuthorizationApiKeyValue",
    ),
    "AWS::Timestream::InfluxDBCluster": ("Password",),
    "AWS::Timestream::InfluxDBInstance": ("Password",),
    "AWS::Transfer::Certificate": ("PrivateKey",),
}
"""Paths within `Properties`, by type. `AWS::SecretsManager::Secret` and `AWS::SSM::Parameter` need a look at their content."""


def password_values(resource: Resource) -> Iterator[Value]:
    """What the resource gives to its password properties, one value per branch, each at its own place."""
    properties = resource.properties
    for path in PASSWORD_PROPERTIES.get(resource.type, ()):
        yield from reach(properties, path, _promises_secret)


def _promises_secret(key: str) -> bool:
    return promise_of(key) in {"aws", "secret"}
