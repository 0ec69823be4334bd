"""Work that nobody waits for: what it is, who runs it, and how it survives whoever ran it.

The database holds the truth about a job (`amazonia.ports.JobBook`). A broker, where there is one,
only says that there is work; without one, or while it is down, the same functions run in process.
"""
