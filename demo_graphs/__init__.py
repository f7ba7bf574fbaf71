"""Small LangGraph programs that the demo runs; plain LangGraph, importing nothing of lgtop."""
