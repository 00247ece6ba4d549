/** Ids in the examples of the document: stand-ins for the reader's own. */
export const EXAMPLE_ACCOUNT = '023e105f4ecef8ad9ca31a8372d0c353'

/** “Email Sending Write”, which has this id in every installation. */
export const EXAMPLE_PERMISSION_GROUP = '1f3ad633b2fa1430c3beddd5f19e825a'
