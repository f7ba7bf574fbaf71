"""``lgtop demo``: a store that real runs leave behind, and a tour that crashes some of them before your eyes."""
