"""Hands a session on to a program over a socket: no key in its environment or on the disk."""
