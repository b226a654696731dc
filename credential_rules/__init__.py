"""What we refuse to deploy: rules on rendered templates and on the source of the functions in them."""
