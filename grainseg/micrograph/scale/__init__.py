"""The pixel size of a picture, from what tags, side files and people say."""
