"""Is the session good for what is about to be done? Checked first, then the real tool is run."""
