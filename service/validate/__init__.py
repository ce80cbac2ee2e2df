"""Checks of what callers send: each notes what is wrong with which field, and a request's violations are answered together."""

from service.validate.fields import enum_value, enum_values, fraction, job_id, limit_of, names, namespace_name, node_id, node_ids, text
from service.validate.times import instant, local_time, zone_name, zone_of
from service.validate.vectors import numbers, vector
from service.validate.violations import Violations

__all__ = [
    "Violations",
    "enum_value",
    "enum_values",
    "fraction",
    "instant",
    "job_id",
    "limit_of",
    "local_time",
    "names",
    "namespace_name",
    "node_id",
    "node_ids",
    "numbers",
    "text",
    "vector",
    "zone_name",
    "zone_of",
]
