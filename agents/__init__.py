"""The nouns everybody shares: agents, API keys, documents, sections, versions, serving."""
