"""What replaced what: the statements of a namespace that no longer hold, and what that makes of a ranking."""
