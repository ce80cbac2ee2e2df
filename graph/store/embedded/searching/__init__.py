"""The search index of a namespace, fed from its file."""
