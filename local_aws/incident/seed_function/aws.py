"""The seed's app/utils/aws.py."""

import logging

import boto3
from botocore.config import Config
from observed import note
from settings import get_settings

settings = get_settings()
logger = logging.getLogger(__name__)

_session = None
_sqs_client = None
_dynamodb_client = None
_dynamodb_resource = None


def get_boto3_config():
    return Config(connect_timeout=5, read_timeout=5, retries={"max_attempts": 1})


def _get_boto3_session(force_refresh: bool = False):
    """Get or create a boto3 Session with credential refresh support."""
    global _session

    if _session is None or force_refresh:
        try:
            # Create a fresh session to ensure credentials are loaded from IAM role
            # In Lambda VPC, boto3 will automatically use STS VPC endpoint via private DNS
            _session = boto3.Session(region_name=settings.aws_region)

            # Verify credentials are available
            credentials = _session.get_credentials()
            if credentials is None:
                logger.warning("No credentials found in session.")
            else:
                if hasattr(credentials, "access_key") and credentials.access_key:
                    logger.debug("Session credentials obtained successfully")
                    # Try to verify credentials by calling STS GetCallerIdentity
                    try:
                        sts_client = _session.client("sts", region_name=settings.aws_region)
                        identity = sts_client.get_caller_identity()
                        note("STS", "GetCallerIdentity", identity["Arn"])
                        logger.debug("Credentials verified via STS")
                    except Exception as sts_error:
                        note("STS", "GetCallerIdentity", sts_error)
                        logger.warning(f"STS credential verification failed: {sts_error}")
        except Exception as e:
            logger.error(f"Error creating boto3 session: {e}", exc_info=True)
            raise

    return _session


def clear_aws_clients():
    """Clear all cached AWS clients to force re-initialization with fresh credentials."""
    global _sqs_client, _dynamodb_client, _dynamodb_resource, _session
    logger.info("Clearing cached AWS clients to force credential refresh")
    _sqs_client = None
    _dynamodb_client = None
    _dynamodb_resource = None
    _session = None


def get_sqs_client(force_refresh: bool = False):
    """Get SQS client (lazy-initialized)."""
    global _sqs_client

    if _sqs_client is None or force_refresh:
        if force_refresh:
            _sqs_client = None

        session = _get_boto3_session(force_refresh=force_refresh)

        client_kwargs = {
            "service_name": "sqs",
            "region_name": settings.aws_region,
            "config": get_boto3_config(),
        }

        if settings.aws_access_key_id and settings.aws_secret_access_key:
            client_kwargs["aws_access_key_id"] = settings.aws_access_key_id
            client_kwargs["aws_secret_access_key"] = settings.aws_secret_access_key

        try:
            _sqs_client = session.client(**client_kwargs)
            logger.debug("SQS client created successfully")
        except Exception as e:
            logger.error(f"Error creating SQS client: {e}", exc_info=True)
            raise

    return _sqs_client


def get_dynamodb_resource(force_refresh: bool = False):
    """Get DynamoDB resource (lazy-initialized)."""
    global _dynamodb_resource

    if _dynamodb_resource is None or force_refresh:
        if force_refresh:
            _dynamodb_resource = None

        session = _get_boto3_session(force_refresh=force_refresh)

        resource_kwargs = {
            "service_name": "dynamodb",
            "region_name": settings.aws_region,
            "config": get_boto3_config(),
        }

        if settings.aws_access_key_id and settings.aws_secret_access_key:
            resource_kwargs["aws_access_key_id"] = settings.aws_access_key_id
            resource_kwargs["aws_secret_access_key"] = settings.aws_secret_access_key

        try:
            _dynamodb_resource = session.resource(**resource_kwargs)
            logger.debug("DynamoDB resource created successfully")
        except Exception as e:
            logger.error(f"Error creating DynamoDB resource: {e}", exc_info=True)
            raise

    return _dynamodb_resource
