"""Problems for people, programs and code hosts: one module for each format, all fed by the same `Report`."""
