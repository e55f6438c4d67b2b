"""Other libraries on the same chunks, embeddings and questions."""
