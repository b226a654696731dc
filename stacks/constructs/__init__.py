"""One capability per file. Keyword-only arguments; neither environment nor context is read here."""
