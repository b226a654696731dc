"""What the specimen saw, for the report. It holds no credential."""

calls = []


def note(service, operation, outcome):
    response = getattr(outcome, "response", None)
    error = response["Error"] if response else None
    calls.append(
        {
            "service": service,
            "operation": operation,
            "error": error["Code"] if error else None if isinstance(outcome, str) else type(outcome).__name__,
            "detail": error["Message"] if error else str(outcome),
        }
    )


def credentials_of(client):
    """The last four characters of the key id that a client signs with, and whether it has a session token."""
    signs_with = client._request_signer._credentials.get_frozen_credentials()
    return {"key_id_ends": signs_with.access_key[-4:], "session_token": "present" if signs_with.token else "absent"}
