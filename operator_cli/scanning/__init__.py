"""Finds credentials in what is about to be shared."""
