"""Who asks: nobody, a holder of the client token, or a user signed in by OpenID Connect."""
