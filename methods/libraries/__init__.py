"""Upsampling as other libraries do it, a file a library; each is imported only when its factory is called."""
