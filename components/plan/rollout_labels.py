"""Labels and annotations by which a rollout is told from what stands in the cluster."""

from __future__ import annotations

TRACK_LABEL = "gpuregion.dev/track"
"""Of pods: which of the two tracks of their service they are."""
VERSION_LABEL = "gpuregion.dev/version"
"""Of pods: digest of all that a replica is."""
LIVE = "gpuregion.dev/live-track"
"""Of the route: the track that answers; the first one where it is not said."""
SINCE = "gpuregion.dev/share-since"
"""Of the route: when the shares were set, in seconds of Unix time."""
TAKEN_BACK = "gpuregion.dev/taken-back"
"""Of the route: version that is not tried again."""
HELD_SINCE = "gpuregion.dev/held-since"
"""Of the route: since when the new version is held awake, in seconds of Unix time."""
