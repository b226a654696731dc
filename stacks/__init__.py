"""What we deploy: settings, the table of permissions, and three stacks."""
