"""API tokens: secrets by which programs act for users, within scopes."""
