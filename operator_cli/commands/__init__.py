"""The commands, one file each: they parse, ask the pure modules, and print. They decide nothing."""
