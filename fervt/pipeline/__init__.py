"""Many images to one table, on all cores or a cluster, in parts that survive a kill."""

from fervt.pipeline.images import Named, answer, look_at, named_images
from fervt.pipeline.plan import Chunk, plan_chunks
from fervt.pipeline.run import Run, Summary, begin

__all__ = [
    "Chunk",
    "Named",
    "Run",
    "Summary",
    "answer",
    "begin",
    "look_at",
    "named_images",
    "plan_chunks",
]
