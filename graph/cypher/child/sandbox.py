"""Locks the process in: no file can be opened, made, changed or run, no socket made, and memory, CPU and written files have limits.

Two independent walls. Resource limits (POSIX, `setrlimit`) hold everywhere: without a file descriptor nothing can be opened and no socket
made. Landlock (Linux 5.13, https://docs.kernel.org/userspace-api/landlock.html) also denies what needs no descriptor, such as deleting.
"""

import ctypes
import errno
import os
import resource
import socket

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_CREATE_RULESET_VERSION = 1
_PR_SET_NO_NEW_PRIVS = 38
# By version of Landlock's interface: how many kinds of access to files it knows (`LANDLOCK_ACCESS_FS_*`, one bit each).
_FILE_ACCESS_BITS = {1: 13, 2: 14, 3: 15, 4: 15}
_NEWEST_FILE_ACCESS_BITS = 16
_TCP_SINCE, _TCP_BITS = 4, 2
_SCOPES_SINCE, _SCOPE_BITS = 6, 2


class NotLockedIn(Exception):
    """The process could not be locked in."""


class _Ruleset(ctypes.Structure):
    """`struct landlock_ruleset_attr`: what is denied unless a rule allows it; there will be no rule."""

    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


def limit_memory(size: int) -> None:
    """Lets the process, and each that it forks, have so many bytes of memory, and leave no core behind. Raises NotLockedIn."""
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
            resource.setrlimit(kind, (size, size))
    except (OSError, ValueError) as error:
        raise NotLockedIn("memory cannot be limited") from error


def lock_in() -> None:
    """Closes the process off. What it has open (standard input and output) stays. Raises NotLockedIn."""
    os.chdir("/")
    _landlock()
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    except (OSError, ValueError) as error:
        raise NotLockedIn("files cannot be limited") from error
    _try_the_walls()


def limit_cpu(seconds: int) -> None:
    """Ends the process after so many seconds of CPU, of all its threads together."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def _landlock() -> None:
    """Denies all access to files and all TCP, where the kernel knows Landlock; elsewhere the limits hold alone."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syscall") or not hasattr(libc, "prctl"):
        return
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _CREATE_RULESET_VERSION)
    if version < 1:
        return
    files = (1 << _FILE_ACCESS_BITS.get(version, _NEWEST_FILE_ACCESS_BITS)) - 1
    network = (1 << _TCP_BITS) - 1 if version >= _TCP_SINCE else 0
    scopes = (1 << _SCOPE_BITS) - 1 if version >= _SCOPES_SINCE else 0
    ruleset = _Ruleset(files, network, scopes)
    # Older kernels know less of the structure, and take no more than they know.
    size = 24 if version >= _SCOPES_SINCE else 16 if version >= _TCP_SINCE else 8
    descriptor = libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), 0)
    if descriptor < 0:
        raise NotLockedIn("Landlock refuses")
    try:
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(_RESTRICT_SELF, descriptor, 0):
            raise NotLockedIn("Landlock refuses")
    finally:
        os.close(descriptor)


def _try_the_walls() -> None:
    """A wall that is not there must not be taken for one. Raises NotLockedIn."""
    for attempt in (lambda: os.open("/", os.O_RDONLY), lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)):
        try:
            attempt()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.EACCES, errno.EPERM):
                continue
            raise NotLockedIn("a wall behaves unexpectedly") from error
        raise NotLockedIn("a wall is missing")
