"""Nothing is configured here: the entry point loads the plugin, and folders give categories."""
