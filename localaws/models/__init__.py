"""Foundation models on loopback: embeddings, text, reranking, and the catalogue of them.

Importing this package registers their operations and loads no model.
"""

import localaws.models.converse
import localaws.models.counting
import localaws.models.invoke
import localaws.models.listing
import localaws.models.rerank  # noqa: F401
