"""Which statements replace which: what a statement tells of, and whether a later one changes it, says it again or leaves it standing."""
