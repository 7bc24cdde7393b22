"""Where rows come from: files of messages, text, and how they are paged."""
