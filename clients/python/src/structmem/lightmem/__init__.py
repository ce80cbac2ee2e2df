"""For those who come from LightMem: its configuration and its methods, on a StructMem service.

`LightMemory` takes LightMem's configuration and answers its calls; `service_settings` says how the service is to be set up for the same;
`OPTIONS` is every option of LightMem's with what becomes of it (docs/lightmem.md).
"""

from structmem.lightmem.configuration import LightMemConfigError, LightMemWarning, Note
from structmem.lightmem.memory import Added, LightMemory
from structmem.lightmem.options import OPTIONS, Fate, Option
from structmem.lightmem.settings import service_settings

__all__ = ["OPTIONS", "Added", "Fate", "LightMemConfigError", "LightMemWarning", "LightMemory", "Note", "Option", "service_settings"]
