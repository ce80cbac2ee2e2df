"""A namespace made of the records of an export, out of sight until it is complete."""
