"""Long work in a process of its own, found again by its id.

A page starts a job, draws its progress and may be reloaded meanwhile: the id in the address finds
the job again. What goes in and what comes out stays in memory, since both may hold people's faces.
"""

from fervt.jobs.once import ask
from fervt.jobs.process import JobError
from fervt.jobs.registry import Job, Jobs, JobState

__all__ = ["Job", "JobError", "JobState", "Jobs", "ask"]
