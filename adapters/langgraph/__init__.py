"""The only folder that knows LangGraph."""
