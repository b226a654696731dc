"""Follows a program from its entry, without running it. `walk` is the door."""
