"""Why a memory is a hit, and why one is not."""
