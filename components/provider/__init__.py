"""The `gpuregion` provider.

The process serves gRPC and starts Ansible, whose runner forks. gRPC's own care for forks restarts its
pollers in the child, which then dies of closed descriptors before it becomes Ansible ("epoll_wait error:
Bad file descriptor", a run that "ended without a word"). The child only wants to become another program,
so that care is switched off. gRPC reads the setting when it is first imported, hence here.
"""

import os

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
