"""Long work in a separate process, which can be found again by its id.

A page starts a job and shows its progress; after a reload, the id in the address finds the job
again. Input and output stay in memory, since both may contain people's faces.
"""

from fervt.jobs.once import ask
from fervt.jobs.process import JobError
from fervt.jobs.registry import Job, Jobs, JobState

__all__ = ["Job", "JobError", "JobState", "Jobs", "ask"]
