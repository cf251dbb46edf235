"""A Ray cluster of two nodes on this machine, one processor each, for the tests of `codex.data.cluster`.

Prints its address; ends the second node by SIGKILL when told `kill`, and all of it when stdin ends.
"""

from __future__ import annotations

import os
import sys

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

from ray.cluster_utils import Cluster

NODE = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}


def main() -> None:
    quickly = {
        "health_check_initial_delay_ms": 500,
        "health_check_period_ms": 500,
        "health_check_failure_threshold": 4,
    }
    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "_system_config": quickly})
    second = cluster.add_node(**NODE)
    try:
        print(cluster.address, flush=True)
        if sys.stdin.readline() == "kill\n":
            cluster.remove_node(second, allow_graceful=False)
            print("killed", flush=True)
            sys.stdin.read()
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
