"""What this machine says about AWS credentials, and which of them an SDK takes."""
