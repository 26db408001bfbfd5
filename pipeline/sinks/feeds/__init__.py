"""The kind `feeds`: what was found lately as Atom and JSON Feed, for anybody's feed reader."""
