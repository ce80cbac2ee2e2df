"""Integrity checks of a namespace, of its texts, and of what belongs to no namespace."""
