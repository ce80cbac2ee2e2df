"""The header of an export, both ways."""

from datetime import datetime

from structmem.v1 import exchange_pb2

from graph.model import ExtractionMode, Namespace
from service.convert.namespaces import MAX_DESCRIPTION, exported_namespace_from_proto, namespace_to_proto
from service.convert.profiles import profile_from_proto
from service.convert.retention import retention_from_proto
from service.convert.times import timestamp
from service.validate import Violations, instant, text, zone_name

FORMAT_VERSION = 1


def header_to_proto(namespace: Namespace, exported_at: datetime, version: str) -> exchange_pb2.ExportHeader:
    """The first part of an export."""
    return exchange_pb2.ExportHeader(
        format_version=FORMAT_VERSION,
        namespace=namespace_to_proto(namespace),
        revision=namespace.revision,
        exported_at=timestamp(exported_at),
        service_version=version,
    )


def namespace_from_header(found: Violations, name: str, header: exchange_pb2.ExportHeader) -> Namespace:
    """The namespace that an export shows, under the name `name` and without a uid."""
    at = "header.export_header"
    if header.format_version != FORMAT_VERSION:
        found.add(f"{at}.format_version", f"must be {FORMAT_VERSION}; this service does not read {header.format_version}")
    embedding, mode, generation = exported_namespace_from_proto(found, f"{at}.namespace", header.namespace)
    return Namespace(
        name=name,
        uid="",
        embedding=embedding,
        extraction_mode=mode or ExtractionMode.EVENT,
        created_at=instant(found, f"{at}.namespace.created_at", header.namespace.created_at),
        time_zone=zone_name(found, f"{at}.namespace.time_zone", header.namespace.time_zone),
        description=text(found, f"{at}.namespace.description", header.namespace.description, MAX_DESCRIPTION, required=False),
        revision=header.revision,
        generation=generation,
        profile=profile_from_proto(found, f"{at}.namespace.profile", header.namespace.profile),
        retention=retention_from_proto(found, f"{at}.namespace.retention", header.namespace.retention),
    )
