"""What the human runs: is my session good, will it last, why was I denied, why does my Lambda get InvalidClientTokenId."""
