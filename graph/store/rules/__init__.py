"""What every store decides alike: pure functions over what a store has read, each used by both (docs/decisions.md#rules)."""
