"""What every store decides alike: pure functions, each used by both."""
