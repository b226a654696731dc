"""Who may use the deployed application: API keys, made by the functions' own code."""
