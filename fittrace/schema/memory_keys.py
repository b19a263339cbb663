"""The keys under which a journal says how much memory a process has, in its `values` records.

No variable has a dot in its name. The span of such a record says when it was read: as the hook of a callback list
begins, or as one callback's hook ends.
"""

RESIDENT = "memory.resident"
"""The bytes of the process that are in memory (RSS)."""
BLOCKS = "memory.blocks"
"""The blocks that Python's allocator has given out (`sys.getallocatedblocks`)."""
LIMIT = "memory.limit"
"""The bytes that the process may have: the limit of its cgroup, or the memory of the machine."""
PREFIX = "memory."
"""What these keys begin with, and no other key."""
