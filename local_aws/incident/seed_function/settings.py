"""The seed's settings, read as pydantic-settings reads them: any case of a field's name, else its default."""

import os


class Settings:
    aws_region = "us-east-1"
    aws_access_key_id = None
    aws_secret_access_key = None
    sqs_event_queue_url = ""
    dynamodb_table_name = ""

    def __init__(self):
        for name, value in os.environ.items():
            if name.lower() in {field for field in vars(Settings) if not field.startswith("_")}:
                setattr(self, name.lower(), value)


def get_settings():
    return Settings()
