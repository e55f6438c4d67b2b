"""Knowledge bases: their data sources, what is ingested, and what is found.

Records (knowledge bases, data sources, jobs, sessions) are in the server's state; documents and
vectors in ``knowledge.sqlite`` beside it. Importing this package registers its operations.
"""

import localaws.knowledge.access
import localaws.knowledge.agentic
import localaws.knowledge.bases
import localaws.knowledge.documents
import localaws.knowledge.generate
import localaws.knowledge.jobs
import localaws.knowledge.retrieve
import localaws.knowledge.sources
import localaws.knowledge.tags  # noqa: F401
