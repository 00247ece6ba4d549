/** Ids in the examples of the document: stand-ins for the reader's own. */
export const EXAMPLE_ACCOUNT = '023e105f4ecef8ad9ca31a8372d0c353'

/** “Email Sending Write”, which has this id in every installation. */
export const EXAMPLE_PERMISSION_GROUP = '1f3ad633b2fa1430c3beddd5f19e825a'

/** The id of a version of a Worker. */
export const EXAMPLE_VERSION = '0199e3a0-7f3b-7c21-9d5e-4f6a8b0c1d2e'

/** The tag of a Worker. */
export const EXAMPLE_WORKER = '0123456789abcdef0123456789abcdef'
