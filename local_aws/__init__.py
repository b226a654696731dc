"""Where Rolebound runs without an AWS account: an emulator with IAM and TLS enforced, deployed to by the real CDK CLI."""
