"""Comments on pull and merge requests of GitHub, GitLab and Forgejo.

Owns one thing: that a request carries exactly one comment of ours for each region, and that it is the
newest. `ci` reads where a pipeline runs, `http` owns retries and errors, one small adapter per forge
owns its paths and shapes, `comment` decides what to post, update or leave.
"""

from components.clients.forge.ci import find_target
from components.clients.forge.comment import CommentChange, Posted, compose, marker, publish
from components.clients.forge.connection import connect
from components.clients.forge.model import Author, Comment, Forge, ForgeError, Kind, Target

__all__ = [
    "Author",
    "Comment",
    "CommentChange",
    "Forge",
    "ForgeError",
    "Kind",
    "Posted",
    "Target",
    "compose",
    "connect",
    "find_target",
    "marker",
    "publish",
]
