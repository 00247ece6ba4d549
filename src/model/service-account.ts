/** Whose mail is that belongs to no customer: what goes back over rewritten addresses, and to the operator. No account
 *  ever has this id. */
export const SERVICE_ACCOUNT = '0'.repeat(32)
