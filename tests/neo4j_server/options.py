"""How a server is to run, and the neo4j.conf that says so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a server is to run.

    Attributes:
        bolt_port, http_port: on loopback; 0: any free one, kept for as long as the server's object lives.
        password: of the user `neo4j`, set at the first start; "": no authentication.
        tls: Bolt speaks TLS alone, with a certificate for localhost that signs itself.
        read_only: the database takes no writes.
        quick_start: a third of the work of starting, and half of that of every test's first queries, by leaving out the compiler that pays
            off later, and by an archive of the server's classes that the first such start on a machine makes.
        java_options: further options of Java.
        heap, page_cache: as Java and Neo4j write sizes. 512m / 128m hold a test's data and leave a machine of two cores its memory.
        configuration: further lines of neo4j.conf; these win.
    """

    bolt_port: int = 0
    http_port: int = 0
    password: str = ""
    tls: bool = False
    read_only: bool = False
    quick_start: bool = False
    heap: str = "512m"
    page_cache: str = "128m"
    java_options: tuple[str, ...] = ()
    configuration: Mapping[str, str] = field(default_factory=dict)


def configuration_text(options: ServerOptions, certificates: Path) -> str:
    """The neo4j.conf of a server; `certificates` is the folder of its private key and certificate, used with TLS."""
    # A routing client connects to what is advertised, and checks the certificate against that name.
    advertised = "localhost" if options.tls else HOST
    lines = {
        "server.bolt.listen_address": f"{HOST}:{options.bolt_port}",
        "server.bolt.advertised_address": f"{advertised}:{options.bolt_port}",
        "server.http.listen_address": f"{HOST}:{options.http_port}",
        "server.https.enabled": "false",
        "server.memory.pagecache.size": options.page_cache,
        "dbms.security.auth_enabled": "true" if options.password else "false",
        "dbms.usage_report.enabled": "false",
    }
    if options.read_only:
        lines["server.databases.read_only"] = "neo4j"
    if options.tls:
        lines |= {
            "server.bolt.tls_level": "REQUIRED",
            "dbms.ssl.policy.bolt.enabled": "true",
            "dbms.ssl.policy.bolt.base_directory": str(certificates),
            "dbms.ssl.policy.bolt.private_key": "private.key",
            "dbms.ssl.policy.bolt.public_certificate": "public.crt",
            "dbms.ssl.policy.bolt.client_auth": "NONE",
        }
    return "".join(f"{name}={value}\n" for name, value in (lines | dict(options.configuration)).items())
