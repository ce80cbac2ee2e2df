"""The `llm` consolidator: several summaries in one call of a language model, each sentence held to what it cites.

What needs the openai package stays where it is chosen, as in `extract.llm`.
"""
