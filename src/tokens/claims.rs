//! Builds the claims of each kind of token, and reads the user id out of them.
